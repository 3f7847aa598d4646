"""Reading the events of AWS Lambda as requests, and formatting responses, for HTTP sources and direct invocations.

    def handler(event, context):
        try:
            request = ChatCompletionRequest.from_json(parse_event(event).body)
            ...
            return respond(completion, event)
        except Exception as error:
            return respond_error(error, event)

A response has the format of its event's source:

| kind of event | headers | cookies |
|---|---|---|
| `http_v2`, `function_url`, no event given | `headers` | `cookies` |
| `rest_v1` | `multiValueHeaders`, or `headers` if the event lacks multi-value headers | among the headers |
| `alb` | as for `rest_v1` | among the headers |
| `direct` | none: the response is the JSON value itself | none |

Single-value `headers` cannot repeat a name, so the name of each cookie has a different letter case: `set-cookie`,
`Set-cookie`, `sEt-cookie` and so on.

A response that is not streamed consists of JSON types only, which each of AWS's runtimes can serialise. A JSON body is
ASCII, a lone surrogate becomes U+FFFD, and a number that JSON cannot represent becomes null.

AWS's own runtime for Python cannot stream a response. Under `together_adapters.lambda_runtime`, `respond_stream`
returns a generator of the response's parts for function URLs, REST APIs and direct invocations. The environment
variable `TOGETHER_LAMBDA_STREAMING` controls this: that runtime sets it to `on`, and `off` turns it off. With `always`
the runtime sends every HTTP response as a stream, as a function URL in the mode RESPONSE_STREAM expects it.

Does no I/O, and needs no AWS package.
"""

from __future__ import annotations

import os

from ._events import EventKind, HttpEvent, unwrap
from ._responses import Response, ResponseTooLargeError, check_headers, check_status, internal_error
from ._sources import EventSource, FunctionURL, recognise, source_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .._types import ChatCompletionChunk
    from ..protocols import JSON, LambdaContext

    Headers = Mapping[str, "str | Sequence[str]"]

__all__ = [
    "STREAMING",
    "EventKind",
    "HttpEvent",
    "ResponseTooLargeError",
    "deadline_from",
    "parse_event",
    "respond",
    "respond_error",
    "respond_stream",
]

STREAMING = "TOGETHER_LAMBDA_STREAMING"
"""The environment variable that controls whether responses are streamed: `on`, `always` or `off`."""

# Pickles refer to the classes by their public module.
EventKind.__module__ = HttpEvent.__module__ = ResponseTooLargeError.__module__ = __name__

_SSE_HEADERS = {"content-type": "text/event-stream", "cache-control": "no-cache"}


def parse_event(event: JSON | HttpEvent) -> HttpEvent:
    """Return the request in a handler's event, which is a dict as Lambda sends it or a data class of Powertools.

    Raises ParseError if the event lacks a member that its kind always has, if a member has the wrong type, or if the
    payload of a direct invocation is not JSON. The error's `path` is the position in the event.

    >>> from together_adapters.aws_lambda import parse_event
    >>> context = {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:..."}}
    >>> parse_event({"requestContext": context, "httpMethod": "POST", "path": "/chat", "body": "{}"})
    HttpEvent(kind='alb', method='POST', path='/chat', 2 bytes)
    """
    return recognise(unwrap(event)).read()


def respond(
    value: object,
    event: JSON | HttpEvent = None,
    *,
    status: int = 200,
    headers: Headers | None = None,
    cookies: Sequence[str] = (),
) -> JSON:
    """Return the handler's result that sends `value` as the response to `event`.

    `value` is JSON (see below), text, bytes, or None for an empty body. Text is sent as text/plain and bytes as
    application/octet-stream, unless `headers` has a content type. Bytes that are not UTF-8 are sent as base64.

    `event` is the handler's event or the result of `parse_event`, and `cookies` are the values of Set-Cookie headers.
    For a direct invocation the JSON value itself is returned, without the status and the headers.

    JSON consists, at any depth, of values of together_types, other objects with `to_dict` or `_asdict`, dataclasses,
    mappings, lists, tuples, sets, text, numbers and None. Raises ResponseTooLargeError above 6 MiB of JSON (1 MiB
    for a load balancer), ValueError for an invalid status or header, and TypeError for a value that is not JSON or a
    header value that is not a string.

    >>> from together_adapters.aws_lambda import respond
    >>> respond({"answer": 42})["body"]
    '{"answer":42}'
    """
    return source_of(event).format(Response(check_status(status), check_headers(headers, cookies), value))


def respond_error(exc: BaseException, event: JSON | HttpEvent = None) -> JSON:
    """Return the handler's result that reports an exception: OpenAI's error body, with a matching status.

    An error of the upstream server keeps its status, request id and Retry-After. Without a status it becomes 502, and a
    timeout 504. ParseError becomes 400, and ResponseTooLargeError 413. Any other exception becomes 500, and the body
    contains only the name of its class.

    The body contains no secrets of the environment, no credentials of the request, and no other text that looks like a
    key. The function does not raise exceptions.

    >>> from together_adapters.aws_lambda import respond_error
    >>> respond_error(ValueError("not shown to the caller"))["statusCode"]
    500
    """
    source: EventSource = FunctionURL({})
    try:
        source = source_of(event)
        return source.format_error(exc)
    except Exception:  # raised by code of the exception or of the event
        return source.format(internal_error())


def respond_stream(
    chunks: Iterable[ChatCompletionChunk | Mapping[str, JSON]],
    event: JSON | HttpEvent = None,
    *,
    status: int = 200,
    headers: Headers | None = None,
    cookies: Sequence[str] = (),
    streaming: bool | None = None,
) -> JSON:
    """Return the handler's result that sends chunks as an event stream, which ends with [DONE].

    `chunks` are ChatCompletionChunk values or mappings. If the response can be streamed, the result is a generator. It
    yields a dict of status, headers and cookies (not for a direct invocation), and then bytes as the chunks arrive.
    Otherwise the result is a response as from `respond`, whose body is the whole stream. `streaming` overrides the
    environment variable (see the module).

    An APIError before the first chunk becomes a response as from `respond_error`. A later exception becomes an error
    frame in the stream. `chunks` is closed at the end, and when a generator that has started is closed.

    Raises the exceptions of `respond`, and an exception before the first chunk that is not an APIError. If the response
    is streamed, the generator raises it. The generator also raises a later one, after the error frame.
    """
    from ._streams import buffered, streamed

    source = source_of(event)
    response = Response(check_status(status), check_headers(headers, cookies))
    for name, value in _SSE_HEADERS.items():
        response.headers.setdefault(name, [value])
    if streaming is None:
        streaming = os.environ.get(STREAMING, "off") in ("on", "always")
    target = source.when_streamed() if streaming else None
    return buffered(chunks, source, response) if target is None else streamed(chunks, target, response)


def deadline_from(context: LambdaContext, margin: float = 0.5) -> float:
    """Return the `deadline=` of a call that leaves `margin` seconds to send the response before Lambda's time limit.

    The result is a time of the clock `time.monotonic()`, in seconds. `context` is the second argument of the handler.
    Raises TypeError for another object.
    """
    from time import monotonic

    remaining = getattr(context, "get_remaining_time_in_millis", None)
    if remaining is None:
        raise TypeError(f"expected the context that Lambda passes to a handler, got {type(context).__name__}")
    return float(monotonic() + remaining() / 1000 - margin)
