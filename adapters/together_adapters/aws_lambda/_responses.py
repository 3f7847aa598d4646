"""The parts of a response that event sources share: validation, bodies, header formats, and responses for errors.

Does no I/O.
"""

from __future__ import annotations

import json

from .._http_fields import is_token
from .._json_data import to_jsonable
from .._redaction import redact
from .._types import ParseError, is_array, well_formed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..protocols import JSON

__all__ = [
    "MAX_RESPONSE_BYTES",
    "Response",
    "ResponseTooLargeError",
    "check_headers",
    "check_status",
    "decode_text",
    "encode_body",
    "error_response",
    "format_with_cookies",
    "format_with_single_values",
    "internal_error",
]

MAX_RESPONSE_BYTES = 6 * 2**20
"""The size limit of a response, in bytes of JSON. Lambda answers a larger one with 413 and ends the process."""

_COOKIE_NAME_VARIANTS = 2 ** len("setcookie")
_LONGEST_MESSAGE = 10_000  # characters


class ResponseTooLargeError(ValueError):
    """Raised for a response that Lambda would not deliver: its JSON has `size` bytes, more than `limit`."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(size, limit)
        self.size = size
        self.limit = limit

    def __str__(self) -> str:
        return f"the response must be at most {self.limit} bytes of JSON, got {self.size}"


class Response:
    """A status, headers by lower-case name, and the value of the body."""

    __slots__ = ("headers", "status", "value")

    def __init__(self, status: int, headers: dict[str, list[str]], value: object = None) -> None:
        self.status = status
        self.headers = headers
        self.value = value


# ---- arguments of `respond`


def check_status(status: JSON) -> int:
    """Return the status as an int. Raises ValueError if it is not an integer from 100 to 999."""
    if not isinstance(status, int) or isinstance(status, bool) or not 100 <= status <= 999:
        raise ValueError(f"status must be an integer from 100 to 999, got {status!r}")
    return int(status)


def check_headers(headers: Mapping[JSON, JSON] | None, cookies: Sequence[str]) -> dict[str, list[str]]:
    """Return the values of each header by lower-case name, with the cookies as `set-cookie`.

    Raises TypeError for a value that is not a string. Raises ValueError for a name that is not a token, and for a value
    that is not printable ASCII, because other characters could begin another header.
    """
    checked: dict[str, list[str]] = {}
    for name, given in (headers or {}).items():
        if not isinstance(name, str) or not is_token(name):
            raise ValueError(f"a header name must be a token (RFC 9110 section 5.6.2), got {name!a}")
        values = given if is_array(given) else [given]
        checked.setdefault(name.lower(), []).extend(_check_value(name, value) for value in values)
    given_cookies = [cookies] if isinstance(cookies, str) else cookies
    if given_cookies:
        checked.setdefault("set-cookie", []).extend(_check_value("Set-Cookie", value) for value in given_cookies)
    return checked


def _check_value(name: str, value: JSON) -> str:
    if not isinstance(value, str):
        raise TypeError(f"the value of the header {name} must be a string, got {type(value).__name__}")
    if not _is_header_value(value):  # the message does not quote the value, which may be a credential
        raise ValueError(f"the value of the header {name} must consist of printable ASCII characters")
    return value


def _is_header_value(value: str) -> bool:
    return value.isascii() and value.replace("\t", " ").isprintable()


# ---- formats


def encode_body(value: object) -> tuple[str | None, str, bool]:
    """Return the content type of a body (None if it is absent), its text, and whether the text is base64."""
    if value is None:
        return None, "", False
    if isinstance(value, str):
        return "text/plain; charset=utf-8", well_formed(str.__str__(value)), False
    if isinstance(value, (bytes, bytearray)):
        return ("application/octet-stream", *decode_text(value))
    return "application/json", json.dumps(to_jsonable(value), separators=(",", ":")), False


def decode_text(data: bytes | bytearray) -> tuple[str, bool]:
    """Return bytes as text, and whether the text is base64, which it is if the bytes are not UTF-8."""
    try:
        return data.decode("utf-8"), False
    except UnicodeDecodeError:
        from base64 import b64encode

        return b64encode(data).decode("ascii"), True


def format_with_cookies(headers: dict[str, list[str]]) -> dict[str, JSON]:
    """Return a dict with the keys `headers` and `cookies`. `cookies` is absent if no cookie is set.

    `headers` has one string for each name: repeated values are joined by commas. `cookies` is the list of the
    Set-Cookie values.
    """
    cookies = headers.get("set-cookie")
    joined = {name: ", ".join(values) for name, values in headers.items() if name != "set-cookie"}
    return {"headers": joined, **({"cookies": cookies} if cookies else {})}


def format_with_single_values(headers: dict[str, list[str]]) -> dict[str, JSON]:
    """Return a dict with the key `headers`, which has one string for each name: repeated values are joined by commas.

    The name of each cookie is `set-cookie` in a different letter case. Raises ValueError if there are more than 512.
    """
    single: dict[str, str] = {}
    for name, values in headers.items():
        if name == "set-cookie":
            single.update(zip(_cookie_name_variants(len(values)), values))
        else:
            single[name] = ", ".join(values)
    return {"headers": single}


def _cookie_name_variants(count: int) -> list[str]:
    if count > _COOKIE_NAME_VARIANTS:
        raise ValueError(f"single-value headers can contain at most {_COOKIE_NAME_VARIANTS} cookies, got {count}")
    letters = "setcookie"
    variants: list[str] = []
    for number in range(count):
        text = "".join(letter.upper() if number >> place & 1 else letter for place, letter in enumerate(letters))
        variants.append(f"{text[:3]}-{text[3:]}")
    return variants


# ---- errors


def error_response(exc: BaseException, secrets: Iterable[str]) -> Response:
    """Return the response for an exception, as `aws_lambda.respond_error` describes it, with `secrets` removed."""
    status = _status_of(exc)
    error = {
        name: redact(well_formed(value), secrets)[:_LONGEST_MESSAGE] if isinstance(value, str) else value
        for name, value in _error_fields(exc, status).items()
    }
    return Response(status, _error_headers(exc), {"error": error})


def internal_error() -> Response:
    """Return the response to send if the error response cannot be created.

    This happens if a method of the exception or of the event, such as `__str__`, itself raises an exception.
    """
    return Response(500, {}, {"error": _error_fields(RuntimeError(), 500)})


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
    if isinstance(request_id, str) and len(request_id) <= 200 and _is_header_value(request_id):
        headers["x-request-id"] = [redact(request_id)]
    return headers


def _error_fields(exc: BaseException, status: int) -> dict[str, JSON]:
    from ..sse._encoding import error_body

    if not isinstance(exc, (ParseError, ResponseTooLargeError)):
        fields: dict[str, JSON] = error_body(exc)["error"]
        return fields
    kind, code = (
        ("invalid_request_error", "invalid_request") if status == 400 else ("server_error", "response_too_large")
    )
    return {"message": str(exc), "type": kind, "param": getattr(exc, "path", None) or None, "code": code}
