"""`split_thinking` of a stream: chunks and completion have the text of <think> blocks as reasoning, at every split."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from together_adapters.errors import IncompleteStreamError
from together_adapters.stream import aiter_chunks, iter_chunks

DONE = b"data: [DONE]\n\n"


def events(texts: list[str], reason: str | None = "stop") -> bytes:
    data = b""
    for position, text in enumerate(texts):
        last = position == len(texts) - 1
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason if last else None}
        data += b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"
    return data


def splits(text: str) -> list[list[str]]:
    return [[text], list(text), *[[text[:cut], text[cut:]] for cut in range(1, len(text))]]


CASES = [
    ("<think>Hm.</think>Yes", "Yes", "Hm."),
    ("a<think>b</think>c<think>d</think>", "ac", "bd"),
    ("<think>open", "<think>open", ""),
    ("a</think>b", "a</think>b", ""),
    ("1 < 2 <thin", "1 < 2 <thin", ""),
    ("<think></think>", "", ""),
]


@pytest.mark.parametrize(("text", "content", "reasoning"), CASES, ids=[case[0] for case in CASES])
def test_text_of_think_blocks_is_reasoning_at_every_split(text: str, content: str, reasoning: str) -> None:
    for texts in splits(text):
        stream = iter_chunks(events(texts) + DONE, split_thinking=True)
        chunks = list(stream)
        assert "".join([chunk.text for chunk in chunks]) == content
        assert "".join([chunk.reasoning_text for chunk in chunks]) == reasoning
        message = stream.completion.response.choices[0].message
        assert (message.text, message.reasoning_text) == (content, reasoning)
        assert stream.completion.state == "finished"


def test_stream_without_the_option_keeps_the_tags() -> None:
    (chunk,) = iter_chunks(events(["<think>Hm.</think>Yes"]) + DONE)
    assert chunk.text == "<think>Hm.</think>Yes" and chunk.reasoning_text == ""


def test_chunks_of_an_open_block_arrive_before_the_error_of_a_stream_that_is_cut_off() -> None:
    stream = iter_chunks(events(["a<think>b", "c"], reason=None), split_thinking=True)
    assert next(stream).text == "a<think>b"
    assert next(stream).text == "c"
    with pytest.raises(IncompleteStreamError) as cut:
        next(stream)
    assert cut.value.completion.response.text == "a<think>bc"


def test_closed_stream_returns_no_chunks_of_an_open_block() -> None:
    stream = iter_chunks([events(["a", "<think>b", "c"], reason=None), DONE], split_thinking=True)
    assert next(stream).text == "a"
    stream.close()
    assert list(stream) == [] and stream.completion.state == "cancelled"


def test_async_stream_with_the_option_splits_reasoning_from_text() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield events(["<think>Hm.", "</think>Yes"])
        yield DONE

    async def read() -> list[tuple[str, str]]:
        return [(chunk.reasoning_text, chunk.text) async for chunk in aiter_chunks(pieces(), split_thinking=True)]

    assert asyncio.run(read()) == [("Hm.", ""), ("", "Yes")]
