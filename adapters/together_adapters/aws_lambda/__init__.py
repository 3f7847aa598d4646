"""AWS Lambda: events to requests and values to responses, for every HTTP source and for direct invocations.

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
| `rest_v1` | `multiValueHeaders`, or `headers` if the event has no multi-value headers | among the headers |
| `alb` | the one of the two that the event has | among the headers; in `headers` in several spellings of `set-cookie` |
| `direct` | none: the response is the JSON value itself | none |

A returned value consists of dicts, lists and text that each of AWS's runtimes can serialise. A body is ASCII JSON, a
lone surrogate becomes U+FFFD, and a number that JSON cannot hold becomes null.

AWS's own runtime for Python cannot stream a response. Under `together_adapters.lambda_runtime`, `respond_stream`
returns a generator of the response's parts for function URLs, REST APIs and direct invocations. The environment
variable `TOGETHER_LAMBDA_STREAMING` controls this: that runtime sets it to `on`, and `off` turns it off. With `always`
the runtime sends every HTTP response as a stream, as a function URL in the mode RESPONSE_STREAM expects it.

Imports nothing of AWS's, and does no I/O: a handler returns what these functions return.
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

EventKind.__module__ = HttpEvent.__module__ = ResponseTooLargeError.__module__ = (
    __name__  # the public module, which pickles name
)

_SSE_HEADERS = {"content-type": "text/event-stream", "cache-control": "no-cache"}


def parse_event(event: JSON | HttpEvent) -> HttpEvent:
    """Return the request of a handler's event, which is a dict as Lambda sends it or a data class of Powertools.

    Raises ParseError, with the path in the event, if the event lacks a part that its kind always has, or has it with
    another type; also for a direct invocation whose payload is not JSON.
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
    """Return what a handler returns to send `value` as the response to `event`.

    `value` is one of our values, other JSON (see below), text, bytes, or None for an empty body. Text is sent as
    text/plain and bytes as application/octet-stream, unless `headers` has a content type; bytes that are not UTF-8 are
    sent as base64. `event` is the handler's, parsed or not; `cookies` are the values of Set-Cookie headers. For a
    direct invocation the JSON value itself is returned, which has no status and no headers.

    Raises ResponseTooLargeError above 6 MB of JSON (1 MB to a load balancer), ValueError for an invalid status or
    header, and TypeError for a value that is not JSON. JSON is, at any depth: our values and others with `to_dict` or
    `_asdict`, dataclasses, mappings, lists, tuples, sets, text, numbers and None.
    """
    return source_of(event).format(Response(check_status(status), check_headers(headers, cookies), value))


def respond_error(exc: BaseException, event: JSON | HttpEvent = None) -> JSON:
    """Return what a handler returns to report an exception: OpenAI's error body, with a matching status.

    An error of the upstream server keeps its status, request id and Retry-After. An error without a status is a 502, a
    timeout a 504, ParseError a 400, ResponseTooLargeError a 413. Any other exception is a 500 that names only its
    class. Text that looks like a key, secrets of the environment and credentials of the request are removed.
    Raises nothing.
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
    """Return what a handler returns to send chunks, values or their JSON, as an event stream that ends with [DONE].

    If the response can be streamed, this is a generator: it yields the prelude, a dict of status, headers and cookies
    (not for a direct invocation), then bytes as the chunks arrive. Otherwise it is a response as from `respond` whose
    body is the whole stream. `streaming` overrides the environment variable (see the module).

    An APIError before the first chunk becomes a response as from `respond_error`; a later exception becomes an error
    frame in the stream. The chunks are closed at the end in each case, also when the generator is closed. Raises as
    `respond` does.
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
    """Return the moment at which a call must be finished to leave `margin` seconds for the response, for `deadline=`.

    The moment is in seconds of the clock `time.monotonic()`. `context` is the handler's; raises TypeError for another
    object.
    """
    from time import monotonic

    remaining = getattr(context, "get_remaining_time_in_millis", None)
    if remaining is None:
        raise TypeError(f"expected the context that Lambda passes to a handler, got {type(context).__name__}")
    return float(monotonic() + remaining() / 1000 - margin)
