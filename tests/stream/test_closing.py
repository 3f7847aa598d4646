"""Tests of closing a source: at the end of its stream, and by `close()`, also in another thread or task."""

from __future__ import annotations

import asyncio
import http.client
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from loopback import serve, serve_raw
from together_adapters.errors import StreamError
from together_adapters.stream import aiter_chunks, iter_chunks

FRAME = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
DONE = b"data: [DONE]\n\n"


def by_urllib(url: str) -> Any:
    return urllib.request.urlopen(url, timeout=30)


def by_http_client(url: str) -> Any:
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=30)
    connection.request("GET", "/")
    return connection.getresponse()


@pytest.mark.parametrize("opened", [by_urllib, by_http_client])
def test_close_by_another_thread_ends_a_blocked_read(opened: Callable[[str], Any]) -> None:
    with serve(FRAME, 20.0) as url:
        stream = iter_chunks(opened(url))
        assert next(stream).text == "a"
        read: list[object] = []
        thread = threading.Thread(target=lambda: read.extend(stream))
        thread.start()
        while not stream._receiver.is_reading:
            time.sleep(0.001)
        time.sleep(0.05)  # until the thread waits for the socket
        started = time.perf_counter()
        stream.close()
        thread.join(10)
        assert not thread.is_alive() and time.perf_counter() - started < 5  # the server is silent for 20 s
    assert (read, stream.completion.state) == ([], "cancelled")


def test_generator_that_another_thread_runs_is_closed_by_it() -> None:
    go_on, ended = threading.Event(), threading.Event()

    def pieces() -> Iterator[bytes]:
        try:
            yield FRAME
            go_on.wait(10)
            yield FRAME
        finally:
            ended.set()

    stream = iter_chunks(pieces())
    next(stream)
    thread = threading.Thread(target=list, args=(stream,))
    thread.start()
    while not stream._receiver.is_reading:
        time.sleep(0.001)
    stream.close()
    assert not ended.is_set()
    go_on.set()
    thread.join(10)
    assert ended.is_set() and stream.completion.response.text == "a"


def test_async_generator_that_another_task_runs_is_closed_by_it() -> None:
    async def run() -> None:
        go_on, ended = asyncio.Event(), asyncio.Event()

        async def pieces() -> AsyncIterator[bytes]:
            try:
                yield FRAME
                await go_on.wait()
                yield FRAME
            finally:
                ended.set()

        stream = aiter_chunks(pieces())
        await stream.__anext__()
        task = asyncio.ensure_future(stream.__anext__())
        await asyncio.sleep(0)
        await stream.aclose()
        go_on.set()
        with pytest.raises(StopAsyncIteration):
            await task
        assert ended.is_set()

    asyncio.run(run())


class Pieces:
    """An iterable whose iterators need to be closed."""

    def __init__(self) -> None:
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield FRAME
            yield DONE
        finally:
            self.closed += 1


@pytest.mark.parametrize("end", ["close", "with", "end"])
def test_iterator_of_the_source_is_closed(end: str) -> None:
    source = Pieces()
    stream = iter_chunks(source)
    with stream:
        next(stream)
        if end == "end":
            assert list(stream) == []
        elif end == "close":
            stream.close()
    assert source.closed == 1


def test_stream_reader_of_asyncio_with_a_long_line_is_read() -> None:
    frame = FRAME.replace(b'"a"', b'"%s"' % (b"a" * 200_000))

    async def run(url: str) -> str:
        parts = urllib.parse.urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        stream = aiter_chunks(reader)
        text = "".join([chunk.text async for chunk in stream])
        writer.close()
        await writer.wait_closed()
        return text

    with serve_raw(frame, DONE) as url:
        assert asyncio.run(run(url)) == "a" * 200_000


@pytest.mark.parametrize("asynchronous", [False, True])
def test_source_of_text_raises_type_error(asynchronous: bool) -> None:
    async def pieces() -> AsyncIterator[Any]:
        yield FRAME
        yield "text"

    async def run() -> str:
        stream = aiter_chunks(pieces())
        with pytest.raises(TypeError, match="must return bytes, got str"):
            async for _ in stream:
                pass
        return stream.completion.state

    if asynchronous:
        assert asyncio.run(run()) == "cancelled"
        return
    stream = iter_chunks(iter([FRAME, "text"]))
    with pytest.raises(TypeError, match="must return bytes, got str"):
        list(stream)
    assert stream.completion.state == "cancelled"


def test_source_that_fails_to_close_does_not_hide_the_error_of_the_stream() -> None:
    class Source(list[bytes]):
        def close(self) -> None:
            raise OSError("closing failed")

    with pytest.raises(StreamError, match="boom"):
        list(iter_chunks(Source([b'data: {"error": "boom"}\n\n'])))


def test_bytes_as_source_are_read() -> None:
    for data in (FRAME + DONE, bytearray(FRAME + DONE), memoryview(FRAME + DONE)):
        assert [chunk.text for chunk in iter_chunks(data)] == ["a"]
