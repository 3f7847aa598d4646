"""Server-sent events: bytes to events and back, by the rules of the WHATWG HTML standard, section 9.2.6.
Sans-IO: nothing here opens anything, or looks into the data of an event.

The lines of a stream end with LF, CR or CRLF and nothing else, so bytes are cut into lines
before they are decoded: `bytes.splitlines` knows exactly these three, `str.splitlines` also
cuts at U+2028, U+0085 and more, which stand raw inside the JSON that servers send. A lone CR
ends its line at once and an LF right after it is swallowed when it comes, so that no event
waits for a byte it does not need. Unfinished lines are kept as fragments and joined once: a
line of many pieces costs linear time.
"""

from __future__ import annotations

from .._named_tuple import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable, Iterator, Mapping

    from .._types import ChatCompletionChunk, ChatCompletionResponse
    from ..protocols import JSON

__all__ = ["Decoder", "ServerSentEvent", "aencode_chunks", "encode", "encode_chunks", "response_to_chunks"]

_LONGEST_RETRY = 4300  # digits: CPython's own bound on int(), which keeps it from being slow; older ones lack it
_BOM = b"\xef\xbb\xbf"
_FIELDS = (b"", b"data", b"event", b"id", b"retry")  # without a name it is a comment
_LINE_ENDS = b"\r\n"
_EMPTY = (b"\n", b"\r\n", b"\r")  # ends an event, and adds nothing to its size
# A copy of some parts may lack `_encoding`: decoding needs none of the modules that the encoder imports.
_NO_ENCODER = (
    "the encoder of sse cannot be imported: {}. If this is a copy of some parts,"
    " copy it again with `--only openai` added to the options of `vendor`"
)


class ServerSentEvent(NamedTuple):
    """One event of a stream.

    `event` is its type, `data` its lines joined with LF, and `id` the last event ID so far. `retry` is the
    reconnection time in milliseconds, or None if the event's own block has none.
    """

    event: str = "message"
    data: str = ""
    id: str = ""
    retry: int | None = None


class Decoder:
    """Bytes in, at any split, events out as soon as their last byte is in.

    Invalid UTF-8 is replaced by U+FFFD, as the standard says. One event, and one line of any other kind,
    may take `max_event_bytes`; more raises ValueError, after the events before it were given.
    """

    def __init__(self, max_event_bytes: int = 16 * 2**20) -> None:
        self.max_event_bytes = max_event_bytes
        self.last_event_id: str = ""
        self.saw_field: bool = False
        """Whether a comment or any of the standard's fields has come: what was read so far is an event stream."""
        self._line = bytearray()  # the line that has no end yet
        self._overflow = False
        self._at_start = True
        self._after_cr = False
        self._reset()

    def _reset(self) -> None:
        self._data: list[bytes] = []
        self._event = b""
        self._id: bytes | None = None
        self._retry: int | None = None
        self._size = 0  # bytes of the lines whose values are kept for the event

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Take the next bytes; give the events that they complete. Raises ValueError for one that is too large."""
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
        self._size += len(line) + 1  # its end, however it is spelt
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
        """The unfinished last event of a stream that has ended, which the standard discards: the caller decides.

        Raises ValueError where the stream has held an event that is too large.
        """
        if self._overflow:
            raise self._too_large()
        line = bytes(self._line)
        self._line.clear()
        if line:
            self._process_line(line)
            self.saw_field = self.saw_field or any([field.startswith(line) for field in _FIELDS])  # cut in its name
        return self._dispatch()


def encode(event: ServerSentEvent) -> bytes:
    """The bytes of one event: `Decoder().feed(encode(event)) == [event]`.

    An empty `id` writes nothing, so an earlier event's id goes on. Lone surrogates, which UTF-8 cannot hold, are
    written as JSON escapes (`\\ud800`) in `data`. Raises ValueError for what the standard cannot express: a CR in the
    data, a line end in the type or the id, a NUL in the id, an empty type, a retry time that is no count of milliseconds.
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
    """The chunks of a completion as the bytes of a stream that every client reads, `[DONE]` at the end.

    Each item is what to send for one chunk, whole frames in valid UTF-8; a chunk may be a value or a mapping as
    `to_openai` gives it. Choices begin in the order of their indexes, each with its role; finish reasons are always
    present; ids and names of tool calls come once; log probabilities have OpenAI's form, which together-python 1.x alone
    cannot read in a stream (`from_openai` of a chunk gives back their own); the usage is the last chunk. An exception
    while iterating, such as StreamError, becomes an in-band error frame and `[DONE]`: an APIError with its message, type
    and code, any other with no more than its class's name. `chunks` is closed at the end, and when the iteration is
    given up.
    """
    try:
        from ._encoding import encode_chunks
    except ImportError as error:
        raise ImportError(_NO_ENCODER.format(error)) from error
    return encode_chunks(chunks)


def aencode_chunks(chunks: AsyncIterable[ChatCompletionChunk | Mapping[str, JSON]]) -> AsyncGenerator[bytes]:
    """As `encode_chunks`, over an asynchronous iterable of chunks."""
    try:
        from ._encoding import aencode_chunks
    except ImportError as error:
        raise ImportError(_NO_ENCODER.format(error)) from error
    return aencode_chunks(chunks)


def response_to_chunks(response: ChatCompletionResponse) -> Iterator[ChatCompletionChunk]:
    """A whole response as the chunks of a stream; `accumulate(response_to_chunks(response)).response == response`.

    All choices begin first, in the order of their indexes; then each is told to its end, and the usage is last. What a
    stream cannot say is taken as accumulation takes it: an absent role is `assistant`, choices are in order, and
    tool calls have no `index` of their own.
    """
    try:
        from ._encoding import response_to_chunks
    except ImportError as error:
        raise ImportError(_NO_ENCODER.format(error)) from error
    return response_to_chunks(response)
