"""Tests of costs that a server could set: time grows with the size of the chunks, whatever they contain."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from together_adapters.accumulate import Accumulator

from together_types import ChatCompletionChunk

SAME_HASH = 2**61 - 1  # hash(n * SAME_HASH) == 0


def delta(index: int = 0, **fields: Any) -> dict[str, Any]:
    return {"index": index, "delta": fields, "finish_reason": None}


def call(**fields: Any) -> dict[str, Any]:
    return delta(tool_calls=[fields])


# The choices of the chunk with a number, of so many chunks.
GROWING: dict[str, Callable[[int, int], list[dict[str, Any]]]] = {
    "indexes of choices with one hash": lambda n, _: [delta(n * SAME_HASH, content="a")],
    "indexes of calls with one hash": lambda n, _: [call(index=n * SAME_HASH, function={"name": "f"})],
    "large and negative indexes": lambda n, _: [delta(-n, content="a"), delta(10**30 + n, content="a")],
    "a large value and many small ones": lambda n, all: [{**delta(), "seed_text": "x" * 100 * all if not n else str(n)}],
    "many small values and a large one": lambda n, all: [
        {**delta(), "seed_text": "x" * 100 * all if n == all - 1 else str(n)}
    ],
    "a large number and many small ones": lambda n, all: [delta(odd=n or "x" * 100 * all)],
    "messages that differ": lambda n, _: [{**delta(content="a"), "message": {"content": f"b{n}"}}],
    "short messages with a long text": lambda n, all: [
        {**delta(content="a" * 100 * all if not n else ""), "message": {"content": "b"}}
    ],
    "short messages with long arguments": lambda n, all: [
        {**call(index=0, function={"arguments": "a" * 100 * all if not n else ""}), "message": {"tool_calls": [{}]}}
    ],
    "fragments of a name": lambda n, _: [call(index=0, function={"name": f"f{n}", "arguments": "[" if not n else ""})],
    "ids of one call": lambda n, _: [call(index=0, id=f"i{n}", function={"arguments": "["})],
    "objects that replace each other": lambda n, _: [call(index=0, function={"name": "f", "arguments": "{}"})],
    "arguments with names": lambda n, _: [call(index=0, id="i", function={"name": "f", "arguments": '{"a":"b'})],
    "blocks of indexes with one hash": lambda n, _: [delta(reasoning_details=[{"index": n * SAME_HASH, "type": "t"}])],
    "blocks that go on": lambda n, _: [delta(reasoning_details=[{"index": 0, "type": "t", "text": "a"}])],
    "blocks with signatures": lambda n, _: [delta(thinking_blocks=[{"thinking": "a", "signature": str(n)}])],
    "equal annotations": lambda n, _: [delta(annotations=[{"url": "u"}, {"url": str(n)}])],
}  # fmt: skip


def seconds_for(make: Callable[[int, int], list[dict[str, Any]]], count: int) -> float:
    chunks = [ChatCompletionChunk.from_dict({"choices": make(number, count)}) for number in range(count)]
    accumulator = Accumulator(split_thinking=True)
    started = time.process_time()
    for chunk in chunks:
        accumulator.add(chunk)
    accumulator.completion().issues()
    return time.process_time() - started


@pytest.mark.parametrize("kind", GROWING)
def test_eight_times_the_chunks_take_less_than_20_times_as_long(kind: str) -> None:
    """Eight times the chunks take 64 times as long if each is compared with all before it."""
    few, many = [min([seconds_for(GROWING[kind], count) for _ in range(2)]) for count in (500, 4000)]
    assert many < 20 * few


def test_issue_with_long_values_is_shortened() -> None:
    accumulator = Accumulator(split_thinking=True)
    for value in ("x" * 10_000, "y" * 10_000, "z"):
        accumulator.add(ChatCompletionChunk.from_dict({"id": value, "choices": []}))
    assert max([len(issue.problem) for issue in accumulator.completion().issues()]) < 250
