"""Reading and validating the requests to `serve`.

An ambiguous request is rejected, because a proxy in front of the server may have interpreted it differently (request
smuggling, RFC 9112 section 11.2). A request is ambiguous in each of these cases:

- A header line is malformed.
- Host, Content-Length or Transfer-Encoding is repeated.
- Transfer-Encoding is used together with Content-Length or in HTTP/1.0.

Sends no responses.
"""

from __future__ import annotations

import re
import socket
import time
from io import BufferedReader, RawIOBase

from .._http_fields import TOKEN
from .._json_data import is_dict, is_list
from .._types import ParseError, loads_finite
from ..http._http1 import ChunkedBody
from ..http._url import endpoint_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message
    from typing import Any

__all__ = [
    "RequestError",
    "RequestReader",
    "bearer_token",
    "body_length",
    "body_pieces",
    "check_content_type",
    "check_framing",
    "checked_request",
    "has_body",
    "is_for_loopback",
    "wants_usage",
]

_READ_SIZE = 65536

# A header line as RFC 9112 section 5 defines it, or the empty line after the last one. http.server accepts other lines:
# it splits them at a CR, joins folded lines, and ignores all lines after one that is malformed.
_FIELD = re.compile(rb"(?:[%b]+:[^\r\n\0]*)?\r?\n" % re.escape("".join(sorted(TOKEN))).encode())


class RequestError(Exception):
    """A rejected request.

    `status`, `headers` (pairs of name and value) and `body` (an OpenAI error object) are those of the response.
    """

    def __init__(
        self, status: int, message: str, *, param: str | None = None, code: str = "invalid_request", allowed: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = (("Allow", allowed),) if allowed else ()
        error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
        self.body: dict[str, Any] = {"error": error}


# ---- the connection


class RequestReader(BufferedReader):
    """A reader of a connection with a time limit.

    `patience` is a number of seconds. It limits the wait for the first byte of a request, and then the time from this
    byte to the last one. A read that exceeds the limit raises socket.timeout. `well_formed_head` is true if all header
    lines that were read have the form of RFC 9112.
    """

    def __init__(self, connection: socket.socket, patience: float) -> None:
        self._timed = _Timed(connection, patience)
        super().__init__(self._timed, _READ_SIZE)
        self.well_formed_head = True

    def begin(self) -> None:
        """Begin the next request: its time limit starts with its first byte."""
        self._timed.end = None

    def begin_fields(self) -> None:
        """Reset `well_formed_head`. Call this between the request line and the header lines."""
        self.well_formed_head = True

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        self.well_formed_head = self.well_formed_head and _FIELD.fullmatch(line) is not None
        return line


class _Timed(RawIOBase):
    def __init__(self, connection: socket.socket, patience: float) -> None:
        self._connection = connection
        self._patience = patience
        self.end: float | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        left = self._patience if self.end is None else self.end - time.monotonic()
        if left <= 0:
            raise socket.timeout("the request was not received within the time limit")
        self._connection.settimeout(left)
        try:
            size = self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(self._patience)
        if self.end is None:
            self.end = time.monotonic() + self._patience
        return size


# ---- headers


def check_framing(headers: Message, *, well_formed_head: bool) -> None:
    """Raise RequestError for a malformed header line, or a repeated Host, Content-Length or Transfer-Encoding."""
    if not well_formed_head:
        raise RequestError(400, "malformed header line: expected 'name: value'", code="ambiguous_request")
    for name in ("Host", "Content-Length", "Transfer-Encoding"):
        count = len(headers.get_all(name, ()))
        if count > 1:
            raise RequestError(400, f"expected at most one {name} header, got {count}", code="ambiguous_request")


def check_content_type(headers: Message) -> None:
    """Raise RequestError unless the Content-Type is application/json.

    Web pages of other origins therefore cannot send requests: a browser asks the server for permission first (a CORS
    preflight request), except for the content types of forms and plain text.
    """
    kind = headers.get_content_type()
    if kind != "application/json":
        raise RequestError(415, f"Content-Type must be application/json, got {kind}", code="unsupported_media_type")


def is_for_loopback(headers: Message) -> bool:
    """Return true if the Host header is absent, `localhost` or a loopback address.

    A request with another name may come from a web page whose name resolves to a loopback address (DNS rebinding).
    """
    try:
        return endpoint_of(f"http://{headers.get('Host', 'localhost')}").is_loopback
    except ValueError:
        return False


def bearer_token(headers: Message) -> str:
    """Return the caller's key from the Authorization header, or an empty string."""
    scheme, _, key = str(headers.get("Authorization", "")).partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def has_body(headers: Message) -> bool:
    """Return true if the headers declare a body, whatever the method."""
    return "Transfer-Encoding" in headers or headers.get("Content-Length", "0") != "0"


def body_length(headers: Message, version: str) -> int | None:
    """Return the length of a POST request's body in bytes, or None if it is chunked.

    Raises RequestError if the headers do not declare the length, or do so in an ambiguous or unsupported way.
    """
    given = str(headers.get("Content-Length", "")).strip(" \t")
    coding = headers.get("Transfer-Encoding")
    if coding is not None:
        if given or version == "HTTP/1.0":
            message = "Transfer-Encoding is not allowed together with Content-Length or in HTTP/1.0"
            raise RequestError(400, message, code="ambiguous_request")
        if coding.strip(" \t").lower() != "chunked":
            raise RequestError(501, f"Transfer-Encoding must be chunked, got {coding[:40]!r}", code="not_implemented")
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 20):
        message = f"expected a Content-Length in bytes or Transfer-Encoding: chunked, got Content-Length {given[:40]!r}"
        raise RequestError(411, message, code="length_required")
    return int(given)


# ---- the body


def body_pieces(file: RequestReader, length: int | None) -> Iterator[bytes]:
    """Yield the pieces of a body of `length` bytes as they arrive. `length` is None for a chunked body.

    Raises ConnectionAbortedError if the connection closes before the end of the body, and RequestError for invalid
    chunks or a body that is not received within the time limit.
    """
    if length is None:
        yield from _chunked(file)
        return
    while length > 0:
        piece = _read(file, length)
        length -= len(piece)
        yield piece


def _chunked(file: RequestReader) -> Iterator[bytes]:
    body = ChunkedBody()
    while not body.complete:
        yield body.feed(_read(file, _READ_SIZE))
        if body.error is not None:
            raise RequestError(400, f"the chunked body is invalid: {body.error}", code="invalid_chunks")


def _read(file: RequestReader, most: int) -> bytes:
    try:
        piece = file.read1(min(most, _READ_SIZE))
    except socket.timeout:
        raise RequestError(408, "the body was not received within the time limit", code="timeout") from None
    if not piece:
        raise ConnectionAbortedError("the connection was closed before the end of the body")
    return piece


def checked_request(body: bytes) -> dict[str, Any]:
    """Return the chat completion request in a body, as JSON. Raises RequestError if it is invalid.

    Only the members that this server uses are validated. The upstream server validates the others.
    """
    try:
        data: object = loads_finite(body)
    except ParseError as error:
        raise RequestError(400, f"invalid request body: {error.problem}", code="invalid_json") from None
    if not is_dict(data):
        raise RequestError(400, "the request body must be a JSON object", code="invalid_json")
    if not isinstance(data.get("model"), str):
        raise RequestError(400, "model must be a string", param="model")
    messages = data.get("messages")
    if not is_list(messages) or not all([is_dict(message) for message in messages]):
        raise RequestError(400, "messages must be an array of objects", param="messages")
    if not isinstance(data.get("stream"), (bool, type(None))):
        raise RequestError(400, "stream must be true, false or null", param="stream")
    return data


def wants_usage(request: dict[str, Any]) -> bool:
    """Return true if the request asks for the usage at the end of a stream."""
    options: object = request.get("stream_options")
    return is_dict(options) and bool(options.get("include_usage"))
