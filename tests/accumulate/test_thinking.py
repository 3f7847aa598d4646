"""Tests of `split_thinking`: `<think>...</think>` in the text becomes reasoning, however the text is divided."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, strategies as st
from together_adapters.accumulate import Accumulator, accumulate
from together_adapters.accumulate._thinking import ThinkingSplitter

from together_types import ChatCompletionChunk

TEXT = st.lists(
    st.sampled_from(["<think>", "</think>", "<", ">", "think", "<thi", "nk>", "/", "a", "é\n"]), max_size=12
).map("".join)


def split(text: str) -> tuple[str, str]:
    """Split a text by the plain rule: each opening tag, up to the next closing tag."""
    content = reasoning = ""
    while True:
        before, opened, rest = text.partition("<think>")
        inside, closed, after = rest.partition("</think>")
        if not opened or not closed:
            return content + text, reasoning
        content, reasoning, text = content + before, reasoning + inside, after


def chunk(content: Any, index: int = 0, **fields: Any) -> ChatCompletionChunk:
    choice = {"index": index, "delta": {"content": content}, "finish_reason": None, **fields}
    return ChatCompletionChunk.from_dict({"id": "c", "model": "m", "choices": [choice]})


def transformed(chunks: list[ChatCompletionChunk]) -> list[ChatCompletionChunk]:
    splitter = ThinkingSplitter()
    return [*[item for chunk in chunks for item in splitter.feed(chunk)], *splitter.finish()]


def parts_of(completion: Any, index: int = 0) -> tuple[str, str]:
    message = completion.response.choices[index].message
    return message.text, message.reasoning_text


@st.composite
def pieces(draw: st.DrawFn, text: str) -> list[str]:
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)])]


@given(st.data(), TEXT)
def test_text_in_any_pieces_is_split_in_the_same_way(data: st.DataObject, text: str) -> None:
    chunks = [chunk(piece) for piece in data.draw(pieces(text))]
    assert parts_of(accumulate(chunks, split_thinking=True)) == split(text)
    sent = transformed(chunks)
    assert len(sent) == len(chunks)
    assert "".join([item.text for item in sent]) == split(text)[0]
    assert "".join([item.reasoning_text for item in sent]) == split(text)[1]
    assert accumulate(sent).response == accumulate(chunks, split_thinking=True).response
    assert accumulate(sent, split_thinking=False).issues() == []


def test_text_is_split_at_every_position() -> None:
    text = "a<think>b</think>c<think>d</think>e"
    for first in range(len(text) + 1):
        for second in range(first, len(text) + 1):
            chunks = [chunk(text[:first]), chunk(text[first:second]), chunk(text[second:])]
            assert parts_of(accumulate(transformed(chunks))) == ("ace", "bd")


@given(st.data(), TEXT, TEXT)
def test_interleaved_choices_are_split_independently(data: st.DataObject, one: str, two: str) -> None:
    queues = [[chunk(piece, index) for piece in data.draw(pieces(text))] for index, text in enumerate((one, two))]
    chunks = []
    while any(queues):
        chunks.append(data.draw(st.sampled_from([queue for queue in queues if queue])).pop(0))
    for completion in (accumulate(transformed(chunks)), accumulate(chunks, split_thinking=True)):
        assert [parts_of(completion, index) for index in (0, 1)] == [split(one), split(two)]


def test_choices_of_one_chunk_are_split() -> None:
    choices = [{"index": index, "delta": {"content": f"<think>{index}</think>x"}} for index in (1, 0, 1)]
    [sent] = transformed([ChatCompletionChunk.from_dict({"choices": choices})])
    deltas = [choice.delta for choice in sent.choices or ()]
    assert [(delta.content, delta.reasoning) for delta in deltas if delta] == [("x", "1"), ("x", "0"), ("x", "1")]


def test_accumulator_keeps_the_tags_without_the_option() -> None:
    assert parts_of(accumulate([chunk("<think>a</think>b")])) == ("<think>a</think>b", "")


def test_unclosed_tag_remains_text_in_every_completion() -> None:
    accumulator = Accumulator(split_thinking=True)
    read = []
    for piece in ("x<thi", "nk>a", "</think>", "<think>b"):
        accumulator.add(chunk(piece))
        read.append(parts_of(accumulator.completion()))
    assert read == [("x<thi", ""), ("x<think>a", ""), ("x", "a"), ("x<think>b", "a")]


def test_chunks_outside_of_blocks_are_returned_unchanged_and_at_once() -> None:
    splitter = ThinkingSplitter()
    others = [{"choices": []}, {"usage": None}, {"choices": [{"index": 0, "text": "<think>"}]}]
    for value in [chunk("a"), chunk(None), chunk("b > c"), *map(ChatCompletionChunk.from_dict, others)]:
        [returned] = splitter.feed(value)
        assert returned is value
    assert splitter.finish() == []


def test_chunks_are_held_from_a_possible_tag_until_it_is_known() -> None:
    splitter = ThinkingSplitter()
    fed = ["a<", "b", "<think>", "c", "</think>", "d", "<think>", "e"]
    assert [len(splitter.feed(chunk(piece))) for piece in fed] == [0, 2, 0, 0, 3, 1, 0, 0]
    assert [item.text for item in splitter.finish()] == ["<think>", "e"]


def test_other_fields_of_a_split_chunk_are_kept() -> None:
    value = chunk("<think>a</think>b", text="<think>a</think>b", logprobs=-0.5, odd=1)
    [sent] = transformed([value])
    [choice] = sent.to_dict()["choices"] or ()
    expected = {"delta": {"content": "b", "reasoning": "a"}, "text": "b", "logprobs": -0.5, "odd": 1}
    assert choice == {"index": 0, "finish_reason": None, **expected}
    assert accumulate([sent]).response.text == "b"


def test_reasoning_of_the_delta_precedes_that_of_the_text() -> None:
    value = ChatCompletionChunk.from_dict(
        {"choices": [{"index": 0, "delta": {"content": "<think>b</think>", "reasoning": "a"}}]}
    )
    for completion in (accumulate(transformed([value])), accumulate([value], split_thinking=True)):
        assert parts_of(completion) == ("", "ab")


def test_complete_message_is_split() -> None:
    message = {"role": "assistant", "content": "<think>a</think>b"}
    value = ChatCompletionChunk.from_dict({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
    assert parts_of(accumulate([value], split_thinking=True)) == ("b", "a")
    assert parts_of(accumulate([value])) == ("<think>a</think>b", "")


@pytest.mark.parametrize("piece", ["<think>", "<think", "<", "a", "<think>a</think>"])
def test_text_in_eight_times_the_pieces_takes_less_than_16_times_as_long(piece: str) -> None:
    def seconds(count: int) -> float:
        chunks = [chunk(piece)] * count
        started = time.process_time()
        transformed(chunks)
        accumulate(chunks, split_thinking=True)
        return time.process_time() - started

    assert min([seconds(8000) for _ in range(3)]) < 16 * min([seconds(1000) for _ in range(3)])
