"""A streamed chat completion over urllib."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request

from ._types import ErrorData, ParseError, TogetherErrorResponse
from .errors import APIError
from .stream import ChunkStream, iter_chunks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from email.message import Message
    from typing import IO, Any

__all__ = ["DEFAULT_BASE_URL", "open_stream"]

DEFAULT_BASE_URL = "https://api.together.xyz/v1"
_LONGEST_ERROR_BODY = 65536
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """urllib would carry the Authorization header to whatever host a redirect names."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None


def open_stream(base_url: str, body: dict[str, Any], *, api_key: str | None = None, timeout: float = 60) -> ChunkStream:
    """Post a request to `base_url`/chat/completions and stream its answer; `timeout` is in seconds, for each wait.

    Raises APIError where the server refuses or cannot be reached, ValueError for a URL that is not http or
    https, or would send the key in the clear to another machine, and for a key that no header can hold.
    """
    url = urllib.parse.urlsplit(base_url)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError(f"not an http or https URL: {base_url!r}")
    headers = {
        "Content-Type": "application/json",
        "Accept": "text/event-stream",
        "User-Agent": "together-types",  # Cloudflare refuses urllib's own
    }
    if api_key:
        if url.scheme == "http" and url.hostname not in _LOOPBACK:
            raise ValueError("an API key is sent over https only, except to this machine")
        if not (api_key.isascii() and api_key.isprintable() and " " not in api_key):
            raise ValueError("the API key has characters that a header cannot hold, such as a line end")
        headers["Authorization"] = f"Bearer {api_key}"
    data = json.dumps({**body, "stream": True}).encode("ascii")
    target = base_url.rstrip("/") + "/chat/completions"
    request = urllib.request.Request(target, data=data, headers=headers, method="POST")
    # A proxy has no way to this machine's own loopback.
    handlers = [urllib.request.ProxyHandler({})] if url.hostname in _LOOPBACK else []
    try:
        response = urllib.request.build_opener(_NoRedirect, *handlers).open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        with error:
            detail = error.read(_LONGEST_ERROR_BODY).decode("utf-8", "replace").strip()
        raise APIError(f"status {error.code} from {url.hostname}: {_message_of(detail)}") from None
    except (OSError, http.client.HTTPException) as error:
        raise APIError(f"cannot reach {url.hostname}: {getattr(error, 'reason', error)}") from None
    return iter_chunks(response)


def _message_of(body: str) -> str:
    """What an error body says: its message where it has one, else its beginning."""
    try:
        error = ErrorData.from_json(body).error or TogetherErrorResponse.from_json(body)
    except ParseError:
        return body[:200]
    return (error if isinstance(error, str) else error.message or body)[:200]
