"""The settings of a client, and what both clients do with one call between its reads and pauses. Does no I/O."""

from __future__ import annotations

from ..errors import APIError
from ..stream._reader import ChunkReader
from . import completion_in, no_completion_error, request_of, status_error
from ._retries import Attempts
from ._secrets import hide_variables
from ._timeouts import CallTimeouts, timeout_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .._types import ChatCompletionResponse
    from ..errors import APIStatusError
    from . import Headers, Request, Secret
    from ._http1 import Fields
    from ._timeouts import DeadlineLike, Timeout
    from ._url import Endpoint

__all__ = ["MAX_BODY", "MAX_ERROR_BODY", "Call", "Options"]

MAX_BODY = 64 * 2**20  # bytes of an answer that is not streamed
MAX_ERROR_BODY = 65536


class Options:
    """The settings of a client's calls, checked."""

    def __init__(
        self,
        endpoint: Endpoint,
        secret: Secret,
        headers: Headers,
        *,
        timeout: Timeout,
        deadline: DeadlineLike | None,
        max_retries: int,
    ) -> None:
        self.endpoint = endpoint
        self.secret = secret
        self.headers = headers
        self.timeout = timeout
        self.deadline = deadline
        self.max_retries = max_retries
        if secret.is_constant:
            secret.value()

    def call(
        self, parameters: Mapping[str, Any], *, timeout: float | Timeout | None, deadline: DeadlineLike | None
    ) -> Call:
        """Return one call with these parameters; its time begins now."""
        timeouts = CallTimeouts(
            self.timeout if timeout is None else timeout_of(timeout),
            self.deadline if deadline is None else deadline,
        )
        request = request_of(self.endpoint, self.secret, self.headers, parameters)
        streamed = bool(parameters.get("stream"))
        return Call(request, timeouts, Attempts(self.max_retries, timeouts), streamed=streamed, n=parameters.get("n"))

    def __repr__(self) -> str:
        return f"base_url={self.endpoint.url.rpartition('/chat/')[0]!r}"


class Call:
    """One call: the same request for every attempt, within the same limits."""

    def __init__(
        self, request: Request, timeouts: CallTimeouts, attempts: Attempts, *, streamed: bool, n: object = None
    ) -> None:
        self.request = request
        self._n = n if isinstance(n, int) else None
        self.server: str = request.endpoint.authority
        self.timeouts = timeouts
        self.attempts = attempts
        self.streamed = streamed
        self._should_retry = ""

    def reader(self) -> ChunkReader:
        """Return a reader for the stream that answers the call."""
        return ChunkReader(n=self._n, conceal=self.request.concealed)

    @hide_variables  # the body may repeat the key
    def response(self, status: int, headers: Fields, body: bytes) -> ChatCompletionResponse:
        """Return the response in a successful answer; raises APIStatusError if its body is not a chat completion."""
        try:
            response = completion_in(headers, body)
        except APIError as error:
            self.request.conceal(error)
            raise
        if response is None:
            body = self.request.without_secret(body)
            raise self.request.conceal(no_completion_error(status, headers, body, self.server))
        return response

    def refusal(self, status: int, headers: Fields, body: bytes) -> APIStatusError:
        """Return the error for an answer whose status is not a success."""
        self._should_retry = headers.get("x-should-retry")
        body = self.request.without_secret(body)[:MAX_ERROR_BODY]
        return self.request.conceal(status_error(status, headers, body, self.server))

    def pause_after(self, error: APIError) -> float:
        """Return the seconds to wait before the next attempt; raises the error if it was the last."""
        should_retry, self._should_retry = self._should_retry, ""
        pause = self.attempts.pause_after(error, should_retry)
        if pause is None:
            raise error
        return pause
