"""The sans-IO core of a stream: it takes bytes, and returns chunks and at the end an error, if there is one.

There are two paths. Nearly every event is one line, `data: {...}`, and needs no decoder: its JSON is read directly. All
other events go through the decoder of server-sent events. `_take_chunk` handles every event that may be an error.

There is no third path for events that repeat the one before. 0.1.0 had one, which filled templates of chunks. It took 0.6
times as long as `split` and `json.loads` of the events, because it wrote into the accumulator's buffers. Behind an
interface without shared state it took 1.0, where the two paths take 1.6: 2 us less for a chunk that costs 17 us or more
in a socket and an event loop.

Servers deviate from the format. The reader accepts:

- Events without data, comments, and events named other than `message` or `error` that contain no chunk: ignored.
- Several JSON documents in one event, because some gateways end an event with one line end instead of two.
- A last event without its empty line, if its JSON is complete.
- A body that is JSON instead of an event stream: an error, or a completion without streaming.

Does no I/O, and does not raise the error of the stream.
"""

from __future__ import annotations

from .._byte_sources import BLANK_LINE, partial_data
from .._types import ChatCompletionChunk, ParseError, loads, reader_of
from ..accumulate import Accumulator, Completion, CompletionState
from ..errors import APIError, APITimeoutError, IncompleteStreamError, StreamError, StreamTimeoutError
from ..sse import Decoder, ServerSentEvent
from ._event_data import Unparsed, completion_as_chunk, documents_in, find_error, message_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from typing import Any

__all__ = ["MAX_EVENT_BYTES", "ChunkReader"]

MAX_EVENT_BYTES = 16 * 2**20
_read_chunk = reader_of(ChatCompletionChunk)  # `from_json` without its own checks, which cost 0.04 of `json.loads`
_READ_EVENTS = ("message", "error")
_BLANK = b"\xef\xbb\xbf \t\r\n"  # a byte order mark and white space
_SHOWN = 80  # bytes or characters of invalid input in an error message
_LONGEST_TAIL = 4096  # bytes of an unfinished line; joining a longer one with each piece would take quadratic time


class ChunkReader:
    """A reader that takes the bytes of a stream and returns its chunks; `state` is that of the Completion.

    After `receive` or `end`, call `next_chunk` until it returns None. Then the reader needs more bytes, or the stream
    is over and `error` is the exception to raise, if any. Bytes after `[DONE]` or an error are ignored. `conceal`
    removes secrets from an error that the server reported.
    """

    def __init__(
        self,
        *,
        require_finish: bool = True,
        max_event_bytes: int = MAX_EVENT_BYTES,
        conceal: Callable[[APIError], APIError] | None = None,
    ) -> None:
        self.state: CompletionState = CompletionState.OPEN
        self.saw_done: bool = False
        self.error: APIError | None = None
        self._require_finish = require_finish
        self._conceal = conceal
        self._accumulator = Accumulator()
        self._data: bytes = b""  # the last bytes received; those from `_at` on are unread
        self._at: int = 0
        self._decoder = Decoder(max_event_bytes)
        self._aligned: bool = False  # whether an event begins at `_at` and the decoder has no part of one
        self._chunks: Iterator[ChatCompletionChunk] | None = None  # of the last events from the decoder
        self._frames: int = 0  # events with data so far
        self._start = _BodyStart(max_event_bytes)
        self._ended = False
        self._broken: BaseException | None = None

    @property
    def completion(self) -> Completion:
        """The response from the chunks returned so far, and the state."""
        return self._accumulator.completion(self.state, self.saw_done)

    def receive(self, data: bytes) -> None:
        """Take the next bytes of the body. They are ignored if the stream is over."""
        if self.state is CompletionState.OPEN:
            if self._at < len(self._data):
                data = self._data[self._at :] + data
            self._data, self._at = data, 0

    def end(self, broken: BaseException | None = None) -> None:
        """Note that the body has ended, or that the connection is `broken`."""
        self._ended = True
        self._broken = broken

    def break_off(self, error: Exception) -> None:
        """Note that reading failed with `error`, and take the bytes that were read before it."""
        self.receive(partial_data(error))
        self.end(error)

    def cancel(self) -> None:
        """Stop reading; an open stream becomes `cancelled`."""
        self._chunks = None  # breaks a reference cycle with the reader
        if self.state is CompletionState.OPEN:
            self.state = CompletionState.CANCELLED

    def feed(self, data: bytes) -> list[ChatCompletionChunk]:
        """Take the next bytes and return the chunks that they complete."""
        self.receive(data)
        return list(iter(self.next_chunk, None))

    def finish(self, broken: BaseException | None = None) -> list[ChatCompletionChunk]:
        """End the body and return the last chunks. `state` and `error` are final after that."""
        self.end(broken)
        return list(iter(self.next_chunk, None))

    def next_chunk(self) -> ChatCompletionChunk | None:
        """Return the next chunk; None if the reader needs more bytes or the stream is over."""
        chunk = None
        while chunk is None and self.state is CompletionState.OPEN:
            start = self._at
            if self._chunks is not None:
                chunk = next(self._chunks, None)
                if chunk is None:
                    self._chunks = None
            elif start < len(self._data):
                if self._aligned:
                    chunk = self._read_line()
                else:
                    self._decode()
                if self._at == start:
                    break
            elif self._ended:
                self._chunks = self._last_chunks()
            else:
                break
        return chunk

    # ---- the fast path: an event of one line

    def _read_line(self) -> ChatCompletionChunk | None:
        """Read an event that is one line, `data: {...}`, and pass any other event to the decoder.

        A line whose JSON is not a chunk also goes to the decoder, so that errors are handled in one place. A chunk that
        clearly reports no error is accumulated here, because `_take_chunk` takes 0.1 of the time of `json.loads`. A
        line without its end is left unread.
        """
        data, start, limit = self._data, self._at, self._decoder.max_event_bytes
        end = data.find(b"\n", start)
        if (
            data.startswith(BLANK_LINE, end)
            and data.startswith(b"data: {", start)
            and end - start <= limit
            and data.find(b"\r", start, end) < 0
        ):
            try:
                chunk: ChatCompletionChunk = _read_chunk(loads(data[start + 6 : end].decode()), 1)
            except (ValueError, RecursionError):
                pass
            else:
                self._at = end + 2
                self._frames += 1
                fields = chunk.__dict__
                if (
                    self._accumulator.started
                    and "choices" in fields
                    and "error" not in fields
                    and "extra" not in fields
                    and fields.get("object") != "error"
                ):
                    self._accumulator.add(chunk)
                    return chunk
                return self._take_chunk(chunk, "message")
        elif (
            end < 0 and not self._ended and len(data) - start <= min(limit, _LONGEST_TAIL) and b"\r" not in data[start:]
        ):
            return None
        self._decode()
        return None

    # ---- the general path: events from the decoder

    def _decode(self) -> None:
        """Decode the bytes up to the next blank line, or all if there is none, so that no event is delayed."""
        data, problem = self._data, ""
        end = data.find(BLANK_LINE, self._at)
        self._aligned = end >= 0
        block = data[self._at : end + len(BLANK_LINE)] if self._aligned else data[self._at :]
        self._at += len(block)
        events: list[ServerSentEvent] = []
        try:
            events = self._decoder.feed(block)
            self._decoder.feed(b"")  # raises if what follows these events is too large
        except ValueError as error:
            problem = str(error)
        if not self._frames:
            self._start.add(block, is_events=bool(events))
        if events or problem:
            self._chunks = self._chunks_of(events, problem)

    def _chunks_of(self, events: Iterable[ServerSentEvent], problem: str) -> Iterator[ChatCompletionChunk]:
        """Yield the chunks of the events, then fail if there is a `problem`."""
        for name, data, _, _ in events:
            text = data.strip()
            if text:
                self._frames += 1
                try:
                    chunk = ChatCompletionChunk.from_json(text)
                except ParseError as error:
                    if name in _READ_EVENTS:
                        yield from self._chunks_of_text(name, text, error.problem)
                else:
                    taken = self._take_chunk(chunk, name)
                    if taken is not None:
                        yield taken
            elif name == "error":
                self._fail("an error event that does not say what is wrong")
            if self.state is not CompletionState.OPEN:
                return
        if problem:
            self._fail(problem)

    def _chunks_of_text(self, name: str, text: str, problem: str) -> Iterator[ChatCompletionChunk]:
        """Yield the chunks of an event that is not one JSON object (`problem`); fail at the first invalid JSON."""
        rest = yield from self._chunks_of_documents(name, text)
        if rest and name == "error":
            self._fail(rest)
        elif rest:
            why = problem.removeprefix("not JSON: ") if rest == text else "text that is not a JSON object follows"
            self._fail(f"frame {self._frames} is not JSON: {why} ({rest[:_SHOWN]!r})")

    def _chunks_of_documents(self, name: str, text: str) -> Generator[ChatCompletionChunk, None, str]:
        """Yield the chunk of each JSON document in the text, and return the rest that is not a JSON object."""
        for document in documents_in(text):
            if isinstance(document, Unparsed):
                return str(document)
            if isinstance(document, str):  # DONE
                self.state, self.saw_done = CompletionState.FINISHED, True
                return ""
            try:
                chunk = ChatCompletionChunk.from_dict(document)
            except ParseError as error:
                self._fail(f"frame {self._frames}: {error}")
                return ""
            taken = self._take_chunk(chunk, name)
            if taken is not None:
                yield taken
            if self.state is not CompletionState.OPEN:
                return ""
        return ""

    def _take_chunk(self, chunk: ChatCompletionChunk, name: str) -> ChatCompletionChunk | None:
        """Accumulate and return the chunk of an event with that name; fail if it reports an error."""
        error = find_error(name, chunk)
        if error is None and name not in _READ_EVENTS and "choices" not in vars(chunk):
            return None  # an event of another type, whatever its JSON
        if not self._accumulator.started:
            chunk = completion_as_chunk(chunk)
        if error is None or chunk.choices:
            self._accumulator.add(chunk)
        if error is None:
            return chunk
        self._fail(message_of(error), type=error.type_, code=error.code, body=chunk.to_dict())
        return chunk if chunk.choices else None

    # ---- the end

    def _last_chunks(self) -> Iterator[ChatCompletionChunk]:
        """Yield the chunks of a last event without its empty line, or of a JSON body, and set the final state."""
        try:
            event = self._decoder.finish()
        except ValueError as error:
            self._fail(str(error))
            return
        rest, is_whole = "", False
        if event is not None:
            rest = yield from self._chunks_of_rest(event.event, event.data)
            if rest and event.event == "error" and not event.data.lstrip().startswith("{"):
                self._fail(rest)  # an error message is usable even if it is truncated
        if self.state is CompletionState.OPEN and not self._frames and self._start.json is not None:
            rest = yield from self._chunks_of_rest("message", self._start.json.decode("utf-8", "replace"))
            is_whole = self._accumulator.started
            if rest and self._broken is None:
                self._fail(self._start.problem())
        if self.state is CompletionState.OPEN:
            self._settle(rest, is_whole=is_whole)

    def _chunks_of_rest(self, name: str, text: str) -> Generator[ChatCompletionChunk, None, str]:
        """Yield the chunks of a text that may be truncated, and return the rest.

        The text is not counted as a frame if nothing in it is JSON.
        """
        self._frames += 1
        rest = yield from self._chunks_of_documents(name, text)
        if len(rest) >= len(text.lstrip()):
            self._frames -= 1
        return rest

    def _settle(self, rest: str, *, is_whole: bool) -> None:
        """Set the final state of a stream that ended without `[DONE]` or an error event.

        `rest` is the text of a truncated last event. `is_whole` is True for a completion without streaming, which is
        complete even without a finish reason, because Ollama sends null.
        """
        if self._broken is not None:
            ours = isinstance(self._broken, APIError)
            said = self._broken if ours else f"the connection broke before the stream was complete: {self._broken!r}"
            self._cut(str(said))
        elif is_whole or self._accumulator.finished:
            self.state = CompletionState.FINISHED
        elif not self._frames and not self._decoder.saw_field:
            self._fail(self._start.problem())
        elif self._require_finish:
            inside = f", inside an event: {rest[:_SHOWN]!r}" if rest else ""
            self._cut(f"the stream ended without [DONE] and without a finish reason for every choice{inside}")
        else:
            self.state = CompletionState.CUT_OFF

    def _fail(self, message: str, **details: Any) -> None:
        self.state = CompletionState.ERRORED
        error = StreamError(message, self.completion, **details)
        self.error = error if self._conceal is None else self._conceal(error)

    def _cut(self, message: str) -> None:
        self.state = CompletionState.CUT_OFF
        timed_out = isinstance(self._broken, (APITimeoutError, TimeoutError))
        self.error = (StreamTimeoutError if timed_out else IncompleteStreamError)(message, self.completion)
        self.error.__cause__ = self._broken


class _BodyStart:
    """The beginning of a body, kept until the first event, because the body may be JSON instead of an event stream."""

    def __init__(self, limit: int) -> None:
        self.json: bytearray | None = None  # the whole body, if it begins as JSON does
        self._head = b""
        self._limit = limit
        self._too_large = False

    def add(self, data: bytes, *, is_events: bool) -> None:
        """Keep the next bytes; `is_events` is whether the decoder found events in them."""
        if not self._head:
            data = data.lstrip(_BLANK)
            if data[:1] in (b"{", b"["):
                self.json = bytearray()
        self._head = (self._head + data)[:_SHOWN]
        if is_events:
            self.json = None
        if self.json is not None:
            self.json += data
            if len(self.json) > self._limit:
                self.json, self._too_large = None, True

    def problem(self) -> str:
        """Return the reason why the body is not an event stream."""
        if self._too_large:
            return f"a body of more than {self._limit} bytes that is not an event stream"
        return f"not an event stream: the body begins with {self._head!r}" if self._head.strip() else "an empty body"
