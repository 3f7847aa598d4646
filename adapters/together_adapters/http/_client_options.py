"""The settings of a client and the state of a call, for the synchronous and the asynchronous client.

Does no I/O and does not sleep.
"""

from __future__ import annotations

from ..errors import APIError
from ..stream import reader_class
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
    from ..stream import ChunkReader
    from . import Headers, Request, Secret
    from ._http1 import Fields
    from ._timeouts import DeadlineLike, Timeout
    from ._url import Endpoint

__all__ = ["MAX_BODY", "MAX_ERROR_BODY", "Call", "Options"]

MAX_BODY = 64 * 2**20  # bytes of a response that is not streamed
MAX_ERROR_BODY = 65536  # bytes of a response with an error status


class Options:
    """The settings of a client's calls. Raises ValueError for an invalid API key or `max_event_bytes`."""

    def __init__(
        self,
        endpoint: Endpoint,
        secret: Secret,
        headers: Headers,
        *,
        timeout: Timeout,
        deadline: DeadlineLike | None,
        max_retries: int,
        max_event_bytes: int,
        split_thinking: bool,
    ) -> None:
        self.endpoint = endpoint
        self.secret = secret
        self.headers = headers
        self.timeout = timeout
        self.deadline = deadline
        self.max_retries = max_retries
        self.max_event_bytes: int = _checked_size(max_event_bytes)
        self.split_thinking = split_thinking
        if secret.is_constant:
            secret.value()

    def call(
        self, parameters: Mapping[str, Any], *, timeout: float | Timeout | None, deadline: DeadlineLike | None
    ) -> Call:
        """Return a call with these parameters, whose time limits start now.

        Raises the errors of `request_of` and `timeout_of`.
        """
        timeouts = CallTimeouts(
            self.timeout if timeout is None else timeout_of(timeout),
            self.deadline if deadline is None else deadline,
        )
        request = request_of(self.endpoint, self.secret, self.headers, parameters)
        n = parameters.get("n")
        new_reader = reader_class(split_thinking=self.split_thinking)
        reader = new_reader(
            n=n if isinstance(n, int) else None, max_event_bytes=self.max_event_bytes, conceal=request.concealed
        )
        streamed = bool(parameters.get("stream"))
        return Call(request, timeouts, Attempts(self.max_retries, timeouts), reader, streamed=streamed)

    def __repr__(self) -> str:
        return f"base_url={self.endpoint.url.rpartition('/chat/')[0]!r}"


class Call:
    """One call, whose attempts share a request and time limits."""

    def __init__(
        self, request: Request, timeouts: CallTimeouts, attempts: Attempts, reader: ChunkReader, *, streamed: bool
    ) -> None:
        self.request = request
        self.reader = reader
        self.server: str = request.endpoint.authority
        self.timeouts = timeouts
        self.attempts = attempts
        self.streamed = streamed
        self._should_retry = ""

    @hide_variables  # the body may repeat the key
    def response(self, status: int, headers: Fields, body: bytes) -> ChatCompletionResponse:
        """Return the chat completion in a successful response.

        Raises APIStatusError if the body is something else, and the errors of `completion_in`.
        """
        try:
            response = completion_in(headers, body, self.reader)
        except APIError as error:
            self.request.conceal(error)
            raise
        if response is None:
            body = self.request.without_secret(body)
            raise self.request.conceal(no_completion_error(status, headers, body, self.server))
        return self.reader.split(response)

    def refusal(self, status: int, headers: Fields, body: bytes) -> APIStatusError:
        """Return the error for a response with an error status."""
        self._should_retry = headers.get("x-should-retry")
        body = self.request.without_secret(body)[:MAX_ERROR_BODY]
        return self.request.conceal(status_error(status, headers, body, self.server))

    def pause_after(self, error: APIError) -> float:
        """Return the seconds to wait before the next attempt. Raises the error if there is no next attempt."""
        should_retry, self._should_retry = self._should_retry, ""
        pause = self.attempts.pause_after(error, should_retry)
        if pause is None:
            raise error
        return pause


def _checked_size(size: object) -> int:
    if not isinstance(size, int) or isinstance(size, bool) or size <= 0:
        raise ValueError(f"max_event_bytes must be a positive number of bytes, got {size!r}")
    return size
