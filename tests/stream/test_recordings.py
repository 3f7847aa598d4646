"""Tests of recorded streams: in any pieces, truncated, and compared with the server's response without streaming."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from corpus import DATA, SAID_OTHERWISE, STREAMS, UNFINISHED, label
from together_adapters.accumulate import Completion, accumulate
from together_adapters.errors import IncompleteStreamError, StreamError
from together_adapters.stream import iter_chunks

from together_types import ChatCompletionChunk

READS: dict[str, list[int]] = json.loads((DATA / "recordings" / "reads.json").read_text("utf-8"))
TWINS = [(stream, stream.with_name(stream.name[len("stream_") :]).with_suffix(".body")) for stream in STREAMS]
TWINS = [(stream, body) for stream, body in TWINS if body.exists()]
# Differences between a server's streamed and non-streamed responses: the two kinds of value at each path, and the reason.
DIFFER: list[dict[str, Any]] = json.loads((DATA / "stream_vs_body.json").read_text("utf-8"))
assert TWINS and all([rule["paths"] and rule["why"] for rule in DIFFER])
assert {rule["where"] for rule in DIFFER} <= {
    "every server",
    *[name for stream, _ in TWINS for name in (label(stream), stream.parent.name)],
}


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
def test_recorded_stream_in_any_pieces_gives_the_same_completion(path: Path) -> None:
    data = path.read_bytes()
    whole = read([data])
    assert whole == read([data[i : i + 1] for i in range(len(data))])
    if label(path) in READS:
        assert whole == read(list(as_recorded(path)))
    chunks, error, completion = whole
    assert completion.state == ("errored" if b'"error":' in data else "finished")
    assert (completion.state == "errored") == error.startswith("StreamError")
    listed = SAID_OTHERWISE.get(label(path), []) + UNFINISHED.get(label(path), [])
    assert [issue.path for issue in completion.issues()] == listed
    assert accumulate(chunks).response == completion.response


@pytest.mark.parametrize("path", [path for path in STREAMS if b'"error":' not in path.read_bytes()], ids=label)
def test_truncated_stream_has_an_error(path: Path) -> None:
    """A stream that is truncated anywhere raises an error, unless only [DONE], usage or an empty chunk is missing."""
    data = path.read_bytes()
    for end in range(0, len(data), max(len(data) // 40, 1)):
        chunks, error, completion = read([data[:end]])
        finished = bool(chunks) and accumulate(chunks).state == "finished"
        assert completion.saw_done or completion.state == ("finished" if finished else "cut_off" if end else "errored")
        assert bool(error) == (completion.state != "finished")
        assert completion.response == accumulate(chunks).response


def kind(value: Any) -> str:
    return {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}.get(
        type(value), "number"
    )


def differences(streamed: Any, at_once: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each path at which two JSON values differ, without array indices, and the kinds of both values there."""
    if isinstance(streamed, dict) and isinstance(at_once, dict):
        for key in streamed.keys() | at_once.keys():
            where = f"{path}.{key}" if path else key
            if key not in streamed:
                yield where, f"absent, {kind(at_once[key])}"
            elif key not in at_once:
                yield where, f"{kind(streamed[key])}, absent"
            else:
                yield from differences(streamed[key], at_once[key], where)
    elif isinstance(streamed, list) and isinstance(at_once, list) and len(streamed) == len(at_once):
        for one, other in zip(streamed, at_once):
            yield from differences(one, other, f"{path}[]")
    elif json.dumps(streamed) != json.dumps(at_once):
        yield path, f"{kind(streamed)}, {kind(at_once)}"


@pytest.mark.parametrize(("stream", "body"), TWINS, ids=[label(stream) for stream, _ in TWINS])
def test_streamed_response_equals_the_response_without_streaming(stream: Path, body: Path) -> None:
    streamed = read([stream.read_bytes()])[2].response.to_dict()
    found = set(differences(streamed, json.loads(body.read_bytes())))
    own = {pair for rule in DIFFER if rule["where"] == label(stream) for pair in rule["paths"].items()}
    shared = {
        pair
        for rule in DIFFER
        if rule["where"] in ("every server", stream.parent.name)
        for pair in rule["paths"].items()
    }
    assert own <= found, "these differences no longer exist: remove them from stream_vs_body.json"
    assert sorted(found - own - shared) == []
