"""Responses in the shape that an event asks for, and the errors that become one.

It never sends anything, and never gives a response that Lambda is known to refuse for its size or a header.
"""

from __future__ import annotations

import json
import re

from .._http_fields import is_token
from .._json_data import is_mapping, is_sequence, to_jsonable
from .._redaction import redact
from .._types import ParseError, well_formed
from ._events import EventKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    Headers = Mapping[Any, Any]

__all__ = [
    "ResponseTooLargeError",
    "checked_headers",
    "checked_status",
    "error_response",
    "failed_response",
    "format_headers",
    "limit_of",
    "response_to",
]

_MAX_BYTES = 6 * 2**20  # of a response as JSON; above it Lambda answers 413 and ends the process
_MAX_ALB_BYTES = 2**20
_HEADER_VALUE = re.compile(r"[\t -~]*")
_COOKIE_NAME_VARIANTS = 2 ** len("setcookie")
_LONGEST_MESSAGE = 10_000
_SHORTEST_SESSION = 16
_CREDENTIALS = ("authorization", "proxy-authorization", "x-api-key", "api-key", "cookie")


class ResponseTooLargeError(ValueError):
    """A response that Lambda would not deliver: `size` bytes of JSON, of which `limit` are allowed."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(size, limit)
        self.size = size
        self.limit = limit

    def __str__(self) -> str:
        return f"the response takes {self.size} bytes of JSON, more than the {self.limit} that can be delivered"


def response_to(value: Any, raw: Any, kind: EventKind, status: int, headers: dict[str, list[str]]) -> Any:
    """What the handler returns; for a direct invocation the value itself. Raises as `aws_lambda.respond` does."""
    if kind is EventKind.DIRECT:
        return _check_size(_text_of(value)[0] if isinstance(value, (bytes, bytearray)) else to_jsonable(value), kind)
    content_type, body, encoded = _body_of(value)
    if content_type is not None:
        headers.setdefault("content-type", [content_type])
    return _check_size(
        {"statusCode": status, **format_headers(headers, kind, raw), "body": body, "isBase64Encoded": encoded}, kind
    )


def error_response(exc: BaseException, raw: Any, kind: EventKind) -> Any:
    """What the handler returns for an exception; see `aws_lambda.respond_error`."""
    status = _status_of(exc)
    body = _without_secrets(_error_body(exc, status), _credentials_in(raw))
    return response_to(body, raw, kind, status, _error_headers(exc))


def failed_response(raw: Any, kind: EventKind) -> Any:
    """What the handler returns for an exception, or an event, that cannot be read without another exception."""
    return response_to(_error_body(RuntimeError(), 500), raw, kind, 500, {})


def limit_of(kind: EventKind) -> int:
    """How many bytes of JSON a response may take."""
    return _MAX_ALB_BYTES if kind is EventKind.ALB else _MAX_BYTES


def checked_status(status: Any) -> int:
    if not isinstance(status, int) or isinstance(status, bool) or not 100 <= status <= 999:
        raise ValueError(f"an HTTP status is an integer from 100 to 999, not {status!r}")
    return int(status)


def checked_headers(headers: Headers | None, cookies: Sequence[str]) -> dict[str, list[str]]:
    """Header values by lower-case name; what could end a header early, or start another, is refused."""
    checked: dict[str, list[str]] = {}
    for name, given in (headers or {}).items():
        if not isinstance(name, str) or not is_token(name):
            raise ValueError(f"not the name of an HTTP header: {name!a}")
        values: Sequence[Any] = given if is_sequence(given) else [given]
        checked.setdefault(name.lower(), []).extend(_checked_value(name, value) for value in values)
    given_cookies = [cookies] if isinstance(cookies, str) else cookies
    if given_cookies:
        checked.setdefault("set-cookie", []).extend(_checked_value("Set-Cookie", value) for value in given_cookies)
    return checked


def _checked_value(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"the header {name} is {type(value).__name__} instead of text")
    if not _HEADER_VALUE.fullmatch(value):  # the value itself may be a credential
        raise ValueError(
            f"the header {name} has characters that HTTP headers cannot hold: only printable ASCII is sent"
        )
    return value


def format_headers(headers: dict[str, list[str]], kind: EventKind, raw: Any) -> dict[str, Any]:
    if kind in (EventKind.HTTP_V2, EventKind.FUNCTION_URL):
        cookies = headers.get("set-cookie")
        joined = {name: ", ".join(values) for name, values in headers.items() if name != "set-cookie"}
        return {"headers": joined, **({"cookies": cookies} if cookies else {})}
    if is_mapping(raw.get("multiValueHeaders")):
        return {"multiValueHeaders": headers}
    single: dict[str, str] = {}
    for name, values in headers.items():
        if name == "set-cookie":
            single.update(zip(_cookie_name_variants(len(values)), values))
        else:
            single[name] = ", ".join(values)
    return {"headers": single}


def _cookie_name_variants(count: int) -> list[str]:
    """Different spellings of `set-cookie`: each is a header of its own where one name has one value only."""
    if count > _COOKIE_NAME_VARIANTS:
        raise ValueError(f"{count} cookies, more than the {_COOKIE_NAME_VARIANTS} that single-value headers can hold")
    letters = "setcookie"
    spelled: list[str] = []
    for number in range(count):
        text = "".join(letter.upper() if number >> place & 1 else letter for place, letter in enumerate(letters))
        spelled.append(f"{text[:3]}-{text[3:]}")
    return spelled


def _body_of(value: Any) -> tuple[str | None, str, bool]:
    """The content type of a body, its text, and whether that is base64."""
    if value is None:
        return None, "", False
    if isinstance(value, str):
        return "text/plain; charset=utf-8", well_formed(str.__str__(value)), False
    if isinstance(value, (bytes, bytearray)):
        return ("application/octet-stream", *_text_of(value))
    return "application/json", json.dumps(to_jsonable(value), separators=(",", ":")), False


def _text_of(data: bytes | bytearray) -> tuple[str, bool]:
    try:
        return data.decode("utf-8"), False
    except UnicodeDecodeError:
        from base64 import b64encode

        return b64encode(data).decode("ascii"), True


def _check_size(response: Any, kind: EventKind) -> Any:
    # As the runtimes of Python 3.11 and before write it, with every character escaped; later ones never write more.
    size = len(json.dumps(response))
    if size > limit_of(kind):
        raise ResponseTooLargeError(size, limit_of(kind))
    return response


def _status_of(exc: BaseException) -> int:
    from ..errors import APIError, APITimeoutError

    if isinstance(exc, ParseError):
        return 400
    if isinstance(exc, ResponseTooLargeError):
        return 413
    if not isinstance(exc, APIError):
        return 500
    for status in (getattr(exc, "status", None), getattr(exc, "code", None)):
        if type(status) is int and 400 <= status <= 599:
            return status
    return 504 if isinstance(exc, APITimeoutError) else 502


def _error_headers(exc: BaseException) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    retry_after, request_id = getattr(exc, "retry_after", None), getattr(exc, "request_id", None)
    if isinstance(retry_after, (int, float)) and 0 <= retry_after < 1e9:
        headers["retry-after"] = [str(int(-(-retry_after // 1)))]  # whole seconds, rounded up
    if isinstance(request_id, str) and len(request_id) <= 200 and _HEADER_VALUE.fullmatch(request_id):
        headers["x-request-id"] = [redact(request_id)]
    return headers


def _error_body(exc: BaseException, status: int) -> dict[str, Any]:
    from ..sse._encoding import error_body

    if not isinstance(exc, (ParseError, ResponseTooLargeError)):
        return error_body(exc)
    kind, code = (
        ("invalid_request_error", "invalid_request") if status == 400 else ("server_error", "response_too_large")
    )
    return {"error": {"message": str(exc), "type": kind, "param": getattr(exc, "path", None) or None, "code": code}}


def _credentials_in(raw: Any) -> list[str]:
    """What the request itself is authorised with; the server behind may quote it."""
    if not is_mapping(raw):
        return []
    given = [("cookie", raw.get("cookies"))]
    for group in (raw.get("headers"), raw.get("multiValueHeaders")):
        given += [(str(name).lower(), value) for name, value in group.items()] if is_mapping(group) else []
    found: list[str] = []
    for name, value in given:
        if name in _CREDENTIALS and value is not None:
            for text in map(str, value if is_sequence(value) else (value,)):
                found += [text, *text.split()[1:]]
                if name == "cookie":  # a session is named by a long value; a short one may be any word
                    parts = (pair.partition("=")[2].strip() for pair in text.split(";"))
                    found += [part for part in parts if len(part) >= _SHORTEST_SESSION]
    return found


def _without_secrets(body: dict[str, Any], known: Iterable[str]) -> dict[str, Any]:
    error = {
        name: redact(well_formed(value), known)[:_LONGEST_MESSAGE] if isinstance(value, str) else value
        for name, value in body["error"].items()
    }
    return {"error": error}
