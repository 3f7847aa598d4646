"""What both clients are made with, and what both do with an answer before the next read or pause.

It never reads, sends or sleeps, which is all that the two clients do differently.
"""

from __future__ import annotations

import os

from ..errors import APIError
from . import (
    DEFAULT_BASE_URL,
    Headers,
    Secret,
    completion_in,
    endpoint_at,
    no_completion_error,
    request_of,
    status_error,
)
from ._connecting import TLSSettings
from ._retries import Attempts
from ._timeouts import CallTimeouts, timeout_of
from ._url import BaseURL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from ssl import SSLContext
    from typing import Any

    from .._types import ChatCompletionResponse
    from ..errors import APIStatusError
    from . import Request
    from ._http1 import Fields
    from ._timeouts import DeadlineLike, Timeout
    from ._url import Endpoint

__all__ = ["MAX_BODY", "MAX_ERROR_BODY", "Call", "Options"]

MAX_BODY = 64 * 2**20  # bytes of an answer that is not streamed
MAX_ERROR_BODY = 65536
_RETRIES = 2


class Options:
    """A client's settings, checked."""

    def __init__(
        self,
        secret: Secret,
        headers: Headers,
        *,
        base_url: BaseURL | None,
        timeout: float | Timeout | None,
        max_retries: int | None,
        deadline: DeadlineLike | None,
        cafile: str | None,
        ssl_context: SSLContext | None,
        insecure_http: bool,
    ) -> None:
        if base_url is None and (named := os.environ.get("TOGETHER_BASE_URL")):
            base_url = BaseURL(named)
            del named
        if not secret and base_url is None:
            raise ValueError("no API key: set TOGETHER_API_KEY, give api_key=, or name another server with base_url=")
        headers.check()
        self.secret = secret
        self.headers = headers
        self.endpoint: Endpoint = endpoint_at(
            base_url or BaseURL(DEFAULT_BASE_URL),
            insecure_http=insecure_http,
            with_credentials=bool(secret) or bool(headers.credentials()),
        )
        self.timeout: Timeout = timeout_of(timeout)
        self.deadline = deadline
        self.max_retries: int = _RETRIES if max_retries is None else max_retries
        self.security: TLSSettings = TLSSettings(cafile, ssl_context)
        if secret.is_constant:
            secret.value()

    def call(
        self, parameters: Mapping[str, Any], timeout: float | Timeout | None, deadline: DeadlineLike | None
    ) -> Call:
        """One call with these parameters; its time begins now."""
        timeouts = CallTimeouts(
            self.timeout if timeout is None else timeout_of(timeout),
            self.deadline if deadline is None else deadline,
        )
        request = request_of(self.endpoint, self.secret, self.headers, parameters)
        return Call(request, timeouts, Attempts(self.max_retries, timeouts), streamed=bool(parameters.get("stream")))

    def __repr__(self) -> str:
        endpoint: Endpoint | None = getattr(self, "endpoint", None)  # not there yet where a setting was refused
        return f"base_url={endpoint.url.rpartition('/chat/')[0]!r}" if endpoint else ""


class Call:
    """One call: the same request for every attempt, within the same limits."""

    def __init__(self, request: Request, timeouts: CallTimeouts, attempts: Attempts, *, streamed: bool) -> None:
        self.request = request
        self.server: str = request.endpoint.authority
        self.timeouts = timeouts
        self.attempts = attempts
        self.streamed = streamed

    def response(self, status: int, headers: Fields, body: bytes) -> ChatCompletionResponse:
        """The response in an answer with a status of success; raises APIStatusError where its body is none."""
        try:
            response = completion_in(headers, body)
        except APIError as error:
            body = b""  # a traceback shows variables, those of the frames below too
            raise self.request.conceal(error).with_traceback(None)  # noqa: B904  it keeps its own cause
        if response is None:
            body = self.request.without_secret(body)
            raise self.request.conceal(no_completion_error(status, headers, body, self.server))
        return response

    def refusal(self, status: int, headers: Fields, body: bytes) -> APIStatusError:
        body = self.request.without_secret(body)[:MAX_ERROR_BODY]
        return self.request.conceal(status_error(status, headers, body, self.server))
