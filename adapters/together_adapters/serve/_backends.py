"""The backends of `serve`: an upstream server, or recordings. Another thread can cancel a call to either.

A caller's key is sent to the upstream only if `serve` was started without a key. A backend cannot access the
caller's connection.
"""

from __future__ import annotations

import json
import os
from threading import Event, Lock

from .._json_data import is_dict, is_list
from .._types import __version__
from ..client import Together, body_of
from ..errors import NotFoundError
from ..http import Headers, Request, Secret, endpoint_at, status_error
from ..http._connecting import TLSSettings
from ..http._secrets import hide_variables
from ..http._sync_pool import Pool
from ..http._timeouts import CallTimeouts, timeout_of
from ..http._url import endpoint_of
from ..openai_format import from_openai
from ..stream import ChunkStream, iter_chunks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, Protocol, Union

    from .._types import ChatCompletionResponse

    Reply = Union[ChatCompletionResponse, ChunkStream]

    class Call(Protocol):
        def create(self, body: Mapping[str, Any]) -> Reply: ...
        def cancel(self) -> None: ...
        def finish(self) -> None: ...

    class Backend(Protocol):
        def call(self, key: str) -> Call: ...
        def models(self, key: str) -> list[dict[str, Any]]: ...


__all__ = ["Recordings", "Upstream", "model_of"]


def model_of(id: str) -> dict[str, Any]:
    """Return OpenAI's description of the model with this id."""
    return {"id": id, "object": "model", "created": 0, "owned_by": "together-types"}


# ---- an upstream server


class _UpstreamCall:
    """A call to the upstream server.

    Each call has a client of its own, because only closing the client wakes up a thread that waits for the response.
    """

    def __init__(self, client: Together, finish: Callable[[Together], object], together: bool) -> None:
        self._client = client
        self._finish = finish
        self._together = together

    def create(self, body: Mapping[str, Any]) -> Reply:
        """Send the request and return the response, or its stream. Raises the errors of the client."""
        parameters: Mapping[str, Any] = from_openai(body).to_dict() if self._together else body
        # As a keyword argument of `create`, a parameter called `timeout` would change the call and would not be sent.
        # In `extra_body`, a parameter is sent whatever its name is.
        asked: dict[str, Any] = {name: value for name, value in parameters.items() if value is not None}
        return self._client.chat.completions.create(
            model=asked["model"], messages=asked["messages"], stream=bool(asked.get("stream")), extra_body=asked
        )

    def cancel(self) -> None:
        """Close the connection, also while another thread uses it."""
        self._client.close()

    def finish(self) -> None:
        """End the call. Its client is kept for another call, or closed if it has the caller's key."""
        self._finish(self._client)


class Upstream:
    """The OpenAI-compatible server at `base_url`.

    `api_key` defaults to the environment variable TOGETHER_API_KEY. If the key is empty, the key that a caller sends is
    used for its call. A key is sent only to this server.

    With `together=True`, requests are converted from OpenAI's format to Together's. By default they are converted if
    the host of `base_url` belongs to Together. Raises ValueError for an invalid URL or key.
    """

    @hide_variables
    def __init__(self, base_url: str, api_key: str | None = None, *, together: bool | None = None) -> None:
        self._base_url = base_url
        self._secret = Secret(os.environ.get("TOGETHER_API_KEY") if api_key is None else api_key)
        is_together = endpoint_of(base_url).host.endswith((".together.ai", ".together.xyz"))
        self._together = is_together if together is None else together
        self._lock = Lock()
        self._idle = [self._new_client("")]  # raises ValueError now if the URL is invalid

    @hide_variables
    def call(self, key: str) -> _UpstreamCall:
        """Return a call for a caller who sent `key`. Raises ValueError for a key that cannot be sent in a header."""
        if not self._secret and key:
            client = self._new_client(key)
            return _UpstreamCall(client, Together.close, self._together)
        with self._lock:
            client = self._idle.pop() if self._idle else self._new_client("")
        return _UpstreamCall(client, self._take_back, self._together)

    def _new_client(self, key: str) -> Together:
        return Together(api_key=key or self._secret.value(), base_url=self._base_url, max_retries=0)

    def _take_back(self, client: Together) -> None:
        with self._lock:
            self._idle.append(client)

    @hide_variables
    def models(self, key: str) -> list[dict[str, Any]]:
        """Return the server's models. Together sends them as a bare list, OpenAI in an object.

        Raises APIError if the request fails, and ValueError for a key that cannot be sent in a header.
        """
        secret = self._secret or Secret(key)
        endpoint = endpoint_at(self._base_url, "/models", insecure_http=False, with_credentials=bool(secret))
        headers = Headers({"Accept": "application/json", "User-Agent": f"together-types/{__version__}"})
        if secret:
            headers["Authorization"] = "Bearer " + secret.value()
        pool = Pool(endpoint, TLSSettings(None, None))
        try:
            request = _Get(endpoint, headers, b"")
            answer = pool.send(request, CallTimeouts(timeout_of(None), None), streamed=False)
            body = request.without_secret(body_of(answer))
            if not 200 <= answer.status < 300:
                raise request.conceal(status_error(answer.status, answer.headers, body, endpoint.authority))
            return _models_in(body)
        finally:
            pool.close()


class _Get(Request):
    method = "GET"


def _models_in(body: bytes) -> list[dict[str, Any]]:
    try:
        listed: object = json.loads(body)
    except (ValueError, RecursionError):
        listed = None
    if is_dict(listed):
        listed = listed.get("data")
    models = [model for model in listed if is_dict(model)] if is_list(listed) else []
    return [{**model_of(""), **model, "object": "model"} for model in models]


# ---- recordings


class _Playback:
    """The playback of one recording. Cancelling it ends it in the current pause or the next one."""

    def __init__(self, recordings: Mapping[str, Iterable[tuple[float, bytes]]]) -> None:
        self._recordings = recordings
        self._cancelled = Event()

    def create(self, body: Mapping[str, Any]) -> Reply:
        """Return the response of the recording that the request names as its model, or its stream if `stream` is true.

        Raises NotFoundError if no recording has this name.
        """
        name = body["model"]
        if name not in self._recordings:
            names = ", ".join(self._recordings)
            said = {
                "message": f"model must be the name of a recording ({names}), got {name!r}",
                "param": "model",
                "code": "model_not_found",
            }
            raise NotFoundError(said["message"], status=404, body={"error": {**said, "type": "invalid_request_error"}})
        stream = iter_chunks(self._pieces(self._recordings[name]))
        if body.get("stream"):
            return stream
        for _ in stream:
            pass
        return stream.completion.response

    def _pieces(self, parts: Iterable[tuple[float, bytes]]) -> Iterator[bytes]:
        for pause, data in parts:
            if self._cancelled.wait(pause / 1000):
                return
            yield data

    def cancel(self) -> None:
        """Stop the playback."""
        self._cancelled.set()

    def finish(self) -> None:
        """Do nothing: a playback does not hold a connection."""


class Recordings:
    """A backend that plays recorded streams. A request names a recording as its model.

    A recording is an iterable of (pause, data): the pause before the data in milliseconds, and bytes.
    """

    def __init__(self, recordings: Mapping[str, Iterable[tuple[float, bytes]]]) -> None:
        self._recordings = recordings

    def call(self, key: str) -> _Playback:
        return _Playback(self._recordings)

    def models(self, key: str) -> list[dict[str, Any]]:
        return [model_of(name) for name in self._recordings]
