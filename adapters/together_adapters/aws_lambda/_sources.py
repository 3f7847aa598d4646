"""The event sources of AWS Lambda. Each has a class.

A class recognises its events, reads the request and formats the response. To add a source, add a member of EventKind
and a class, and list the class in `SOURCES`.

| class | recognised by | source |
|---|---|---|
| `LoadBalancer` | `requestContext.elb` | Application Load Balancer, with or without multi-value headers |
| `FunctionURL` | as `HttpApi`, and `.lambda-url.` in the domain name | Lambda function URL |
| `HttpApi` | `version` "2.0" with `rawPath` or `requestContext.http` | API Gateway HTTP API |
| `RestApi` | `httpMethod` and `requestContext` | API Gateway REST API, or HTTP API with payload format 1.0 |
| `Direct` | no other class | Invoke, Step Functions, SQS, EventBridge: the event is the payload |
"""

from __future__ import annotations

import json

from .._json_data import to_jsonable
from .._types import ParseError, is_object, well_formed
from ._events import (
    EventKind,
    HttpEvent,
    body_in,
    context_in,
    credentials_in,
    expect_array,
    expect_text,
    grouped,
    headers_in,
    members_of,
    merged_members,
    parse_cookies,
    text_at,
    unwrap,
)
from ._responses import (
    MAX_RESPONSE_BYTES,
    Response,
    ResponseTooLargeError,
    decode_text,
    encode_body,
    error_response,
    format_with_cookies,
    format_with_single_values,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..protocols import JSON

__all__ = ["SOURCES", "EventSource", "FunctionURL", "HttpSource", "recognise", "source_of"]


class EventSource:
    """The base class of event sources. An instance represents one event. `raw` is the event as Lambda sends it."""

    kind: EventKind
    max_bytes: int = MAX_RESPONSE_BYTES

    def __init__(self, raw: JSON) -> None:
        self.raw = raw

    @classmethod
    def recognises(cls, raw: JSON) -> bool:
        """Return whether an event is from this source. Called only if no earlier class in `SOURCES` returned True."""
        raise NotImplementedError

    def read(self) -> HttpEvent:
        """Return the request. Raises ParseError if a required member is absent or of the wrong type."""
        raise NotImplementedError

    def format(self, response: Response) -> JSON:
        """Return the result that the handler returns for a response.

        Raises ResponseTooLargeError if the result is larger than `max_bytes`, and TypeError or ValueError for a value
        or headers that cannot be represented.
        """
        raise NotImplementedError

    def format_error(self, exc: BaseException) -> JSON:
        """Return the result that the handler returns for an exception."""
        return self.format(error_response(exc, credentials_in(self.raw)))

    def when_streamed(self) -> EventSource | None:
        """Return the source that formats a streamed response, or None if this source does not support streaming."""
        return None

    def prelude(self, response: Response) -> dict[str, JSON] | None:
        """Return the JSON that precedes the bytes of a streamed response, or None if the source does not have one."""
        return None

    def check_size(self, formatted: JSON) -> JSON:
        """Return a formatted response unchanged. Raises ResponseTooLargeError if it is larger than `max_bytes`."""
        # AWS's runtimes up to Python 3.11 escape every non-ASCII character, as `dumps` does. Later runtimes send UTF-8,
        # which is shorter.
        size = len(json.dumps(formatted))
        if size > self.max_bytes:
            raise ResponseTooLargeError(size, self.max_bytes)
        return formatted


class Direct(EventSource):
    """An event that is not an HTTP request: the event is the payload, and the response is JSON without a status."""

    kind = EventKind.DIRECT

    @classmethod
    def recognises(cls, raw: JSON) -> bool:
        return True

    def read(self) -> HttpEvent:
        try:
            payload = json.dumps(to_jsonable(self.raw)).encode("ascii")
        except (TypeError, ValueError) as error:
            raise ParseError("", f"the event must be JSON: {error}") from None
        return HttpEvent(self.kind, "", "", {}, {}, {}, payload, self.raw)

    def format(self, response: Response) -> JSON:
        value = response.value
        return self.check_size(decode_text(value)[0] if isinstance(value, (bytes, bytearray)) else to_jsonable(value))

    def when_streamed(self) -> EventSource:
        return self


class HttpSource(EventSource):
    """The base class of HTTP sources. A subclass reads the members that differ between sources, and formats headers."""

    def method(self) -> str:
        raise NotImplementedError

    def path(self) -> str:
        raise NotImplementedError

    def query(self) -> dict[str, list[str]]:
        raise NotImplementedError

    def cookies(self) -> list[str]:
        """Return the cookies that are not among the headers, as `name=value`."""
        return []

    def format_headers(self, headers: dict[str, list[str]]) -> dict[str, JSON]:
        raise NotImplementedError

    def read(self) -> HttpEvent:
        method, path, query, cookies = self.method(), self.path(), self.query(), self.cookies()
        headers = headers_in(self.raw)
        if cookies:
            headers["cookie"] = "; ".join(cookies)
        by_name = parse_cookies(headers.get("cookie", ""))
        return HttpEvent(self.kind, method, path, headers, query, by_name, body_in(self.raw), self.raw)

    def format(self, response: Response) -> JSON:
        content_type, body, is_base64 = encode_body(response.value)
        headers = dict(response.headers)
        if content_type is not None:
            headers.setdefault("content-type", [content_type])
        head = {"statusCode": response.status, **self.format_headers(headers)}
        return self.check_size({**head, "body": body, "isBase64Encoded": is_base64})

    def prelude(self, response: Response) -> dict[str, JSON]:
        return {"statusCode": response.status, **self.format_headers(response.headers)}


class _PayloadFormat1(HttpSource):
    """The format of REST APIs and load balancers: query and headers in single-value and multi-value members."""

    def method(self) -> str:
        return text_at(self.raw, "httpMethod")

    def path(self) -> str:
        return text_at(self.raw, "path")

    def query(self) -> dict[str, list[str]]:
        return grouped(self._query_pairs())

    def _query_pairs(self) -> Iterable[tuple[str, str]]:
        return merged_members(self.raw, "multiValueQueryStringParameters", "queryStringParameters")

    def format_headers(self, headers: dict[str, list[str]]) -> dict[str, JSON]:
        if is_object(self.raw.get("multiValueHeaders")):
            return {"multiValueHeaders": headers}
        return format_with_single_values(headers)


class LoadBalancer(_PayloadFormat1):
    """An Application Load Balancer. It does not decode query strings, and limits a response to 1 MB."""

    kind = EventKind.ALB
    max_bytes = 2**20

    @classmethod
    def recognises(cls, raw: JSON) -> bool:
        context = context_in(raw)
        return context is not None and "elb" in context

    def _query_pairs(self) -> Iterable[tuple[str, str]]:
        from urllib.parse import unquote_plus

        return ((unquote_plus(name), unquote_plus(value)) for name, value in super()._query_pairs())


class RestApi(_PayloadFormat1):
    """An API Gateway REST API, or an HTTP API with payload format 1.0."""

    kind = EventKind.REST_V1

    @classmethod
    def recognises(cls, raw: JSON) -> bool:
        return context_in(raw) is not None and "httpMethod" in raw

    def when_streamed(self) -> EventSource:
        return FunctionURL(self.raw)


class HttpApi(HttpSource):
    """An API Gateway HTTP API with payload format 2.0, which has a raw query string and separate cookies."""

    kind = EventKind.HTTP_V2

    @classmethod
    def recognises(cls, raw: JSON) -> bool:
        context = context_in(raw)
        return context is not None and raw.get("version") == "2.0" and ("rawPath" in raw or "http" in context)

    def method(self) -> str:
        return text_at(self.raw, "requestContext.http.method")

    def path(self) -> str:
        path = text_at(self.raw, "rawPath" if "rawPath" in self.raw else "requestContext.http.path")
        stage = self.raw["requestContext"].get("stage")
        if isinstance(stage, str) and stage != "$default" and (path + "/").startswith(f"/{stage}/"):
            return path[len(stage) + 1 :] or "/"
        return path

    def query(self) -> dict[str, list[str]]:
        if self.raw.get("rawQueryString") is None:
            return grouped(members_of(self.raw, "queryStringParameters"))
        from urllib.parse import parse_qsl

        return grouped(parse_qsl(well_formed(text_at(self.raw, "rawQueryString")), keep_blank_values=True))

    def cookies(self) -> list[str]:
        cookies = self.raw.get("cookies")
        values = [] if cookies is None else expect_array(cookies, "cookies")
        return [well_formed(expect_text(value, f"cookies[{index}]")) for index, value in enumerate(values)]

    def format_headers(self, headers: dict[str, list[str]]) -> dict[str, JSON]:
        return format_with_cookies(headers)


class FunctionURL(HttpApi):
    """A Lambda function URL. Streamed responses of every HTTP source have its format."""

    kind = EventKind.FUNCTION_URL

    @classmethod
    def recognises(cls, raw: JSON) -> bool:
        context = context_in(raw)
        return context is not None and super().recognises(raw) and ".lambda-url." in str(context.get("domainName"))

    def when_streamed(self) -> EventSource:
        return self


SOURCES: tuple[type[EventSource], ...] = (LoadBalancer, FunctionURL, HttpApi, RestApi, Direct)
"""Every event source, in the order in which `recognise` tries them."""


def recognise(raw: JSON) -> EventSource:
    """Return the source of an event. `raw` is the event as Lambda sends it."""
    return next(cls(raw) for cls in SOURCES if cls.recognises(raw))


def source_of(event: JSON | HttpEvent) -> EventSource:
    """Return the source of a handler's event. For None, return a function URL, the default format of responses."""
    raw = unwrap(event)
    return FunctionURL({}) if raw is None else recognise(raw)
