"""The events of AWS Lambda's HTTP sources, read as one request.

It never changes an event, and never imports anything of AWS's.

| kind | told by | source |
|---|---|---|
| `rest_v1` | `httpMethod` and `requestContext` | API Gateway REST API, or HTTP API with payload format 1.0 |
| `http_v2` | `version` "2.0" with `rawPath` or `requestContext.http` | API Gateway HTTP API |
| `function_url` | the same, with `.lambda-url.` in the domain name | Lambda function URL |
| `alb` | `requestContext.elb` | Application Load Balancer, with or without multi-value headers |
| `direct` | none of these | Invoke, Step Functions, SQS, EventBridge: the event is the payload |
"""

from __future__ import annotations

import json

from .._json_data import is_mapping, is_sequence, to_jsonable
from .._named_tuple import NamedTuple
from .._types import ParseError, StringEnum, loads_finite, well_formed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from ..protocols import JSON

__all__ = ["EventKind", "HttpEvent", "kind_of", "parse_event", "raw_of"]


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
    """Anything else (Invoke, Step Functions, SQS, EventBridge): the event itself is the payload."""


class _Fields(NamedTuple):
    kind: EventKind
    method: str
    path: str
    headers: dict[str, str]
    query: dict[str, list[str]]
    cookies: dict[str, str]
    body: bytes
    raw: JSON


class HttpEvent(_Fields):
    """One request, whichever source it came from.

    `kind` is an EventKind. `path` has no stage in it and is otherwise as
    the source gives it. `headers` have lower-case names; several values of one are joined with ", ". `query` has the
    decoded values of each name, in order, as `urllib.parse.parse_qs` gives them. `cookies` has the first value of
    each name, as it came. `body` is decoded from base64 where the source says so. A direct invocation has no
    method, path, headers, query and cookies, and its payload as JSON in `body`. `raw` is the event itself.
    """

    __slots__ = ()

    if not TYPE_CHECKING:

        def __new__(cls, kind, *fields, **named):  # pickles of 0.1.0 contain the kind as text
            return super().__new__(cls, EventKind(kind), *fields, **named)

    def json(self) -> JSON:
        """The body as a JSON value; raises ParseError where it is none."""
        try:
            return loads_finite(self.body)
        except ParseError as error:
            raise ParseError("body", error.problem) from None

    def __repr__(self) -> str:  # headers, query and body hold credentials and people's text
        return f"HttpEvent(kind={str(self.kind)!r}, method={self.method!r}, path={self.path!r}, {len(self.body)} bytes)"


def raw_of(event: Any) -> Any:
    """The event as Lambda gave it: from an HttpEvent its `raw`, from one of Powertools' data classes its `raw_event`."""
    if isinstance(event, HttpEvent):
        return event.raw
    raw = getattr(event, "raw_event", None)
    return event if raw is None else raw


def kind_of(raw: Any) -> EventKind:
    """Which source an event came from; never raises."""
    if not is_mapping(raw):
        return EventKind.DIRECT
    context = raw.get("requestContext")
    if not is_mapping(context):
        return EventKind.DIRECT
    if "elb" in context:
        return EventKind.ALB
    if raw.get("version") == "2.0" and ("rawPath" in raw or "http" in context):
        return EventKind.FUNCTION_URL if ".lambda-url." in str(context.get("domainName")) else EventKind.HTTP_V2
    return EventKind.REST_V1 if "httpMethod" in raw else EventKind.DIRECT


def parse_event(event: JSON | HttpEvent) -> HttpEvent:
    """Read the event of a handler: a dict as Lambda gives it, or one of Powertools' data classes.

    Raises ParseError, with the path in the event, where it lacks what its kind always has, or has it in
    another type; and for a direct invocation whose payload is no JSON.
    """
    raw = raw_of(event)
    kind = kind_of(raw)
    if kind is EventKind.DIRECT:
        return HttpEvent(kind, "", "", {}, {}, {}, _payload(raw), raw)
    read = _format_2 if kind in (EventKind.HTTP_V2, EventKind.FUNCTION_URL) else _format_1
    method, path, query, cookies = read(raw, kind)
    headers = _headers(raw)
    if cookies:  # which are not among the headers there
        headers["cookie"] = "; ".join(cookies)
    return HttpEvent(kind, method, path, headers, query, _cookies(headers.get("cookie", "")), _body(raw), raw)


def _payload(raw: Any) -> bytes:
    try:
        return json.dumps(to_jsonable(raw)).encode("ascii")
    except (TypeError, ValueError) as error:
        raise ParseError("", f"not an event of Lambda: {error}") from None


def _expect(kind: type, value: Any, path: str) -> Any:
    if not (is_mapping(value) if kind is dict else isinstance(value, kind)):
        names = {str: "string", dict: "object", list: "array", bool: "true or false"}
        raise ParseError(path, f"expected {names[kind]}, got {type(value).__name__}")
    return value


def _at(raw: Mapping[str, Any], path: str) -> str:
    """The text at a path that every event of its kind has."""
    value: Any = raw
    names = path.split(".")
    for level, name in enumerate(names):
        value = _expect(dict, value, ".".join(names[:level])).get(name)
    text: str = _expect(str, value, path)
    return text


def _format_2(raw: Mapping[str, Any], kind: EventKind) -> tuple[str, str, dict[str, list[str]], list[str]]:
    method = _at(raw, "requestContext.http.method")
    path = _at(raw, "rawPath" if "rawPath" in raw else "requestContext.http.path")
    stage = raw["requestContext"].get("stage")
    if isinstance(stage, str) and stage != "$default" and (path + "/").startswith(f"/{stage}/"):
        path = path[len(stage) + 1 :] or "/"
    if raw.get("rawQueryString") is not None:
        query = _grouped(_decoded(_at(raw, "rawQueryString")))
    else:
        query = _grouped(_items(raw, "queryStringParameters"))
    cookies = raw.get("cookies")
    values: list[Any] = [] if cookies is None else _expect(list, cookies, "cookies")
    texts: list[str] = [_expect(str, value, f"cookies[{index}]") for index, value in enumerate(values)]
    return method, path, query, [well_formed(text) for text in texts]


def _format_1(raw: Mapping[str, Any], kind: EventKind) -> tuple[str, str, dict[str, list[str]], list[str]]:
    pairs = _both(raw, "multiValueQueryStringParameters", "queryStringParameters")
    if kind is EventKind.ALB:  # which passes query strings on as they were sent
        from urllib.parse import unquote_plus

        pairs = ((unquote_plus(name), unquote_plus(value)) for name, value in pairs)
    return _at(raw, "httpMethod"), _at(raw, "path"), _grouped(pairs), []


def _decoded(query: str) -> Iterable[tuple[str, str]]:
    from urllib.parse import parse_qsl

    return parse_qsl(well_formed(query), keep_blank_values=True)


def _items(raw: Mapping[str, Any], name: str) -> Iterator[tuple[str, str]]:
    """The texts of an object whose values are texts, or arrays of them; null is an empty one."""
    members = raw.get(name)
    if members is None:
        return
    for key, value in _expect(dict, members, name).items():
        values: Sequence[Any] = value if is_sequence(value) else () if value is None else (value,)
        for item in values:
            yield _expect(str, key, name), well_formed(_expect(str, item, f"{name}.{key}"))


def _both(raw: Mapping[str, Any], multiple: str, single: str) -> Iterator[tuple[str, str]]:
    """Every value of each name: those of the multi-value object, and what only the other one has."""
    pairs = list(_items(raw, multiple))
    given = {name.lower() for name, _ in pairs}
    yield from pairs
    yield from ((name, value) for name, value in _items(raw, single) if name.lower() not in given)


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


def _headers(raw: Mapping[str, Any]) -> dict[str, str]:
    grouped = _grouped((name.lower(), value) for name, value in _both(raw, "multiValueHeaders", "headers"))
    return {name: ("; " if name == "cookie" else ", ").join(values) for name, values in grouped.items()}


def _cookies(header: str) -> dict[str, str]:
    cookies: dict[str, str] = {}
    for pair in header.split(";"):
        name, equals, value = pair.partition("=")
        if equals:
            cookies.setdefault(name.strip(), value.strip())
    return cookies


def _body(raw: Mapping[str, Any]) -> bytes:
    body = raw.get("body")
    encoded = raw.get("isBase64Encoded")
    if encoded is not None:
        _expect(bool, encoded, "isBase64Encoded")
    if body is None:
        return b""
    text: str = _expect(str, body, "body")
    if not encoded:
        return well_formed(text).encode("utf-8")
    from base64 import b64decode

    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise ParseError("body", "isBase64Encoded is true, but it is not base64") from None
