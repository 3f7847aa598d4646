"""Reading the chunks of a streamed completion, with an error if the stream is not complete.

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


class _StreamBase:
    """The base of the streams over synchronous and asynchronous sources."""

    def __init__(self, source: Any, pieces: Any, reader: ChunkReader) -> None:
        self._source = source
        self._to_close = [source] if pieces is source else [source, pieces]  # closed from the last to the first
        self._reader = reader
        self._reading = False
        self._raised = False

    @property
    def completion(self) -> Completion:
        """The response from the chunks returned so far, and the state of the stream."""
        return self._reader.completion

    def _ending(self) -> Exception | None:
        """Return the error of the stream the first time, and None later."""
        if self._raised:
            return None
        self._raised = True
        return self._reader.error


class ChunkStream(_StreamBase):
    """An iterator over the chunks of a stream, and a context manager.

    The source is closed at the end of the stream, on an error, by `close()`, and when the stream is garbage-collected.
    After the last chunk, iteration raises StreamError if the server reported an error or its response is not an event
    stream, and IncompleteStreamError if the stream was cut off.

    Another thread may call `close()`. It interrupts a read from a socket at once. It cannot interrupt a generator: the
    source is then closed after the generator's next piece.
    """

    def __init__(self, source: ByteSource, reader: ChunkReader) -> None:
        pieces = iterator_of(source)
        super().__init__(source, pieces, reader)
        self._next_piece = partial(next, pieces, None)

    def __iter__(self) -> Iterator[ChatCompletionChunk]:
        """Iterate over the remaining chunks."""
        reader, next_chunk = self._reader, self._reader.next_chunk
        while True:
            chunk = next_chunk()
            if chunk is not None:
                yield chunk
            elif reader.state is CompletionState.OPEN:
                self._receive()
            else:
                break
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

    def _receive(self) -> None:
        """Pass the next piece of the source, its end or its error to the reader; a transport may raise any error."""
        self._reading = True  # set before the state is read, because `close` may run in another thread
        try:
            piece = self._next_piece() if self._reader.state is CompletionState.OPEN else None
        except Exception as error:
            self._reading = False
            self._reader.break_off(error)
        except BaseException:
            self._reading = False
            self.close()
            raise
        else:
            self._reading = False
            if piece is None:
                self._reader.end(truncation_error(self._source))
            else:
                self._reader.receive(piece if type(piece) is bytes else self._bytes_of(piece))

    def _bytes_of(self, piece: Any) -> bytes:
        try:
            return as_bytes(piece)
        except TypeError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_next_piece"):
            self.close()

    def close(self) -> None:
        """Close the source at once; a stream that is still open becomes `cancelled`."""
        self._reader.cancel()
        if self._reading:
            interrupt_read(self._source)
        self._release()

    def _release(self) -> None:
        if not self._to_close:
            return
        item, reading, running = self._to_close.pop(), self._reading, False
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


class AsyncChunkStream(_StreamBase):
    """A ChunkStream over an asynchronous source, with `async for`, `async with` and `await aclose()`."""

    def __init__(self, source: AsyncByteSource, reader: ChunkReader) -> None:
        self._pieces = aiterator_of(source)
        super().__init__(source, self._pieces, reader)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChatCompletionChunk:
        while True:
            chunk = self._reader.next_chunk()
            if chunk is not None:
                return chunk
            if self._reader.state is not CompletionState.OPEN:
                break
            await self._receive()
        try:
            await self._release()
        except Exception:  # all data has arrived, and the state is known
            pass
        raise self._ending() or StopAsyncIteration

    async def _receive(self) -> None:
        """Pass the next piece of the source, its end or its error to the reader; a transport may raise any error."""
        self._reading = True
        try:
            piece = await self._pieces.__anext__()
        except StopAsyncIteration:
            self._reading = False
            self._reader.end()
        except Exception as error:
            self._reading = False
            self._reader.break_off(error)
        except BaseException:
            self._reading = False
            await self.aclose()
            raise
        else:
            self._reading = False
            await self._take(piece)

    async def _take(self, piece: Any) -> None:
        try:
            self._reader.receive(as_bytes(piece))
        except TypeError:
            await self.aclose()
            raise

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the source at once; a stream that is still open becomes `cancelled`."""
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


def iter_chunks(
    source: ByteSource, *, require_finish: bool = True, max_event_bytes: int = MAX_EVENT_BYTES
) -> ChunkStream:
    """Return the chunks of a stream of bytes.

    `source` is a urllib or http.client response, a binary file, an iterable of bytes, or bytes. With
    `require_finish=False`, a stream that ends without `[DONE]` and without a finish reason for every choice raises no
    error; its state is still `cut_off`. An event larger than `max_event_bytes` raises StreamError.
    """
    return ChunkStream(source, ChunkReader(require_finish=require_finish, max_event_bytes=max_event_bytes))


def aiter_chunks(
    source: AsyncByteSource, *, require_finish: bool = True, max_event_bytes: int = MAX_EVENT_BYTES
) -> AsyncChunkStream:
    """Return the chunks of an asynchronous iterable of bytes, such as asyncio's StreamReader; see `iter_chunks`."""
    return AsyncChunkStream(source, ChunkReader(require_finish=require_finish, max_event_bytes=max_event_bytes))
