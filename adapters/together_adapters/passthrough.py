"""For proxies: the bytes of a stream go out exactly as they came, while the chunks in them are read and counted.
Nothing in a stream, broken or hostile, changes or stops what goes out.
"""

from __future__ import annotations

from ._byte_sources import (
    aclose_source,
    aiterator_of,
    as_bytes,
    close_source,
    iterator_of,
    partial_data,
    truncation_error,
)
from .stream._reader import MAX_EVENT_BYTES, ChunkReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from ._types import ChatCompletionChunk
    from .accumulate import Completion
    from .errors import APIError
    from .protocols import AsyncByteSource, ByteSource

__all__ = ["PassThrough"]


class PassThrough:
    """Reads a stream that is passed on; what it cannot read goes out all the same.

    `chunks` is how many chunks have been seen, `completion` what they amount to, and `error` the StreamError or
    IncompleteStreamError that a reader of the stream would have had at its end. `on_chunk` is called with each chunk; what
    it raises ends the iteration. However much comes after the stream's end, none of it is kept.
    """

    def __init__(
        self,
        on_chunk: Callable[[ChatCompletionChunk], object] | None = None,
        *,
        max_event_bytes: int = MAX_EVENT_BYTES,
    ) -> None:
        self.chunks: int = 0
        self._on_chunk = on_chunk
        self._reader = ChunkReader(max_event_bytes=max_event_bytes)

    @property
    def completion(self) -> Completion:
        """Everything that was seen so far, and how the stream stands."""
        return self._reader.completion

    @property
    def error(self) -> APIError | None:
        """What is wrong with the stream, None while nothing is."""
        return self._reader.error

    def _see(self, chunks: list[ChatCompletionChunk]) -> None:
        self.chunks += len(chunks)
        if self._on_chunk is not None:
            for chunk in chunks:
                self._on_chunk(chunk)

    def over(self, source: ByteSource) -> Generator[bytes]:
        """The pieces of a source, as `iter_chunks` takes it, unchanged.

        What the source raises goes through after the bytes before it, so that a connection that broke is not passed on
        as one that ended. The source is closed at the end, and when the iteration is given up.
        """
        pieces = self._over(source)
        next(pieces)  # into its `try`: a generator that has not begun would close without closing the source
        return pieces

    def _over(self, source: ByteSource) -> Generator[bytes]:
        pieces = None
        try:
            yield b""
            pieces = iterator_of(source)
            while True:
                try:
                    piece = next(pieces)
                except StopIteration:
                    break
                except Exception as error:
                    rest = self._last_before(error)
                    if rest:
                        yield rest
                    raise
                data = as_bytes(piece)
                self._see(self._reader.feed(data))
                yield data
            gone = truncation_error(source)
            self._see(self._reader.finish(gone))
            if gone is not None:
                raise gone
        finally:
            self._reader.cancel()
            try:
                close_source(pieces)
            finally:
                close_source(source)

    async def aover(self, source: AsyncByteSource) -> AsyncGenerator[bytes]:
        """As `over`, for an asynchronous source, as `aiter_chunks` takes it."""
        pieces = aiterator_of(source)
        try:
            while True:
                try:
                    piece = await pieces.__anext__()
                except StopAsyncIteration:
                    break
                except Exception as error:
                    rest = self._last_before(error)
                    if rest:
                        yield rest
                    raise
                data = as_bytes(piece)
                self._see(self._reader.feed(data))
                yield data
            self._see(self._reader.finish())
        finally:
            self._reader.cancel()
            try:
                await aclose_source(pieces)
            finally:
                await aclose_source(source)

    def _last_before(self, error: Exception) -> bytes:
        """End the stream, which broke, with what had been read."""
        data = partial_data(error)
        self._see(self._reader.feed(data) + self._reader.finish(error))
        return data
