"""The bytes of a streamed completion to chunks, with an ending that tells finished from cut off.

`ChunkReader` is the sans-IO core: bytes in, chunks out, and at the end the error that the stream
deserves. `ChunkStream` and `AsyncChunkStream` put a source of bytes in front of it.

What servers send is taken as follows. Frames without data, comments and named events that are no JSON
are no chunks and no errors. Several JSON documents in one frame are several chunks: some gateways end a frame with
one line end instead of two. The last frame counts without its empty line if its JSON is whole. A body
that is JSON instead of an event stream is read as what it is: an error, or a completion sent at once.
"""

from __future__ import annotations

import json
from collections import deque

from ._fold import is_items, is_members
from ._types import ChatCompletionChunk, ParseError, TogetherErrorResponse
from .accumulate import Accumulator, Completion
from .errors import APIError, IncompleteStreamError, StreamError
from .sse import Decoder, ServerSentEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self

__all__ = ["AsyncChunkStream", "ChunkReader", "ChunkStream", "aiter_chunks", "iter_chunks"]

_READ_SIZE = 65536
_MAX_EVENT_BYTES = 16 * 2**20
_DONE = "[DONE]"
_BLANK = b"\xef\xbb\xbf \t\r\n"  # a byte order mark and white space
_SHOWN = 80  # bytes or characters of what was not understood, in a message


class ChunkReader:
    """Takes the bytes of a stream, gives its chunks and keeps how it stands (`state`, see Completion).

    After `receive` and `end`, `next_chunk` gives the chunks one by one, and None when it needs more bytes
    or there are no more; `error` is then what to raise. Nothing is read after `[DONE]` or an error.
    """

    def __init__(self, *, require_finish: bool = True, max_event_bytes: int = _MAX_EVENT_BYTES) -> None:
        self.state = "open"
        self.saw_done = False
        self.error: APIError | None = None
        self._require_finish = require_finish
        self._decoder = Decoder(max_event_bytes)
        self._accumulator = Accumulator()
        self._events: deque[ServerSentEvent] = deque()
        self._documents: deque[tuple[str, dict[str, Any] | str]] = deque()  # of one event: (its name, JSON or what is wrong)
        self._frames = 0
        self._head = b""  # the beginning of the body, up to its first frame
        self._json: bytearray | None = None  # a body that begins as JSON does
        self._problem = ""  # why no more can be read
        self._broken: BaseException | None = None
        self._ended = False

    @property
    def completion(self) -> Completion:
        """Everything that the chunks given so far amount to."""
        return self._accumulator.completion(self.state, self.saw_done)

    def receive(self, data: bytes) -> None:
        """Take the next bytes of the body."""
        try:
            self._events.extend(self._decoder.feed(data))
        except ValueError as error:
            self._problem = str(error)
        if not self._frames:
            self._keep_body(data)

    def end(self, broken: BaseException | None = None) -> None:
        """The body has ended, or the connection is `broken`."""
        self._ended = True
        self._broken = broken

    def break_off(self, error: Exception) -> None:
        """Reading failed; http.client's IncompleteRead has with it what had been read."""
        partial = getattr(error, "partial", None)
        if isinstance(partial, bytes):
            self.receive(partial)
        self.end(error)

    def feed(self, data: bytes) -> list[ChatCompletionChunk]:
        """Take the next bytes and give all chunks that they complete."""
        self.receive(data)
        return list(iter(self.next_chunk, None))

    def finish(self, broken: BaseException | None = None) -> list[ChatCompletionChunk]:
        """End the body and give the last chunks; `state` and `error` then say how it ended."""
        self.end(broken)
        return list(iter(self.next_chunk, None))

    def next_chunk(self) -> ChatCompletionChunk | None:
        """The next chunk of what was received."""
        chunk = None
        while chunk is None and self.state == "open":
            if self._documents:
                name, document = self._documents.popleft()
                chunk = self._take_document(name, document)
            elif self._events:
                chunk = self._take_event(self._events.popleft())
            elif self._problem:
                self._fail(self._problem)
            elif not self._ended:
                return None
            elif not self._take_rest():
                self._settle()
        return chunk

    # ---- frames

    def _take_event(self, event: ServerSentEvent) -> ChatCompletionChunk | None:
        text = event.data.strip()
        if not text:
            return None
        self._frames += 1
        self._json = None
        try:
            chunk = ChatCompletionChunk.from_json(text)
        except ParseError as error:
            documents, rest = _documents(text)
            self._documents.extend([(event.event, document) for document in documents])
            if event.event == "error" and not documents:
                self._fail(text)
            elif rest and (documents or event.event == "message"):
                problem = error.problem if rest == text else "it goes on with what is no JSON object"
                self._documents.append(("", f"frame {self._frames} is not JSON: {problem} ({rest[:_SHOWN]!r})"))
            return None
        return self._take_chunk(event.event, chunk)

    def _take_document(self, name: str, document: dict[str, Any] | str) -> ChatCompletionChunk | None:
        if document == _DONE:
            self.state, self.saw_done = "finished", True
        elif isinstance(document, str):
            self._fail(document)
        else:
            try:
                return self._take_chunk(name, ChatCompletionChunk.from_dict(document))
            except ParseError as error:
                self._fail(f"frame {self._frames}: {error}")
        return None

    def _take_chunk(self, name: str, chunk: ChatCompletionChunk) -> ChatCompletionChunk | None:
        error = _error_in(name, chunk)
        if self._frames <= 1 and not self._accumulator.started:
            chunk = _whole_as_chunk(chunk)
        if error is None or chunk.choices:
            self._accumulator.add(chunk)
        if error is None:
            return chunk
        self._fail(_message_of(error), type=error.type_, code=error.code, body=chunk.to_dict())
        return chunk if chunk.choices else None

    # ---- the end

    def _take_rest(self) -> bool:
        """What the end of the body leaves: a last frame without its empty line, or a body that is JSON."""
        event = self._decoder.finish()
        if event is not None:
            documents, _ = _documents(event.data)
            if documents:
                self._frames += 1
            self._documents.extend([(event.event, document) for document in documents])
        elif self._json is not None:
            documents, rest = _documents(self._json.decode("utf-8", "replace"))
            self._json = None
            if not rest:
                self._frames += len(documents)
                self._documents.extend([("message", document) for document in documents])
        return bool(self._documents)

    def _settle(self) -> None:
        if self._broken is None and self._accumulator.finished:
            self.state = "finished"
            return
        self.state = "cut_off"
        if self._broken is not None:
            self._cut(f"the connection broke before the stream was complete: {self._broken!r}")
        elif not self._frames:
            head = self._head[:_SHOWN]
            self._fail(f"not an event stream: the body begins with {head!r}" if head.strip() else "an empty body")
        elif self._require_finish:
            self._cut("the stream ended without [DONE] and without a finish reason for every choice")

    def _keep_body(self, data: bytes) -> None:
        if not self._head:
            data = data.lstrip(_BLANK)
            if data[:1] in (b"{", b"["):
                self._json = bytearray()
        self._head = (self._head + data)[:_SHOWN]
        if self._json is not None:
            self._json += data
            if len(self._json) > self._decoder.max_event_bytes:
                self._problem = f"a body of more than {self._decoder.max_event_bytes} bytes that is no event stream"

    def _fail(self, message: str, **details: Any) -> None:
        self.state = "errored"
        self.error = StreamError(message, self.completion, **details)

    def _cut(self, message: str) -> None:
        self.error = IncompleteStreamError(message, self.completion)
        self.error.__cause__ = self._broken


def _documents(text: str) -> tuple[list[dict[str, Any] | str], str]:
    """The JSON objects, alone or in arrays, and `[DONE]`s of a text, and the rest from where it is neither."""
    found: list[dict[str, Any] | str] = []
    decoder, end = json.JSONDecoder(), 0
    while True:
        while text[end : end + 1].isspace():
            end += 1
        start = end
        if text.startswith(_DONE, start):
            found.append(_DONE)
            end = start + len(_DONE)
            continue
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            return found, text[start:]
        if is_members(value):
            found.append(value)
        elif is_items(value) and value and all([is_members(item) for item in value]):
            found.extend(value)  # Gemini's form of an error body
        else:
            return found, text[start:]


def _error_in(name: str, chunk: ChatCompletionChunk) -> TogetherErrorResponse | None:
    """The error that a frame reports in any of the forms that servers use."""
    error: Any = chunk.error if chunk.error is not None else chunk.extra.get("error")
    is_chunk = "choices" in vars(chunk)
    if error is not None and (error or not is_chunk):
        if isinstance(error, TogetherErrorResponse):
            return error
        return TogetherErrorResponse(message=error if isinstance(error, str) else json.dumps(error))
    said = isinstance(chunk.extra.get("message"), str) or "detail" in chunk.extra
    if name == "error" or str(chunk.object) == "error" or (said and not is_chunk and chunk.usage is None):
        return TogetherErrorResponse.from_dict(chunk.to_dict())
    return None


def _message_of(error: TogetherErrorResponse) -> str:
    detail = error.extra.get("detail")
    return error.message or (detail if isinstance(detail, str) else error.to_json())


def _whole_as_chunk(chunk: ChatCompletionChunk) -> ChatCompletionChunk:
    """An answer that was sent at once, with messages instead of deltas, as one chunk."""
    if not any(choice.delta is None and "message" in choice.extra for choice in chunk.choices or ()):
        return chunk
    data: Any = chunk.to_dict()
    for choice in data["choices"]:
        if choice.get("delta") is None and isinstance(choice.get("message"), dict):
            choice["delta"] = message = choice.pop("message")
            if isinstance(message.get("tool_calls"), list):
                message["tool_calls"] = [
                    {"index": index, **call} if isinstance(call, dict) else call
                    for index, call in enumerate(message["tool_calls"])
                ]
    return ChatCompletionChunk.from_dict({**data, "object": "chat.completion.chunk"})


class _Shell:
    """What the streams over both kinds of source share."""

    def __init__(self, source: Any, reader: ChunkReader) -> None:
        self._source = source
        self._reader = reader
        self._raised = False

    @property
    def completion(self) -> Completion:
        """Everything that the chunks given so far amount to, and how the stream stands."""
        return self._reader.completion

    def _cancel(self) -> None:
        if self._reader.state == "open":
            self._reader.state = "cancelled"

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
    """

    def __init__(self, source: Any, reader: ChunkReader) -> None:
        super().__init__(source, reader)
        self._next_piece = _pieces_of(source)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ChatCompletionChunk:
        reader = self._reader
        while True:
            chunk = reader.next_chunk()
            if chunk is not None:
                return chunk
            if reader.state != "open":
                self._release()
                raise self._ending(StopIteration())
            self._receive()

    def _receive(self) -> None:
        try:
            piece = self._next_piece()
        except Exception as error:  # any transport, with errors of its own
            self._reader.break_off(error)
        except BaseException:
            self.close()
            raise
        else:
            if piece is None:
                self._reader.end(_missing(self._source))
            else:
                self._reader.receive(_checked(piece))

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
        self._release()

    def _release(self) -> None:
        source, self._source = self._source, None
        close: Callable[[], None] | None = getattr(source, "close", None)
        if close is not None:
            close()


class AsyncChunkStream(_Shell):
    """ChunkStream over an asynchronous source, with `async for`, `async with` and `await aclose()`."""

    def __init__(self, source: Any, reader: ChunkReader) -> None:
        super().__init__(source, reader)
        self._pieces: AsyncIterator[bytes] = source.__aiter__()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChatCompletionChunk:
        reader = self._reader
        while True:
            chunk = reader.next_chunk()
            if chunk is not None:
                return chunk
            if reader.state != "open":
                await self._release()
                raise self._ending(StopAsyncIteration())
            await self._receive()

    async def _receive(self) -> None:
        try:
            piece = await self._pieces.__anext__()
        except StopAsyncIteration:
            self._reader.end()
        except Exception as error:
            self._reader.break_off(error)
        except BaseException:
            await self.aclose()
            raise
        else:
            self._reader.receive(_checked(piece))

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
        source, self._source = self._source, None
        close: Callable[[], Any] | None = getattr(source, "aclose", None) or getattr(source, "close", None)
        if close is not None:
            closing = close()
            if hasattr(closing, "__await__"):
                await closing


def _checked(piece: Any) -> bytes:
    if isinstance(piece, bytes):
        return piece
    try:
        return memoryview(piece).tobytes()
    except TypeError:
        raise TypeError(f"the source gave {type(piece).__name__} instead of bytes: open it in binary mode") from None


def _pieces_of(source: Any) -> Callable[[], bytes | None]:
    """What gives the next bytes of a source, or None at its end."""
    # read1 gives what has arrived; read(n) would wait for n bytes, and readline hides a cut connection.
    read: Callable[[int], bytes] | None = getattr(source, "read1", None) or getattr(source, "read", None)
    if read is not None:
        return lambda: read(_READ_SIZE) or None
    pieces: Iterator[bytes] = iter(source)
    return lambda: next(pieces, None)


def _missing(source: Any) -> Exception | None:
    """http.client's read1 does not notice that a body is shorter than its Content-Length."""
    left = getattr(source, "length", None) if hasattr(source, "chunked") else None
    return EOFError(f"{left} bytes of the body are missing") if left else None


def iter_chunks(
    source: Any, *, require_finish: bool = True, max_event_bytes: int = _MAX_EVENT_BYTES
) -> ChunkStream:
    """The chunks of a stream of bytes.

    `source` is a urllib or http.client response, any binary file, or any iterable of bytes. With
    `require_finish=False` a stream that simply ends, without `[DONE]` and without a finish reason for every
    choice, raises nothing; its state still is `cut_off`. One event may take `max_event_bytes`.
    """
    return ChunkStream(source, ChunkReader(require_finish=require_finish, max_event_bytes=max_event_bytes))


def aiter_chunks(
    source: AsyncIterable[bytes], *, require_finish: bool = True, max_event_bytes: int = _MAX_EVENT_BYTES
) -> AsyncChunkStream:
    """The chunks of an asynchronous iterable of bytes; otherwise as `iter_chunks`."""
    return AsyncChunkStream(source, ChunkReader(require_finish=require_finish, max_event_bytes=max_event_bytes))
