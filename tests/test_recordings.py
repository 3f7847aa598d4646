"""Recorded streams: every way of cutting them gives the same completion, and the completion what the server sends at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from corpus import DATA, STREAMS, label
from together_adapters.accumulate import Completion, accumulate
from together_adapters.errors import IncompleteStreamError, StreamError
from together_adapters.stream import iter_chunks
from together_types import ChatCompletionChunk, ChatCompletionResponse

READS: dict[str, list[int]] = json.loads((DATA / "recordings" / "reads.json").read_text("utf-8"))
TWINS = [(stream, stream.with_name(stream.name[len("stream_") :]).with_suffix(".body")) for stream in STREAMS]
TWINS = [(stream, body) for stream, body in TWINS if body.exists()]
# What a server itself says otherwise when it streams, by path, and why.
DIFFER: dict[str, Any] = json.loads((DATA / "twins_differ.json").read_text("utf-8"))
# Undeclared keys of chunks that say something else in each, which the response can show once.
SAID_OTHERWISE = {"llama-server/x_return_progress_stream.200.sse": ["prompt_progress.processed"]}
assert TWINS and set(DIFFER) <= {label(stream) for stream, _ in TWINS}


def read(pieces: list[bytes]) -> tuple[list[ChatCompletionChunk], str, Completion]:
    stream, chunks, error = iter_chunks(iter(pieces)), [], ""
    try:
        for chunk in stream:
            chunks.append(chunk)
    except (StreamError, IncompleteStreamError) as raised:
        error = repr(raised)
        assert raised.completion == stream.completion
    return chunks, error, stream.completion


def as_recorded(path: Path) -> Iterator[bytes]:
    data = path.read_bytes()
    for size in READS[label(path)]:
        yield data[:size]
        data = data[size:]
    assert not data


@pytest.mark.parametrize("path", STREAMS, ids=label)
def test_every_cut_gives_the_same(path: Path) -> None:
    data = path.read_bytes()
    whole = read([data])
    assert whole == read([data[i : i + 1] for i in range(len(data))])
    if label(path) in READS:
        assert whole == read(list(as_recorded(path)))
    chunks, error, completion = whole
    assert completion.state == ("errored" if b'"error":' in data else "finished")
    assert (completion.state == "errored") == error.startswith("StreamError")
    assert [issue.path for issue in completion.issues()] == SAID_OTHERWISE.get(label(path), [])
    assert accumulate(chunks).response == completion.response


@pytest.mark.parametrize("path", [path for path in STREAMS if b'"error":' not in path.read_bytes()], ids=label)
def test_cut_short(path: Path) -> None:
    """A stream cut anywhere says so, unless all that is missing is [DONE], usage or an empty chunk."""
    data = path.read_bytes()
    for end in range(0, len(data), max(len(data) // 40, 1)):
        chunks, error, completion = read([data[:end]])
        finished = bool(chunks) and accumulate(chunks).state == "finished"
        assert completion.saw_done or completion.state == ("finished" if finished else "cut_off" if end else "errored")
        assert bool(error) == (completion.state != "finished")
        assert completion.response == accumulate(chunks).response


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """What a user reads of a response: every leaf by path; nulls and empties say nothing."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from flat(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from flat(item, f"{path}[{position}]")
    elif value not in (None, ""):
        yield path, value


def said(response: ChatCompletionResponse) -> dict[str, Any]:
    choices = []
    for choice in response.choices or ():
        message, data = choice.message, choice.to_dict()
        calls = (message and message.tool_calls) or ()
        choices.append(
            {
                "text": (message.text if message else "") or choice.text,
                "reasoning": message.reasoning_text if message else "",
                "tool_calls": [call.function and [call.function.name, call.function.arguments] for call in calls],
                "finish_reason": choice.finish_reason,
                "logprobs": data.get("logprobs"),
            }
        )
    usage = response.usage.to_dict() if response.usage else None
    return dict(flat({"choices": choices, "usage": usage, "model": response.model}))


@pytest.mark.parametrize(("stream", "body"), TWINS, ids=[label(stream) for stream, _ in TWINS])
def test_streamed_as_at_once(stream: Path, body: Path) -> None:
    streamed = said(read([stream.read_bytes()])[2].response)
    at_once = said(ChatCompletionResponse.from_json(body.read_bytes()))
    if not any(path.startswith("usage") for path in streamed):  # sent only when asked for
        at_once = {path: value for path, value in at_once.items() if not path.startswith("usage")}
    differing = [path for path in streamed.keys() | at_once.keys() if streamed.get(path) != at_once.get(path)]
    parts = {re.sub(r"^(choices\[\d+\]\.\w+|usage).*", r"\1", path) for path in differing}
    assert sorted(parts) == DIFFER.get(label(stream), {}).get("paths", [])
