"""Reading a stream in a proxy that forwards its bytes unchanged.

The proxy can count the chunks, merge them into one response, and detect errors. All bytes are forwarded, whatever the
stream contains.
"""

from __future__ import annotations

from ._byte_sources import (
    aclose_source,
    aiterator_of,
    as_bytes,
    close_source,
    is_connection_error,
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
    """A reader of one stream that yields all bytes unchanged, including those that it cannot parse.

    `chunks` is the number of chunks so far. `on_chunk` is called with each chunk, and an exception that it raises ends
    the iteration. Bytes after `[DONE]` or an error are forwarded, but not parsed. `n` and `max_event_bytes` are the
    same as for `iter_chunks`.

    >>> from together_adapters.passthrough import PassThrough
    >>> event = b'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\\n\\n'
    >>> source = [event, b"data: [DONE]\\n\\n"]
    >>> reader = PassThrough()
    >>> list(reader.over(source)) == source
    True
    >>> reader.chunks, reader.completion.response.text, reader.error
    (1, 'Hi', None)
    """

    def __init__(
        self,
        on_chunk: Callable[[ChatCompletionChunk], object] | None = None,
        *,
        n: int | None = None,
        max_event_bytes: int = MAX_EVENT_BYTES,
    ) -> None:
        self.chunks: int = 0
        self._on_chunk = on_chunk
        self._reader = ChunkReader(n=n, max_event_bytes=max_event_bytes)

    @property
    def completion(self) -> Completion:
        """The response from the chunks so far, and the state of the stream."""
        return self._reader.completion

    @property
    def error(self) -> APIError | None:
        """The StreamError or IncompleteStreamError that `iter_chunks` would raise for this stream, or None."""
        return self._reader.error

    def _see(self, chunks: list[ChatCompletionChunk]) -> None:
        self.chunks += len(chunks)
        if self._on_chunk is not None:
            for chunk in chunks:
                self._on_chunk(chunk)

    def over(self, source: ByteSource) -> Generator[bytes]:
        """Return an iterator over the pieces of a source, unchanged. `source` is the same as for `iter_chunks`.

        An exception of the source is raised after the bytes that were received before it, so that the recipient can
        distinguish a broken connection from the end. The source is closed when the iterator ends or is closed.
        """
        pieces = self._over(source)
        next(pieces)  # enters its `try`, because closing a generator that has not started would not close the source
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
                    rest = self._last_before(error, source)
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
        except GeneratorExit:  # the recipient needs no more bytes
            raise
        except BaseException as error:
            self._reader.interrupt(error)
            raise
        finally:
            self._reader.cancel()
            try:
                close_source(pieces)
            finally:
                close_source(source)

    async def aover(self, source: AsyncByteSource) -> AsyncGenerator[bytes]:
        """Yield the pieces of an asynchronous source, unchanged. `source` is the same as for `aiter_chunks`.

        Exceptions are the same as for `over`. The source is closed when the iterator ends or is closed, but not if the
        iterator is closed before its first step.
        """
        pieces = aiterator_of(source)
        try:
            while True:
                try:
                    piece = await pieces.__anext__()
                except StopAsyncIteration:
                    break
                except Exception as error:
                    rest = self._last_before(error, source)
                    if rest:
                        yield rest
                    raise
                data = as_bytes(piece)
                self._see(self._reader.feed(data))
                yield data
            self._see(self._reader.finish())
        except GeneratorExit:  # the recipient needs no more bytes
            raise
        except BaseException as error:
            self._reader.interrupt(error)
            raise
        finally:
            self._reader.cancel()
            try:
                await aclose_source(pieces)
            finally:
                await aclose_source(source)

    def _last_before(self, error: Exception, source: ByteSource | AsyncByteSource) -> bytes:
        """Record that reading has failed, and return the bytes that were read before `error`."""
        data = partial_data(error)
        self._see(self._reader.feed(data))
        if is_connection_error(error, source):  # another exception interrupts the reader when it is raised
            self._see(self._reader.finish(error))
        return data
