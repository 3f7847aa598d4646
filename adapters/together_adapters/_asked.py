"""What a caller of `serve` asks, read and judged. It answers nobody, and reads no more than it is told to.

A request that may be read in two ways (a header twice, a length beside a Transfer-Encoding) is refused, because a proxy
in front may have read it in the other.
"""

from __future__ import annotations

import time

from ._fold import is_dict, is_list
from ._http1 import ChunkedBody
from ._types import ParseError, loads_finite
from ._url import BaseURL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message
    from io import BufferedIOBase
    from typing import Any

__all__ = [
    "Refused",
    "body_length",
    "body_pieces",
    "check_framing",
    "check_kind",
    "checked_request",
    "has_body",
    "is_for_loopback",
    "key_of",
    "wants_usage",
]

_READ_SIZE = 65536


class Refused(Exception):
    """A request that is answered with an error of this status, in OpenAI's form."""

    def __init__(
        self, status: int, message: str, *, param: str | None = None, code: str = "invalid_request", allowed: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = (("Allow", allowed),) if allowed else ()
        error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
        self.body: dict[str, Any] = {"error": error}


# ---- headers


def check_framing(headers: Message) -> None:
    """Refuse what is said twice."""
    for name in ("Host", "Content-Length", "Transfer-Encoding"):
        if len(headers.get_all(name, ())) > 1:
            raise Refused(400, f"more than one {name}", code="ambiguous_request")


def check_kind(headers: Message) -> None:
    """Refuse a body that does not say that it is JSON: a web page can send the others without being asked for leave."""
    kind = headers.get_content_type()
    if kind != "application/json":
        raise Refused(415, f"the body is to be application/json, not {kind}", code="unsupported_media_type")


def is_for_loopback(headers: Message) -> bool:
    """Whether the host that is asked for is a name of loopback: where another's name leads here, its web page is asking."""
    try:
        return BaseURL(f"http://{headers.get('Host', 'localhost')}").endpoint("").is_loopback
    except ValueError:
        return False


def key_of(headers: Message) -> str:
    """The caller's own key; empty where it sent none."""
    scheme, _, key = str(headers.get("Authorization", "")).partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def has_body(headers: Message) -> bool:
    """Whether a request brings a body, of any method."""
    return "Transfer-Encoding" in headers or headers.get("Content-Length", "0") != "0"


def body_length(headers: Message, version: str) -> int | None:
    """The bytes of a POST's body; None where it comes in chunks."""
    given = str(headers.get("Content-Length", ""))
    coding = headers.get("Transfer-Encoding")
    if coding is not None:
        if given or version == "HTTP/1.0":
            raise Refused(400, "a Transfer-Encoding that may not be there", code="ambiguous_request")
        if coding.strip().lower() != "chunked":
            raise Refused(501, f"a body is sent as it is, or chunked, not {coding[:40]!r}", code="not_implemented")
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 20):
        raise Refused(411, "send the body with a Content-Length, or chunked", code="length_required")
    return int(given)


# ---- the body


def body_pieces(file: BufferedIOBase, length: int | None, patience: float) -> Iterator[bytes]:
    """A body of so many bytes, or in chunks, as it comes; the whole of it has `patience` seconds.

    Raises ConnectionAbortedError where it ends early.
    """
    end = time.monotonic() + patience
    if length is None:
        yield from _chunked(file, end)
        return
    while length > 0:
        piece = _read(file, length, end)
        length -= len(piece)
        yield piece


def _chunked(file: BufferedIOBase, end: float) -> Iterator[bytes]:
    body = ChunkedBody()
    while not body.complete:
        yield body.feed(_read(file, _READ_SIZE, end))
        if body.error is not None:
            raise Refused(400, f"the body is not chunked as it says: {body.error}", code="invalid_chunks")


def _read(file: BufferedIOBase, most: int, end: float) -> bytes:
    piece = file.read1(min(most, _READ_SIZE))
    if not piece:
        raise ConnectionAbortedError("the body was cut off")
    if time.monotonic() > end:
        raise Refused(408, "the body took too long", code="timeout")
    return piece


def checked_request(body: bytes) -> dict[str, Any]:
    """A chat completion request, checked as far as it must be understood here: the rest is for the upstream to judge."""
    try:
        data: object = loads_finite(body)
    except ParseError as error:
        raise Refused(400, f"the body is {error.problem}", code="invalid_json") from None
    if not is_dict(data):
        raise Refused(400, "the body is to be a JSON object", code="invalid_json")
    if not isinstance(data.get("model"), str):
        raise Refused(400, "model: expected a string", param="model")
    messages = data.get("messages")
    if not is_list(messages) or not all([is_dict(message) for message in messages]):
        raise Refused(400, "messages: expected an array of objects", param="messages")
    if not isinstance(data.get("stream"), (bool, type(None))):
        raise Refused(400, "stream: expected true or false", param="stream")
    return data


def wants_usage(request: dict[str, Any]) -> bool:
    """Whether a streamed answer is to end with the usage."""
    options: object = request.get("stream_options")
    return is_dict(options) and bool(options.get("include_usage"))
