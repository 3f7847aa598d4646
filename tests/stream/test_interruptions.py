"""Tests of interrupted reading: by an unrelated exception, by cancellation, and by a second reader.

In every case, a later read continues the stream or raises an error, because an end without an error would mean that the
stream is complete.
"""

from __future__ import annotations

import asyncio
import http.client
import io
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from loopback import serve
from together_adapters import AsyncTogether, Together
from together_adapters.errors import IncompleteStreamError
from together_adapters.passthrough import PassThrough
from together_adapters.stream import ChunkStream, aiter_chunks, iter_chunks

FRAME = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
LAST = b'data: {"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}


class TimeLimitExceededError(Exception):
    """An exception that another library raises at any time, as Celery does."""


def text_of(stream: Any) -> str:
    return str(stream.completion.response.text)


# ---- sources that return None


class NonBlocking:
    """A file that returns None while it has no data, like a raw file in non-blocking mode."""

    def __init__(self) -> None:
        self.pieces: list[bytes | None] = [FRAME, None, LAST, b""]

    def read(self, size: int) -> bytes | None:
        return self.pieces.pop(0)


class AsyncNonBlocking(NonBlocking):
    def __aiter__(self) -> AsyncNonBlocking:
        return self

    async def __anext__(self) -> bytes:
        raise StopAsyncIteration

    async def read(self, size: int) -> bytes | None:  # type: ignore[override]
        return self.pieces.pop(0)


async def pieces_with_none() -> AsyncIterator[Any]:
    for piece in (FRAME, None, LAST):
        yield piece


@pytest.mark.parametrize("source", [NonBlocking, lambda: iter([FRAME, None, LAST])], ids=["file", "iterator"])
def test_source_that_returns_none_raises_type_error(source: Callable[[], Any]) -> None:
    stream = iter_chunks(source())
    assert next(stream).text == "a"
    with pytest.raises(TypeError, match="must return bytes, got None"):
        next(stream)
    assert text_of(stream) == "a"
    with pytest.raises(IncompleteStreamError, match="TypeError"):
        list(stream)
    passed = PassThrough().over(source())
    assert next(passed) == FRAME
    with pytest.raises(TypeError, match="must return bytes, got None"):
        list(passed)


@pytest.mark.parametrize("source", [AsyncNonBlocking, pieces_with_none], ids=["file", "generator"])
def test_async_source_that_returns_none_raises_type_error(source: Callable[[], Any]) -> None:
    async def main() -> None:
        stream = aiter_chunks(source())
        assert (await stream.__anext__()).text == "a"
        with pytest.raises(TypeError, match="must return bytes, got None"):
            await stream.__anext__()
        with pytest.raises(IncompleteStreamError, match="TypeError"):
            await stream.__anext__()
        passed = PassThrough().aover(source())
        assert await passed.__anext__() == FRAME
        with pytest.raises(TypeError, match="must return bytes, got None"):
            await passed.__anext__()

    asyncio.run(main())


# ---- exceptions


def raising(error: BaseException) -> Iterator[bytes]:
    yield FRAME
    raise error


async def araising(error: BaseException) -> AsyncIterator[bytes]:
    yield FRAME
    raise error


UNRELATED = [
    TimeLimitExceededError(),
    ValueError("x"),
    RecursionError(),
    MemoryError(),
    KeyboardInterrupt(),
    SystemExit(),
]


@pytest.mark.parametrize("error", UNRELATED, ids=repr)
def test_unrelated_exception_passes_unchanged_and_a_later_read_raises(error: BaseException) -> None:
    stream = iter_chunks(raising(error))
    with pytest.raises(type(error)) as raised:
        list(stream)
    assert raised.value is error and text_of(stream) == "a"
    for _ in range(2):
        with pytest.raises(IncompleteStreamError, match=type(error).__name__) as incomplete:
            next(stream)
        assert incomplete.value.completion.response.text == "a"

    async def main() -> None:
        stream = aiter_chunks(araising(error))
        assert (await stream.__anext__()).text == "a"
        with pytest.raises(type(error)) as raised:
            await stream.__anext__()
        assert raised.value is error
        with pytest.raises(IncompleteStreamError, match=type(error).__name__):
            await stream.__anext__()

    if isinstance(error, Exception):  # KeyboardInterrupt and SystemExit would end asyncio.run
        asyncio.run(main())


@pytest.mark.parametrize("error", [TimeLimitExceededError(), KeyboardInterrupt()], ids=repr)
def test_exception_between_two_reads_does_not_end_the_stream_silently(error: BaseException) -> None:
    stream = iter_chunks([FRAME, LAST, DONE])
    chunks: Any = iter(stream)
    next(chunks)
    with pytest.raises(type(error)):
        chunks.throw(error)  # as a signal handler does at this point
    for _ in range(2):
        with pytest.raises(IncompleteStreamError, match=type(error).__name__):
            next(stream)
    assert text_of(stream) == "a"


@pytest.mark.parametrize("error", UNRELATED[:3], ids=repr)
def test_unrelated_exception_passes_through_a_proxy_and_interrupts_its_reader(error: Exception) -> None:
    through = PassThrough()
    with pytest.raises(type(error)) as raised:
        list(through.over(raising(error)))
    assert raised.value is error and through.completion.state == "cancelled"
    assert isinstance(through.error, IncompleteStreamError) and type(error).__name__ in through.error.message


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit()], ids=repr)
def test_exception_that_ends_the_process_interrupts_the_reader_of_a_proxy(error: BaseException) -> None:
    through = PassThrough()
    with pytest.raises(type(error)):
        list(through.over(raising(error)))
    assert isinstance(through.error, IncompleteStreamError) and type(error).__name__ in through.error.message


def test_source_that_returns_none_interrupts_the_reader_of_a_proxy() -> None:
    through = PassThrough()
    with pytest.raises(TypeError):
        list(through.over(NonBlocking()))  # type: ignore[arg-type]
    assert isinstance(through.error, IncompleteStreamError) and "TypeError" in through.error.message


def test_cancelled_task_interrupts_the_reader_of_a_proxy() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield FRAME
        await asyncio.sleep(60)

    async def main() -> None:
        through = PassThrough()
        proxy = through.aover(pieces())
        assert await proxy.__anext__() == FRAME
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(proxy.__anext__(), 0.01)
        assert isinstance(through.error, IncompleteStreamError) and "CancelledError" in through.error.message

    asyncio.run(main())


def test_proxied_stream_with_fewer_choices_than_n_is_incomplete() -> None:
    through = PassThrough(n=2)
    assert list(through.over([LAST])) == [LAST]
    assert isinstance(through.error, IncompleteStreamError) and "1 of 2 choices" in through.error.message


class Socket(io.RawIOBase):
    """A source that raises an error. Exceptions of its own package are errors of its connection."""

    def __init__(self, error: Exception) -> None:
        self.answers: list[Any] = [FRAME, error]

    def read(self, size: int = -1) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


CONNECTION_ERRORS = [
    ConnectionResetError(),
    TimeoutError(),
    EOFError(),
    http.client.IncompleteRead(b""),
    TimeLimitExceededError(),
]


@pytest.mark.parametrize("error", CONNECTION_ERRORS, ids=repr)
def test_connection_error_of_the_source_raises_incomplete_stream_error(error: Exception) -> None:
    stream = iter_chunks(Socket(error))
    with pytest.raises(IncompleteStreamError) as raised:
        list(stream)
    assert raised.value.__cause__ is error and text_of(stream) == "a"


def read_at_depth(levels: int, stream: ChunkStream, chunks: list[Any]) -> None:
    if levels:
        read_at_depth(levels - 1, stream, chunks)
    else:
        for chunk in stream:
            chunks.append(chunk)


def test_stack_used_up_at_any_depth_does_not_end_a_stream_silently() -> None:
    """Read the same stream with each possible amount of remaining stack."""
    data = FRAME + b": comment\n" + FRAME.replace(b'"a"', b'{"x":[[[1]]]}') + FRAME + LAST + DONE
    whole = [chunk.to_dict() for chunk in iter_chunks(data)]
    limit = sys.getrecursionlimit()
    interrupted = finished = 0
    for levels in range(limit - 150, limit):
        chunks: list[Any] = []
        stream = iter_chunks(iter([data]))
        try:
            read_at_depth(levels, stream, chunks)
        except RecursionError:
            interrupted += 1
        found = [chunk.to_dict() for chunk in chunks]
        assert found == whole[: len(found)]
        if stream.completion.state == "finished":
            finished += 1
            assert len(found) == len(whole) and list(stream) == []
        elif stream.completion.state == "open":  # the stack was used up before the first instruction of the stream
            assert not found
        else:
            with pytest.raises(IncompleteStreamError, match="RecursionError"):
                list(stream)
    assert interrupted > 3 and finished > 3


# ---- signal handlers


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")
def test_timeout_error_of_a_signal_handler_reaches_the_caller_without_a_retry() -> None:
    problem = TimeoutError("the job took too long")

    def ring(number: int, frame: object) -> None:
        raise problem

    before = signal.signal(signal.SIGALRM, ring)
    try:
        for pauses in ((30.0,), (FRAME, 30.0)):  # before the response headers, and inside the stream
            with serve(*pauses) as url, Together(api_key="", base_url=url, max_retries=2) as client:
                signal.setitimer(signal.ITIMER_REAL, 0.3)
                with pytest.raises(TimeoutError) as raised:
                    list(client.chat.completions.create(**ASKED))
                assert raised.value is problem
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# ---- cancellation


@pytest.mark.parametrize("source", ["generator", "StreamReader", "client"])
def test_read_after_a_cancelled_read_raises(source: str) -> None:
    async def main(url: str) -> None:
        never = asyncio.Event()

        async def pieces() -> AsyncIterator[bytes]:
            yield FRAME
            await never.wait()

        stream: Any
        client = AsyncTogether(api_key="", base_url=url)
        if source == "client":
            stream = await client.chat.completions.create(**ASKED)
        elif source == "StreamReader":
            reader = asyncio.StreamReader()
            reader.feed_data(FRAME)
            stream = aiter_chunks(reader)
        else:
            stream = aiter_chunks(pieces())
        assert (await stream.__anext__()).text == "a"
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(stream.__anext__(), 0.1)
        assert text_of(stream) == "a" and stream.completion.state == "cancelled"
        with pytest.raises(IncompleteStreamError, match="CancelledError"):
            await stream.__anext__()
        await client.close()

    with serve(FRAME, 30.0) as url:
        asyncio.run(main(url))


def test_stream_cancelled_at_any_step_does_not_end_silently() -> None:
    """Cancel the reading task after each number of steps of the event loop, until it finishes."""

    async def pieces() -> AsyncIterator[bytes]:
        for piece in (FRAME, FRAME, LAST, DONE):
            await asyncio.sleep(0)
            yield piece

    async def read(steps: int) -> tuple[bool, int]:
        chunks: list[Any] = []
        stream = aiter_chunks(pieces())

        async def collect() -> None:
            async for chunk in stream:
                chunks.append(chunk)

        task = asyncio.ensure_future(collect())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            if steps:
                with pytest.raises(IncompleteStreamError):
                    await collect()
            return False, len(chunks)
        return True, len(chunks)

    results = [asyncio.run(read(steps)) for steps in range(12)]
    assert not results[1][0] and results[-1] == (True, 3)
    assert all(finished == (count == 3) or not finished for finished, count in results)


# ---- two readers


def test_second_thread_raises_runtime_error_and_the_first_loses_no_chunk() -> None:
    go_on, waiting = threading.Event(), threading.Event()

    def pieces() -> Iterator[bytes]:
        yield FRAME
        waiting.set()
        go_on.wait(10)
        yield LAST + DONE

    stream = iter_chunks(pieces())
    texts: list[str] = []
    first = threading.Thread(target=lambda: texts.extend([chunk.text for chunk in stream]))
    first.start()
    waiting.wait(10)
    with pytest.raises(RuntimeError, match="another thread is reading this stream"):
        next(stream)
    go_on.set()
    first.join(10)
    assert texts == ["a", "b"] and stream.completion.state == "finished"


def test_threads_at_a_short_switch_interval_lose_and_repeat_no_chunk() -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(20):
            stream = iter_chunks(iter([FRAME] * 50 + [LAST + DONE]))
            results: list[list[str]] = [[], []]
            errors: list[Exception] = []
            threads = [threading.Thread(target=collect, args=(stream, texts, errors)) for texts in results]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sum(map(len, results)) == 51 and text_of(stream) == "a" * 50 + "b"
            assert all(isinstance(error, RuntimeError) for error in errors)
    finally:
        sys.setswitchinterval(interval)


def collect(stream: ChunkStream, texts: list[str], errors: list[Exception]) -> None:
    while True:
        try:
            for chunk in stream:
                texts.append(chunk.text)
            return
        except RuntimeError as error:  # the other thread is reading
            errors.append(error)


def test_second_task_raises_runtime_error_and_the_first_loses_no_chunk() -> None:
    async def main() -> None:
        go_on = asyncio.Event()

        async def pieces() -> AsyncIterator[bytes]:
            yield FRAME
            await go_on.wait()
            yield LAST + DONE

        stream = aiter_chunks(pieces())

        async def texts() -> list[str]:
            return [chunk.text async for chunk in stream]

        first = asyncio.ensure_future(texts())
        await asyncio.sleep(0.01)
        with pytest.raises(RuntimeError, match="another task is reading this stream"):
            await stream.__anext__()
        go_on.set()
        assert await first == ["a", "b"] and stream.completion.state == "finished"

    asyncio.run(main())
