"""Reading the chunks of a streamed completion, with an error if the stream is not complete.

>>> import urllib.request
>>> from together_adapters.http import urllib_request
>>> from together_adapters.stream import iter_chunks
>>> messages = [{"role": "user", "content": "What is the capital of France?"}]
>>> request = urllib_request(model="meta-llama/Llama-3.3-70B-Instruct-Turbo", messages=messages, stream=True)
>>> with urllib.request.urlopen(request, timeout=60) as answer:
...     for chunk in iter_chunks(answer):
...         print(repr(chunk.text))
'The capital of France'
' is Paris.'
''

`ChunkReader` (see `_reader`) is the sans-IO core: it takes bytes and returns chunks. `ChunkStream` and
`AsyncChunkStream` read the caller's source as its bytes arrive, pass them to the reader, and close the source at the
end.

Opens no source and sends nothing.
"""

from __future__ import annotations

from functools import partial

from .._byte_sources import (
    aclose_source,
    aiterator_of,
    as_bytes,
    close_source,
    interrupt_read,
    is_connection_error,
    iterator_of,
    truncation_error,
)
from ..accumulate import CompletionState
from ._reader import MAX_EVENT_BYTES, ChunkReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self

    from .._types import ChatCompletionChunk
    from ..accumulate import Completion
    from ..protocols import AsyncByteSource, ByteSource

__all__ = ["AsyncChunkStream", "ChunkReader", "ChunkStream", "aiter_chunks", "iter_chunks"]

ChunkReader.__module__ = __name__  # pickles contain the name of the public module

_END: Any = object()  # the end marker is not None, because a source may wrongly return None
_SHARED = "another {0} is reading this stream: read it in one {0} only, and pass its chunks on"


class _StreamBase:
    """The base class of the streams over synchronous and asynchronous sources."""

    def __init__(self, source: Any, pieces: Any, reader: ChunkReader) -> None:
        self._source = source
        self._to_close = [source] if pieces is source else [source, pieces]  # closed from the last to the first
        self._reader = reader

    @property
    def completion(self) -> Completion:
        """The response from the chunks returned so far, and the state of the stream."""
        return self._reader.completion

    def _ending(self) -> Exception | None:
        """Return the error of the stream, if any, without the traceback of an earlier read that raised it."""
        error = self._reader.error
        return None if error is None else error.with_traceback(None)


class ChunkStream(_StreamBase):
    """An iterator over the chunks of a stream, and a context manager.

    The source is closed at the end of the stream, after an error, by `close()`, and when the stream is
    garbage-collected.

    After the last chunk, iteration raises StreamError if the server reported an error or its response is not an event
    stream, and IncompleteStreamError if the stream was cut off. A later iteration raises it again.

    An exception that is not an error of the connection is raised unchanged: KeyboardInterrupt, for example, or an
    exception of a signal handler. It closes the stream, and a later iteration raises IncompleteStreamError.

    Only one thread can read at a time. Iteration in another thread raises RuntimeError, and the first thread loses no
    chunk. Any thread may call `close()`, after which the iteration ends without an exception. `close()` interrupts a
    read from a socket at once. It cannot interrupt a generator, which is then closed after its next piece.
    """

    def __init__(self, source: ByteSource, reader: ChunkReader) -> None:
        pieces = iterator_of(source)
        super().__init__(source, pieces, reader)
        self._receiver = _Receiver(source, pieces, reader)
        self._steps = self._receiver.chunks()

    def __iter__(self) -> Iterator[ChatCompletionChunk]:
        """Iterate over the remaining chunks."""
        chunk: ChatCompletionChunk | None = None
        try:
            # One generator for all iterations, because Python allows only one thread in it. That costs 0.02 us for each
            # chunk, and a lock 0.08 us. The generator cannot continue after an exception.
            for chunk in self._steps:  # noqa: UP028 - `yield from` would close it with this iteration
                yield chunk
        except GeneratorExit:  # this iteration was abandoned, and another may continue
            raise
        except BaseException as error:
            traceback = error.__traceback__
            if isinstance(error, ValueError) and traceback is not None and traceback.tb_next is None:
                raise RuntimeError(_SHARED.format("thread")) from None  # the generator is running in the other thread
            chunk = None
            self._reader.interrupt(error)  # `chunks` has not seen an exception that was raised between two reads
            self.close()
            raise
        chunk = None  # the server may repeat the key in it, and error trackers show variables
        try:
            self._release()
        except Exception:  # all data has arrived, and the state is known
            pass
        ending = self._ending()
        if ending is not None:
            raise ending

    def __next__(self) -> ChatCompletionChunk:
        for chunk in self:
            return chunk
        raise StopIteration

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_steps"):
            self.close()

    def close(self) -> None:
        """Close the source at once. The state of an open stream becomes `cancelled`."""
        self._reader.cancel()
        if self._receiver.is_reading:
            interrupt_read(self._source)
        self._release()

    def _release(self) -> None:
        if not self._to_close:
            return
        item, reading, running = self._to_close.pop(), self._receiver.is_reading, False
        try:
            close_source(item)
        except ValueError:
            if not reading:
                raise
            running = True
        finally:  # close the other items also after an error
            self._release()
            if running:  # a generator that another thread is running: that thread will close it
                self._to_close.append(item)


class _Receiver:
    """The reading part of a ChunkStream.

    It has no reference to the stream, so that an abandoned stream is garbage-collected at once.
    """

    def __init__(self, source: ByteSource, pieces: Iterator[bytes], reader: ChunkReader) -> None:
        self.is_reading = False
        self._source = source
        self._next_piece = partial(next, pieces, _END)
        self._reader = reader

    def chunks(self) -> Iterator[ChatCompletionChunk]:
        reader, next_chunk = self._reader, self._reader.next_chunk
        while True:
            try:
                chunk = next_chunk()
                while chunk is None and reader.state is CompletionState.OPEN:
                    self._receive()
                    chunk = next_chunk()
            except BaseException as error:  # bytes may be lost
                reader.interrupt(error)
                raise
            if chunk is None:
                return
            yield chunk

    def _receive(self) -> None:
        """Pass the next piece of the source, its end or the error of its connection to the reader."""
        reader = self._reader
        self.is_reading = True  # set before the state is read, because `close` may run in another thread
        try:
            piece = self._next_piece() if reader.state is CompletionState.OPEN else _END
        except Exception as error:
            # After `close()` in another thread, a read may fail in any way.
            if reader.state is CompletionState.OPEN and not is_connection_error(error, self._source):
                raise
            reader.break_off(error)
        else:
            if piece is _END:
                reader.end(truncation_error(self._source))
            else:
                reader.receive(piece if type(piece) is bytes else as_bytes(piece))
        finally:
            self.is_reading = False


class AsyncChunkStream(_StreamBase):
    """A ChunkStream over an asynchronous source, with `async for`, `async with` and `await aclose()`.

    Only one task can read at a time. Iteration in another task raises RuntimeError. Cancelling a read closes the stream,
    and a later iteration raises IncompleteStreamError.
    """

    def __init__(self, source: AsyncByteSource, reader: ChunkReader) -> None:
        self._pieces = aiterator_of(source)
        super().__init__(source, self._pieces, reader)
        self._reading = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChatCompletionChunk:
        if self._reading:
            raise RuntimeError(_SHARED.format("task"))
        try:
            chunk = self._reader.next_chunk()
            while chunk is None and self._reader.state is CompletionState.OPEN:
                await self._receive()
                chunk = self._reader.next_chunk()
        except BaseException as error:  # bytes may be lost
            self._reader.interrupt(error)
            await self.aclose()
            raise
        if chunk is not None:
            return chunk
        try:
            await self._release()
        except Exception:  # all data has arrived, and the state is known
            pass
        raise self._ending() or StopAsyncIteration

    async def _receive(self) -> None:
        """Pass the next piece of the source, its end or the error of its connection to the reader."""
        self._reading = True
        try:
            piece = await self._pieces.__anext__()
        except StopAsyncIteration:
            self._reader.end()
        except Exception as error:
            # After `aclose()` in another task, a read may fail in any way.
            if self._reader.state is CompletionState.OPEN and not is_connection_error(error, self._source):
                raise
            self._reader.break_off(error)
        else:
            self._reader.receive(as_bytes(piece))
        finally:
            self._reading = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the source at once. The state of an open stream becomes `cancelled`."""
        self._reader.cancel()
        await self._release()

    async def _release(self) -> None:
        if not self._to_close:
            return
        item, reading, running = self._to_close.pop(), self._reading, False
        try:
            await aclose_source(item)
        except RuntimeError:
            if not reading:
                raise
            running = True
        finally:  # close the other items also after an error
            await self._release()
            if running:  # a generator that another task is running: that task will close it
                self._to_close.append(item)


def reader_class(*, split_thinking: bool) -> type[ChunkReader]:
    """Return the class of a stream's reader."""
    if not split_thinking:
        return ChunkReader
    from ._thinking import ThinkingChunkReader  # few streams need it

    return ThinkingChunkReader


def iter_chunks(
    source: ByteSource,
    *,
    require_finish: bool = True,
    n: int | None = None,
    max_event_bytes: int = MAX_EVENT_BYTES,
    split_thinking: bool = False,
) -> ChunkStream:
    """Return an iterator over the chunks of a stream of bytes. See `ChunkStream` for the errors that it raises.

    `source` is a urllib or http.client response, a binary file, an iterable of bytes, or bytes. `n` is the number of
    choices that the request asked for: a stream that ends without `[DONE]` and with fewer choices counts as cut off.
    With `require_finish=False`, a stream that ends without `[DONE]` and without a finish reason for every choice raises
    no error, but its state is still `cut_off`. An event larger than `max_event_bytes` raises StreamError.

    With `split_thinking=True`, the text inside `<think>...</think>` is moved to `reasoning`. A tag that is not closed
    remains text, so chunks inside a block are returned when it is closed or the stream ends.

    >>> from together_adapters.stream import iter_chunks
    >>> event = b'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\\n\\n'
    >>> stream = iter_chunks([event, b"data: [DONE]\\n\\n"])
    >>> [chunk.text for chunk in stream]
    ['Hi']
    >>> stream.completion.state.value, stream.completion.response.text
    ('finished', 'Hi')
    """
    new_reader = reader_class(split_thinking=split_thinking)
    return ChunkStream(source, new_reader(require_finish=require_finish, n=n, max_event_bytes=max_event_bytes))


def aiter_chunks(
    source: AsyncByteSource,
    *,
    require_finish: bool = True,
    n: int | None = None,
    max_event_bytes: int = MAX_EVENT_BYTES,
    split_thinking: bool = False,
) -> AsyncChunkStream:
    """Return an asynchronous iterator over the chunks of a stream of bytes.

    `source` is an asynchronous iterable of bytes, or a reader such as asyncio's StreamReader. The other parameters are
    those of `iter_chunks`.
    """
    new_reader = reader_class(split_thinking=split_thinking)
    return AsyncChunkStream(source, new_reader(require_finish=require_finish, n=n, max_event_bytes=max_event_bytes))
