"""The chunks of a streamed completion, with an ending that tells finished from cut off.

`ChunkReader` (see `_chunk_reader`) is the sans-IO core: bytes in, chunks out. `ChunkStream` and
`AsyncChunkStream` put a source of bytes in front of it, read it as its bytes arrive, and release it at the end.
"""

from __future__ import annotations

from functools import partial

from ._chunk_reader import MAX_EVENT_BYTES, ChunkReader
from ._source import aiterator_of, as_bytes, iterator_of, missing, wake

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self

    from ._types import ChatCompletionChunk
    from .accumulate import Completion
    from .protocols import AsyncByteSource, ByteSource

__all__ = ["AsyncChunkStream", "ChunkReader", "ChunkStream", "aiter_chunks", "iter_chunks"]


class _Shell:
    """What the streams over both kinds of source share."""

    def __init__(self, source: Any, pieces: Any, reader: ChunkReader) -> None:
        self._source = source
        self._to_close = [source] if pieces is source else [source, pieces]  # from the end
        self._reader = reader
        self._reading = False
        self._raised = False

    @property
    def completion(self) -> Completion:
        """Everything that the chunks given so far amount to, and how the stream stands."""
        return self._reader.completion

    def _cancel(self) -> None:
        if self._reader.state == "open":
            self._reader.cancel()

    def _ending(self, stop: Exception) -> Exception:
        """What ends the iteration: the stream's error the first time, then only the `stop`."""
        if self._reader.error is None or self._raised:
            return stop
        self._raised = True
        return self._reader.error


class ChunkStream(_Shell):
    """Iterates over the chunks of a stream; a context manager.

    The source is closed at the end, on an error, on `close()` and when the stream is dropped. After the last
    chunk that arrived, StreamError is raised where the server reported an error or sent what is no stream,
    and IncompleteStreamError where the stream was cut off.

    `close()` may be called by another thread: a read of a socket's bytes then ends at once. Of a generator it
    cannot end, and the source is closed when it has given its next piece.
    """

    def __init__(self, source: ByteSource, reader: ChunkReader) -> None:
        pieces = iterator_of(source)
        super().__init__(source, pieces, reader)
        self._next_piece = partial(next, pieces, None)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ChatCompletionChunk:
        reader = self._reader
        while True:
            run = reader.run  # another thread may close the stream
            if reader.waiting:
                chunk = self._advance()
            elif run is not None:
                chunk = next(run, None) or reader.next_chunk()
            else:
                chunk = reader.next_chunk()
            if chunk is not None:
                return chunk
            if reader.state != "open":
                ending = self._ending(StopIteration())
                try:
                    self._release()
                finally:
                    raise ending

    def _advance(self) -> ChatCompletionChunk | None:
        self._reading = True  # before the state is looked at: see close
        try:
            piece = self._next_piece() if self._reader.state == "open" else None
        except Exception as error:  # any transport, with errors of its own
            self._reading = False
            self._reader.break_off(error)
        except BaseException:
            self._reading = False
            self.close()
            raise
        else:
            self._reading = False
            if piece is not None:
                return self._reader.advance(piece if type(piece) is bytes else self._bytes_of(piece))
            self._reader.end(missing(self._source))
        return None

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
        """Release the source at once; a stream that was still open counts as cancelled."""
        self._cancel()
        if self._reading:
            wake(self._source)
        self._release()

    def _release(self) -> None:
        while self._to_close:
            item = self._to_close.pop()
            close: Callable[[], None] | None = getattr(item, "close", None)
            try:
                if close is not None:
                    close()
            except ValueError:
                if not self._reading:
                    raise
                self._to_close.append(item)  # a generator that another thread runs: that thread will close it
                return


class AsyncChunkStream(_Shell):
    """ChunkStream over an asynchronous source, with `async for`, `async with` and `await aclose()`."""

    def __init__(self, source: AsyncByteSource, reader: ChunkReader) -> None:
        self._pieces = aiterator_of(source)
        super().__init__(source, self._pieces, reader)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChatCompletionChunk:
        reader = self._reader
        while True:
            chunk = reader.next_chunk()
            if chunk is not None:
                return chunk
            if reader.state != "open":
                ending = self._ending(StopAsyncIteration())
                try:
                    await self._release()
                finally:
                    raise ending
            await self._receive()

    async def _receive(self) -> None:
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
        """Release the source at once; a stream that was still open counts as cancelled."""
        self._cancel()
        await self._release()

    async def _release(self) -> None:
        while self._to_close:
            item = self._to_close.pop()
            close: Callable[[], Any] | None = getattr(item, "aclose", None) or getattr(item, "close", None)
            try:
                closing: Any = None if close is None else close()
                if hasattr(closing, "__await__"):
                    await closing
            except RuntimeError:
                if not self._reading:
                    raise
                self._to_close.append(item)  # a generator that another task runs: that task will close it
                return


def iter_chunks(
    source: ByteSource, *, require_finish: bool = True, max_event_bytes: int = MAX_EVENT_BYTES
) -> ChunkStream:
    """The chunks of a stream of bytes.

    `source` is a urllib or http.client response, any binary file, any iterable of bytes, or bytes. With
    `require_finish=False` a stream that simply ends, without `[DONE]` and without a finish reason for every
    choice, raises nothing; its state still is `cut_off`. One event may take `max_event_bytes`.
    """
    return ChunkStream(source, ChunkReader(require_finish=require_finish, max_event_bytes=max_event_bytes))


def aiter_chunks(
    source: AsyncByteSource, *, require_finish: bool = True, max_event_bytes: int = MAX_EVENT_BYTES
) -> AsyncChunkStream:
    """The chunks of an asynchronous iterable of bytes, such as asyncio's StreamReader; otherwise as `iter_chunks`."""
    return AsyncChunkStream(source, ChunkReader(require_finish=require_finish, max_event_bytes=max_event_bytes))
