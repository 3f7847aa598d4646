"""from_dict never raises, never lies and never loses anything, for any JSON object and every type."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import sys
import types
import typing
from collections.abc import Mapping
from functools import cache

import pytest
from corpus import BODIES, STREAMS, TYPES, label, objects
from hypothesis import given, strategies as st

from together_types import ChatCompletionChunk, ChatCompletionResponse, ErrorData, ParseError
from together_types._model import Value

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.integers().map(str)
    | st.integers(-9, 9).map(float)
    | st.sampled_from(["stop", "eos", "", "user", "chat.completion", "0", "-7", "1_0", "２"])
)


@cache
def json_objects(keys: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, object]]:
    """JSON objects that use these keys at every depth."""
    values = st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
    )
    return st.dictionaries(keys, values, max_size=6)


KNOWN_KEYS = sorted({key for cls in TYPES for key in cls._schema.readers})
TRAPS = ["extra", "to_dict", "__class__", "__dict__", "issues", "_readers", "schema_", "type_", ""]


@cache
def keys_of(cls: type[Value]) -> st.SearchStrategy[str]:
    """Keys that meet fields: the type's own, other types', and names that are not fields."""
    return st.sampled_from(sorted(cls._schema.readers)) | st.sampled_from(KNOWN_KEYS) | st.sampled_from(TRAPS)


@cache
def shaped(cls: type[Value], depth: int = 3) -> st.SearchStrategy[dict[str, object]]:
    """JSON objects that mostly have the shape of `cls`, so that nested values are reached."""
    hints = typing.get_type_hints(cls)
    fields = {
        key: shaped_field(hints[name], depth) | json_objects(keys_of(cls)) | SCALARS
        for name, key in cls._schema.keys.items()
    }
    return st.fixed_dictionaries({}, optional=fields)


def shaped_field(hint: object, depth: int) -> st.SearchStrategy[object]:
    if isinstance(hint, type) and issubclass(hint, Value):
        return shaped(hint, depth - 1) if depth else st.just({})
    if typing.get_origin(hint) is tuple:
        return st.lists(shaped_field(typing.get_args(hint)[0], depth), max_size=3)
    if typing.get_origin(hint) in (typing.Union, getattr(types, "UnionType", None)):
        return st.one_of([shaped_field(arm, depth) for arm in typing.get_args(hint)])
    return SCALARS


def holds(value: object, hint: object) -> bool:
    """Whether a value is exactly what an annotation promises: a bool is no int, an int no float."""
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
    """Every field, nested ones too, that does not hold what its annotation says."""
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


def same(left: object, right: object) -> bool:
    """Equal as JSON text is: 1 is not 1.0, NaN is NaN; the order of keys does not count."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


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
def test_any_object(cls: type[Value], data: st.DataObject) -> None:
    check(cls, data.draw(json_objects(keys_of(cls))))


@pytest.mark.skipif(sys.version_info < (3, 10), reason="annotations resolve on 3.10 and newer")
@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)
@given(st.data())
def test_objects_of_about_the_right_shape(cls: type[Value], data: st.DataObject) -> None:
    check(cls, data.draw(shaped(cls)))


@pytest.mark.parametrize("path", BODIES + STREAMS, ids=label)
def test_recorded(path: typing.Any) -> None:
    for data in objects(path):
        for cls in (ChatCompletionChunk, ChatCompletionResponse, ErrorData):
            assert same(cls.from_dict(data).to_dict(), data)


@pytest.mark.parametrize("path", BODIES + STREAMS, ids=label)
def test_recorded_completions_have_no_issues(path: typing.Any) -> None:
    for data in objects(path):
        if "choices" in data:
            cls = ChatCompletionChunk if path.suffix == ".sse" else ChatCompletionResponse
            assert cls.from_dict(data).issues() == []
