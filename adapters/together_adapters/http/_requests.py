"""The request of a call: where it is sent to, its header fields and its JSON body. Does no I/O."""

from __future__ import annotations

import os

from .._json_data import request_json
from .._types import __version__
from ._secrets import Headers, Secret, conceal, concealed, credentials_in_query, headers_of, hide_variables
from ._url import endpoint_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import TypeVar

    from ..protocols import JSON
    from ._url import Endpoint

    E = TypeVar("E", bound=Exception)

__all__ = ["BASE_URL", "Request", "check_encryption", "destination_of", "endpoint_at", "request_of"]

BASE_URL = "https://api.together.xyz/v1"


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


def destination_of(
    api_key: str | Callable[[], str | Awaitable[str]] | None,
    base_url: str | None,
    supplied_headers: Mapping[str, str] | None,
    *,
    insecure_http: bool,
) -> tuple[Endpoint, Secret, Headers]:
    """Return the endpoint, the key and the additional header fields for these arguments of a client.

    The defaults are the environment variables TOGETHER_API_KEY and TOGETHER_BASE_URL. Raises ValueError for an invalid
    argument, and if neither a key nor a base URL is set. The caller hides the variables of its frame.
    """
    secret = Secret(os.environ.get("TOGETHER_API_KEY") if api_key is None else api_key)
    base_url = base_url or os.environ.get("TOGETHER_BASE_URL")
    if not secret and not base_url:
        raise ValueError("no API key: set TOGETHER_API_KEY, give api_key=, or select another server with base_url=")
    headers = headers_of("supplied_headers", supplied_headers) if supplied_headers else Headers()
    endpoint = endpoint_at(
        base_url or BASE_URL,
        insecure_http=insecure_http,
        with_credentials=bool(secret) or bool(headers.credentials()),
    )
    return endpoint, secret, headers


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
