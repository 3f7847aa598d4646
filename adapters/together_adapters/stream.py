"""Bytes of a streamed completion to chunks, with an ending that tells finished from cut off.

`ChunkReader` is the sans-IO core: bytes in, chunks out, and at the end the error that the
stream deserves. `ChunkStream` puts a source of bytes in front of it.
"""

from __future__ import annotations

from ._types import ChatCompletionChunk, ParseError, TogetherErrorResponse
from .accumulate import Accumulator, Completion
from .errors import APIError, IncompleteStreamError, StreamError
from .sse import Decoder, ServerSentEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self

__all__ = ["ChunkReader", "ChunkStream", "iter_chunks"]

_READ_SIZE = 65536


class ChunkReader:
    """Takes the bytes of a stream, gives its chunks and keeps its state (see Completion)."""

    def __init__(self) -> None:
        self._decoder = Decoder()
        self._accumulator = Accumulator()
        self._frames = 0
        self._head = b""
        self.state = "open"
        self.saw_done = False
        self.error: APIError | None = None

    @property
    def completion(self) -> Completion:
        """Everything received so far."""
        return self._accumulator.completion(self.state, self.saw_done)

    def feed(self, data: bytes) -> list[ChatCompletionChunk]:
        """The chunks that these bytes complete; nothing is read after `[DONE]` or an error."""
        if len(self._head) < 200:
            self._head += data[:200]
        chunks: list[ChatCompletionChunk] = []
        try:
            events = self._decoder.feed(data)
        except ValueError as error:
            self._fail(str(error))
            return chunks
        for event in events:
            if self.state != "open":
                break
            self._take(event, chunks)
        return chunks

    def finish(self, broken: BaseException | None = None, *, require_finish: bool = True) -> list[ChatCompletionChunk]:
        """The source has ended, or broken: the last chunks, and `error` set where the stream was not whole."""
        chunks: list[ChatCompletionChunk] = []
        if self.state == "open":
            event = self._decoder.finish()
            if event is not None and (event.data.strip() == "[DONE]" or _is_whole(event.data)):
                self._take(event, chunks)
        if self.state != "open":
            return chunks
        if broken is None and self._accumulator.finished:
            self.state = "finished"
            return chunks
        self.state = "cut_off"
        if broken is not None:
            self._cut(f"the connection broke before the stream was complete: {broken!r}")
        elif not self._frames:
            self.state = "errored"
            message = f"not an event stream: the body begins with {self._head[:80]!r}" if self._head else "an empty body"
            self.error = StreamError(message, self.completion)
        elif require_finish:
            self._cut("the stream ended without [DONE] and without a finish reason for every choice")
        return chunks

    def _take(self, event: ServerSentEvent, chunks: list[ChatCompletionChunk]) -> None:
        self._frames += 1
        text = event.data.strip()
        if not text:
            return
        if text == "[DONE]":
            self.state, self.saw_done = "finished", True
            return
        try:
            chunk = ChatCompletionChunk.from_json(text)
        except ParseError as error:
            self._take_lines(event, error, chunks)
            return
        self._take_chunk(event, chunk, chunks)

    def _take_lines(self, event: ServerSentEvent, error: ParseError, chunks: list[ChatCompletionChunk]) -> None:
        """Some gateways end a frame with one line end instead of two, so that several come as one event."""
        lines = [line for line in event.data.split("\n") if line.strip()]
        if len(lines) > 1 and all(line.strip() == "[DONE]" or _is_whole(line) for line in lines):
            for line in lines:
                if self.state == "open":
                    self._take(event._replace(data=line), chunks)
            return
        self._fail(f"frame {self._frames} is not a JSON object: {error} ({event.data[:80]!r})")

    def _take_chunk(self, event: ServerSentEvent, chunk: ChatCompletionChunk, chunks: list[ChatCompletionChunk]) -> None:
        error: Any = chunk.error
        if error is None and (event.event == "error" or str(chunk.object) == "error"):
            error = TogetherErrorResponse.from_dict(chunk.to_dict())
        if error is None:
            self._accumulator.add(chunk)
            chunks.append(chunk)
        elif isinstance(error, str):
            self._fail(error)
        else:
            self._fail(error.message or error.to_json(), type=error.type_, code=error.code)

    def _fail(self, message: str, **details: Any) -> None:
        self.state = "errored"
        self.error = StreamError(message, self.completion, **details)

    def _cut(self, message: str) -> None:
        self.error = IncompleteStreamError(message, self.completion)


def _is_whole(text: str) -> bool:
    try:
        ChatCompletionChunk.from_json(text)
    except ParseError:
        return False
    return True


class ChunkStream:
    """Iterates over the chunks of a stream and closes its source at the end, on error and on `close()`.

    After the last chunk that arrived, StreamError is raised where the server reported an error or
    sent what is no stream, IncompleteStreamError where the stream was cut off.
    """

    def __init__(self, source: Any, *, require_finish: bool = True) -> None:
        self._reader = ChunkReader()
        self._source = source
        self._chunks = self._iterate(_pieces(source), require_finish)

    @property
    def completion(self) -> Completion:
        """Everything received so far."""
        return self._reader.completion

    def _iterate(self, pieces: Iterator[bytes], require_finish: bool) -> Iterator[ChatCompletionChunk]:
        reader = self._reader
        broken: BaseException | None = None
        try:
            while reader.state == "open":
                try:
                    piece = next(pieces)
                except StopIteration:
                    break
                except Exception as error:  # any transport, with errors of its own
                    broken = error
                    break
                yield from reader.feed(piece)
            yield from reader.finish(broken, require_finish=require_finish)
        finally:
            self._release()
        if reader.error is not None:
            raise reader.error from broken

    def __iter__(self) -> Iterator[ChatCompletionChunk]:
        return self

    def __next__(self) -> ChatCompletionChunk:
        return next(self._chunks)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the source at once; a stream that was still open counts as cancelled."""
        if self._reader.state == "open":
            self._reader.state = "cancelled"
        self._release()

    def _release(self) -> None:
        close: Callable[[], None] | None = getattr(self._source, "close", None)
        if close is not None:
            close()


def _pieces(source: Any) -> Iterator[bytes]:
    # read1 gives what has arrived; read(n) would wait for n bytes, and readline hides a cut connection.
    read = getattr(source, "read1", None) or getattr(source, "read", None)
    if read is None:
        yield from source
        return
    while True:
        piece: bytes = read(_READ_SIZE)
        if not piece:
            return
        yield piece


def iter_chunks(source: Any, *, require_finish: bool = True) -> ChunkStream:
    """The chunks of a stream: `source` is a urllib or http.client response, a binary file, or an iterable of bytes."""
    return ChunkStream(source, require_finish=require_finish)
