"""What a caller of `serve` asks, read and judged. It answers nobody, and reads no more than it is told to.

A request that may be read in two ways (a header twice, a length beside a Transfer-Encoding, a line of the head that is no
field) is refused, because a proxy in front may have read it in the other.
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

# A field as RFC 9112 has it, or the empty line after the last. Of other lines http.server makes something of its own: it
# splits at a CR, joins folded ones, and passes over all that comes after a line that is no field.
_FIELD = re.compile(rb"(?:[%b]+:[^\r\n\0]*)?\r?\n" % re.escape("".join(sorted(TOKEN))).encode())


class RequestError(Exception):
    """A request that is answered with an error of this status, in OpenAI's form."""

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
    """What a connection brings: each request has `patience` seconds from its first byte, and is waited for as long."""

    def __init__(self, connection: socket.socket, patience: float) -> None:
        self._timed = _Timed(connection, patience)
        super().__init__(self._timed, _READ_SIZE)
        self.well_formed_head = True

    def begin(self) -> None:
        """The next request."""
        self._timed.end = None

    def begin_fields(self) -> None:
        """From here on the lines are fields: `well_formed_head` says whether all were."""
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
            raise socket.timeout("the request took too long")
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
    """Refuse what is said twice, and a head in which `well_formed_head` tells of lines that are no fields."""
    if not well_formed_head:
        raise RequestError(400, "a line of the head is no field", code="ambiguous_request")
    for name in ("Host", "Content-Length", "Transfer-Encoding"):
        if len(headers.get_all(name, ())) > 1:
            raise RequestError(400, f"more than one {name}", code="ambiguous_request")


def check_content_type(headers: Message) -> None:
    """Refuse a body that does not say that it is JSON: a web page can send the others without being asked for leave."""
    kind = headers.get_content_type()
    if kind != "application/json":
        raise RequestError(415, f"the body is to be application/json, not {kind}", code="unsupported_media_type")


def is_for_loopback(headers: Message) -> bool:
    """Whether the host that is asked for is a name of loopback: where another's name leads here, its web page is asking."""
    try:
        return endpoint_of(f"http://{headers.get('Host', 'localhost')}").is_loopback
    except ValueError:
        return False


def bearer_token(headers: Message) -> str:
    """The caller's own key; empty where it sent none."""
    scheme, _, key = str(headers.get("Authorization", "")).partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def has_body(headers: Message) -> bool:
    """Whether a request brings a body, of any method."""
    return "Transfer-Encoding" in headers or headers.get("Content-Length", "0") != "0"


def body_length(headers: Message, version: str) -> int | None:
    """The bytes of a POST's body; None where it comes in chunks."""
    given = str(headers.get("Content-Length", "")).strip(" \t")
    coding = headers.get("Transfer-Encoding")
    if coding is not None:
        if given or version == "HTTP/1.0":
            raise RequestError(400, "a Transfer-Encoding that may not be there", code="ambiguous_request")
        if coding.strip(" \t").lower() != "chunked":
            raise RequestError(501, f"a body is sent as it is, or chunked, not {coding[:40]!r}", code="not_implemented")
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 20):
        raise RequestError(411, "send the body with a Content-Length, or chunked", code="length_required")
    return int(given)


# ---- the body


def body_pieces(file: RequestReader, length: int | None) -> Iterator[bytes]:
    """A body of so many bytes, or in chunks, as it comes.

    Raises ConnectionAbortedError where it ends early.
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
            raise RequestError(400, f"the body is not chunked as it says: {body.error}", code="invalid_chunks")


def _read(file: RequestReader, most: int) -> bytes:
    try:
        piece = file.read1(min(most, _READ_SIZE))
    except socket.timeout:
        raise RequestError(408, "the body took too long", code="timeout") from None
    if not piece:
        raise ConnectionAbortedError("the body was cut off")
    return piece


def checked_request(body: bytes) -> dict[str, Any]:
    """A chat completion request, checked as far as it must be understood here: the rest is for the upstream to judge."""
    try:
        data: object = loads_finite(body)
    except ParseError as error:
        raise RequestError(400, f"the body is {error.problem}", code="invalid_json") from None
    if not is_dict(data):
        raise RequestError(400, "the body is to be a JSON object", code="invalid_json")
    if not isinstance(data.get("model"), str):
        raise RequestError(400, "model: expected a string", param="model")
    messages = data.get("messages")
    if not is_list(messages) or not all([is_dict(message) for message in messages]):
        raise RequestError(400, "messages: expected an array of objects", param="messages")
    if not isinstance(data.get("stream"), (bool, type(None))):
        raise RequestError(400, "stream: expected true or false", param="stream")
    return data


def wants_usage(request: dict[str, Any]) -> bool:
    """Whether a streamed answer is to end with the usage."""
    options: object = request.get("stream_options")
    return is_dict(options) and bool(options.get("include_usage"))
