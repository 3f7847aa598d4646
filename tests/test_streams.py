"""Bytes of event streams, at every split: events, chunks, endings."""

from __future__ import annotations

import io
import typing

import pytest
from corpus import SSE_CASES, STREAMS, case_bytes, label
from together_adapters.errors import IncompleteStreamError, StreamError
from together_adapters.sse import Decoder
from together_adapters.stream import ChunkReader, iter_chunks

FINISHED = b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\n'
OPEN = FINISHED.replace(b'"stop"', b"null")


def splits(data: bytes) -> typing.Iterator[list[bytes]]:
    yield [data]
    yield [data[i : i + 1] for i in range(len(data))]
    if len(data) < 4000:
        for i in range(1, len(data)):
            yield [data[:i], data[i:]]


@pytest.mark.parametrize("case", SSE_CASES, ids=lambda case: case["name"])
def test_standard(case: dict[str, typing.Any]) -> None:
    for pieces in splits(case_bytes(case)):
        decoder = Decoder()
        events = [event._asdict() for piece in pieces for event in decoder.feed(piece)]
        assert events == case["expected_events"]
        assert decoder.last_event_id == case["final_last_event_id"]


def test_one_line_end_swallowed_only() -> None:
    decoder = Decoder()
    assert [len(decoder.feed(bytes([byte]))) for byte in b"data: a\r\n\n"] == [0] * 9 + [1]


@pytest.mark.parametrize("kind", [b"data: ", b": ", b""])
def test_bounded(kind: bytes) -> None:
    decoder = Decoder(max_event_bytes=100)
    with pytest.raises(ValueError, match="more than 100 bytes"):
        for _ in range(200):
            decoder.feed(kind + b"x")
    for _ in range(200):
        assert Decoder(max_event_bytes=100).feed(b": a comment\n") == []


def outcome(pieces: list[bytes]) -> tuple[object, ...]:
    stream = iter_chunks(iter(pieces))
    chunks, error = [], ""
    try:
        for chunk in stream:
            chunks.append(chunk.to_dict())
    except (StreamError, IncompleteStreamError) as failed:
        error = repr(failed)
    completion = stream.completion
    return chunks, error, completion.state, completion.saw_done, completion.response.to_dict()


@pytest.mark.parametrize("path", STREAMS, ids=label)
def test_recorded(path: typing.Any) -> None:
    data = path.read_bytes()
    whole = outcome([data])
    assert whole == outcome([data[i : i + 1] for i in range(len(data))])
    assert whole[2] == ("errored" if b'"error"' in data else "finished")


@pytest.mark.parametrize(
    ("data", "state"),
    [
        (FINISHED, "finished"),
        (FINISHED.rstrip(), "finished"),
        (OPEN + b"data: [DONE]\n\n", "finished"),
        (OPEN + b"data: [DONE]", "finished"),
        (OPEN.rstrip() + b"\n" + FINISHED, "finished"),
        (b": keepalive\n\nretry: 3000\n\nid: 1\n\ndata:\n\nevent: message\n" + FINISHED, "finished"),
        (OPEN, "cut_off"),
        (OPEN + FINISHED[:40], "cut_off"),
        (b"", "errored"),
        (b"<html>", "errored"),
        (b": keepalive\n\n", "cut_off"),
        (b"retry: 100\n\ndata:\n\n", "cut_off"),
        (b": k\n\n" + FINISHED[:40], "cut_off"),
        (FINISHED[:40], "cut_off"),
        (b'event: status\ndata: {"message": "loading"}\n\nevent: ping\ndata: {"a": 1} x\n\n' + FINISHED, "finished"),
        (b'{"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":null}]}', "finished"),
        (b'{"choices":[{"index":0,"message":{"content":"hi"}', "errored"),
        (b"event: error\ndata:\n\n" + FINISHED, "errored"),
        (OPEN + b"event: error\ndata: boom", "errored"),
        (OPEN[:-1] + b'event: error\ndata: {"error": {"message": "m"}}\n\n', "errored"),
        (OPEN.replace(b"}]}", b'}],"error":{}}') + FINISHED, "finished"),
        (OPEN + b'data: "[done]"\n\n', "finished"),
        (OPEN + b"data: {} oops\n\n", "errored"),
        (b"data: {oops\n\n", "errored"),
        (b'data: {"error": "text"}\n\n', "errored"),
        (b'data: {"error": {"message": "m", "code": 400}}\n\n', "errored"),
        (b'data: {"object": "error", "message": "m"}\n\n', "errored"),
        (b'event: error\ndata: {"message": "m"}\n\n', "errored"),
    ],
    ids=range(28),
)
def test_endings(data: bytes, state: str) -> None:
    whole = outcome([data])
    assert whole[2] == state
    assert bool(whole[1]) == (state != "finished")
    assert whole == outcome([data[i : i + 1] for i in range(len(data))])


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("more", [b": " + b"x" * 2000, b"data: " + b"x" * 2000], ids=["comment", "data"])
def test_too_large_after_what_had_arrived(line_end: bytes, more: bytes) -> None:
    stream = iter_chunks([OPEN.replace(b"\n", line_end) + more], max_event_bytes=1000)
    assert next(stream).text == "hi"
    with pytest.raises(StreamError, match="more than 1000 bytes") as caught:
        next(stream)
    assert caught.value.completion.response.text == "hi"


@pytest.mark.parametrize(("limit", "state"), [(5000, "finished"), (4999, "errored")])
@pytest.mark.parametrize("size", [10**6, 1000, 7, 1])
def test_the_bound_does_not_depend_on_the_cut(limit: int, state: str, size: int) -> None:
    line = b'data: {"x":"'.ljust(4998, b"y") + b'"}'
    data = OPEN + line + b"\n\n" + FINISHED
    stream = iter_chunks([data[start : start + size] for start in range(0, len(data), size)], max_event_bytes=limit)
    try:
        list(stream)
    except StreamError:
        pass
    assert stream.completion.state == state


def test_many_documents_in_one_frame_are_read_one_by_one() -> None:
    tracemalloc = pytest.importorskip("tracemalloc", reason="PyPy has none")
    tracemalloc.start()
    next(iter_chunks([b"data: " + b"{}" * 2**18 + b"\n\n"]))
    assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    tracemalloc.stop()


def test_source_closed_and_rest_unread() -> None:
    source = io.BytesIO(FINISHED + b"data: [DONE]\n\n" + b"data: late\n\n" * 10_000)
    stream = iter_chunks(source)
    assert len(list(stream)) == 1
    assert source.closed and stream.completion.response.text == "hi"


def test_broken_source_keeps_what_came() -> None:
    def source() -> typing.Iterator[bytes]:
        yield OPEN
        raise ConnectionResetError("reset")

    stream = iter_chunks(source())
    assert next(stream).text == "hi"
    with pytest.raises(IncompleteStreamError, match="reset") as caught:
        next(stream)
    assert caught.value.completion.response.text == "hi"


def test_a_tab_before_a_value_loses_no_chunk() -> None:
    """Found by fuzzing: the frame that a template would be learned from was lost."""
    frame = b'data: {"choices":[{"index":0,"delta":{"content":\t"b"},"finish_reason":null}]}\n\n'
    chunks = ChunkReader().feed(frame * 8)
    assert [chunk.text for chunk in chunks] == ["b"] * 8
