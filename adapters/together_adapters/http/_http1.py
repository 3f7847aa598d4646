"""A sans-IO parser of HTTP/1.1 responses (RFC 9112): it takes the bytes of a connection and returns those of the body.

Both clients read their responses with `Response`, so both accept and reject the same responses and detect a truncated
body at the same byte. `serve` reads chunked requests with `ChunkedBody`.

Why not http.client: asyncio does not include an HTTP client, so `AsyncTogether` needs a sans-IO parser. A different
parser in the synchronous client would disagree with it about malformed responses. Moreover, http.client (measured with
CPython 3.10 to 3.13)

- waits forever for a head that arrives a byte at a time (each read restarts the timeout), and during endless
  `100 Continue` responses or endless trailers,
- returns an interim response such as `103 Early Hints` as the final one,
- uses the first of two different Content-Length fields,
- drops all header fields after a malformed line,
- ends a truncated body without an error in `read1`, and
- takes 18 to 25 ms to import.

Rules: interim responses (1xx) are skipped. The length of a body is determined by its chunks, else by Content-Length,
else by the end of the connection (RFC 9112, section 6.3). Folded header lines are joined (section 5.2). Bodies in gzip
or deflate are decompressed, although the client does not request them.

The parser accepts these deviations from RFC 9112, and no others:

- LF alone may end any line, also in a chunked body. Section 2.2 allows it only in the head and in trailers.
- The space after the status code may be missing, or be another whitespace character (section 4).
- Header values may contain CR, NUL and other control characters (sections 2.2 and 5, and RFC 9110, section 5.5).
- Any whitespace may surround the elements of Connection, Content-Length and Transfer-Encoding. Content-Length may have
  empty elements, and a field without elements counts as absent (sections 6.1 to 6.3).
- HTTP/1.0 responses may be chunked, and their connection may then be reused (section 6.1).
- Spaces and tabs may surround the size of a chunk (section 7.1). The syntax of chunk extensions and trailers is not
  checked (sections 7.1.1 and 7.1.2).

It rejects these responses, which the standards allow:

- HTTP versions above 1.1.
- Transfer codings other than `chunked`, and content codings other than gzip and deflate.
- More than 16 interim responses, and heads or trailers of more than 64 KiB.
- A Content-Length of more than 18 digits, and a chunk size of more than 15 digits or in a line of more than 4 KiB.
- Bodies that look like a decompression bomb.

Does no I/O and does not wait.
"""

from __future__ import annotations

from .._http_fields import is_token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ._content_coding import ContentDecoder

__all__ = ["ChunkedBody", "Fields", "ProtocolError", "Response"]

_LONGEST_HEAD = 65536  # bytes, also of all trailers together
_LONGEST_SIZE_LINE = 4096  # bytes of a chunk's size and its extensions
_MOST_INTERIM = 16
_SHOWN = 80  # characters of the received text in a message
_HEX = b"0123456789abcdefABCDEF"


class ProtocolError(ValueError):
    """The received data is not valid HTTP/1.1, or exceeds a limit.

    `received` is the received text. The message quotes only its beginning, so that secrets can be replaced in
    `received` before it is shortened.
    """

    def __init__(self, message: str, received: str = "") -> None:
        super().__init__(message)
        self.received = received[:_LONGEST_SIZE_LINE]

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} {self.received[:_SHOWN]!r}" if self.received else message


class Fields:
    """Header fields with case-insensitive names. Values of the same name are joined by commas."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            name = name.lower()
            self._values[name] = f"{self._values[name]}, {value}" if name in self._values else value

    def get(self, name: str, default: str = "") -> str:
        return self._values.get(name.lower(), default)

    def items(self) -> list[tuple[str, str]]:
        return list(self._values.items())

    def tokens(self, name: str) -> list[str]:
        """Return the comma-separated elements of a field in lower case, without empty ones."""
        return [token for item in self.get(name).split(",") if (token := item.strip().lower())]


class ChunkedBody:
    """A parser of chunked bodies (RFC 9112, section 7.1).

    `complete` becomes true at the end of the trailers, which are discarded. For a malformed chunk, `feed` sets `error`
    to a ProtocolError and returns the bytes before it. It does not raise the error, because these bytes would be lost.
    """

    def __init__(self) -> None:
        self.complete: bool = False
        self.error: Exception | None = None
        self._buffer = bytearray()
        self._state: Callable[[list[bytes]], bool] = self._chunk_size
        self._left = 0  # bytes of the body, or of the current chunk, that have not arrived
        self._trailers = 0

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of the connection and return the bytes of the body in them."""
        body: list[bytes] = []
        if self._state == self._chunk_size and not self._buffer:
            data = _whole_chunks(data, body)
        self._buffer += data
        try:
            while not self.complete and self._state(body):
                pass
        except ProtocolError as error:
            self.error = error
        return body[0] if len(body) == 1 else b"".join(body)

    def _line(self, longest: int, what: str) -> bytes | None:
        end = self._buffer.find(b"\n", 0, longest)
        if end < 0:
            if len(self._buffer) >= longest:
                raise ProtocolError(f"{what} is longer than {longest} bytes")
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line[:-1] if line.endswith(b"\r") else line

    def _chunk_size(self, body: list[bytes]) -> bool:
        line = self._line(_LONGEST_SIZE_LINE, "the line of a chunk size")
        if line is None:
            return False
        size = line.partition(b";")[0].strip(b" \t")
        if not size or len(size) > 15 or size.strip(_HEX):
            raise ProtocolError(
                "chunk size must be a hexadecimal number of at most 15 digits, got", size.decode("latin-1") or "''"
            )
        self._left = int(size, 16)
        self._state = self._chunk if self._left else self._trailer
        return True

    def _chunk(self, body: list[bytes]) -> bool:
        self._take(self._left, body)
        if self._left:
            return False
        self._state = self._chunk_end
        return True

    def _chunk_end(self, body: list[bytes]) -> bool:
        line = self._line(_LONGEST_SIZE_LINE, "the line after a chunk")
        if line is None and b"\r\n".startswith(self._buffer):
            return False
        if line != b"":
            raise ProtocolError("a chunk is longer than its size")
        self._state = self._chunk_size
        return True

    def _trailer(self, body: list[bytes]) -> bool:
        line = self._line(_LONGEST_HEAD, "a trailer")
        if line is None:
            return False
        self._trailers += len(line)
        if self._trailers > _LONGEST_HEAD:
            raise ProtocolError(f"the trailers are longer than {_LONGEST_HEAD} bytes")
        self.complete = not line
        return True

    def _take(self, most: int, body: list[bytes]) -> None:
        data = bytes(self._buffer[:most])
        del self._buffer[:most]
        self._left -= len(data)
        if data:
            body.append(data)


class Response(ChunkedBody):
    """A parser of one response.

    `started` becomes true with the first byte. `status` is 0 until the end of the head, where `status` and `headers`
    are set. `complete` becomes true with the last byte of the body. If `reusable` is then true, the connection can
    carry another request. `feed` sets `error` to a ProtocolError for malformed data, and `end` sets it to an EOFError
    for a truncated response. They do not raise these errors, because the bytes before them would be lost.
    """

    complete: bool
    error: Exception | None

    def __init__(self) -> None:
        super().__init__()
        self.started: bool = False
        self.status: int = 0
        self.headers: Fields = Fields([])
        self.reusable: bool = False
        self._state = self._head
        self._interim = 0
        self._until_end = False
        self._coding = ""
        self._unpacker: ContentDecoder | None = None

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of the connection and return the bytes of the decompressed body in them."""
        self.started = True
        data = super().feed(data)
        if self._coding:
            data = self._unpacked(data)
        if self.error is not None or (self.complete and self._buffer):  # bytes after the response
            self.reusable = False
        return data

    def can_be_followed(self, *, tail_expected: bool) -> bool:
        """Check whether the connection can carry another request.

        With `tail_expected` this response may be incomplete, because its last bytes are expected to arrive soon.
        """
        return self.reusable and (self.complete or tail_expected)

    def end(self) -> None:
        """Process the end of the connection.

        It completes a body without a declared length. For any other incomplete response, `error` becomes an EOFError.
        """
        if self.complete or self.error is not None:
            return
        if self._until_end:
            self.complete = True
            if self._coding:
                self._unpacked(b"")
            return
        where = "in the body" if self.status else "in the head" if self.started else "without a response"
        self.error = EOFError(f"the server closed the connection {where}")
        self.reusable = False

    # ---- the head

    def _head(self, body: list[bytes]) -> bool:
        buffer = self._buffer
        if not b"HTTP/1.".startswith(buffer[:7]):
            raise ProtocolError("not an HTTP/1.1 response: it begins with", buffer.decode("latin-1"))
        ends = [end + len(mark) for mark in (b"\n\r\n", b"\n\n") if (end := buffer.find(mark, 0, _LONGEST_HEAD)) >= 0]
        if not ends:
            if len(buffer) > _LONGEST_HEAD:
                raise ProtocolError(f"the head is longer than {_LONGEST_HEAD} bytes")
            return False
        lines = bytes(buffer[: min(ends)]).decode("latin-1").replace("\r\n", "\n").rstrip("\n").split("\n")
        del buffer[: min(ends)]
        version, status = _status_of(lines[0])
        headers = _fields_of(lines[1:])
        if 100 <= status < 200:
            self._interim += 1
            if status == 101 or self._interim > _MOST_INTERIM:
                problem = "the server switched to another protocol (status 101)"
                raise ProtocolError(problem if status == 101 else f"more than {_MOST_INTERIM} interim responses")
            return True
        self.headers = headers
        self._begin_body(version, status)
        self.status = status
        return True

    def _begin_body(self, version: str, status: int) -> None:
        connection = self.headers.tokens("connection")
        self.reusable = "close" not in connection and (version != "HTTP/1.0" or "keep-alive" in connection)
        transfer = self.headers.tokens("transfer-encoding")
        lengths = set(self.headers.tokens("content-length"))
        self._coding = ", ".join([coding for coding in self.headers.tokens("content-encoding") if coding != "identity"])
        if status in (204, 304):
            self.complete = True
        elif transfer:
            if transfer != ["chunked"]:
                raise ProtocolError("Transfer-Encoding must be chunked, got", ", ".join(transfer))
            if lengths:  # possibly an attempt to smuggle a response (RFC 9112, section 6.3)
                self.reusable = False
            self._state = self._chunk_size
        elif lengths:
            self._left = _length_of(lengths)
            self._state = self._counted_body
            self.complete = not self._left
        else:
            self.reusable = False
            self._until_end = True
            self._state = self._body_until_close

    # ---- the body

    def _body_until_close(self, body: list[bytes]) -> bool:
        self._take(len(self._buffer), body)
        return False

    def _counted_body(self, body: list[bytes]) -> bool:
        self._take(self._left, body)
        self.complete = not self._left
        return False

    def _unpacked(self, data: bytes) -> bytes:
        from ._content_coding import ContentDecoder, ContentDecodingError  # few responses are compressed

        try:
            if self._unpacker is None:
                self._unpacker = ContentDecoder(self._coding)
        except ContentDecodingError:
            self.error = ProtocolError("unsupported Content-Encoding, which was not requested:", self._coding)
            return b""
        data = self._unpacker.feed(data)
        if self.complete:
            self._unpacker.finish()
        if self._unpacker.error is not None:
            self.error = ProtocolError(str(self._unpacker.error))
        return data


def _whole_chunks(data: bytes, body: list[bytes]) -> bytes:
    """Append the complete chunks at the beginning of `data` to `body` and return the rest, which may be malformed.

    This is faster than reading them through a buffer. Most reads return only complete chunks.
    """
    start = 0
    while True:
        line_end = data.find(b"\r\n", start, start + 16)
        line = data[start:line_end] if line_end > 0 else b""
        # int() accepts more than a chunk size may contain: signs, spaces and underscores.
        if not line or line.strip(_HEX):
            break
        size = int(line, 16)
        end = line_end + 2 + size
        if not size or data[end : end + 2] != b"\r\n":
            break
        body.append(data[line_end + 2 : end])
        start = end + 2
    return data[start:] if start else data


def _status_of(line: str) -> tuple[str, int]:
    version, _, rest = line.partition(" ")
    status = rest[:3]
    if (
        version not in ("HTTP/1.0", "HTTP/1.1")
        or not (status.isascii() and status.isdigit())
        or rest[3:4].strip()
        or status < "100"
    ):
        raise ProtocolError("malformed status line:", line)
    return version, int(status)


def _fields_of(lines: list[str]) -> Fields:
    pairs: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in (" ", "\t") and pairs:
            name, value = pairs.pop()
            pairs.append((name, f"{value} {line.strip()}".strip()))
            continue
        name, colon, value = line.partition(":")
        if not colon or not is_token(name):
            raise ProtocolError("malformed header line:", line)
        pairs.append((name, value.strip(" \t")))
    return Fields(pairs)


def _length_of(lengths: set[str]) -> int:
    length = lengths.pop()
    if lengths or not (length.isascii() and length.isdigit()) or len(length) > 18:
        if lengths:
            raise ProtocolError("two different Content-Length values")
        raise ProtocolError("Content-Length must be a number of at most 18 digits, got", length or "''")
    return int(length)
