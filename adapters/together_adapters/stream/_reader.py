"""The sans-IO core of a stream: bytes in, chunks out, and at the end the error that the stream deserves.
It never waits for anything, opens or closes anything, or raises that error itself.

What servers send is taken as follows. Frames without data, comments and events of names other than `message` and
`error`, unless they hold a chunk, are no chunks and no errors. Several JSON documents in one frame are several chunks:
some gateways end a frame with one line end instead of two. The last frame counts without its empty line if its JSON is
whole. A body that is JSON instead of an event stream is read as what it is: an error, or a completion sent at once.
"""

from __future__ import annotations

import sys
from collections import deque
from itertools import chain

from .._byte_sources import BLANK_LINE, ReadBuffer, partial_data
from .._types import ChatCompletionChunk, ParseError
from ..accumulate import Accumulator, Completion, CompletionState
from ..errors import APIError, APITimeoutError, IncompleteStreamError, StreamError, StreamTimeoutError
from ..sse import Decoder, ServerSentEvent
from ._event_data import DONE, Unparsed, completion_as_chunk, documents_in, find_error, message_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

__all__ = ["MAX_EVENT_BYTES", "ChunkReader"]

MAX_EVENT_BYTES = 16 * 2**20
_BLANK = b"\xef\xbb\xbf \t\r\n"  # a byte order mark and white space
_READ_EVENTS = ("message", "error")
_FRAME, _LAST, _BODY = "a frame", "a last frame without its end", "a body that is no event stream"
_SHOWN = 80  # bytes or characters of what was not understood, in a message
# Bytes in which templates look at once; a longer frame is read by itself. So many brackets can stand where a number is
# expected: WebAssembly's stack has room for 5,000 (see `check_nesting`), and half the bytes cost 0.02 of the time.
_WINDOW = 4096 if sys.platform == "emscripten" else 8192
_LONGEST_TAIL = 4096  # of a line that has no end yet; joining more with each piece would cost quadratic time


class ChunkReader:
    """Takes the bytes of a stream, gives its chunks and keeps how it stands (`state`, see Completion).

    After `receive` and `end`, `next_chunk` gives the chunks one by one, and None when it needs more bytes
    or there are no more; `error` is then what to raise. Nothing is read after `[DONE]` or an error. Where `run` is
    not None it gives the next chunks too, faster, as long as it gives any. Without `templates` every frame is read by
    itself, with the same result. `conceal` takes secrets out of an error that the server reported.
    """

    def __init__(
        self,
        *,
        require_finish: bool = True,
        max_event_bytes: int = MAX_EVENT_BYTES,
        templates: bool = True,
        conceal: Callable[[APIError], APIError] | None = None,
    ) -> None:
        from ._templates import Templates  # with the first stream, not with the import of who may want one

        self.state: CompletionState = CompletionState.OPEN
        self.saw_done: bool = False
        self.error: APIError | None = None
        self.waiting: bool = True  # nothing is left to be read: `next_chunk` will give None until there is more
        self._require_finish = require_finish
        self._conceal = conceal
        self._max_event_bytes = max_event_bytes
        self._decoder = Decoder(max_event_bytes)
        self._accumulator = Accumulator()
        self._unread = ReadBuffer()
        self._window = min(_WINDOW, max_event_bytes + len(BLANK_LINE))  # so that no event in it is too large
        self._tail = b""  # the beginning of an event's first line, which waits for its end
        self._longest_tail = min(_LONGEST_TAIL, max_event_bytes)  # the decoder refuses what is longer
        self._aligned = False  # an event begins where the unread bytes begin: the decoder holds nothing
        self._templates = Templates()
        self._learning = templates
        self.run: Iterator[ChatCompletionChunk | None] | None = None  # of the template that knew the last frame
        self._events: deque[ServerSentEvent] = deque()
        self._documents: Iterator[dict[str, Any] | str] = iter(())  # of the last event, whose name is `_name`
        self._name = "message"
        self._origin = _FRAME  # what they are of
        self._truncated_text = ""  # of an event that the end of the body cut
        self._json_problem = ""  # what is wrong with a frame that is not one document
        self._body_start = b""  # the beginning of the body, up to its first frame
        self._json: bytearray | None = None  # a body that begins as JSON does
        self._large = False  # it was too large to be kept
        self._problem = ""  # why no more can be read
        self._broken: BaseException | None = None
        self._ended = False

    @property
    def completion(self) -> Completion:
        """Everything that the chunks given so far amount to."""
        return self._accumulator.completion(self.state, self.saw_done)

    def receive(self, data: bytes) -> None:
        """Take the next bytes of the body; those that come after the stream's end, or its error, are not kept."""
        if self.state is not CompletionState.OPEN:
            return
        unread = self._unread
        self.waiting = False
        may_be_json = not unread.frames and self._may_be_json(data)
        if self._tail:
            data, self._tail = self._tail + data, b""
        elif unread.at < len(unread.data):
            data = unread.data[unread.at :] + data
        if may_be_json:
            data = self._decode(data)
            if self._events:
                self._json = None
        unread.data, unread.at = data, 0

    def _decode(self, data: bytes) -> bytes:
        self.run = None
        try:
            self._events.extend(self._decoder.feed(data))
            self._decoder.feed(b"")  # raises where what follows these events is too large
        except ValueError as error:
            self._problem = str(error)
        return b""

    def end(self, broken: BaseException | None = None) -> None:
        """The body has ended, or the connection is `broken`."""
        self.waiting = False
        self._ended = True
        self._broken = broken

    def cancel(self) -> None:
        """No more is to be read; a stream that has not ended by itself is cancelled."""
        if self.state is CompletionState.OPEN:
            self.state, self.waiting, self.run = CompletionState.CANCELLED, False, None

    def break_off(self, error: Exception) -> None:
        """Reading failed: take what had been read, and end."""
        data = partial_data(error)
        if data:
            self.receive(data)
        self.end(error)

    def feed(self, data: bytes) -> list[ChatCompletionChunk]:
        """Take the next bytes and give all chunks that they complete."""
        self.receive(data)
        return list(iter(self.next_chunk, None))

    def finish(self, broken: BaseException | None = None) -> list[ChatCompletionChunk]:
        """End the body and give the last chunks; `state` and `error` then say how it ended."""
        self.end(broken)
        return list(iter(self.next_chunk, None))

    def advance(self, data: bytes) -> ChatCompletionChunk | None:
        """`receive` and `next_chunk` in one, which is what a stream that sends event by event spends its time with."""
        run, unread = self.run, self._unread
        if run is None or not self.waiting:
            self.receive(data)
            return self.next_chunk()
        if self._tail:
            data, self._tail = self._tail + data, b""
        unread.data, unread.at = data, 0
        chunk = next(run, None)
        if chunk is None:
            self.waiting = False
            return self.next_regular()
        self.waiting = unread.at == len(data)
        return chunk

    def next_chunk(self) -> ChatCompletionChunk | None:
        """The next chunk of what was received."""
        run, unread = self.run, self._unread
        if run is not None and self.state is CompletionState.OPEN:
            chunk = next(run, None)
            if chunk is not None:
                self.waiting = unread.at == len(unread.data) and not self._ended
                return chunk
        return self.next_regular()

    def next_regular(self) -> ChatCompletionChunk | None:
        """The next chunk, when `run` has none."""
        unread, chunk = self._unread, None
        while chunk is None and self.state is CompletionState.OPEN:
            document = next(self._documents, None)
            if document is not None:
                chunk = self._take_document(document)
            elif self._events:
                chunk = self._take_event(self._events.popleft())
            elif self._problem:
                self._fail(self._problem)
            elif unread.at < len(unread.data):
                chunk = self._take_block()
            elif not self._ended:
                self.waiting = True
                return None
            elif not self._take_rest():
                self._settle()
        return chunk

    # ---- frames

    def _take_block(self) -> ChatCompletionChunk | None:
        """Take the bytes up to the next gap.

        Nearly every block of a stream is one event of one line, `data: {...}`, and needs no decoder: a template knows
        it, and perhaps many that follow (see `_template`), or its JSON is read at once. Everything else goes through
        the decoder, and so does a line whose JSON is no chunk, so that it is judged in one place.
        """
        unread = self._unread
        data, start = unread.data, unread.at
        end = data.find(BLANK_LINE, start)
        if end < 0:
            self._buffer_tail(data[start:])
            return None
        if self._aligned and end - start <= self._max_event_bytes:
            for template in self._templates.known:
                run = template.run(unread, self._accumulator, self._window)
                known = next(run, None)
                if known is not None:
                    self.run = run
                    return known
            line = data[start:end]
            if line.startswith(b"data: {") and not (b"\n" in line or b"\r" in line):
                try:
                    chunk = ChatCompletionChunk.from_json(line[6:])
                except ParseError:
                    pass
                else:
                    unread.at = end + len(BLANK_LINE)
                    return self._take_line(line, chunk)
        unread.at = end + len(BLANK_LINE)
        self._decode(data[start : unread.at])
        self._aligned = True
        return None

    def _take_line(self, line: bytes, chunk: ChatCompletionChunk) -> ChatCompletionChunk | None:
        self.run = None
        self._unread.frames += 1
        self._name, self._origin = "message", _FRAME
        taken = self._take_chunk(chunk)
        if self._learning and taken is chunk and self.error is None:
            self._learning = self._templates.learn(line + BLANK_LINE, chunk, self._unread.frames)
        return taken

    def _buffer_tail(self, tail: bytes) -> None:
        """Keep what has no gap; no event of it may wait, so only a line without its end is not decoded at once."""
        self._unread.data, self._unread.at = b"", 0
        if self._aligned and len(tail) <= self._longest_tail and not (b"\n" in tail or b"\r" in tail):
            self._tail = tail
        else:
            self._decode(tail)
            self._aligned = False

    def _take_event(self, event: ServerSentEvent) -> ChatCompletionChunk | None:
        text = event.data.strip()
        if not text:
            if event.event == "error":
                self._fail("an error event that does not say what is wrong")
            return None
        self._unread.frames += 1
        self._json = None
        self._name, self._origin = event.event, _FRAME
        try:
            chunk = ChatCompletionChunk.from_json(text)
        except ParseError as error:
            if event.event in _READ_EVENTS:
                self._json_problem = error.problem.removeprefix("not JSON: ")
                self._documents = documents_in(text)
            return None
        return self._take_chunk(chunk)

    def _take_document(self, document: dict[str, Any] | str) -> ChatCompletionChunk | None:
        if document == DONE:
            self.state, self.saw_done = CompletionState.FINISHED, True
        elif isinstance(document, Unparsed):
            self._handle_invalid_json(document)
        elif not isinstance(document, str):
            self._json_problem = "it goes on with what is no JSON object"
            try:
                return self._take_chunk(ChatCompletionChunk.from_dict(document))
            except ParseError as error:
                self._fail(f"frame {self._unread.frames}: {error}")
        return None

    def _handle_invalid_json(self, rest: Unparsed) -> None:
        if self._origin == _FRAME and self._name == "error":
            self._fail(str(rest))
        elif self._origin == _FRAME:
            self._fail(f"frame {self._unread.frames} is not JSON: {self._json_problem} ({str(rest[:_SHOWN])!r})")
        elif self._origin == _LAST:
            self._truncated_text = str(rest)
        elif self._origin == _BODY and self._broken is None:
            self._fail(self._no_stream())

    def _take_chunk(self, chunk: ChatCompletionChunk) -> ChatCompletionChunk | None:
        error = find_error(self._name, chunk)
        if error is None and self._name not in _READ_EVENTS and "choices" not in vars(chunk):
            return None  # an event of another kind, whatever its JSON
        if not self._accumulator.started:
            chunk = completion_as_chunk(chunk)
        if error is None or chunk.choices:
            self._accumulator.add(chunk)
        if error is None:
            return chunk
        self._fail(message_of(error), type=error.type_, code=error.code, body=chunk.to_dict())
        return chunk if chunk.choices else None

    # ---- the end

    def _take_rest(self) -> bool:
        """What the end of the body leaves: a last frame without its empty line, or a body that is JSON."""
        if self._tail:
            self._decode(self._tail)
            self._tail = b""
            return True
        try:
            event = self._decoder.finish()
        except ValueError as error:
            self._problem = str(error)
            return True
        if event is not None:
            text, self._name, self._origin = event.data, event.event, _LAST
        elif self._json is not None:
            text, self._name, self._origin = self._json.decode("utf-8", "replace"), "message", _BODY
            self._json = None
        else:
            return False
        if self._name == "error" and not text.lstrip().startswith("{"):
            self._origin = _FRAME  # an error's text is whole enough
        documents = documents_in(text)
        first = next(documents, None)
        if first is None:
            return False
        if not isinstance(first, Unparsed):
            self._unread.frames += 1
        self._documents = chain([first], documents)
        return True

    def _settle(self) -> None:
        # A completion that was sent at once is whole, whatever its finish reason: Ollama's is null.
        whole = self._origin == _BODY and self._accumulator.started
        if self._broken is None and (whole or self._accumulator.finished):
            self.state = CompletionState.FINISHED
            return
        self.state = CompletionState.CUT_OFF
        if self._broken is not None:
            ours = isinstance(self._broken, APIError)
            said = self._broken if ours else f"the connection broke before the stream was complete: {self._broken!r}"
            self._cut(str(said))
        elif not self._unread.frames and self._large and not self._decoder.saw_field:
            self._fail(f"a body of more than {self._max_event_bytes} bytes that is no event stream")
        elif not self._unread.frames and not self._decoder.saw_field:
            self._fail(self._no_stream())
        elif self._require_finish:
            left = f", inside an event: {self._truncated_text[:_SHOWN]!r}" if self._truncated_text else ""
            self._cut(f"the stream ended without [DONE] and without a finish reason for every choice{left}")

    def _no_stream(self) -> str:
        head = self._body_start[:_SHOWN]
        return f"not an event stream: the body begins with {head!r}" if head.strip() else "an empty body"

    def _may_be_json(self, data: bytes) -> bool:
        """Whether the body, up to this piece, could be JSON instead of an event stream; it is kept as long as it could."""
        if not self._body_start:
            data = data.lstrip(_BLANK)
            if data[:1] in (b"{", b"["):
                self._json = bytearray()
        self._body_start = (self._body_start + data)[:_SHOWN]
        if self._json is None:
            return False
        self._json += data
        if len(self._json) > self._max_event_bytes:
            self._json, self._large = None, True
        return True

    def _fail(self, message: str, **details: Any) -> None:
        self.state = CompletionState.ERRORED
        error = StreamError(message, self.completion, **details)
        self.error = error if self._conceal is None else self._conceal(error)

    def _cut(self, message: str) -> None:
        timed_out = isinstance(self._broken, (APITimeoutError, TimeoutError))
        self.error = (StreamTimeoutError if timed_out else IncompleteStreamError)(message, self.completion)
        self.error.__cause__ = self._broken
