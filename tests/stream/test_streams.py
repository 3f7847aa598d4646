"""Tests of event streams, split at every byte: their events, chunks and final states."""

from __future__ import annotations

import io
import typing

import pytest
from corpus import SSE_CASES, STREAMS, case_bytes, label
from together_adapters.errors import IncompleteStreamError, StreamError
from together_adapters.sse import Decoder
from together_adapters.stream import AsyncChunkStream, ChunkReader, aiter_chunks, iter_chunks

FINISHED = b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\n'
OPEN = FINISHED.replace(b'"stop"', b"null")


def splits(data: bytes) -> typing.Iterator[list[bytes]]:
    yield [data]
    yield [data[i : i + 1] for i in range(len(data))]
    if len(data) < 4000:
        for i in range(1, len(data)):
            yield [data[:i], data[i:]]


@pytest.mark.parametrize("case", SSE_CASES, ids=lambda case: case["name"])
def test_decoder_follows_whatwg_cases(case: dict[str, typing.Any]) -> None:
    for pieces in splits(case_bytes(case)):
        decoder = Decoder()
        events = [event._asdict() for piece in pieces for event in decoder.feed(piece)]
        assert events == case["expected_events"]
        assert decoder.last_event_id == case["final_last_event_id"]


def test_decoder_with_crlf_in_two_pieces_ends_one_line() -> None:
    decoder = Decoder()
    assert [len(decoder.feed(bytes([byte]))) for byte in b"data: a\r\n\n"] == [0] * 9 + [1]


@pytest.mark.parametrize("kind", [b"data: ", b": ", b""])
def test_decoder_with_a_too_large_event_raises_value_error(kind: bytes) -> None:
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
def test_recorded_stream_split_anywhere_gives_the_same_result(path: typing.Any) -> None:
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
def test_stream_end_sets_state(data: bytes, state: str) -> None:
    whole = outcome([data])
    assert whole[2] == state
    assert bool(whole[1]) == (state != "finished")
    assert whole == outcome([data[i : i + 1] for i in range(len(data))])


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("more", [b": " + b"x" * 2000, b"data: " + b"x" * 2000], ids=["comment", "data"])
def test_too_large_event_raises_after_the_complete_events(line_end: bytes, more: bytes) -> None:
    stream = iter_chunks([OPEN.replace(b"\n", line_end) + more], max_event_bytes=1000)
    assert next(stream).text == "hi"
    with pytest.raises(StreamError, match="more than 1000 bytes") as caught:
        next(stream)
    assert caught.value.completion.response.text == "hi"


@pytest.mark.parametrize(("limit", "state"), [(5000, "finished"), (4999, "errored")])
@pytest.mark.parametrize("size", [10**6, 1000, 7, 1])
def test_size_limit_does_not_depend_on_the_pieces(limit: int, state: str, size: int) -> None:
    line = b'data: {"x":"'.ljust(4998, b"y") + b'"}'
    data = OPEN + line + b"\n\n" + FINISHED
    stream = iter_chunks([data[start : start + size] for start in range(0, len(data), size)], max_event_bytes=limit)
    try:
        list(stream)
    except StreamError:
        pass
    assert stream.completion.state == state


def test_size_limit_applies_to_an_unfinished_event() -> None:
    reader = ChunkReader(max_event_bytes=100)
    reader.feed(OPEN * 10)
    for _ in range(100):
        assert reader.feed(b"x") == [] and reader.error is None
    assert reader.feed(b"x") == [] and "more than 100 bytes" in str(reader.error)


def test_documents_in_one_event_are_read_one_at_a_time() -> None:
    tracemalloc = pytest.importorskip("tracemalloc", reason="PyPy has no tracemalloc")
    tracemalloc.start()
    next(iter_chunks([b"data: " + b"{}" * 2**18 + b"\n\n"]))
    assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    tracemalloc.stop()


def test_source_after_done_is_closed_unread() -> None:
    source = io.BytesIO(FINISHED + b"data: [DONE]\n\n" + b"data: late\n\n" * 10_000)
    stream = iter_chunks(source)
    assert len(list(stream)) == 1
    assert source.closed and stream.completion.response.text == "hi"


def test_broken_source_keeps_received_chunks() -> None:
    def source() -> typing.Iterator[bytes]:
        yield OPEN
        raise ConnectionResetError("reset")

    stream = iter_chunks(source())
    assert next(stream).text == "hi"
    with pytest.raises(IncompleteStreamError, match="reset") as caught:
        next(stream)
    assert caught.value.completion.response.text == "hi"


def test_tab_before_value_loses_no_chunk() -> None:
    """Found by fuzzing: an earlier version lost the event from which it made a template."""
    frame = b'data: {"choices":[{"index":0,"delta":{"content":\t"b"},"finish_reason":null}]}\n\n'
    chunks = ChunkReader().feed(frame * 8)
    assert [chunk.text for chunk in chunks] == ["b"] * 8


def test_alternating_iterators_count_each_event_once() -> None:
    odd = OPEN.replace(b'"index"', b'"x":1,"index"')
    stream = iter_chunks([OPEN * 10 + odd + OPEN * 10 + b"data: {oops\n\n"])
    one, other = iter(stream), iter(stream)
    texts = [next(one).text for _ in range(6)] + [next(other).text for _ in range(7)]
    with pytest.raises(StreamError, match="^event 22 is not JSON"):
        for chunk in one:
            texts.append(chunk.text)
    assert texts == ["hi"] * 21
    with pytest.raises(StreamError, match="^event 22 is not JSON"):
        next(other)


class Owner:
    """A source whose iterator is a generator that closes the stream while it runs, or that cannot be closed."""

    def __init__(self, *, ends: bool) -> None:
        self.stream: typing.Any = None
        self.closed = self.closed_meanwhile = 0
        self._ends = ends

    def __iter__(self) -> typing.Iterator[bytes]:
        try:
            yield OPEN
            if self._ends:
                self.stream.close()
                self.closed_meanwhile = self.closed
        finally:
            if not self._ends:
                raise OSError("the iterator cannot be closed")

    async def __aiter__(self) -> typing.AsyncIterator[bytes]:
        try:
            yield OPEN
            if self._ends:
                await self.stream.aclose()
                self.closed_meanwhile = self.closed
        finally:
            if not self._ends:
                raise OSError("the iterator cannot be closed")

    def close(self) -> None:
        self.closed += 1


def test_source_with_running_iterator_is_closed() -> None:
    """Only closing the source wakes another thread that waits in the iterator."""
    source = Owner(ends=True)
    source.stream = stream = iter_chunks(source)
    assert len(list(stream)) == source.closed_meanwhile == source.closed == 1 and stream.completion.state == "cancelled"


def test_source_with_unclosable_iterator_is_closed() -> None:
    source = Owner(ends=False)
    stream = iter_chunks(source)
    assert next(stream).text == "hi"
    with pytest.raises(OSError, match="the iterator cannot be closed"):
        stream.close()
    assert source.closed == 1


def test_async_source_with_running_or_unclosable_iterator_is_closed() -> None:
    asyncio = pytest.importorskip("asyncio")

    async def main() -> None:
        source = Owner(ends=True)
        source.stream = stream = aiter_chunks(source)
        assert len([chunk async for chunk in stream]) == source.closed_meanwhile == source.closed == 1
        assert stream.completion.state == "cancelled"
        source = Owner(ends=False)
        stream = aiter_chunks(source)
        assert (await stream.__anext__()).text == "hi"
        with pytest.raises(OSError, match="the iterator cannot be closed"):
            await stream.aclose()
        assert source.closed == 1

    asyncio.run(main())


@pytest.mark.parametrize("data", [FINISHED, OPEN], ids=["finished", "cut off"])
def test_task_cancelled_while_source_closes_ends(data: bytes) -> None:
    asyncio = pytest.importorskip("asyncio")

    class Slow:
        def __init__(self) -> None:
            self.closing = asyncio.Event()

        async def __aiter__(self) -> typing.AsyncIterator[bytes]:
            yield data

        async def aclose(self) -> None:
            self.closing.set()
            await asyncio.Event().wait()

    async def read(stream: AsyncChunkStream) -> None:
        async for _ in stream:
            pass

    async def main() -> None:
        source = Slow()
        stream = aiter_chunks(source)
        task = asyncio.create_task(read(stream))
        await source.closing.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(2):
            if data is OPEN:  # the stream's own error is not lost
                with pytest.raises(IncompleteStreamError):
                    await read(stream)
            else:
                await read(stream)

    asyncio.run(main())
