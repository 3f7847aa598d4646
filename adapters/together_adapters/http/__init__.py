"""Requests and answers as values: what is sent, and what the status, the headers and the body of an answer mean.

It never opens a socket or waits. A key is checked before it is used, and kept where no repr, no message and no variable of a
traceback shows it: in `Secret`, and in `Headers`, whose repr has no values.
"""

from __future__ import annotations

import json

from .._error_messages import message_in, text_of_page
from .._http_fields import is_token
from .._json_data import is_dict, is_list
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
    UnprocessableEntityError,
)
from ..stream._reader import ChunkReader
from ._http1 import Fields
from ._retries import rate_limits_in, retry_after_in
from ._timeouts import Timeout
from ._url import BaseURL, Endpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    from ..errors import APIError
    from ..protocols import JSON

    E = TypeVar("E", bound=APIError)

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

Timeout.__module__ = __name__  # the public module, which pickles name

DEFAULT_BASE_URL = "https://api.together.xyz/v1"
"""Together's own API."""

_OWN = ("host", "content-length", "transfer-encoding", "connection")  # what says where a request ends
_TELLTALE = ("auth", "cookie", "key", "secret", "token")  # in the names of headers that carry credentials
_ERRORS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}


class Secret:
    """An API key, or a function that gives it for each request; its repr shows neither."""

    def __init__(self, source: str | Callable[[], str] | None) -> None:
        self._source = source

    @property
    def is_constant(self) -> bool:
        """Whether the key is known, not asked for before each call."""
        return not callable(self._source)

    def __bool__(self) -> bool:
        return bool(self._source)

    def __repr__(self) -> str:
        return "<an API key>" if self else "<no API key>"

    def _given(self) -> Any:
        return self._source() if callable(self._source) else self._source or ""

    def value(self) -> str:
        """The key; raises ValueError for one that no header can hold."""
        key = self._given()
        if not (isinstance(key, str) and key.isascii() and key.isprintable() and " " not in key):
            key = ""
            raise ValueError("the API key has characters that a header cannot hold, such as a line end")
        return key


class Headers(dict[str, str]):
    """Header fields to send; the repr has no values, because some of them are secrets."""

    def __repr__(self) -> str:
        return f"<headers {', '.join(self)}>"

    def credentials(self) -> list[str]:
        """The values of the headers whose names look like those of credentials."""
        return [self[name] for name in self if any([word in name.lower() for word in _TELLTALE])]

    def check(self) -> None:
        """Raises ValueError for a field that cannot be sent or is not the caller's to set."""
        for name in self:
            if not is_token(name):
                raise ValueError(f"not the name of a header: {name!r}")
            if name.lower() in _OWN:
                raise ValueError(f"the header {name} is the client's own")
            if not _can_be_sent(self[name]):
                raise ValueError(f"the header {name} has characters that a header cannot hold, such as a line end")

    def merged(self, over: Mapping[str, str]) -> Headers:
        """These fields, and those of `over` in place of the ones of the same name."""
        names = {name.lower() for name in over}
        return Headers({**{name: value for name, value in self.items() if name.lower() not in names}, **over})


def _can_be_sent(value: object) -> bool:
    return isinstance(value, str) and all(
        [(" " <= mark <= "\xff" and not "\x7f" <= mark <= "\x9f") or mark == "\t" for mark in value]
    )


class Request:
    """One request, made once and sent as often as it takes; what its headers hold of credentials no report shows."""

    method = "POST"

    def __init__(self, endpoint: Endpoint, headers: Headers, body: bytes) -> None:
        self.endpoint = endpoint
        self.headers = headers
        self.body = body

    def __repr__(self) -> str:
        return f"<{self.method} {self.endpoint.origin}>"

    def to_bytes(self, more: Headers | None = None, *, absolute: bool = False) -> bytes:
        """The request as HTTP/1.1; through a proxy its target is `absolute`."""
        target = self.endpoint.url if absolute else self.endpoint.target
        lines = [f"{self.method} {target} HTTP/1.1", f"Host: {self.endpoint.authority}"]
        lines += [f"{name}: {value}" for name, value in {**self.headers, **(more or {})}.items()]
        lines += [f"Content-Length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.body

    def without_secret(self, data: bytes) -> bytes:
        """Bytes of an answer in which the server has not repeated the key."""
        for secret in self._secrets():
            data = data.replace(secret.encode("utf-8"), b"***")
        return data

    def conceal(self, error: E) -> E:
        """Take out of an error what a server repeated of the credentials, in JSON also with escapes; gives the error."""
        secrets = self._secrets()
        cause = error.__cause__
        if cause is not None and _concealed(str(cause), secrets) != str(cause):
            error.__cause__ = None
        error.args = tuple(_concealed(list(error.args), secrets))
        for name, value in vars(error).items():
            setattr(error, name, _concealed(value, secrets))
        return error

    def _secrets(self) -> list[str]:
        # A short word, such as the scheme before the key, may well be in an answer without being a secret.
        return [word for value in self.headers.credentials() for word in value.split() if len(word) > 7]


def _concealed(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "***")
        return value
    if is_list(value):
        return [_concealed(item, secrets) for item in value]
    if is_dict(value):
        return {_concealed(name, secrets): _concealed(item, secrets) for name, item in value.items()}
    return value


def endpoint_at(
    base_url: BaseURL, path: str = "/chat/completions", *, insecure_http: bool, with_credentials: bool
) -> Endpoint:
    """Where requests go, those for chat completions unless `path` names others; raises ValueError for a URL that will not do.

    A key is sent in the clear only to this machine, unless `insecure_http` asks for it.
    """
    endpoint = base_url.endpoint(path)
    if endpoint.scheme == "http" and with_credentials and not (insecure_http or endpoint.is_loopback):
        raise ValueError(
            "an API key is sent over https only, except to this machine: use https, give api_key='' to send none,"
            " or insecure_http=True where the network is trusted"
        )
    return endpoint


def request_of(endpoint: Endpoint, secret: Secret, supplied: Headers, parameters: Mapping[str, JSON]) -> Request:
    """A request with these parameters; those that are None are left out.

    Values of together_types may stand for objects. Raises TypeError or ValueError for what JSON cannot hold.
    """
    given = {name: value for name, value in parameters.items() if value is not None}
    body = json.dumps(given, allow_nan=False, separators=(",", ":"), default=_as_json).encode("ascii")
    headers = Headers(
        {
            "Accept": "text/event-stream" if given.get("stream") else "application/json",
            "Content-Type": "application/json",
            "User-Agent": f"together-types/{__version__}",  # Cloudflare refuses urllib's own
        }
    )
    if secret:
        headers["Authorization"] = "Bearer " + secret.value()
    return Request(endpoint, headers.merged(supplied), body)


def _as_json(value: Any) -> Any:
    to_dict = getattr(value, "to_dict", None)
    if to_dict is not None:
        return to_dict()
    if hasattr(value, "keys"):
        return dict(value)
    raise TypeError(f"a request cannot hold {type(value).__name__}: give what JSON has, or values of together_types")


# ---- answers


def status_error(status: int, headers: Fields, body: bytes, host: str) -> APIStatusError:
    """The error that an answer is, from whatever body came with it."""
    content, text = _json_in(body), body.decode("utf-8", "replace").strip()
    said = message_in(content) or text_of_page(text) or "no reason given"
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


def completion_in(headers: Fields, body: bytes) -> ChatCompletionResponse | None:
    """The response in the body of a successful answer; None where it is none, or an error.

    An event stream, which was not asked for, is accumulated; raises what a stream raises.
    """
    if headers.get("content-type").lower().startswith("text/event-stream"):
        return _accumulated(body)
    content = _json_in(body)
    if is_dict(content) and "choices" in content and not content.get("error"):
        try:
            return ChatCompletionResponse.from_json(body)
        except ParseError:  # not UTF-8
            return None
    return None


def no_completion_error(status: int, headers: Fields, body: bytes, host: str) -> APIStatusError:
    """The error that a successful answer is whose body says otherwise."""
    error = status_error(status, headers, body, host)
    if not message_in(_json_in(body)):
        details = {name: value for name, value in vars(error).items() if name != "message"}
        error = APIStatusError(f"{error.message} (this is no chat completion)", **details)
    return error


def _accumulated(body: bytes) -> ChatCompletionResponse:
    reader = ChunkReader()
    reader.feed(body)
    reader.finish()
    if reader.error is not None:
        raise reader.error
    return reader.completion.response


def _json_in(body: bytes) -> Any:
    try:
        return loads(body.decode("utf-8", "replace"))
    except ParseError:
        return None


def _origin_in(location: str) -> str:
    try:
        return BaseURL(location).endpoint("").origin
    except ValueError:
        return "another path" if location.startswith("/") and not location.startswith("//") else "an unknown place"
