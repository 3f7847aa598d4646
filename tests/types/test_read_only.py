"""The raw JSON of values is read-only at every depth."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from comparisons import same
from corpus import TYPES
from hypothesis import given, strategies as st
from strategies import json_objects, keys_of

from together_types import (
    ChatCompletionRequest,
    ChatCompletionResponse,
    JSONSchema,
    LogprobsPart,
    UsageData,
)
from together_types._json import FrozenDict, FrozenList
from together_types._model import Value

NESTED: dict[str, Any] = {"a": [1, {"b": [2]}], "c": {"d": {}}}
DICT_CHANGES: dict[str, Any] = {
    "setitem": lambda target: target.__setitem__("a", 1),
    "delitem": lambda target: target.__delitem__("a"),
    "clear": lambda target: target.clear(),
    "pop": lambda target: target.pop("a", None),
    "popitem": lambda target: target.popitem(),
    "setdefault": lambda target: target.setdefault("new", 1),
    "update": lambda target: target.update(a=1),
    "ior": lambda target: target.__ior__({"a": 1}),
}
LIST_CHANGES: dict[str, Any] = {
    "setitem": lambda target: target.__setitem__(0, 1),
    "setslice": lambda target: target.__setitem__(slice(None), []),
    "delitem": lambda target: target.__delitem__(0),
    "append": lambda target: target.append(1),
    "clear": lambda target: target.clear(),
    "extend": lambda target: target.extend([1]),
    "insert": lambda target: target.insert(0, 1),
    "pop": lambda target: target.pop(),
    "remove": lambda target: target.remove(1),
    "reverse": lambda target: target.reverse(),
    "sort": lambda target: target.sort(),
    "iadd": lambda target: target.__iadd__([1]),
    "imul": lambda target: target.__imul__(2),
}


def containers(value: Any) -> Iterator[Any]:
    """Yield every dict and list that is reachable from the attributes of a value."""
    if isinstance(value, Value):
        for field in dataclasses.fields(value):  # type: ignore[arg-type]
            yield from containers(getattr(value, field.name))
    elif isinstance(value, (dict, list, tuple)):
        if not isinstance(value, tuple):
            yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from containers(item)


@pytest.mark.parametrize("name", DICT_CHANGES)
def test_changing_a_dict_raises_type_error(name: str) -> None:
    for extra in (UsageData.from_dict(NESTED).extra, UsageData.from_dict(NESTED).extra["c"], UsageData().extra):
        before = copy.deepcopy(extra)
        with pytest.raises(TypeError, match="read-only"):
            DICT_CHANGES[name](extra)
        assert extra == before


@pytest.mark.parametrize("name", LIST_CHANGES)
def test_changing_a_list_raises_type_error(name: str) -> None:
    extra = UsageData.from_dict(NESTED).extra
    for target in (extra["a"], extra["a"][1]["b"]):
        before = copy.deepcopy(target)
        with pytest.raises(TypeError, match="read-only"):
            LIST_CHANGES[name](target)
        assert target == before


def test_second_init_call_does_not_change_the_container() -> None:
    extra: Any = UsageData.from_dict(NESTED).extra
    extra.__init__({"a": 1})
    extra["a"].__init__([1])
    assert extra == NESTED


def test_every_method_of_dict_and_list_is_overridden_or_listed_as_reading() -> None:
    """A method that a later Python adds to dict or list must be overridden, or listed here if it only reads."""
    reading = {"copy", "count", "fromkeys", "get", "index", "items", "keys", "values"}
    public = {name for kind in (dict, list) for name in vars(kind) if not name.startswith("_")}
    assert public - reading == {name for kind in (FrozenDict, FrozenList) for name in vars(kind)} - {
        name for name in [*vars(FrozenDict), *vars(FrozenList)] if name.startswith("_")
    }


@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)
@given(st.data())
def test_no_container_of_any_value_can_be_changed(cls: type[Value], data: st.DataObject) -> None:
    raw = data.draw(json_objects(keys_of(cls)))
    value = cls.from_dict(raw)
    for found in [*containers(value)]:
        assert isinstance(found, (FrozenDict, FrozenList))
    assert same(value.to_dict(), raw)


def test_raw_json_in_fields_is_read_only() -> None:
    request = ChatCompletionRequest(metadata=NESTED, function_call={"name": ["f"]}, logit_bias={"1": 1.0})
    schema = JSONSchema.from_dict({"schema": NESTED})
    part = LogprobsPart.from_dict({"top_logprobs": [{"a": -1.0}, None]})
    assert part.top_logprobs
    targets: list[Any] = [request.metadata, request.function_call, request.logit_bias, schema.schema_]
    for target in [*targets, part.top_logprobs[0]]:  # type: ignore[index]
        with pytest.raises(TypeError, match="read-only"):
            target["new"] = 1
    assert request.metadata is not None and schema.schema_ is not None
    for metadata in (request.metadata, schema.schema_):
        with pytest.raises(TypeError, match="read-only"):
            metadata["a"][1]["b"].append(3)
    assert request.metadata == NESTED == schema.schema_ and request.metadata is request.metadata


def test_raw_json_is_frozen_at_the_first_access() -> None:
    response = ChatCompletionResponse.from_dict({"x": NESTED, "metadata": NESTED})
    response.issues(), response.to_dict(), repr(response), hash(response)
    assert type(vars(response)["extra"]) is dict and type(vars(response)["metadata"]) is dict
    assert response.extra is response.extra is vars(response)["extra"]


def test_json_of_the_caller_can_be_changed_after_reading() -> None:
    data = copy.deepcopy({"x": NESTED, "metadata": NESTED})
    response = ChatCompletionResponse.from_dict(data)
    assert response.extra["x"] == NESTED
    data["x"]["a"].append(3)
    data["metadata"]["a"].append(3)
    assert response.extra["x"] == NESTED == response.metadata
    assert type(data["x"]["a"]) is list


def test_to_dict_returns_new_plain_containers() -> None:
    response = ChatCompletionResponse.from_dict({"x": NESTED, "metadata": NESTED})
    assert response.extra and response.metadata
    data: Any = response.to_dict()
    assert {type(item) for item in (data["x"], data["x"]["c"], data["metadata"], data["metadata"]["c"])} == {dict}
    assert type(data["x"]["a"]) is type(data["metadata"]["a"]) is list
    data["x"]["a"].append(3)
    data["metadata"]["a"][1]["b"].append(3)
    assert response.to_dict() == {"x": NESTED, "metadata": NESTED}


@pytest.mark.parametrize("accessed", [False, True])
def test_read_only_json_can_be_copied_pickled_and_dumped(accessed: bool) -> None:
    response = ChatCompletionResponse.from_dict({"x": NESTED, "metadata": NESTED})
    if accessed:
        assert response.extra and response.metadata
    twins = [pickle.loads(pickle.dumps(response, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for twin in [*twins, copy.copy(response), copy.deepcopy(response), dataclasses.replace(response)]:
        assert twin == response and twin.extra == {"x": NESTED}
        with pytest.raises(TypeError, match="read-only"):
            twin.extra["x"]["a"].append(3)
    for plain in (json.loads(json.dumps(response.extra)), dataclasses.asdict(response)["extra"], response.extra):
        assert plain == {"x": NESTED}
    for twin in (pickle.loads(pickle.dumps(response.extra)), copy.deepcopy(response.extra), copy.copy(response.extra)):
        assert twin == response.extra and type(twin["x"]["a"]) is FrozenList


def test_pickles_contain_the_public_module() -> None:
    response = ChatCompletionResponse.from_dict({"x": NESTED})
    assert response.extra
    assert b"._json" not in pickle.dumps(response, 0)


def test_pickle_of_0_1_0_becomes_read_only() -> None:
    """Version 0.1.0 pickled a `_read.ReadOnlyDict` that contained plain lists."""
    pickled = b"ctogether_types._read\nReadOnlyDict\n((dVa\n(lI1\nastR."
    loaded = pickle.loads(pickled)
    assert loaded == {"a": [1]} and type(loaded) is FrozenDict and type(loaded["a"]) is FrozenList
