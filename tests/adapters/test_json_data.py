"""Converting values to JSON data by the three policies of `together_adapters._json_data`."""

from __future__ import annotations

import dataclasses
import json
import sys
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, strategies as st
from together_adapters._json_data import (
    by_index,
    message_as_delta,
    objects_in,
    raw_of,
    request_json,
    to_jsonable,
    with_call_indexes,
)

from together_types import ChatCompletionChoicesData, ChatCompletionMessage, FinishReason, UsageData


class Model:
    """A model of an SDK that is not pydantic, so `model_dump` accepts no options."""

    def model_dump(self) -> dict[str, object]:
        return {"reason": FinishReason("abort"), "parts": (1, {"b": 2})}


@dataclasses.dataclass
class Point:
    """A dataclass of a program."""

    x: float
    y: object = None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (FinishReason.EOS, "eos"),
        ((1, [FinishReason("abort")]), [1, ["abort"]]),
        (MappingProxyType({FinishReason.EOS: {"a": (1,)}}), {"eos": {"a": [1]}}),
        (UsageData(1, 2, 3), {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}),
        (Model(), {"reason": "abort", "parts": [1, {"b": 2}]}),
        (None, None),
        (Decimal("0.5"), Decimal("0.5")),
    ],
    ids=["enum", "tuple", "mapping", "value", "model", "null", "other"],
)
def test_copy_of_raw_json_has_plain_types(value: object, expected: object) -> None:
    found = raw_of(value)
    assert found == expected and repr(found) == repr(expected)


def test_request_with_values_and_mappings_is_written_as_ascii_json() -> None:
    message = ChatCompletionMessage.from_dict({"role": "user", "content": "ü"})
    text = request_json({"messages": [message], "metadata": MappingProxyType({"a": UsageData(1, 2, 3)}), "n": 1})
    assert text.isascii() and " " not in text
    assert json.loads(text) == {
        "messages": [{"role": "user", "content": "ü"}],
        "metadata": {"a": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}},
        "n": 1,
    }


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({1}, "cannot send set in a request: use JSON values or together_types values"),
        (b"x", "cannot send bytes in a request"),
        (float("nan"), "Out of range float values are not JSON compliant"),
    ],
    ids=["set", "bytes", "nan"],
)
def test_request_with_a_part_that_is_not_json_raises_an_error(value: object, problem: str) -> None:
    with pytest.raises((TypeError, ValueError), match=problem):
        request_json({"metadata": {"a": [value]}})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Point(1.5, {2}), {"x": 1.5, "y": [2]}),
        (UsageData(1, 2, 3), {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}),
        ({"a\ud800": ("b\udc00", FinishReason.EOS)}, {"a\ufffd": ["b\ufffd", "eos"]}),
        ({None: 1, True: 2, 3: 3, 0.5: 4}, {"null": 1, "true": 2, "3": 3, "0.5": 4}),
        ({float("inf"): 1}, {"null": 1}),
        ([float("nan"), float("-inf"), True, 0.5], [None, None, True, 0.5]),
        ([Decimal(7), Decimal("0.5"), Decimal("1e30"), Decimal("NaN")], [7, 0.5, 1e30, None]),
        (frozenset({"a"}), ["a"]),
    ],
    ids=["dataclass", "value", "surrogates", "keys", "key that is not finite", "floats", "decimals", "set"],
)
def test_jsonable_copy_of_a_value_can_be_written_by_any_json_writer(value: object, expected: object) -> None:
    found = to_jsonable(value)
    assert found == expected and repr(found) == repr(expected)
    json.dumps(found, allow_nan=False, ensure_ascii=False).encode("utf-8")


@pytest.mark.skipif(
    not hasattr(sys, "set_int_max_str_digits"), reason="this interpreter can write integers of any length"
)
def test_integer_that_cannot_be_written_becomes_null() -> None:
    assert to_jsonable([10**5000, 10**4000]) == [None, 10**4000]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (object(), "^object is not JSON serializable$"),
        ({"a": [0, b"x"]}, r"^a\[1\]: bytes is not JSON serializable$"),
        ({"a": {("b",): 1}}, "^a: a key of type tuple is not a JSON key: use str$"),
        ({("b",): 1}, "^a key of type tuple is not a JSON key: use str$"),
        (Point, "^type is not JSON serializable$"),
        ({"\ud800": object()}, r'^\["\\ud800"\]: object is not JSON serializable$'),
    ],
    ids=["root", "path", "key", "root key", "class", "surrogate"],
)
def test_object_that_is_not_json_raises_an_error_with_its_path(value: object, problem: str) -> None:
    with pytest.raises(TypeError, match=problem):
        to_jsonable(value)


def test_json_deeper_than_256_levels_raises_value_error() -> None:
    deep: Any = 1
    for _ in range(256):
        deep = [deep]
    assert to_jsonable(deep) == deep
    with pytest.raises(ValueError, match=r"^nested deeper than 256 levels: \[0\]\[0\].*\.\.\.$"):
        to_jsonable([deep])


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(JSON_VALUES)
def test_any_json_is_kept_by_all_policies(value: Any) -> None:
    assert to_jsonable(value) == raw_of(value) == value
    assert json.loads(request_json({"a": value})) == {"a": value}


def test_choices_are_sorted_by_index_or_position() -> None:
    choices = [ChatCompletionChoicesData(index=2), ChatCompletionChoicesData(), ChatCompletionChoicesData(index=0)]
    assert by_index(choices) == [(0, choices[2]), (1, choices[1]), (2, choices[0])]
    assert by_index(None) == []


def test_tool_call_without_an_index_has_its_position_as_index() -> None:
    calls = [{"id": "a"}, {"id": "b", "index": 5}, "odd", {"id": "c", "index": None}]
    expected = [{"id": "a", "index": 0}, {"id": "b", "index": 5}, "odd", {"id": "c", "index": 3}]
    assert with_call_indexes(calls) == expected
    assert message_as_delta({"role": "assistant", "tool_calls": calls}) == {"role": "assistant", "tool_calls": expected}
    message = {"content": "a", "tool_calls": None}
    assert message_as_delta(message) == message and message_as_delta(message) is not message


def test_objects_of_a_mixed_array_are_returned_without_the_rest() -> None:
    assert objects_in([{"a": 1}, 2, None, {}]) == [{"a": 1}, {}]
    assert objects_in({"a": {}}) == objects_in(None) == []
