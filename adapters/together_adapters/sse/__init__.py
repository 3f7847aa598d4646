"""Decoding and encoding of server-sent events, by section 9.2.6 of the WHATWG HTML standard.

A line of an event stream ends with LF, CR or CRLF only. So bytes are split into lines before they are decoded:
`bytes.splitlines` splits at exactly these three, but `str.splitlines` also splits at U+2028, U+0085 and others, which
servers send unescaped inside JSON. A lone CR ends its line at once, and an LF directly after it is ignored when it
arrives, so that no event is delayed. Pieces of an unfinished line are appended to one buffer, so a line of many pieces
takes linear time.

Does no I/O and does not parse the data of an event.
"""

from __future__ import annotations

from .._named_tuple import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable, Iterator, Mapping

    from .._types import ChatCompletionChunk, ChatCompletionResponse
    from ..protocols import JSON

__all__ = ["Decoder", "ServerSentEvent", "aencode_chunks", "encode", "encode_chunks", "response_to_chunks"]

_LONGEST_RETRY = 4300  # digits: CPython's limit for int(), which bounds its time; older versions have no limit
_BOM = b"\xef\xbb\xbf"
_FIELDS = (b"", b"data", b"event", b"id", b"retry")  # a line without a field name is a comment
_LINE_ENDS = b"\r\n"
_EMPTY = (b"\n", b"\r\n", b"\r")  # an empty line ends an event and does not count to its size
# A vendored copy may lack `_encoding`, because decoding does not need the modules that the encoder imports.
_NO_ENCODER = (
    "the encoder of sse cannot be imported: {}. If this is a copy of some parts,"
    " copy it again with `--only openai` added to the options of `vendor`"
)


class ServerSentEvent(NamedTuple):
    """One event of a stream.

    `event` is the type, `data` the data lines joined with LF, and `id` the last event ID of the stream. `retry` is the
    reconnection time in milliseconds, or None if the event does not set it.
    """

    event: str = "message"
    data: str = ""
    id: str = ""
    retry: int | None = None


class Decoder:
    """A decoder that takes bytes, split anywhere, and returns each event when its last byte arrives.

    Invalid UTF-8 is replaced by U+FFFD, as the standard requires. An event or a line larger than `max_event_bytes`
    raises ValueError, after the events before it were returned.
    """

    def __init__(self, max_event_bytes: int = 16 * 2**20) -> None:
        self.max_event_bytes = max_event_bytes
        self.last_event_id: str = ""
        self.saw_field: bool = False
        """Whether a comment or a field of the standard was received, which means that the body is an event stream."""
        self._line = bytearray()  # the unfinished line
        self._overflow = False
        self._at_start = True
        self._after_cr = False
        self._reset()

    def _reset(self) -> None:
        self._data: list[bytes] = []
        self._event = b""
        self._id: bytes | None = None
        self._retry: int | None = None
        self._size = 0  # bytes of the lines whose values are kept

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Take the next bytes and return the events that they complete; raises ValueError if one is too large."""
        events: list[ServerSentEvent] = []
        if self._overflow:
            raise self._too_large()
        if not data:
            return events
        if self._after_cr and data[:1] == b"\n":
            data = data[1:]
        self._after_cr = data[-1:] == b"\r"
        if self._at_start:
            data = self._without_mark(data)
        for line in data.splitlines(keepends=True):
            content = line.rstrip(_LINE_ENDS)
            if line not in _EMPTY and self._size + len(self._line) + len(content) > self.max_event_bytes:
                self._overflow = True
                break
            ended = len(content) < len(line)
            if self._line or not ended:
                self._line += content
                if not ended:
                    break
                content = bytes(self._line)
                self._line.clear()
            event = self._process_line(content)
            if event is not None:
                events.append(event)
        if self._overflow and not events:
            raise self._too_large()
        return events

    def _too_large(self) -> ValueError:
        return ValueError(f"an event of more than {self.max_event_bytes} bytes: see max_event_bytes")

    def _without_mark(self, data: bytes) -> bytes:
        head = bytes(self._line) + data
        self._line.clear()
        if len(head) < len(_BOM) and _BOM.startswith(head):
            self._line += head
            return b""
        self._at_start = False
        return head[len(_BOM) :] if head.startswith(_BOM) else head

    def _process_line(self, line: bytes) -> ServerSentEvent | None:
        if not line:
            return self._dispatch()
        field, colon, value = line.partition(b":")
        if colon and field in _FIELDS:
            self.saw_field = True
        if value[:1] == b" ":
            value = value[1:]
        if field == b"data":
            self._data.append(value)
        elif field == b"event":
            self._event = value
        elif field == b"id":
            if b"\0" not in value:
                self._id = value
        elif field == b"retry":
            if value.isdigit() and len(value) <= _LONGEST_RETRY:
                self._retry = int(value)
        else:  # comments and unknown fields are not kept, so they do not count
            return None
        self._size += len(line) + 1  # its line end counts as one byte
        return None

    def _dispatch(self) -> ServerSentEvent | None:
        if self._id is not None:
            self.last_event_id = self._id.decode("utf-8", "replace")
        event = None
        if self._data:
            event = ServerSentEvent(
                self._event.decode("utf-8", "replace") or "message",
                b"\n".join(self._data).decode("utf-8", "replace"),
                self.last_event_id,
                self._retry,
            )
        self._reset()
        return event

    def finish(self) -> ServerSentEvent | None:
        """End the stream and return its unfinished last event, if any.

        The standard discards this event; the caller decides whether to use it. Raises ValueError if an event of the
        stream was too large.
        """
        if self._overflow:
            raise self._too_large()
        line = bytes(self._line)
        self._line.clear()
        if line:
            self._process_line(line)
            self.saw_field = self.saw_field or any([field.startswith(line) for field in _FIELDS])  # a truncated name
        return self._dispatch()


def encode(event: ServerSentEvent) -> bytes:
    """Return the bytes of one event: `Decoder().feed(encode(event)) == [event]`.

    An empty `id` is not written, so the id of an earlier event remains in effect. A lone surrogate in `data`, which
    UTF-8 cannot encode, is written as a JSON escape (`\\ud800`). Raises ValueError for an event that the format cannot
    represent: a CR in the data, a line end in the type or the id, a NUL in the id, an empty type, or a retry time that
    is not a number of milliseconds.
    """
    if "\r" in event.data:
        raise ValueError(
            "data: an event stream cannot hold a carriage return: send LF line ends, or escape it as JSON does"
        )
    lines: list[bytes] = []
    if not event.event:
        raise ValueError("event: an empty type reads back as 'message': say that, or leave it out")
    if event.event != "message":
        lines.append(b"event: " + _one_line("event", event.event))
    if event.id:
        if "\0" in event.id:
            raise ValueError("id: a NUL is not allowed, and an id that has one is ignored")
        lines.append(b"id: " + _one_line("id", event.id))
    if event.retry is not None:
        if not 0 <= event.retry < 2**63:
            raise ValueError("retry: not a time in milliseconds, from 0 to 2**63 - 1")
        lines.append(b"retry: %d" % event.retry)
    lines += [b"data: " + line.encode("utf-8", "backslashreplace") for line in event.data.split("\n")]
    return b"\n".join(lines) + b"\n\n"


def _one_line(name: str, text: str) -> bytes:
    if "\n" in text or "\r" in text:
        raise ValueError(f"{name}: a line end is not allowed: {text!r}")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(f"{name}: a lone surrogate is not allowed: {text!r}") from None


def encode_chunks(chunks: Iterable[ChatCompletionChunk | Mapping[str, JSON]]) -> Generator[bytes]:
    """Encode the chunks of a completion as an event stream that every client can read, with `[DONE]` at the end.

    A chunk may be a value, or a mapping as returned by `to_openai`. Each item contains complete frames in valid UTF-8.

    - Choices begin in the order of their indexes, each with its role, and always have a finish reason, which may be
      null.
    - The id and the name of a tool call are sent once.
    - Log probabilities have OpenAI's form. Only together-python 1.x cannot read it in a stream; `from_openai` of a
      chunk restores the original form.
    - The usage is in the last chunk.

    An exception while iterating, such as StreamError, becomes an error frame and `[DONE]`. An APIError is sent with its
    message, type and code; any other exception with the name of its class only. `chunks` is closed when the iteration
    ends or is abandoned.
    """
    try:
        from ._encoding import encode_chunks
    except ImportError as error:
        raise ImportError(_NO_ENCODER.format(error)) from error
    return encode_chunks(chunks)


def aencode_chunks(chunks: AsyncIterable[ChatCompletionChunk | Mapping[str, JSON]]) -> AsyncGenerator[bytes]:
    """Encode an asynchronous iterable of chunks; see `encode_chunks`."""
    try:
        from ._encoding import aencode_chunks
    except ImportError as error:
        raise ImportError(_NO_ENCODER.format(error)) from error
    return aencode_chunks(chunks)


def response_to_chunks(response: ChatCompletionResponse) -> Iterator[ChatCompletionChunk]:
    """Convert a response to the chunks of a stream: `accumulate(response_to_chunks(response)).response == response`.

    The first chunks begin all choices, in the order of their indexes. The content of each choice follows, and the usage
    is last. Details that a stream cannot represent are as accumulation returns them: an absent role is `assistant`,
    choices are sorted, and tool calls have no `index`.
    """
    try:
        from ._encoding import response_to_chunks
    except ImportError as error:
        raise ImportError(_NO_ENCODER.format(error)) from error
    return response_to_chunks(response)
