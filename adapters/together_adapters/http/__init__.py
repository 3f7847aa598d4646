"""HTTP requests and responses as values: the bytes to send, and the meaning of a status, its headers and its body.

`urllib_request` and `urllib_transport` send them with urllib. Their module is imported at their first use.

API keys are checked before they are used, and are kept out of errors as described in `_secrets`. Does no I/O.
"""

from __future__ import annotations

from .._error_messages import message_in, text_of_page
from .._json_data import is_dict
from .._types import ChatCompletionResponse, ParseError, loads
from ..errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    StreamError,
    UnprocessableEntityError,
)
from ..stream._reader import ChunkReader
from ._http1 import Fields
from ._requests import BASE_URL, Request, endpoint_at, request_of
from ._retries import rate_limits_in, retry_after_in
from ._secrets import Headers, Secret
from ._timeouts import Timeout
from ._url import endpoint_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._urllib import urllib_request, urllib_transport

__all__ = [
    "DEFAULT_BASE_URL",
    "Headers",
    "Request",
    "Secret",
    "Timeout",
    "completion_in",
    "endpoint_at",
    "no_completion_error",
    "request_of",
    "status_error",
    "urllib_request",
    "urllib_transport",
]

# Pickles refer to the public module.
Headers.__module__ = Request.__module__ = Secret.__module__ = Timeout.__module__ = __name__

DEFAULT_BASE_URL = BASE_URL
"""The base URL of Together's API."""

_ERRORS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}


def status_error(status: int, headers: Fields, body: bytes, host: str) -> APIStatusError:
    """Return the error for a response with an error status.

    It has the message from the body, and the request id, the retry time and the rate limits from the header fields.
    """
    content, text = _json_in(body), body.decode("utf-8", "replace").strip()
    said = message_in(content) or text_of_page(text) or "the response body is empty"
    if 300 <= status < 400:
        said = f"a redirect to {_origin_in(headers.get('location'))}, which is not followed: change base_url"
    cls = InternalServerError if status >= 500 else _ERRORS.get(status, APIStatusError)
    return cls(
        f"status {status} from {host}: {said}",
        status=status,
        body=text if content is None else content,
        request_id=headers.get("x-request-id") or headers.get("cf-ray") or None,
        retry_after=retry_after_in(headers),
        rate_limits=rate_limits_in(headers),
    )


def completion_in(headers: Fields, body: bytes, reader: ChunkReader | None = None) -> ChatCompletionResponse | None:
    """Return the chat completion in the body of a successful response, or None if the body contains something else.

    A body that is not one JSON document is read as a stream, because some servers stream without being asked, and some
    gateways append `data: [DONE]` to JSON. Raises StreamError or IncompleteStreamError if that stream contains an error
    or is cut off. `reader` is a new reader for it.
    """
    content = _json_in(body)
    if content is None:
        return _streamed_completion(headers, body, reader or ChunkReader())
    if is_dict(content) and "choices" in content and not content.get("error"):
        try:
            return ChatCompletionResponse.from_json(body)
        except ParseError:  # not UTF-8
            return None
    return None


def no_completion_error(status: int, headers: Fields, body: bytes, host: str) -> APIStatusError:
    """Return the error for a response with a successful status whose body is not a chat completion."""
    error = status_error(status, headers, body, host)
    if not message_in(_json_in(body)):
        details = {name: value for name, value in vars(error).items() if name != "message"}
        error = APIStatusError(f"{error.message} (this is not a chat completion)", **details)
    return error


def _streamed_completion(headers: Fields, body: bytes, reader: ChunkReader) -> ChatCompletionResponse | None:
    reader.feed(body)
    reader.finish()
    error = reader.error
    if error is None:
        return reader.completion.response
    is_stream = headers.get("content-type").lower().startswith("text/event-stream")
    if is_stream or reader.completion.response.choices or (isinstance(error, StreamError) and error.body is not None):
        raise error
    return None


def _json_in(body: bytes) -> Any:
    try:
        return loads(body.decode("utf-8", "replace"))
    except ParseError:
        return None


def _origin_in(location: str) -> str:
    try:
        return endpoint_of(location).origin
    except ValueError:
        return "another path" if location.startswith("/") and not location.startswith("//") else "an unknown location"


def __getattr__(name: str) -> object:
    if name not in ("urllib_request", "urllib_transport"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ._urllib import urllib_request, urllib_transport  # imports urllib.request, which takes 15 to 40 ms

    globals().update(urllib_request=urllib_request, urllib_transport=urllib_transport)
    found: object = globals()[name]
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
