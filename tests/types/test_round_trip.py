"""Reading any JSON object with any class does not raise, has the annotated types, and keeps all JSON."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import sys
import types
import typing
from collections.abc import Mapping

import pytest
from comparisons import same
from corpus import BODIES, STREAMS, TYPES, label, objects
from hypothesis import given, strategies as st
from strategies import json_objects, keys_of, shaped

from together_types import ChatCompletionChunk, ChatCompletionResponse, ErrorData, ParseError
from together_types._model import Value


def holds(value: object, hint: object) -> bool:
    """Return whether a value has exactly the annotated type: a bool does not match int, nor an int float."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is object:
        return True
    if origin in (typing.Union, getattr(types, "UnionType", None)):
        return any(holds(value, arm) for arm in args)
    if origin is tuple:
        return isinstance(value, tuple) and all(holds(item, args[0]) for item in value)
    if origin is Mapping or getattr(origin, "__name__", "") == "Mapping":
        return isinstance(value, Mapping) and all(isinstance(k, str) and holds(v, args[1]) for k, v in value.items())
    assert isinstance(hint, type)
    return type(value) is hint


def untruths(value: Value) -> list[str]:
    """Return every field, also of nested values, whose value does not match its annotation."""
    found = []
    hints = typing.get_type_hints(type(value))
    for field in dataclasses.fields(value):
        item = getattr(value, field.name)
        if not holds(item, hints[field.name]):
            found.append(f"{type(value).__name__}.{field.name} = {item!r}")
        for nested in item if isinstance(item, tuple) else (item,):
            if isinstance(nested, Value):
                found += untruths(nested)
    return found


def check(cls: type[Value], data: dict[str, object]) -> None:
    before = copy.deepcopy(data)
    value = cls.from_dict(data)
    assert same(data, before)
    assert same(value.to_dict(), data)
    if sys.version_info >= (3, 10):
        assert untruths(value) == []
    json.loads(value.to_json(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert same(pickle.loads(pickle.dumps(value)).to_dict(), data)
    assert same(copy.deepcopy(value).to_dict(), data)
    hash(value)
    repr(value)
    issues = value.issues()
    if issues:
        with pytest.raises(ParseError) as caught:
            cls.from_dict(data, strict=True)
        assert (caught.value.path, caught.value.problem) == issues[0]
    else:
        assert same(cls.from_dict(data, strict=True).to_dict(), data)


@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)
@given(st.data())
def test_any_object_round_trips(cls: type[Value], data: st.DataObject) -> None:
    check(cls, data.draw(json_objects(keys_of(cls))))


@pytest.mark.skipif(sys.version_info < (3, 10), reason="annotations resolve on 3.10 and newer")
@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)
@given(st.data())
def test_shaped_object_round_trips(cls: type[Value], data: st.DataObject) -> None:
    check(cls, data.draw(shaped(cls)))


@pytest.mark.parametrize("path", BODIES + STREAMS, ids=label)
def test_recorded_objects_round_trip(path: typing.Any) -> None:
    for data in objects(path):
        for cls in (ChatCompletionChunk, ChatCompletionResponse, ErrorData):
            assert same(cls.from_dict(data).to_dict(), data)


@pytest.mark.parametrize("path", BODIES + STREAMS, ids=label)
def test_recorded_completions_have_no_issues(path: typing.Any) -> None:
    for data in objects(path):
        if "choices" in data:
            cls = ChatCompletionChunk if path.suffix == ".sse" else ChatCompletionResponse
            assert cls.from_dict(data).issues() == []
