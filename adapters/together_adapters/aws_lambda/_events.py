"""An HTTP request as a value, and functions that read the members of an event with type checks.

Does not change events, and needs no package of AWS.
"""

from __future__ import annotations

from .._json_data import is_list
from .._named_tuple import NamedTuple
from .._types import ParseError, StringEnum, is_array, is_object, loads_finite, well_formed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..protocols import JSON

__all__ = [
    "EventKind",
    "HttpEvent",
    "body_in",
    "context_in",
    "credentials_in",
    "expect_array",
    "expect_text",
    "grouped",
    "headers_in",
    "members_of",
    "merged_members",
    "parse_cookies",
    "text_at",
    "unwrap",
]

_CREDENTIALS = ("authorization", "proxy-authorization", "x-api-key", "api-key", "cookie")
_SHORTEST_SESSION = 16  # characters: a shorter cookie value may be an ordinary word, and is not treated as a credential


class EventKind(StringEnum):
    """The source of an event. Each member equals its string: `event.kind == "alb"`."""

    REST_V1 = "rest_v1"
    """An API Gateway REST API, or an HTTP API with payload format 1.0."""
    HTTP_V2 = "http_v2"
    """An API Gateway HTTP API with payload format 2.0."""
    FUNCTION_URL = "function_url"
    """A Lambda function URL."""
    ALB = "alb"
    """An Application Load Balancer, with or without multi-value headers."""
    DIRECT = "direct"
    """Any other source (Invoke, Step Functions, SQS, EventBridge): the event itself is the payload."""


class _Fields(NamedTuple):
    """The fields of an HttpEvent."""

    kind: EventKind
    method: str
    path: str
    headers: dict[str, str]
    query: dict[str, list[str]]
    cookies: dict[str, str]
    body: bytes
    raw: JSON


class HttpEvent(_Fields):
    """A request, with the same fields for every source.

    - `kind`: the source.
    - `path`: the path as the source sends it, without the stage.
    - `headers`: values by lower-case name. Repeated values are joined with ", ", and those of Cookie with "; ".
    - `query`: the decoded values of each name, in their order, like the result of `urllib.parse.parse_qs`. Empty values
      are kept.
    - `cookies`: the first value of each name, unchanged.
    - `body`: the bytes of the body, after base64 was decoded.
    - `raw`: the event as Lambda sends it.

    For a direct invocation, `body` is the payload as JSON, and method, path, headers, query and cookies are empty.
    """

    __slots__ = ()

    if not TYPE_CHECKING:

        def __new__(cls, kind, *fields, **named):  # pickles of 0.1.0 contain the kind as text
            return super().__new__(cls, EventKind(kind), *fields, **named)

        @classmethod
        def _make(cls, fields):  # called by `_replace`
            return cls(*fields)

    def json(self) -> JSON:
        """Return the body as decoded JSON. Raises ParseError if it is not valid JSON."""
        try:
            return loads_finite(self.body)
        except ParseError as error:
            raise ParseError("body", error.problem) from None

    def __repr__(self) -> str:  # headers, query and body contain credentials and personal data
        return f"HttpEvent(kind={str(self.kind)!r}, method={self.method!r}, path={self.path!r}, {len(self.body)} bytes)"


def unwrap(event: JSON | HttpEvent) -> JSON:
    """Return the event as Lambda sends it: `raw` of an HttpEvent, `raw_event` of a data class of Powertools."""
    if isinstance(event, HttpEvent):
        return event.raw
    raw = getattr(event, "raw_event", None)
    return event if raw is None else raw


# ---- members of an event: a member of the wrong type raises ParseError with its path in the event


def context_in(raw: JSON) -> Mapping[str, JSON] | None:
    """Return the `requestContext` of an event, or None if it or the event is not an object."""
    context = raw.get("requestContext") if is_object(raw) else None
    return context if is_object(context) else None


def expect_text(value: JSON, path: str) -> str:
    """Return the value at a path if it is a string."""
    if not isinstance(value, str):
        raise _wrong_type("string", value, path)
    return value


def expect_array(value: JSON, path: str) -> list[JSON]:
    """Return the value at a path if it is an array."""
    if not is_list(value):
        raise _wrong_type("array", value, path)
    return value


def _expect_object(value: JSON, path: str) -> Mapping[str, JSON]:
    if not is_object(value):
        raise _wrong_type("object", value, path)
    return value


def _wrong_type(name: str, value: JSON, path: str) -> ParseError:
    return ParseError(path, f"expected {name}, got {type(value).__name__}")


def text_at(raw: Mapping[str, JSON], path: str) -> str:
    """Return the string at a path like `requestContext.http.method`. Raises ParseError if it is absent."""
    value: JSON = raw
    names = path.split(".")
    for level, name in enumerate(names):
        value = _expect_object(value, ".".join(names[:level])).get(name)
    return expect_text(value, path)


def members_of(raw: Mapping[str, JSON], name: str) -> Iterator[tuple[str, str]]:
    """Yield each name and value of the object `raw[name]`, whose values are strings or arrays of strings.

    An absent or null object is read as empty, and a null value as an empty array.
    """
    members = raw.get(name)
    if members is None:
        return
    for key, value in _expect_object(members, name).items():
        values = value if is_array(value) else () if value is None else (value,)
        for item in values:
            yield expect_text(key, name), well_formed(expect_text(item, f"{name}.{key}"))


def merged_members(raw: Mapping[str, JSON], multiple: str, single: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs of the multi-value object, then those whose names are only in the single-value object."""
    pairs = list(members_of(raw, multiple))
    given = {name.lower() for name, _ in pairs}
    yield from pairs
    yield from ((name, value) for name, value in members_of(raw, single) if name.lower() not in given)


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the values of each name, in their order."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def headers_in(raw: Mapping[str, JSON]) -> dict[str, str]:
    """Return the headers by lower-case name.

    The values of a repeated header are joined with ", " (RFC 9110 section 5.3), those of Cookie with "; " (RFC 6265).
    """
    pairs = merged_members(raw, "multiValueHeaders", "headers")
    values = grouped((name.lower(), value) for name, value in pairs)
    return {name: ("; " if name == "cookie" else ", ").join(texts) for name, texts in values.items()}


def parse_cookies(header: str) -> dict[str, str]:
    """Return the first value of each name in a Cookie header."""
    cookies: dict[str, str] = {}
    for pair in header.split(";"):
        name, equals, value = pair.partition("=")
        if equals:
            cookies.setdefault(name.strip(), value.strip())
    return cookies


def body_in(raw: Mapping[str, JSON]) -> bytes:
    """Return the body as bytes: decoded from base64 if `isBase64Encoded` is true, otherwise encoded as UTF-8."""
    body = raw.get("body")
    encoded = raw.get("isBase64Encoded")
    if encoded is not None and not isinstance(encoded, bool):
        raise _wrong_type("true or false", encoded, "isBase64Encoded")
    if body is None:
        return b""
    text = expect_text(body, "body")
    if not encoded:
        return well_formed(text).encode("utf-8")
    from base64 import b64decode

    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise ParseError("body", "expected base64, because isBase64Encoded is true") from None


def credentials_in(raw: JSON) -> list[str]:
    """Return the credentials in an event of any form, to remove them from an upstream error that quotes them."""
    if not is_object(raw):
        return []
    given: list[tuple[str, JSON]] = [("cookie", raw.get("cookies"))]
    for headers in (raw.get("headers"), raw.get("multiValueHeaders")):
        given += [(str(name).lower(), value) for name, value in headers.items()] if is_object(headers) else []
    found: list[str] = []
    for name, value in given:
        if name in _CREDENTIALS and value is not None:
            for text in map(str, value if is_array(value) else (value,)):
                found += [text, *text.split()[1:]]
                if name == "cookie":
                    parts = (pair.partition("=")[2].strip() for pair in text.split(";"))
                    found += [part for part in parts if len(part) >= _SHORTEST_SESSION]
    return found
