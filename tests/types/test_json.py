"""Reading and writing JSON text, safe copies, and the paths and descriptions in error messages."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given, strategies as st
from strategies import json_objects

from together_types import ChatCompletionResponse, ParseError, UsageData
from together_types._json import (
    STACK_USED_UP,
    FrozenDict,
    FrozenList,
    _bounded_int,
    at,
    describe,
    document_at,
    dumps,
    finite,
    freeze,
    is_array,
    is_object,
    loads,
    loads_finite,
    under,
    utf8_safe,
    well_formed,
)

DEEP = "[" * 100_000
limited = pytest.mark.skipif(
    not hasattr(sys, "set_int_max_str_digits"), reason="this interpreter can write integers of any length"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Zürich \U0001f600", "Zürich \U0001f600"),
        ("\ud83d\ude00", "\U0001f600"),
        ("a\ud800b", "a\ufffdb"),
        ("\udc00\ud800", "\ufffd\ufffd"),
    ],
    ids=["valid", "pair", "lone", "reversed"],
)
def test_text_with_surrogates_becomes_well_formed(text: str, expected: str) -> None:
    assert well_formed(text) == expected
    assert str(ParseError("", text)) == expected


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda data: data.decode()])
def test_document_in_any_bytes_or_text_is_read(kind: Any) -> None:
    for data in (b'{"a": [1]}', b' \r\n\t{"a": [1]}\n', '\ufeff {"a": [1]} '.encode()):
        assert loads(kind(data)) == {"a": [1]}


@pytest.mark.parametrize("read", [loads, lambda text: loads_finite(text.encode())], ids=["loads", "loads_finite"])
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not JSON: the text is empty"),
        (" \n", "not JSON: the text is empty"),
        ("\ufeff", "not JSON: the text is empty"),
        ('{"a":\n }', 'not JSON: Expecting value: line 2 column 2 (char 7), at "}"'),
        ("[1", "not JSON: Expecting ',' delimiter: line 1 column 3 (char 2), at the end of the text"),
        ("1 2", 'not JSON: Extra data: line 1 column 2 (char 1), at " 2"'),
        (DEEP, STACK_USED_UP),
        (" " + DEEP, STACK_USED_UP),
        ("9" * 4301, "not JSON: an integer of more than 4300 digits"),
    ],
    ids=range(9),
)
def test_unreadable_document_raises_parse_error(read: Any, text: str, problem: str) -> None:
    with pytest.raises(ParseError) as caught:
        read(text)
    assert (caught.value.path, caught.value.problem) == ("", problem)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_number_that_is_not_finite_is_rejected_by_loads_finite_only(number: str) -> None:
    found: Any = loads(f"[{number}]")
    assert not json.loads(dumps(found))[0]
    with pytest.raises(ParseError, match=f"{number} is (not a JSON number|too large)"):
        loads_finite(f"[{number}]".encode())


@given(json_objects(st.text(max_size=3)))
def test_finite_document_is_read_equally_by_both_functions(data: dict[str, Any]) -> None:
    text = dumps(data).encode()
    assert loads_finite(text) == loads(text) == json.loads(text)


def test_integer_of_4300_digits_is_the_longest_without_an_interpreter_limit() -> None:
    assert _bounded_int("9" * 4300) > 0
    with pytest.raises(ValueError, match="an integer of 4301 digits, more than 4300"):
        _bounded_int("9" * 4301)


def test_document_at_a_position_is_returned_with_its_end() -> None:
    text = 'x [1] {"a": 2} 3'
    assert document_at(text, 2) == ([1], 5)
    assert document_at(text, 6) == ({"a": 2}, 14)
    for position in (0, 1, 5, len(text)):
        with pytest.raises(ValueError, match=f"no readable JSON document at position {position}$"):
            document_at(text, position)


@pytest.mark.skipif(sys.platform == "emscripten", reason="there the caller must check the nesting")
def test_document_at_a_position_that_is_too_deep_raises_value_error() -> None:
    with pytest.raises(ValueError, match="no readable JSON document at position 1"):
        document_at(" " + DEEP, 1)


def test_value_below_raw_json_is_written_as_its_json() -> None:
    usage = UsageData(1, 2, 3)
    expected = {"a": [usage.to_dict()]}
    assert json.loads(dumps({"a": [usage]})) == expected == finite({"a": [usage]})
    assert json.loads(dumps({"a": [usage], "n": float("nan")})) == {**expected, "n": None}
    with pytest.raises(TypeError, match="^object is not JSON serializable: use str,"):
        dumps({"a": object()})


@limited
def test_integer_that_the_interpreter_cannot_write_becomes_null() -> None:
    assert finite([10**5000, 10**4000]) == [None, 10**4000]
    assert json.loads(dumps({"n": 10**5000})) == {"n": None}


def test_dict_for_lambda_has_neither_lone_surrogates_nor_nan() -> None:
    response = ChatCompletionResponse.from_json(b'{"id": "\\ud800", "x": [NaN, 1, "\\udc00"], "\\ud801": {"a": true}}')
    found = response._asdict()
    assert found == {"id": "\ufffd", "x": [None, 1, "\ufffd"], "\ufffd": {"a": True}}
    json.dumps(found, allow_nan=False, ensure_ascii=False).encode("utf-8")


@given(json_objects(st.text(st.characters(), max_size=3)))
def test_utf8_safe_copy_of_any_json_can_be_written_as_utf8(data: dict[str, Any]) -> None:
    text = json.dumps(utf8_safe(data), allow_nan=False, ensure_ascii=False)
    assert json.loads(text.encode("utf-8")) == utf8_safe(data)


def test_raw_json_is_frozen_once() -> None:
    frozen: Any = freeze({"a": [1, (2, {})]})
    assert frozen == {"a": [1, [2, {}]]}
    assert [type(item) for item in (frozen, frozen["a"], frozen["a"][1])] == [FrozenDict, FrozenList, FrozenList]
    assert freeze(frozen) is frozen and freeze(frozen["a"]) is frozen["a"]


@pytest.mark.parametrize(
    ("path", "key", "expected"),
    [
        ("", "choices", "choices"),
        ("choices", 0, "choices[0]"),
        ("choices[0]", "message", "choices[0].message"),
        ("metadata", "a key", 'metadata["a key"]'),
        ("", "a.b", '["a.b"]'),
        ("", 3, "[3]"),
    ],
)
def test_key_of_any_form_is_appended_to_its_path(path: str, key: object, expected: str) -> None:
    assert at(path, key) == expected


@pytest.mark.parametrize(
    ("path", "below", "expected"),
    [("", "b", "b"), ("a", "", "a"), ("a", "[0].b", "a[0].b"), ("a", "b", "a.b")],
)
def test_path_below_a_path_is_joined(path: str, below: str, expected: str) -> None:
    assert under(path, below) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        ("a", 'string "a"'),
        ("x" * 40, f'string "{"x" * 40}"'),
        ("x" * 41, f'string "{"x" * 37}..."'),
        (7, "number 7"),
        (0.5, "number 0.5"),
        (2**128 - 1, f"number {2**128 - 1}"),
        (2**128, "number of 129 bits"),
        ({}, "object"),
        (FrozenDict(), "object"),
        ([], "array"),
        ((), "array"),
        ({1}, "set"),
    ],
    ids=str,
)
def test_value_is_described_by_its_json_type(value: object, expected: str) -> None:
    assert describe(value) == expected
    assert is_object(value) == (expected == "object") and is_array(value) == (expected == "array")
