"""Conversion from Together's format to OpenAI's and back changes only what it must, and reports every loss."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from enum import Enum
from typing import Any

import pytest
from comparisons import same
from corpus import BODIES, DATA, STREAMS, label, objects
from hypothesis import given, strategies as st
from strategies import shaped
from together_adapters.openai_format import Loss, _schema_rules as rules, from_openai, to_openai, to_openai_with_loss
from together_adapters.openai_format._losses import diff
from together_choices import HEAD, together_choice

from together_types import (
    ChatCompletionChunk,
    ChatCompletionRequest,
    ChatCompletionResponse,
    ErrorData,
    ParseError,
    TogetherErrorResponse,
)

KINDS = [ChatCompletionResponse, ChatCompletionChunk, ChatCompletionRequest, ErrorData]
QUIRKS = [json.loads(path.read_text("utf-8")) for path in sorted(DATA.glob("quirks/*.json"))]


# ---- data in OpenAI's format is unchanged


@pytest.mark.parametrize("path", BODIES + STREAMS, ids=label)
def test_recording_in_openai_format_is_unchanged(path: Any) -> None:
    for data in objects(path):
        value = from_openai(data)
        assert same(to_openai(value), data)
        assert to_openai_with_loss(value) == (data, [])
        check_losses(value, only_openai=True)


# ---- data in Together's format is restored


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every scalar and every empty container of JSON with its path. Keys that are not identifiers are quoted."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            below = key if key.isidentifier() else f"[{json.dumps(key)}]"
            yield from leaves(item, f"{path}.{key}" if path and below == key else path + below)
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    else:
        yield path, value


def covers(path: str, leaf: str) -> bool:
    return leaf == path or (leaf.startswith(path) and leaf[len(path)] in ".[") or path.startswith(leaf)


def check_losses(value: Any, **options: Any) -> None:
    """Assert that the list of losses contains exactly the paths at which the round trip differs."""
    data, losses = to_openai_with_loss(value, **options)
    assert same(data, to_openai(value, **options))
    back = from_openai(data, type(value))
    assert (losses == []) == (back == value)
    before, after = dict(leaves(value.to_dict())), dict(leaves(back.to_dict()))
    differing = {
        leaf
        for leaf in {*before, *after}
        if leaf not in before or leaf not in after or not same(before[leaf], after[leaf])
    }
    for path, _, lost in losses:
        if before.get(path) is not None:
            assert same(lost, before[path]), path
    paths = [path for path, _, _ in losses]
    assert len(paths) == len({*paths})
    for path in paths:
        assert any(covers(path, leaf) for leaf in differing), path
    for leaf in differing:
        if before.get(leaf) not in (None, {}, after.get(leaf)):  # an object of nulls equals an empty one
            assert any(covers(path, leaf) for path in paths), leaf


@pytest.mark.skipif(sys.version_info < (3, 10), reason="annotations resolve on 3.10 and newer")
@pytest.mark.parametrize("cls", KINDS)
@given(st.data())
def test_losses_of_any_value_are_the_differences_of_the_round_trip(cls: type[Any], data: st.DataObject) -> None:
    value = cls.from_dict(data.draw(shaped(cls)))
    check_losses(value)
    check_losses(value, only_openai=True)
    check_losses(value, reasoning_key="reasoning_content")


@given(st.lists(together_choice(False), max_size=3))
def test_together_response_is_restored_by_round_trip(choices: list[Any]) -> None:
    more = {"prompt": [{"text": "<s>"}], "warnings": [{"message": "w"}], "usage": None}
    value = ChatCompletionResponse.from_dict({**HEAD, "object": "chat.completion", "choices": choices, **more})
    check_restored(value)


@given(st.lists(together_choice(True), max_size=3))
def test_together_chunk_is_restored_by_round_trip(choices: list[Any]) -> None:
    check_restored(ChatCompletionChunk.from_dict({**HEAD, "object": "chat.completion.chunk", "choices": choices}))


def check_restored(value: Any) -> None:
    data, losses = to_openai_with_loss(value)
    assert losses == []
    assert same(from_openai(data).to_dict(), value.to_dict())
    assert same(to_openai(from_openai(data)), data)
    for choice in data["choices"]:
        assert choice["finish_reason"] != "eos"
        logprobs = choice["logprobs"]
        if logprobs is not None:
            assert "content" in logprobs or not set(logprobs) - {"top_logprobs"}
            for entry in logprobs.get("content") or ():
                check_entry(entry)
                assert entry["top_logprobs"] == sorted(entry["top_logprobs"], key=lambda top: -top["logprob"])
    check_losses(value, only_openai=True)


def check_entry(entry: Any) -> None:
    for token in (entry, *entry["top_logprobs"]):
        assert (
            isinstance(token["logprob"], float) and token["logprob"] == token["logprob"] and abs(token["logprob"]) < 1e9
        )
        if token["bytes"] is None:
            assert token["token"] == "\ud83d"
        else:
            assert bytes(token["bytes"]).decode("utf-8") == token["token"]


@pytest.mark.parametrize("case", [case for case in QUIRKS if isinstance(case.get("body"), dict)])
def test_losses_of_a_quirk_are_the_differences_of_the_round_trip(case: dict[str, Any]) -> None:
    value = from_openai(case["body"])
    check_losses(value)
    check_losses(value, only_openai=True)


def test_recorded_together_frame_is_converted_and_restored() -> None:
    frame = {
        "id": "8b43-SJC", "object": "chat.completion.chunk", "created": 1723834621, "model": "m",
        "choices": [
            {"index": 0, "text": "é", "logprobs": -0.25, "top_logprobs": {"e": -2.0, "é": -0.25}, "finish_reason": "eos", "seed": 2039908639335532000,
             "delta": {"token_id": 128009, "role": "assistant", "content": "é", "tool_calls": None}}
        ],
    }  # fmt: skip
    data = to_openai(ChatCompletionChunk.from_dict(frame))
    (choice,) = data["choices"]
    top = [{"token": "é", "logprob": -0.25, "bytes": [195, 169]}, {"token": "e", "logprob": -2.0, "bytes": [101]}]
    assert choice["logprobs"] == {"content": [{**top[0], "top_logprobs": top}], "refusal": None}
    assert (choice["finish_reason"], choice["native_finish_reason"], choice["native_logprobs"]) == (
        "stop",
        "eos",
        -0.25,
    )
    assert choice["seed"] == 2039908639335532000 and choice["delta"]["token_id"] == 128009
    assert from_openai(data).to_dict() == frame
    exact = to_openai(ChatCompletionChunk.from_dict(frame), only_openai=True)
    assert exact["choices"] == [
        {
            "index": 0,
            "delta": {"role": "assistant", "content": "é"},
            "finish_reason": "stop",
            "logprobs": choice["logprobs"],
        }
    ]


def test_logprobs_edited_after_conversion_replace_the_originals() -> None:
    data = to_openai(
        ChatCompletionResponse.from_dict(
            {"choices": [{"message": {}, "logprobs": {"tokens": ["a"], "token_logprobs": [-1.0]}}]}
        )
    )
    data["choices"][0]["logprobs"]["content"][0]["logprob"] = -2.0
    assert same(to_openai(from_openai(data)), data)


# ---- conformance to OpenAI's schema: tests/e2e/clients validates results against OpenAI's OpenAPI document


def only(data: dict[str, Any]) -> dict[str, Any]:
    return to_openai(from_openai(data), only_openai=True)


def test_required_keys_that_are_missing_are_filled_in() -> None:
    assert only({"choices": [{"message": {"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}}]}) == {
        "id": "", "object": "chat.completion", "created": 0, "model": "",
        "choices": [
            {
                "index": 0, "finish_reason": "tool_calls", "logprobs": None,
                "message": {
                    "role": "assistant", "content": None, "refusal": None,
                    "tool_calls": [{"id": "", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
                },
            }
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("eos", "stop"),
        ("content_filter", "content_filter"),
        ("abort", "stop"),
        ("max_tokens", "length"),
        ("tool_use", "tool_calls"),
        ("", "stop"),
        (None, "stop"),
    ],
)
def test_unknown_finish_reason_becomes_one_of_openai(reason: str | None, expected: str) -> None:
    assert only({"choices": [{"message": {}, "finish_reason": reason}]})["choices"][0]["finish_reason"] == expected
    in_stream = only({"choices": [{"delta": {}, "finish_reason": reason}]})["choices"][0]["finish_reason"]
    assert in_stream == (expected if reason else None)


def test_content_of_parts_becomes_text() -> None:
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert only({"choices": [{"message": {"content": parts}}]})["choices"][0]["message"]["content"] == "ab"
    assert only({"object": "text_completion", "choices": [{"text": "a"}]})["choices"][0]["message"]["content"] == "a"


@pytest.mark.parametrize(
    ("rule", "given", "expected"),
    [
        (rules.text, 1, rules.INVALID),
        (rules.flag, 1, rules.INVALID),
        (rules.integer, True, rules.INVALID),
        (rules.integer, 5.0, 5),
        (rules.integer, 5.5, rules.INVALID),
        (rules.number, float("inf"), rules.INVALID),
        (rules.between(rules.number, 0, 2), 2, 2),
        (rules.between(rules.number, 0, 2), 2.1, rules.INVALID),
        (rules.between(rules.number, 0, 2), "1", rules.INVALID),
        (rules.integer_map, [1], rules.INVALID),
        (rules.integer_map, {"1": 1.6, "2": True, "3": "x", "4": -1}, {"1": 2, "4": -1}),
        (rules.map_of(rules.text), "x", rules.INVALID),
        (rules.map_of(rules.text), {"a": "b", "c": 1}, {"a": "b"}),
        (rules.raw_object, [], rules.INVALID),
        (rules.literal("a", "b"), "c", rules.INVALID),
        (rules.nullable(rules.text), 1, None),
        (rules.either(rules.text, rules.flag), True, True),
        (rules.either(rules.text, rules.flag), 1, rules.INVALID),
        (rules.array(rules.text, least=1, most=2), ["a", 1, "b", "c"], ["a", "b"]),
        (rules.array(rules.text, least=1), [1], rules.INVALID),
        (rules.array(rules.text), {}, rules.INVALID),
        (rules.object_of({"a": (rules.text, "")}, {"b": rules.text}), {"b": None, "c": 1}, {"a": ""}),
        (rules.object_of({"a": (rules.text, rules.INVALID)}), {"a": 1}, rules.INVALID),
    ],
)
def test_rule_returns_allowed_part_or_invalid(rule: Any, given: Any, expected: Any) -> None:
    assert same_or_invalid(rule(given), expected)


def same_or_invalid(left: Any, right: Any) -> bool:
    return left is right if rules.INVALID in (left, right) else same(left, right)


# ---- reasoning


@pytest.mark.parametrize("kind", ["message", "delta"])
def test_reasoning_key_renames_the_reasoning(kind: str) -> None:
    for key in ("reasoning", "reasoning_content"):
        data = {"choices": [{kind: {"content": "a", key: "because"}}]}
        assert to_openai(from_openai(data)) == data
        for chosen in ("reasoning", "reasoning_content"):
            expected = {"choices": [{kind: {"content": "a", chosen: "because"}}]}
            assert to_openai(from_openai(data), reasoning_key=chosen) == expected
            assert from_openai(expected, reasoning_key=key).to_dict() == data
            _, losses = to_openai_with_loss(from_openai(data), reasoning_key=chosen)
            assert len(losses) == (0 if chosen == key else 2)
    both = {"choices": [{kind: {"reasoning": "", "reasoning_content": "because"}}]}
    assert to_openai(from_openai(both), reasoning_key="reasoning") == {"choices": [{kind: {"reasoning": "because"}}]}
    assert to_openai(from_openai(both), only_openai=True)["choices"][0][kind].get("reasoning") is None


def test_reasoning_key_renames_the_reasoning_of_request_messages_only() -> None:
    data = {"messages": [{"role": "assistant", "reasoning": "because"}], "reasoning": {"enabled": True}}
    assert to_openai(from_openai(data), reasoning_key="reasoning_content") == {
        "messages": [{"role": "assistant", "reasoning_content": "because"}], "reasoning": {"enabled": True}
    }  # fmt: skip


@pytest.mark.parametrize("key", ["reasoning", "reasoning_content"])
def test_reasoning_key_leaves_a_message_without_reasoning_unchanged(key: str) -> None:
    data = {"choices": [{"message": {"content": "a"}}, {"message": None}, {}]}
    assert to_openai(data, reasoning_key=key) == data
    assert from_openai(data, reasoning_key=key).to_dict() == data


# ---- requests


ASKED = [{"role": "user", "content": "hi"}]
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("together", "openai"),
    [
        ({"logprobs": 3}, {"logprobs": True, "top_logprobs": 3}),
        ({"logprobs": 0}, {"logprobs": True, "top_logprobs": 0}),
        ({"logprobs": True}, {"logprobs": True}),
        ({"logprobs": False, "top_logprobs": 2}, {"logprobs": False, "top_logprobs": 2}),
        ({"repetition_penalty": 1.1, "top_k": 40, "min_p": 0.05, "safety_model": "g"}, {"repetition_penalty": 1.1, "top_k": 40, "min_p": 0.05, "safety_model": "g"}),
        ({"response_format": {"type": "regex", "pattern": "a+"}}, {"response_format": {"type": "regex", "pattern": "a+"}}),
        ({"response_format": {"type": "json_object"}}, {"response_format": {"type": "json_object"}}),
        (
            {"response_format": {"type": "json_object", "schema": SCHEMA}},
            {
                "response_format": {"type": "json_schema", "json_schema": {"name": "response", "schema": SCHEMA}},
                "native_response_format": {"type": "json_object", "schema": SCHEMA},
            },
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}},
            {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}},
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}], "tool_choice": {"type": "function", "function": {"name": "f"}}},
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}], "tool_choice": {"type": "function", "function": {"name": "f"}}},
        ),
        ({"tool_choice": "required"}, {"tool_choice": "required"}),
    ],
)  # fmt: skip
def test_request_converted_to_openai_and_back_is_unchanged(together: dict[str, Any], openai: dict[str, Any]) -> None:
    value = ChatCompletionRequest.from_dict({"model": "m", "messages": ASKED, **together})
    expected = {"model": "m", "messages": ASKED, **openai}
    assert same(to_openai(value), expected)
    assert from_openai(expected) == value
    assert same(to_openai(from_openai(expected)), expected)


def test_request_with_only_openai_conforms_to_schema() -> None:
    data = {
        "model": "m", "logprobs": 30, "top_k": 40, "repetition_penalty": 1.1, "safety_model": "g", "min_p": 0.1, "logit_bias": {"1": 1.6},
        "messages": [{"role": "model", "content": "x"}, {"role": "user", "content": [{"type": "video_url", "video_url": {"url": "u"}}, {"type": "text", "text": "t"}]}],
        "response_format": {"type": "regex", "pattern": "a+"}, "tool_choice": "f", "stream": True, "stop": ["a"], "temperature": 1,
    }  # fmt: skip
    value = ChatCompletionRequest.from_dict(data)
    exact, losses = to_openai_with_loss(value, only_openai=True)
    assert exact == {
        "model": "m", "logprobs": True, "top_logprobs": 20, "logit_bias": {"1": 2}, "stream": True, "stop": ["a"], "temperature": 1,
        "messages": [{"role": "user", "content": "x"}, {"role": "user", "content": [{"type": "text", "text": "t"}]}],
    }  # fmt: skip
    assert {path for path, _, _ in losses} == {
        "logprobs", "top_k", "repetition_penalty", "safety_model", "min_p", 'logit_bias["1"]', "messages[0].role", "messages[1].content", "response_format", "tool_choice",
    }  # fmt: skip
    assert ("safety_model", "left out", "g") in losses


def test_request_whose_maps_are_not_objects_loses_them() -> None:
    data = {"model": "m", "messages": ASKED, "logit_bias": [1], "metadata": "m", "tools": [{"type": "function"}]}
    exact, losses = to_openai_with_loss(data, only_openai=True)
    assert exact == {"model": "m", "messages": ASKED}
    assert {path for path, _, _ in losses} == {"logit_bias", "metadata", "tools"}


# ---- errors


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        ({"error": {"message": "m", "type": "t", "param": "p", "code": 400}}, "m", "400"),
        ({"error": {"message": "m", "type": "t", "param": None, "code": "c"}}, "m", "c"),
        ({"error": "text"}, "text", None),
        ({"object": "error", "message": "m", "code": 40}, "m", "40"),
        ({"detail": "Not Found"}, "Not Found", None),
        ({"detail": [{"loc": ["body"], "msg": "missing"}]}, "body: missing", None),
    ],
)
def test_error_body_of_any_form_becomes_openai_error(body: dict[str, Any], message: str, code: str | None) -> None:
    value = from_openai(body)
    assert isinstance(value, ErrorData)
    assert to_openai(value) == body
    error = only(body)["error"]
    assert (error["message"], error["code"]) == (message, code) and set(error) == {"message", "type", "param", "code"}
    check_losses(value, only_openai=True)


def test_error_object_without_body_is_wrapped() -> None:
    error = TogetherErrorResponse(message="m", type_="t")
    assert to_openai(error) == {"error": {"message": "m", "type": "t"}}
    assert from_openai(to_openai(error)) == ErrorData(error=error)


# ---- accepted arguments


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"choices": [{"delta": {}}]}, ChatCompletionChunk),
        ({"choices": [{"message": {}}], "object": "chat.completion.chunk"}, ChatCompletionResponse),
        ({"choices": [{"delta": {}}], "object": "chat.completion"}, ChatCompletionChunk),
        ({"choices": [], "object": "chat.completion.chunk"}, ChatCompletionChunk),
        ({"choices": [], "object": "chat.completion"}, ChatCompletionResponse),
        ({"choices": [{"text": "a"}]}, ChatCompletionResponse),
        ({"choices": [{"delta": {}, "message": {}}], "object": "chat.completion.chunk"}, ChatCompletionChunk),
        ({"choices": [{"delta": {}, "message": {}}]}, ChatCompletionResponse),
        ({"choices": None}, ChatCompletionResponse),
        ({}, ChatCompletionResponse),
        ({"messages": [], "model": "m"}, ChatCompletionRequest),
        ({"error": {}}, ErrorData),
        ({"error": None}, ChatCompletionResponse),
        ({"error": {}, "choices": []}, ChatCompletionResponse),
    ],
)
def test_mapping_without_a_class_is_read_as_the_class_of_its_keys(data: dict[str, Any], kind: type[Any]) -> None:
    assert type(from_openai(data)) is kind
    assert to_openai(data) == data
    for cls in KINDS:
        assert type(from_openai(data, cls)) is cls


class Reason(str, Enum):
    """An enum of an SDK."""

    EOS = "eos"


class Model:
    """An object like those of pydantic-based SDKs."""

    def __init__(self, **values: Any) -> None:
        self.values = values

    def model_dump(self, *, by_alias: bool, exclude_unset: bool) -> dict[str, Any]:
        return self.values


class Other:
    def to_dict(self) -> dict[str, Any]:
        return {"choices": [Model(delta={"content": "a"}, finish_reason=Reason.EOS)]}


@pytest.mark.parametrize("source", [Model(choices=(Model(delta={"content": "a"}, finish_reason=Reason.EOS),)), Other()])
def test_sdk_object_is_read_like_its_json(source: Any) -> None:
    expected = {"choices": [{"delta": {"content": "a"}, "finish_reason": "eos"}]}
    assert same(from_openai(source).to_dict(), expected)
    assert from_openai(from_openai(source)) == from_openai(expected)


class Plain:
    """An object whose model_dump does not accept options. It may contain another object of this class."""

    def __init__(self, dumped: Any) -> None:
        self.dumped = dumped

    def model_dump(self) -> Any:
        return self.dumped


def test_sdk_object_whose_model_dump_lacks_options_is_read() -> None:
    value = from_openai(Plain({"choices": [Plain({"delta": {"content": "a"}})]}))
    assert value == ChatCompletionChunk.from_dict({"choices": [{"delta": {"content": "a"}}]})


def test_data_nested_too_deeply_raises_parse_error() -> None:
    deep: dict[str, Any] = {}
    for _ in range(sys.getrecursionlimit() + 100):
        deep = {"a": deep}
    itself: dict[str, Any] = {"choices": []}
    itself["a"] = itself
    for data in ({"choices": [], "a": deep}, itself):
        for convert in (from_openai, to_openai):
            with pytest.raises(ParseError, match="nested"):
                convert(data)


def test_kind_of_another_class_raises_type_error() -> None:
    for kind in ("chunk", dict):
        with pytest.raises(TypeError, match="kind must be ChatCompletionResponse, .* or ErrorData, got "):
            from_openai({"choices": []}, kind)  # type: ignore[call-overload]


def test_true_that_becomes_one_is_a_loss() -> None:
    value = ChatCompletionRequest.from_dict({"model": "m", "messages": [], "logprobs": True, "top_logprobs": 1})
    _, losses = to_openai_with_loss(value)
    assert [(path, lost) for path, _, lost in losses] == [("logprobs", True), ("top_logprobs", 1)]


def test_difference_with_an_added_key_is_a_loss_without_value() -> None:
    before = ErrorData.from_dict({"a": 1, "b": {"c": 1}})
    after = ErrorData.from_dict({"a": 1, "b": {"c": 1, "d": [1]}, "e": None})
    assert diff(before, after) == [Loss("b.d", "becomes [1]", None), Loss("e", "becomes None", None)]
    assert diff(after, before) == [Loss("b.d", "left out", [1]), Loss("e", "left out", None)]
    assert diff(before, before) == diff(before, ErrorData.from_dict(before.to_dict())) == []


@pytest.mark.parametrize("source", [None, 7, "{}", [], object(), Plain(None), Plain([1])])
def test_source_that_is_not_an_object_raises_type_error(source: Any) -> None:
    with pytest.raises(
        TypeError, match="expected a mapping or an object whose to_dict or model_dump returns one, got "
    ):
        from_openai(source)


def test_from_openai_leaves_its_argument_unchanged() -> None:
    data = {"choices": [{"message": {"reasoning": "r"}, "finish_reason": "stop", "native_finish_reason": "eos"}]}
    before = json.dumps(data)
    from_openai(data, reasoning_key="reasoning_content")
    assert json.dumps(data) == before
