"""AWS Lambda: events to requests, values to responses, for every HTTP source and for direct invocation.

It never imports anything of AWS's, and never sends anything itself: a handler returns what it gives.

    def handler(event, context):
        try:
            request = ChatCompletionRequest.from_json(parse_event(event).body)
            ...
            return respond(completion, event)
        except Exception as error:
            return respond_error(error, event)

A response has the shape that its event asks for:

| kind of event | headers | cookies |
|---|---|---|
| `http_v2`, `function_url`, no event given | `headers` | `cookies` |
| `rest_v1` | `multiValueHeaders`, or `headers` where the event has no multi-value headers | among the headers |
| `alb` | whichever of the two the event has | among the headers; in `headers` in several spellings of `set-cookie` |
| `direct` | none: the response is the JSON value itself | none |

What is returned is dicts, lists and text that each of AWS's runtimes can marshal:
bodies are ASCII JSON, lone surrogates are U+FFFD, numbers that JSON cannot hold are null.

AWS's own runtime for Python cannot stream a response. Under `together_adapters.lambda_runtime`, `respond_stream`
gives a generator of the response's parts for function URLs, REST APIs and direct invocations. The environment
variable `TOGETHER_LAMBDA_STREAMING` says so: that runtime sets it to `on`, `off` turns it off, and `always` lets the
runtime send every HTTP response as a stream, as a function URL in the mode RESPONSE_STREAM expects it.
"""

from __future__ import annotations

import os

from ._events import EventKind, HttpEvent, kind_of, parse_event, raw_of
from ._responses import (
    ResponseTooLargeError,
    checked_headers,
    checked_status,
    error_response,
    failed_response,
    format_headers,
    response_to,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

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
"""The environment variable that says whether responses can be streamed: `on`, `always` or `off`."""

EventKind.__module__ = HttpEvent.__module__ = ResponseTooLargeError.__module__ = (
    __name__  # the public module, which pickles name
)

_STREAMED_KINDS = (EventKind.FUNCTION_URL, EventKind.REST_V1, EventKind.DIRECT)
_SSE_HEADERS = {"content-type": "text/event-stream", "cache-control": "no-cache"}


def respond(
    value: object,
    event: JSON | HttpEvent = None,
    *,
    status: int = 200,
    headers: Headers | None = None,
    cookies: Sequence[str] = (),
) -> JSON:
    """What a handler returns to send `value` as the answer to `event`.

    `value` is one of our values, any other JSON (see below), text, bytes, or None for an empty body. Text is sent
    as text/plain and bytes as application/octet-stream unless `headers` say otherwise; bytes that are no UTF-8 go
    out as base64. `event` is the handler's, parsed or not; `cookies` are the values of Set-Cookie headers. For a
    direct invocation the JSON value itself is returned, which has no status and no headers.

    Raises ResponseTooLargeError above 6 MB of JSON (1 MB to a load balancer), TypeError for what is no JSON: JSON
    are, at any depth, our values and others with `to_dict` or `_asdict`, dataclasses, mappings, lists, tuples, sets,
    text, numbers and None; ValueError for a status that is none and a header that HTTP cannot hold.
    """
    raw = raw_of(event)
    return response_to(value, raw, _kind(raw), checked_status(status), checked_headers(headers, cookies))


def respond_error(exc: BaseException, event: JSON | HttpEvent = None) -> JSON:
    """What a handler returns to report an exception: OpenAI's error body, with the status that fits.

    An error of the server behind keeps its status, request id and Retry-After. One without a status is a 502, of
    time a 504, ParseError a 400, ResponseTooLargeError a 413. Of any other exception only the class is told, as a
    500. What looks like a key, the secrets of the environment and the credentials of the request are left out.
    Never raises.
    """
    raw, kind = None, EventKind.FUNCTION_URL
    try:
        raw = raw_of(event)
        kind = _kind(raw)
        return error_response(exc, raw, kind)
    except Exception:  # of code that the exception, or the event, brings along
        return failed_response(raw, kind)


def respond_stream(
    chunks: Iterable[ChatCompletionChunk | Mapping[str, JSON]],
    event: JSON | HttpEvent = None,
    *,
    status: int = 200,
    headers: Headers | None = None,
    cookies: Sequence[str] = (),
    streaming: bool | None = None,
) -> JSON:
    """What a handler returns to send chunks, values or their JSON, as an event stream that ends with [DONE].

    Where the response can be streamed this is a generator: first the prelude, a dict of status, headers and cookies
    (not for a direct invocation), then bytes, as the chunks come. Elsewhere it is a response as from `respond`,
    with the whole stream as its body. `streaming` overrides what the environment says (see the module).

    An APIError before the first chunk becomes a response as from `respond_error`; a later exception an error
    frame in the stream. The chunks are closed at the end in each case, also when the generator is. Raises as
    `respond` does.
    """
    from ._streams import buffered, streamed

    raw = raw_of(event)
    kind, status = _kind(raw), checked_status(status)
    checked = checked_headers(headers, cookies)
    for name, value in _SSE_HEADERS.items():
        checked.setdefault(name, [value])
    if streaming is None:
        streaming = os.environ.get(STREAMING, "off") in ("on", "always")
    if not streaming or kind not in _STREAMED_KINDS:
        return buffered(chunks, raw, kind, status, checked)
    return streamed(
        chunks,
        raw,
        None
        if kind is EventKind.DIRECT
        else {"statusCode": status, **format_headers(checked, EventKind.FUNCTION_URL, raw)},
    )


def deadline_from(context: LambdaContext, margin: float = 0.5) -> float:
    """The moment by which a call must be over so that `margin` seconds are left to respond, for `deadline=`.

    It is a moment of the clock `time.monotonic()`, in seconds, from the handler's context. Raises TypeError for what
    is no context of Lambda.
    """
    from time import monotonic

    remaining = getattr(context, "get_remaining_time_in_millis", None)
    if remaining is None:
        raise TypeError(f"expected the context that Lambda gives to a handler, got {type(context).__name__}")
    return float(monotonic() + remaining() / 1000 - margin)


def _kind(raw: Any) -> EventKind:
    return EventKind.FUNCTION_URL if raw is None else kind_of(raw)
