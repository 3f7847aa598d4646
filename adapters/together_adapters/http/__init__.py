"""HTTP requests and responses as values: the bytes to send, and the meaning of a status, its headers and its body.

API keys are checked before they are used, and are kept out of errors as described in `_secrets`. Does no I/O.
"""

from __future__ import annotations

from .._error_messages import message_in, text_of_page
from .._json_data import is_dict, request_json
from .._types import ChatCompletionResponse, ParseError, __version__, loads
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
from ._retries import rate_limits_in, retry_after_in
from ._secrets import Headers, Secret, conceal, concealed, credentials_in_query, hide_variables
from ._timeouts import Timeout
from ._url import endpoint_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeVar

    from ..protocols import JSON
    from ._url import Endpoint

    E = TypeVar("E", bound=Exception)

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
]

Headers.__module__ = Secret.__module__ = Timeout.__module__ = __name__  # pickles refer to the public module

DEFAULT_BASE_URL = "https://api.together.xyz/v1"
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


class Request:
    """The request of a call, sent unchanged in every attempt. Its repr omits the headers, which contain credentials."""

    method = "POST"

    def __init__(self, endpoint: Endpoint, headers: Headers, body: bytes) -> None:
        self.endpoint = endpoint
        self.headers = headers
        self.body = body

    def __repr__(self) -> str:
        return f"<{self.method} {self.endpoint.origin}>"

    def authorize(self, key: str) -> None:
        """Add an API key."""
        self.headers["Authorization"] = "Bearer " + key

    def to_bytes(self, more: Headers | None = None, *, absolute: bool = False) -> bytes:
        """Return the bytes of the request in HTTP/1.1, with additional header fields from `more`.

        With `absolute` the target is the full URL, which a proxy requires (RFC 9112, section 3.2.2).
        """
        target = self.endpoint.url if absolute else self.endpoint.target
        lines = [f"{self.method} {target} HTTP/1.1", f"Host: {self.endpoint.authority}"]
        lines += [f"{name}: {value}" for name, value in {**self.headers, **(more or {})}.items()]
        lines += [f"Content-Length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.body

    def without_secret(self, data: bytes) -> bytes:
        """Return a body in which the credentials of this request are replaced, also if written with JSON escapes."""
        return str(concealed(data.decode("latin-1"), self._secrets())).encode("latin-1")

    def conceal(self, error: E) -> E:
        """Replace the credentials of this request in an error and return the error.

        The error's body is parsed JSON, so credentials that the server wrote with escapes are found too.
        """
        return conceal(error, self._secrets())

    def concealed(self, value: JSON) -> JSON:
        """Return a JSON value, or text from the server, in which the credentials are replaced."""
        return concealed(value, self._secrets())

    def _secrets(self) -> list[str]:
        # Words of up to 7 characters, such as `Bearer`, are not replaced, because responses may contain them.
        values = [*self.headers.credentials(), *credentials_in_query(self.endpoint.target)]
        return [word for value in values for word in value.split() if len(word) > 7]


@hide_variables
def endpoint_at(
    base_url: str, path: str = "/chat/completions", *, insecure_http: bool, with_credentials: bool
) -> Endpoint:
    """Return the endpoint of chat completions, or of another `path`, at a base URL.

    Raises ValueError if the URL is invalid. Credentials require https, except for a loopback address or with
    `insecure_http`.
    """
    endpoint = endpoint_of(base_url, path)
    check_encryption(endpoint, insecure_http=insecure_http, with_credentials=with_credentials)
    return endpoint


def check_encryption(endpoint: Endpoint, *, insecure_http: bool, with_credentials: bool) -> None:
    """Raise ValueError if credentials would be sent unencrypted over a network."""
    if endpoint.scheme == "http" and with_credentials and not (insecure_http or endpoint.is_loopback):
        raise ValueError(
            "an API key is sent over https only, except to a loopback address: use an https URL, api_key='' to send no"
            " key, or insecure_http=True if the network is trusted"
        )


def request_of(
    endpoint: Endpoint,
    secret: Secret,
    supplied: Headers,
    parameters: Mapping[str, JSON],
    extra_body: Mapping[str, JSON] | None = None,
) -> Request:
    """Return a request with these parameters as its JSON body, without parameters that are `None`.

    The parameters in `extra_body` replace those of the same name, and are sent even if they are `None`. Parameters may
    contain values of together_types. Raises TypeError or ValueError for a value that JSON cannot represent.
    """
    given = {name: value for name, value in parameters.items() if value is not None}
    if extra_body:
        given.update(extra_body)
    body = request_json(given).encode("ascii")
    headers = Headers(
        {
            "Accept": "text/event-stream" if given.get("stream") else "application/json",
            "Content-Type": "application/json",
            "User-Agent": f"together-types/{__version__}",  # Cloudflare rejects the default of urllib
        }
    )
    request = Request(endpoint, headers, body)
    if secret:
        request.authorize(secret.value())
    if supplied:
        request.headers = headers.merged(supplied)
    return request


# ---- responses


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
