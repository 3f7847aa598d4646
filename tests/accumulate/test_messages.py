"""Tests of complete messages that servers send with each delta: a repetition is neither kept nor listed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st
from together_adapters.accumulate import Accumulator, Completion, accumulate

from together_types import ChatCompletionChunk

TEXTS = st.lists(st.text(max_size=3), min_size=1, max_size=6)


def completion_of(*pairs: tuple[dict[str, Any] | None, Any]) -> Completion:
    """Accumulate choices with a delta and a message each."""
    choices = [
        {"index": 0, **({} if delta is None else {"delta": delta}), "message": message, "finish_reason": None}
        for delta, message in pairs
    ]
    return accumulate([ChatCompletionChunk.from_dict({"choices": [choice]}) for choice in choices])


def check_repetition(completion: Completion, text: str) -> None:
    assert completion.response.text == text
    assert completion.issues() == []
    assert (completion.response.choices or ())[0].extra == {}


@given(TEXTS, st.booleans(), st.sampled_from(["content", "reasoning"]))
def test_message_that_repeats_the_delta_is_not_kept(texts: list[str], role: bool, key: str) -> None:
    deltas = [{key: text, **({"role": "assistant"} if role else {}), "odd": None} for text in texts]
    completion = completion_of(*[(delta, {"refusal": None, "tool_calls": [], **delta}) for delta in deltas])
    check_repetition(completion, "".join(texts) if key == "content" else "")


@given(TEXTS)
def test_message_with_the_text_so_far_is_not_kept(texts: list[str]) -> None:
    pairs = [
        ({"content": text}, {"role": "assistant", "content": "".join(texts[: number + 1])})
        for number, text in enumerate(texts)
    ]
    check_repetition(completion_of(*pairs), "".join(texts))


@pytest.mark.parametrize(
    "message",
    [
        {"content": "abc"},
        {"content": "b", "role": "tool"},
        {"content": "b", "other": 1},
        {"tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]},
    ],
)
def test_message_that_differs_is_listed_as_a_whole(message: dict[str, Any]) -> None:
    completion = completion_of(({"content": "a"}, None), ({"content": "b"}, message), ({"content": ""}, message))
    assert completion.response.text == "ab"
    assert [(item.path, item.value) for item in completion.unmerged] == [("choices[0].message", message)]


CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
OTHER_CALLS: list[Any] = [
    {**CALL, "id": "2"},
    {**CALL, "function": {"name": "g", "arguments": '{"a":1}'}},
    {**CALL, "function": {"name": "f", "arguments": '{"a":2}'}},
    {**CALL, "function": {"name": "f", "arguments": '{"a":1}', "more": 1}},
    {**CALL, "function": None},
    {**CALL, "custom": {"name": "f"}},
    {**CALL, "more": 1},
    None,
]


@pytest.mark.parametrize("other", [CALL, *OTHER_CALLS])
def test_message_with_the_calls_so_far_is_not_kept(other: Any) -> None:
    first = {**CALL, "index": 0, "function": {"name": "f", "arguments": '{"a":'}}
    second = {"index": 0, "function": {"arguments": "1}"}}
    deltas = [{"tool_calls": [first]}, {"tool_calls": [second]}]
    completion = completion_of((deltas[0], None), (deltas[1], {"tool_calls": [other]}))
    assert len(completion.unmerged) == (0 if other == CALL else 1)


def test_first_message_is_kept_if_its_delta_has_no_more() -> None:
    """As in Perplexity's response without streaming."""
    message = {"role": "assistant", "content": "Four", "annotations": []}
    completion = completion_of(({"role": "assistant", "content": ""}, message))
    assert (completion.response.choices or ())[0].to_dict()["message"] == message
    assert completion.issues() == []


def test_first_message_is_not_kept_if_deltas_follow_it() -> None:
    completion = completion_of(({"content": ""}, {"content": "ab"}), ({"content": "x"}, None))
    assert completion.response.text == "x"
    assert [item.value for item in completion.unmerged] == [{"content": "ab"}]


def test_repeated_messages_take_no_memory() -> None:
    """The text so far in each of 1,000 chunks is 500 times the text."""
    tracemalloc = pytest.importorskip("tracemalloc")
    accumulator, text = Accumulator(), ""
    tracemalloc.start()
    try:
        for number in range(1000):
            text += f"{number:08} "
            choice = {"index": 0, "delta": {"content": text[-9:]}, "message": {"role": "assistant", "content": text}}
            accumulator.add(ChatCompletionChunk.from_dict({"choices": [choice]}))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 20 * len(text)
