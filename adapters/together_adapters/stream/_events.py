"""The events of a stream as chunks, and the state and the error in which it ends.

A stream is finished only if a choice has arrived, and either `[DONE]` or a finish reason for every expected choice. A
completion without streaming, sent instead of a stream, is finished even without a finish reason.

Servers deviate from the format. The reader therefore follows these rules:

- It ignores comments, null and events without data. It also ignores events of types other than `message` and `error`,
  unless they contain a chunk or an error. An event of type `error` is an error even without data, or if it is null.
- `[DONE]` ends the stream in an event of any type. If a choice has no finish reason then, and the body contained text
  outside of events, such as the message of a proxy, the stream ends with an error.
- An event may contain several JSON documents, because some gateways end an event with one line end instead of two.
- The last event may lack its empty line, if its JSON is complete.
- JSON outside of events is read as an error or as a completion without streaming. So is the JSON in a line
  `error: {...}`.

Does no I/O, and does not raise the error of the stream.
"""

from __future__ import annotations

from .._types import STACK_USED_UP, ChatCompletionChunk, ParseError, is_deeply_nested
from ..accumulate import Accumulator, Completion, CompletionState
from ..errors import APIError, APITimeoutError, IncompleteStreamError, StreamError, StreamTimeoutError
from ..sse._decoding import BlockDecoder, ServerSentEvent, Undispatched
from ._event_data import (
    Unparsed,
    after_done,
    completion_as_chunk,
    documents_in,
    find_error,
    is_done,
    message_of,
    read_chunk,
)
from ._report import BodyReport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from typing import Any

    from .._types import ChatCompletionResponse
    from ..protocols import JSON
    from ._unframed import UnframedText

__all__ = ["EventReader"]

_READ_EVENTS = ("message", "error")
_NOTHING = ("", "null")  # data without a value
_EMPTY_ERROR = "the server sent an error event without data"
_MOST_ITEMS = 4096  # choices, tool calls and blocks of reasoning, each of which takes up to 1.4 kB


class EventReader:
    """The part of a ChunkReader that reads the blocks of its decoder."""

    splits_thinking = False
    """True if the text inside `<think>...</think>` is moved to the reasoning."""

    def __init__(
        self,
        *,
        require_finish: bool,
        n: int | None,
        max_event_bytes: int,
        conceal: Callable[[JSON], JSON] | None,
    ) -> None:
        self.state: CompletionState = CompletionState.OPEN
        self.saw_done: bool = False
        self._error: APIError | None = None
        self._interruption: str = ""  # the class name of the exception that interrupted reading
        self._require_finish = require_finish
        self._n = n or 1
        self._accumulator = Accumulator(split_thinking=self.splits_thinking)
        self._decoder = BlockDecoder(max_event_bytes)
        self._aligned: bool = False  # True if the next byte begins an event and the decoder has no unfinished event
        self._chunks: Iterator[ChatCompletionChunk] | None = None  # from the last events of the decoder
        self._frames: int = 0  # events with data so far
        self._report = BodyReport(conceal)
        self._unframed_text: UnframedText | None = None  # created for the first line outside of events
        self._is_whole = False  # True if the body is a completion without streaming
        self._has_message = False  # True if the first chunk with choices has a message instead of a delta
        self._broken: BaseException | None = None

    @property
    def error(self) -> APIError | None:
        """The error of a stream that ended incomplete or with an error. None for other streams, and after `cancel`."""
        if self._error is None and self._interruption:
            message = f"reading was interrupted by {self._interruption}, so the stream was closed before its end"
            self._error = IncompleteStreamError(message, self.completion)
        return self._error

    @property
    def completion(self) -> Completion:
        """The response from the chunks returned so far, and the state of the stream."""
        return self._accumulator.completion(self.state, self.saw_done)

    def cancel(self) -> None:
        """Stop reading. The state of an open stream becomes `cancelled`."""
        self._chunks = None  # breaks a reference cycle with the reader
        if self.state is CompletionState.OPEN:
            self.state = CompletionState.CANCELLED

    def interrupt(self, error: BaseException) -> None:
        """Stop reading after an exception that is not an error of the connection, because bytes may be lost."""
        if self.state is CompletionState.OPEN:
            self._interruption = type(error).__name__  # set first, because the stack may be used up
            self.cancel()

    def split(self, response: ChatCompletionResponse) -> ChatCompletionResponse:
        """Return a response that was not streamed, with the text of its `<think>` blocks moved to its reasoning.

        A reader that does not move this text returns the response unchanged.
        """
        return response

    # ---- events

    def _chunks_of(
        self, found: Iterable[ServerSentEvent | Undispatched], problem: str
    ) -> Iterator[ChatCompletionChunk]:
        """Yield the chunks of the decoded parts of the body, then fail if there is a `problem`."""
        for item in found:
            if isinstance(item, ServerSentEvent):
                if self._waits:
                    yield from self._chunks_of_waiting()
                if self.state is CompletionState.OPEN:
                    yield from self._chunks_of_event(_type_of(item), item.data)
            elif item.text:
                yield from self._chunks_of_unframed(item.text)
            elif _type_of(item) == "error":
                self._fail(_EMPTY_ERROR)
            if self.state is not CompletionState.OPEN:
                return
        if problem:
            self._fail(problem)

    def _chunks_of_event(self, name: str, data: str) -> Iterator[ChatCompletionChunk]:
        text = data.strip()
        if name == "error" and text in _NOTHING:
            self._fail(_EMPTY_ERROR)
        elif text:
            self._frames += 1
            if not self._accumulator.started and not is_done(text):
                self._report.note_event(name, text)
            try:
                chunk = read_chunk(text)
            except ParseError as error:
                if error.problem == STACK_USED_UP and not is_deeply_nested(text):
                    raise RecursionError("the stack is used up by the caller") from None
                if name in _READ_EVENTS:
                    yield from self._chunks_of_text(name, text, error.problem)
                elif is_done(text):
                    self._take_done()
            except ValueError as error:
                self._fail(f"event {self._frames}: {error}")
            else:
                taken = self._take_chunk(chunk, name)
                if taken is not None:
                    yield taken

    def _chunks_of_text(self, name: str, text: str, problem: str) -> Iterator[ChatCompletionChunk]:
        """Yield the chunks of an event that is not one JSON object, and fail at the first invalid JSON.

        `problem` is the reason why the event is not one JSON object.
        """
        rest = yield from self._chunks_of_documents(name, text)
        if after_done(rest):
            self._fail_after_done(name, rest)
        elif rest and name == "error":
            self._fail(self._report.message(rest))
        elif rest:
            # The parser's excerpt is left out, because secrets cannot be removed from a part of a text.
            why = problem.removeprefix("not JSON: ").partition(', at "')[0] if rest == text else "text follows JSON"
            self._fail(f"event {self._frames} is not JSON: {why} ({self._report.shown(rest)})")

    def _fail_after_done(self, name: str, rest: str) -> None:
        """Fail because of text after `[DONE]` in an event. The error is the one that the text reports, if any."""
        try:
            documents = [document for document in documents_in(after_done(rest)) if isinstance(document, dict)]
            chunks = [ChatCompletionChunk.from_dict(document) for document in documents]
        except ValueError:  # a document that is not a chunk, or takes too much memory
            chunks = []
        for chunk in chunks:
            if find_error(name, chunk) is not None:
                self._take_chunk(chunk, name)
                return
        self._fail(f"event {self._frames} is not JSON: text follows [DONE] ({self._report.shown(rest)})")

    def _chunks_of_documents(self, name: str, text: str) -> Generator[ChatCompletionChunk, None, str]:
        """Yield the chunk of each JSON document in the text, and return the rest that is not a JSON object."""
        documents = documents_in(text)
        while True:
            try:
                document = next(documents, None)
                chunk = ChatCompletionChunk.from_dict(document) if isinstance(document, dict) else None
            except ValueError as error:  # the document is not a chunk, or takes too much memory
                self._fail(f"event {self._frames}: {error}")
                return ""
            if chunk is not None:
                taken = self._take_chunk(chunk, name)
                if taken is not None:
                    yield taken
            elif isinstance(document, Unparsed):
                return str(document)
            elif document is not None:  # DONE
                self._take_done()
            if document is None or self.state is not CompletionState.OPEN:
                return ""

    def _take_chunk(self, chunk: ChatCompletionChunk, name: str) -> ChatCompletionChunk | None:
        """Accumulate and return the chunk of an event, and fail if it reports an error.

        `name` is the type of the event. Returns None if the chunk is ignored or contains only an error.
        """
        error = find_error(name, chunk)
        if error is None and name not in _READ_EVENTS and "choices" not in vars(chunk):
            return None  # an event of another type, without a chunk
        if not self._accumulator.started:
            converted = completion_as_chunk(chunk)
            self._has_message, chunk = converted is not chunk, converted
        if (error is None or chunk.choices) and not self._accumulate(chunk):
            return None
        if error is None:
            return chunk
        body = self._report.concealed(chunk.to_dict())
        # The message is taken from the body without secrets, because `message_of` may shorten it, and a part of a secret
        # would not be recognized as one.
        error = find_error(name, ChatCompletionChunk.from_dict(body)) or error
        self._fail(self._report.message(message_of(error)), type=error.type_, code=error.code, body=body)
        return chunk if chunk.choices else None

    def _accumulate(self, chunk: ChatCompletionChunk) -> bool:
        """Add a chunk to the completion and return True. Fail if the completion has too many items."""
        self._accumulator.add(chunk)
        if self._accumulator.items.total <= _MOST_ITEMS:
            return True
        self._fail(f"event {self._frames}: more than {_MOST_ITEMS} choices, tool calls and blocks in one stream")
        return False

    def _take_done(self) -> None:
        """Finish the stream at `[DONE]`.

        Fail if no choice has arrived, or if a text outside of events may be the reason for a missing finish reason.
        """
        self.saw_done = True
        if self._accumulator.started:
            if self._quoted and not self._accumulator.finished:
                self._fail("[DONE] without a finish reason for every choice, after text outside of events")
            else:
                self.state = CompletionState.FINISHED
        else:
            self._fail(f"[DONE] without a completion: {self._report.events(self._frames - self.saw_done)}")

    # ---- lines outside of events

    @property
    def _unframed(self) -> UnframedText:
        if self._unframed_text is None:
            from ._unframed import UnframedText  # few streams have such lines

            self._unframed_text = UnframedText(self._decoder.max_event_bytes)
        return self._unframed_text

    @property
    def _waits(self) -> bool:
        """True if there are lines whose JSON is not complete."""
        return self._unframed_text is not None and self._unframed_text.waits

    @property
    def _quoted(self) -> str:
        """The first text outside of events that is not JSON."""
        return "" if self._unframed_text is None else self._unframed_text.quoted

    def _chunks_of_unframed(self, text: str) -> Iterator[ChatCompletionChunk]:
        """Yield the chunks of unframed lines. JSON that is not complete waits for the next lines."""
        try:
            complete = self._unframed.add(text)
            if complete.lstrip()[:1] in ("{", "["):
                rest = yield from self._chunks_of_json(complete)
            else:
                rest = complete
            if self.state is CompletionState.OPEN and rest.strip():
                if self._unframed.is_error and rest.lstrip()[:1] != "{" and rest.strip() != "null":
                    self._fail(self._report.message(rest.strip()))
                self._unframed.put_back(rest)
        except ValueError as error:
            self._fail(str(error))
        self._aligned = self._aligned and not self._waits

    def _chunks_of_waiting(self) -> Iterator[ChatCompletionChunk]:
        """Yield the chunks of the waiting unframed lines, because an event or the end of the body follows them."""
        rest = yield from self._chunks_of_json(self._unframed.take())
        if self.state is CompletionState.OPEN and rest:
            if self._unframed.reports_error(rest):
                self._fail(self._report.message(rest))
            self._unframed.quoted = self._unframed.quoted or rest

    def _chunks_of_json(self, text: str) -> Generator[ChatCompletionChunk, None, str]:
        """Yield the chunks of unframed JSON. A completion without streaming makes the stream complete."""
        started = self._accumulator.started
        rest = yield from self._chunks_of_documents("error" if self._unframed.is_error else "message", text)
        if not started and self._accumulator.started:
            self._is_whole = self._has_message
        return rest

    # ---- the end

    def _last_chunks(self) -> Iterator[ChatCompletionChunk]:
        """Yield the chunks of a last block without its empty line, and set the final state."""
        try:
            found = self._decoder.decode_end()
        except ValueError as error:
            self._fail(str(error))
            return
        rest = ""
        for item in found:
            if self.state is not CompletionState.OPEN:
                return
            if isinstance(item, ServerSentEvent):
                if self._waits:
                    yield from self._chunks_of_waiting()
                rest = yield from self._chunks_of_last_event(_type_of(item), item.data)
            else:
                yield from self._chunks_of([item], "")
        if self.state is CompletionState.OPEN and self._waits:
            yield from self._chunks_of_waiting()
        if self.state is CompletionState.OPEN:
            self._settle(rest)

    def _chunks_of_last_event(self, name: str, data: str) -> Generator[ChatCompletionChunk, None, str]:
        """Yield the chunks of an event that may be truncated, and return the rest.

        The event is not counted if nothing in it is JSON.
        """
        if self.state is not CompletionState.OPEN:
            return ""
        if name == "error" and data.strip() in _NOTHING:
            self._fail(_EMPTY_ERROR)
            return ""
        if name not in _READ_EVENTS and is_done(data):
            self._take_done()
            return ""
        self._frames += 1
        rest = yield from self._chunks_of_documents(name, data)
        if len(rest) >= len(data.lstrip()):
            self._frames -= 1
        if rest and name == "error" and not data.lstrip().startswith("{"):
            self._fail(self._report.message(rest))  # an error message is usable even if it is truncated
        return rest

    def _settle(self, rest: str) -> None:
        """Set the final state of a stream that ended without `[DONE]` or an error event.

        `rest` is the text of a truncated last event. A completion without streaming is complete even without a finish
        reason, because Ollama sends null.
        """
        accumulator = self._accumulator
        if self._broken is not None:
            ours = isinstance(self._broken, APIError)
            reason = self._broken if ours else f"the connection broke before the stream was complete: {self._broken!r}"
            self._cut(self._report.concealed(str(reason)))
        elif self._is_whole or (accumulator.finished and accumulator.count >= self._n):
            self.state = CompletionState.FINISHED
        elif not (self._frames or self._decoder.saw_field or accumulator.started):
            self._fail(self._report.beginning())
        elif self._require_finish:
            inside = f", inside an event: {self._report.shown(rest)}" if rest else ""
            if accumulator.finished:
                what = f"with {accumulator.count} of {self._n} choices"
            else:
                what = "without a finish reason for every choice"
            seen = "" if accumulator.started else f": {self._report.events(self._frames - self.saw_done)}"
            self._cut(f"the stream ended without [DONE] and {what}{inside}{seen}")
        else:
            self.state = CompletionState.CUT_OFF

    def _fail(self, message: str, **details: Any) -> None:
        self.state = CompletionState.ERRORED
        self._error = StreamError(self._with_quote(message), self.completion, **details)

    def _cut(self, message: str) -> None:
        self.state = CompletionState.CUT_OFF
        timed_out = isinstance(self._broken, (APITimeoutError, TimeoutError))
        kind = StreamTimeoutError if timed_out else IncompleteStreamError
        self._error = kind(self._with_quote(message), self.completion)
        self._error.__cause__ = self._broken

    def _with_quote(self, message: str) -> str:
        """Add the text outside of events to a message, because it may be the reason for the error."""
        quoted = self._report.shown(self._quoted)
        if not self._quoted or quoted in message:
            return message
        return f"{message} (the body contains a line that is not a field: {quoted})"


def _type_of(item: ServerSentEvent | Undispatched) -> str:
    """Return the type of an event. `error` may be in any letter case."""
    return "error" if item.event.lower() == "error" else item.event
