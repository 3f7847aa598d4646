"""The answers of HTTP/1.1, sans-IO: bytes of a connection in, the head and the body's bytes out (RFC 9112).

It never reads, waits or knows what a body means. Both clients read their sockets through `Response`, so that both take
the same answers, refuse the same ones and notice a cut at the same byte; `serve` reads its requests' chunks as they do.
Interim answers (100 Continue, 103 Early Hints) are passed over, a few of them. A body is as long as its chunks say, or its
Content-Length, or until the connection ends; gzip and deflate, which were not asked for, are unpacked. Line ends may lack
their CR, and lines of the head may be folded; nothing else is bent.
"""

from __future__ import annotations

from .._http_fields import is_token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["ChunkedBody", "ContentDecoder", "ContentDecodingError", "Fields", "ProtocolError", "Response"]

_LONGEST_HEAD = 65536  # also of all trailers together
_LONGEST_SIZE_LINE = 4096  # a chunk's size with its extensions
_MOST_INTERIM = 16
_HEX = b"0123456789abcdefABCDEF"
_GZIP_OR_ZLIB = 32 + 15  # zlib: take either header
_RAW = -15  # deflate without zlib's header, which some servers send
_STEP = 65536
# DEFLATE reaches 1032:1 at most. Event streams and completions that were tried stay below 60:1; what unpacks to more than
# a megabyte at more than this ratio is made to exhaust whoever reads it.
_FREE = 2**20
_LARGEST_RATIO = 300


class ProtocolError(ValueError):
    """What the other side sent is no HTTP/1.1, or more than there is room for."""


class Fields:
    """Header fields, by name in any case; several of one name are joined by commas."""

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
        """The comma-separated tokens of a field, in lower case."""
        return [token for item in self.get(name).split(",") if (token := item.strip().lower())]


class ChunkedBody:
    """A chunked body. `feed` takes what the connection gives and returns what of the body it completes.

    `complete` is set by the end of the trailers, which are read and dropped. What is no chunk raises nothing, so that no
    bytes before it are lost: `error` is a ProtocolError then.
    """

    def __init__(self) -> None:
        self.complete: bool = False
        self.error: Exception | None = None
        self._buffer = bytearray()
        self._state: Callable[[list[bytes]], bool] = self._chunk_size
        self._left = 0  # bytes of the body, or of its chunk
        self._trailers = 0

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of the connection; gives the bytes of the body among them."""
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
                raise ProtocolError(f"{what} of more than {longest} bytes")
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line[:-1] if line.endswith(b"\r") else line

    def _chunk_size(self, body: list[bytes]) -> bool:
        line = self._line(_LONGEST_SIZE_LINE, "a chunk's size")
        if line is None:
            return False
        size = line.partition(b";")[0].strip(b" \t")
        if not size or len(size) > 15 or size.strip(_HEX):
            raise ProtocolError(f"a chunk's size cannot be {bytes(size[:20])!r}")
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
        line = self._line(_LONGEST_SIZE_LINE, "a chunk's end")
        if line is None and b"\r\n".startswith(self._buffer):
            return False
        if line != b"":
            raise ProtocolError("a chunk is longer than its size says")
        self._state = self._chunk_size
        return True

    def _trailer(self, body: list[bytes]) -> bool:
        line = self._line(_LONGEST_HEAD, "a trailer")
        if line is None:
            return False
        self._trailers += len(line)
        if self._trailers > _LONGEST_HEAD:
            raise ProtocolError(f"trailers of more than {_LONGEST_HEAD} bytes")
        self.complete = not line
        return True

    def _take(self, most: int, body: list[bytes]) -> None:
        data = bytes(self._buffer[:most])
        del self._buffer[:most]
        self._left -= len(data)
        if data:
            body.append(data)


class Response(ChunkedBody):
    """One answer. `feed` takes what the connection gives and returns what of the body it completes.

    `started` is set by the first byte, `status` and `headers` with the head, `complete` with the body's last byte;
    `reusable` then says whether the connection can carry another request, never after an `error`. What is no HTTP, and
    an end that came too early, raise nothing, so that no bytes before them are lost: `error` is a ProtocolError or an
    EOFError then.
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
        """Take the next bytes of the connection; gives the bytes of the body among them."""
        self.started = True
        data = super().feed(data)
        if self._coding:
            data = self._unpacked(data)
        if self.error is not None or (self.complete and self._buffer):  # bytes that belong to no answer
            self.reusable = False
        return data

    def can_be_followed(self, *, tail_expected: bool) -> bool:
        """Check whether the connection can carry another request, with the rest of this answer if that is about to come."""
        return self.reusable and (self.complete or tail_expected)

    def end(self) -> None:
        """The connection has ended."""
        if self.complete or self.error is not None:
            return
        if self._until_end:
            self.complete = True
            if self._coding:
                self._unpacked(b"")
            return
        where = "in the body" if self.status else "in the head of the answer" if self.started else "without an answer"
        self.error = EOFError(f"the server closed the connection {where}")
        self.reusable = False

    # ---- the head

    def _head(self, body: list[bytes]) -> bool:
        buffer = self._buffer
        if not b"HTTP/1.".startswith(buffer[:7]):
            raise ProtocolError(f"not an HTTP answer: it begins with {bytes(buffer[:40])!r}")
        ends = [end + len(mark) for mark in (b"\n\r\n", b"\n\n") if (end := buffer.find(mark, 0, _LONGEST_HEAD)) >= 0]
        if not ends:
            if len(buffer) > _LONGEST_HEAD:
                raise ProtocolError(f"a head of more than {_LONGEST_HEAD} bytes")
            return False
        lines = bytes(buffer[: min(ends)]).decode("latin-1").replace("\r\n", "\n").rstrip("\n").split("\n")
        del buffer[: min(ends)]
        version, status = _status_of(lines[0])
        headers = _fields_of(lines[1:])
        if 100 <= status < 200:
            self._interim += 1
            if status == 101 or self._interim > _MOST_INTERIM:
                raise ProtocolError(
                    "switched protocols" if status == 101 else f"more than {_MOST_INTERIM} interim answers"
                )
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
                raise ProtocolError(f"unknown transfer coding {', '.join(transfer)[:40]!r}")
            if lengths:  # the way to smuggle one answer into another
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
        try:
            if self._unpacker is None:
                self._unpacker = ContentDecoder(self._coding)
        except ContentDecodingError as error:
            self.error = ProtocolError(str(error))
            return b""
        data = self._unpacker.feed(data)
        if self.complete:
            self._unpacker.finish()
        if self._unpacker.error is not None:
            self.error = ProtocolError(str(self._unpacker.error))
        return data


def _whole_chunks(data: bytes, body: list[bytes]) -> bytes:
    """Take the chunks that lie whole at the beginning of `data`, as most do; gives the rest, with whatever is wrong in it."""
    start = 0
    while True:
        line_end = data.find(b"\r\n", start, start + 16)
        line = data[start:line_end] if line_end > 0 else b""
        # Not all that int() takes is a size: it also takes signs, spaces and underscores.
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
        raise ProtocolError(f"not a status line: {line[:80]!r}")
    return version, int(status)


def _fields_of(lines: list[str]) -> Fields:
    pairs: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in (" ", "\t") and pairs:
            name, value = pairs.pop()
            pairs.append((name, f"{value} {line.strip()}"))
            continue
        name, colon, value = line.partition(":")
        if not colon or not is_token(name):
            raise ProtocolError(f"not a header field: {line[:80]!r}")
        pairs.append((name, value.strip(" \t")))
    return Fields(pairs)


def _length_of(lengths: set[str]) -> int:
    length = lengths.pop()
    if lengths or not (length.isascii() and length.isdigit()) or len(length) > 18:
        raise ProtocolError(f"a Content-Length cannot be {length[:40]!r}" if not lengths else "two Content-Lengths")
    return int(length)


class ContentDecodingError(ValueError):
    """The body cannot be unpacked."""


class ContentDecoder:
    """Unpacks a body of one coding as it arrives.

    Raises CodingError for a coding that is unknown; a body that is broken, or a bomb, is unpacked as far as it goes,
    and `error` then says what is wrong.
    """

    def __init__(self, coding: str) -> None:
        if coding not in ("gzip", "x-gzip", "deflate"):
            raise ContentDecodingError(f"the body is coded as {coding[:40]!r}, which was not asked for")
        import zlib

        self._zlib = zlib
        self._coding = coding
        self._unzip: Any = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._received = self._taken = self._given = 0
        self.error: ContentDecodingError | None = None

    def feed(self, data: bytes) -> bytes:
        """Unpack what these bytes complete."""
        if self._coding == "deflate" and not self._received and data[:1] and data[0] & 0x0F != 8:
            self._unzip = self._zlib.decompressobj(_RAW)
        self._received += len(data)
        out: list[bytes] = []
        try:
            while data:
                out.append(self._unzip.decompress(data, _STEP))
                self._taken += len(data) - len(self._unzip.unconsumed_tail)
                self._given += len(out[-1])
                data = self._unzip.unconsumed_tail
                self._check()
                if self._unzip.eof:
                    data = self._next_member(self._unzip.unused_data)
        except self._zlib.error as error:
            self.error = ContentDecodingError(f"the {self._coding} body is broken: {error}")
        except ContentDecodingError as error:
            self.error = error
        return b"".join(out)

    def finish(self) -> None:
        """The body has ended; where its packed form is cut off, `error` says so."""
        if self._received and not self._unzip.eof and self.error is None:
            self.error = ContentDecodingError(f"the {self._coding} body is cut off")

    def _next_member(self, data: bytes) -> bytes:
        """What follows the end of the packed data: another member of a gzip file, or nothing."""
        if data and self._coding == "deflate":
            raise ContentDecodingError("the deflate body goes on after its end")
        if data:
            self._unzip = self._zlib.decompressobj(_GZIP_OR_ZLIB)
        return data

    def _check(self) -> None:
        if self._given > _FREE and self._given > _LARGEST_RATIO * self._taken:
            raise ContentDecodingError(f"{self._taken} bytes unpack to more than {self._given}: a decompression bomb")
