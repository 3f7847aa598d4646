"""Reading by the tables of exact JSON types has the results of reading by `Reader.read`, which accepts every type."""

from __future__ import annotations

import copy
import subprocess
import sys
import typing

import pytest
from comparisons import exactly
from corpus import BODIES, STREAMS, TYPES, label, objects
from hypothesis import given, strategies as st
from strategies import json_objects, keys_of, shaped

from together_types import ChatCompletionChunk, ChatCompletionResponse, ParseError
from together_types._json import STACK_USED_UP
from together_types._model import Value
from together_types._read import Coerced, TypeMismatch


def by_general_readers(cls: type[Value], data: dict[str, typing.Any]) -> Value:
    """Return the value that the contract of readers defines, without using `Reader.types` of the class's own fields."""
    value = object.__new__(cls)
    fields, extra = vars(value), {}
    for key, raw in data.items():
        reader = cls._schema.readers.get(key)
        if reader and reader.types.get(type(raw), 0) is None:  # the JSON is the value
            fields[key] = raw
            continue
        try:
            if reader:
                result = reader.read(raw, 2)
                fields[key] = result.value if isinstance(result, Coerced) else result
                if not isinstance(result, Coerced):
                    continue
        except TypeMismatch:
            pass
        extra[key] = copy.deepcopy(raw)
    if extra:
        fields["extra"] = extra
    return value


def check(cls: type[Value], data: dict[str, typing.Any]) -> None:
    assert exactly(cls._schema.read(copy.deepcopy(data), 1)) == exactly(by_general_readers(cls, data))


@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)
@given(st.data())
def test_reading_any_object_by_tables_equals_general_reading(cls: type[Value], data: st.DataObject) -> None:
    like = json_objects(keys_of(cls))
    if sys.version_info >= (3, 10):  # where annotations resolve
        like = shaped(cls) | like
    check(cls, data.draw(like))


@pytest.mark.parametrize("path", BODIES + STREAMS, ids=label)
def test_reading_recordings_by_tables_equals_general_reading(path: typing.Any) -> None:
    cls = ChatCompletionChunk if path.suffix == ".sse" else ChatCompletionResponse
    for data in objects(path):
        check(cls, data)


def test_error_for_too_deep_json_contains_the_path() -> None:
    deep: typing.Any = 1
    for _ in range(200):
        deep = {"a": deep}
    for cls in (ChatCompletionChunk, ChatCompletionResponse):
        for key in ("delta", "message"):
            with pytest.raises(ParseError) as caught:
                cls.from_dict({"choices": [{}, {"index": 0, key: {"content": "", "x": deep}}]})
            assert caught.value.path.startswith(f"choices[1].{key}.x.a")


# Under WebAssembly the decoder would end the process instead of raising RecursionError, so it must not be called.
UNDER_WEBASSEMBLY = """
import sys
sys.path[:0], sys.platform = {path!r}, "emscripten"
sys.setrecursionlimit(100_000)
from together_types import ChatCompletionChunk, FunctionCall, ParseError
from together_types._json import check_nesting, loads

deep = "[" * 3000 + "]" * 3000
assert loads('"' + "[" * 3000 + '"') == "[" * 3000
for text in (deep, " " + deep):
    for read in (check_nesting, loads, ChatCompletionChunk.from_json):
        try:
            read(text)
        except (ParseError, RecursionError) as error:
            print(error)
"""


def test_deep_json_under_webassembly_raises_an_error_before_decoding() -> None:
    code = UNDER_WEBASSEMBLY.format(path=sys.path)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.splitlines() == ["nested too deeply", STACK_USED_UP, STACK_USED_UP] * 2
