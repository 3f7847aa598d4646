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
from together_types._read import INTEGER, JSON_VALUE, OBJECT, TEXT, Coerced, TypeMismatch, array_of, map_of


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


@pytest.mark.parametrize("item", [TEXT, INTEGER, OBJECT, JSON_VALUE], ids=["text", "integer", "object", "any"])
def test_null_in_a_container_is_a_mismatch_unless_nulls_are_allowed(item: typing.Any) -> None:
    for reader, raw, path in ((array_of(item), [None], "[0]"), (map_of(item), {"a": None}, "a")):
        if item is JSON_VALUE:  # any JSON includes null
            assert list(reader.convert(raw, 1)) == list(raw)
            continue
        with pytest.raises(TypeMismatch) as caught:
            reader.convert(raw, 1)
        assert (caught.value.got, caught.value.path) == (None, path)
    assert array_of(item, nulls=True).convert([None], 1) == (None,)
    assert map_of(item, nulls=True).convert({"a": None}, 1) == {"a": None}


CHUNK: dict[str, typing.Any] = {
    "id": "1",
    "object": "chat.completion.chunk",
    "created": 5,
    "model": "m",
    "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": None}],
}


@pytest.mark.parametrize("key", CHUNK)
@pytest.mark.parametrize("raw", [7, "7", 7.0, True, None, [], {}, [{}], [{}, {}], [None]], ids=repr)
def test_reading_a_chunk_with_one_unusual_value_equals_general_reading(key: str, raw: typing.Any) -> None:
    """The reader of chunks expects these keys with values of the usual types, and falls back to the tables."""
    check(ChatCompletionChunk, {**CHUNK, key: raw})
    check(ChatCompletionChunk, {**CHUNK, key: raw, "usage": raw, "undeclared": raw})
    check(ChatCompletionChunk, {name: value for name, value in CHUNK.items() if name != key})


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
