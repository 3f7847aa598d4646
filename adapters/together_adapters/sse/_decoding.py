"""Decoding of the blocks of an event stream, each of which ends at an empty line.

A block may contain an event and parts that are not events. The public subclass `sse.Decoder` returns only the events.

Does no I/O and does not parse the data of an event.
"""

from __future__ import annotations

from .._named_tuple import NamedTuple

__all__ = ["BlockDecoder", "ServerSentEvent", "Undispatched"]

_LONGEST_RETRY = 4300  # digits. This is CPython's limit for int(), which bounds its time. Older versions have no limit.
_BOM = b"\xef\xbb\xbf"
_FIELDS = (b"", b"data", b"event", b"id", b"retry")  # a line without a field name is a comment
_LINE_ENDS = b"\r\n"
_EMPTY = (b"\n", b"\r\n", b"\r")  # an empty line ends an event and is not counted in its size


class ServerSentEvent(NamedTuple):
    """One event of a stream.

    `event` is the type, `data` the data lines joined with LF, and `id` the last event ID of the stream. `retry` is the
    reconnection time in milliseconds, or None if the event does not set it.
    """

    event: str = "message"
    data: str = ""
    id: str = ""
    retry: int | None = None


class Undispatched:
    """A part of a block that the standard does not dispatch as an event.

    `event` is the type of a block without data, and `text` the lines with an unknown field, joined with LF.
    """

    __slots__ = ("event", "text")

    def __init__(self, event: str = "", text: str = "") -> None:
        self.event = event
        self.text = text


class BlockDecoder:
    """A decoder that returns the events of a stream and, in their order, the undispatched parts between them."""

    keeps_unknown = True
    """True if lines with an unknown field are kept, and counted in the size of their block."""

    def __init__(self, max_event_bytes: int = 16 * 2**20) -> None:
        self.max_event_bytes = max_event_bytes
        self.last_event_id: str = ""
        self.retry: int | None = None
        """The last reconnection time in milliseconds, also from a block without data. None until one arrives."""
        self.saw_field: bool = False
        """True once a comment, or a standard field with a colon, was received: the body is then an event stream."""
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
        self._unknown = bytearray(), bytearray()  # lines before the first data line, and after it
        self._size = 0  # bytes of the lines whose values are kept

    def decode(self, data: bytes) -> list[ServerSentEvent | Undispatched]:
        """Take the next bytes and return the events and undispatched parts that they complete.

        Raises ValueError if an event is too large. The events before it are returned first: the next call raises.
        """
        found: list[ServerSentEvent | Undispatched] = []
        if self._overflow:
            raise self._too_large()
        if not data:
            return found
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
            if content:
                self._process_line(content)
            else:
                found += self._end_block()
        if self._overflow and not found:
            raise self._too_large()
        return found

    def decode_end(self) -> list[ServerSentEvent | Undispatched]:
        """End the stream and return its unfinished last block.

        The standard discards this block, but here the caller decides whether to use it. Raises ValueError if an event
        of the stream was too large.
        """
        if self._overflow:
            raise self._too_large()
        line = bytes(self._line)
        self._line.clear()
        if line:
            self._process_line(line)
            self.saw_field = self.saw_field or any([field.startswith(line) for field in _FIELDS])  # a truncated name
        return self._end_block()

    def _too_large(self) -> ValueError:
        return ValueError(f"an event has more than {self.max_event_bytes} bytes: increase max_event_bytes to read it")

    def _without_mark(self, data: bytes) -> bytes:
        head = bytes(self._line) + data
        self._line.clear()
        if len(head) < len(_BOM) and _BOM.startswith(head):
            self._line += head
            return b""
        self._at_start = False
        return head[len(_BOM) :] if head.startswith(_BOM) else head

    def _process_line(self, line: bytes) -> None:
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
                self.retry = self._retry = int(value)
        elif field and self.keeps_unknown:
            self._unknown[bool(self._data)].extend(line + b"\n")
        else:  # comments are not kept, so they do not count
            return
        self._size += len(line) + 1  # its line end counts as one byte

    def _end_block(self) -> list[ServerSentEvent | Undispatched]:
        if self._id is not None:
            self.last_event_id = self._id.decode("utf-8", "replace")
        before, after = self._unknown
        event = self._event.decode("utf-8", "replace")
        found: list[ServerSentEvent | Undispatched] = []
        if before:
            found.append(Undispatched(text=before[:-1].decode("utf-8", "replace")))
        if self._data:
            data = b"\n".join(self._data).decode("utf-8", "replace")
            found.append(ServerSentEvent(event or "message", data, self.last_event_id, self._retry))
        elif event:
            found.append(Undispatched(event))
        if after:
            found.append(Undispatched(text=after[:-1].decode("utf-8", "replace")))
        self._reset()
        return found
