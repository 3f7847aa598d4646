"""The settings of a client and the state of a call, for the synchronous and the asynchronous client.

Does no I/O and does not sleep.
"""

from __future__ import annotations

from ..errors import APIError
from ..stream import reader_class
from . import Secret, completion_in, no_completion_error, status_error
from ._requests import check_encryption, request_of
from ._retries import Attempts
from ._secrets import headers_of, hide_variables
from ._timeouts import CallTimeouts, timeout_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .._types import ChatCompletionResponse
    from ..errors import APIStatusError
    from ..protocols import JSON
    from ..stream import ChunkReader
    from . import Headers, Request
    from ._http1 import Fields
    from ._timeouts import DeadlineLike, Timeout
    from ._url import Endpoint

__all__ = ["MAX_BODY", "MAX_ERROR_BODY", "Call", "CallOptions", "Options"]

MAX_BODY = 64 * 2**20  # bytes of a response that is not streamed
MAX_ERROR_BODY = 65536  # bytes of a response with an error status


_NO_KEY = Secret("")


class CallOptions:
    """The settings that `create` was given for one call, not yet checked. None means the setting of the client.

    The repr shows none of them, because headers and query may contain secrets.
    """

    __slots__ = ("body", "deadline", "headers", "max_retries", "query", "timeout")

    def __init__(
        self,
        timeout: float | Timeout | None,
        deadline: DeadlineLike | None,
        max_retries: int | None,
        headers: Mapping[str, str] | None,
        query: Mapping[str, object] | None,
        body: Any,
    ) -> None:
        self.timeout: float | Timeout | None = timeout
        self.deadline: DeadlineLike | None = deadline
        self.max_retries: int | None = max_retries
        self.headers: Mapping[str, str] | None = headers
        self.query: Mapping[str, object] | None = query
        self.body: Any = body

    def extra_body(self) -> Mapping[str, JSON]:
        """Return the additional parameters. Raises ValueError if they are neither a mapping nor a value."""
        if self.body is None:
            return {}
        body: Any = self.body.to_dict() if hasattr(self.body, "to_dict") else self.body
        if not hasattr(body, "keys"):
            raise ValueError(f"extra_body must be a mapping, got {type(body).__name__}")
        parameters: Mapping[str, JSON] = body
        return parameters


class Options:
    """The settings of a client's calls. Raises ValueError for an invalid or unprotected credential, or a wrong number.

    The names of the parameters are those of the attributes.
    """

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
        insecure_http: bool,
    ) -> None:
        self.endpoint = endpoint
        self.secret = secret
        self.headers = headers
        self.timeout = timeout
        self.deadline = deadline
        self.max_retries: int = _checked_retries(max_retries)
        self.max_event_bytes: int = _checked_size(max_event_bytes)
        self.split_thinking = split_thinking
        self.insecure_http = insecure_http
        if secret.is_constant:
            secret.value()
        self._check_encryption(headers, with_key=bool(secret))

    def replaced(self, **settings: Any) -> Options:
        """Return these settings with others in place of those that are not None. Raises the errors of the class."""
        changed = {name: value for name, value in settings.items() if value is not None}
        return Options(**{**vars(self), **changed})

    def call(self, parameters: Mapping[str, Any], own: CallOptions) -> Call:
        """Return a call with these parameters and its own settings. Its time limits start now.

        If the key is a function, it is called later, because it may be a coroutine function. Raises the errors of
        `request_of`, `timeout_of` and `headers_of`, and those of invalid settings.
        """
        timeouts = CallTimeouts(
            self.timeout if own.timeout is None else timeout_of(own.timeout),
            self.deadline if own.deadline is None else own.deadline,
        )
        retries = self.max_retries if own.max_retries is None else _checked_retries(own.max_retries)
        endpoint = self.endpoint if own.query is None else self.endpoint.with_query(own.query)
        headers = self._headers_with(own)
        extra_body = own.extra_body()
        constant = self.secret.is_constant
        request = request_of(endpoint, self.secret if constant else _NO_KEY, headers, parameters, extra_body)
        n = extra_body.get("n", parameters.get("n"))
        new_reader = reader_class(split_thinking=self.split_thinking)
        reader = new_reader(
            n=n if isinstance(n, int) else None, max_event_bytes=self.max_event_bytes, conceal=request.concealed
        )
        streamed = bool(parameters.get("stream"))
        call = Call(request, timeouts, Attempts(retries, timeouts), reader, streamed=streamed)
        if not constant and not any([name.lower() == "authorization" for name in headers]):
            call.secret = self.secret
        return call

    def _headers_with(self, own: CallOptions) -> Headers:
        if own.headers is None:
            return self.headers
        added = headers_of("extra_headers", own.headers)
        self._check_encryption(added, with_key=False)
        return self.headers.merged(added)

    def _check_encryption(self, headers: Headers, *, with_key: bool) -> None:
        check_encryption(
            self.endpoint, insecure_http=self.insecure_http, with_credentials=with_key or bool(headers.credentials())
        )

    def __repr__(self) -> str:
        return f"base_url={self.endpoint.url.rpartition('/chat/')[0]!r}"


class Call:
    """One call, whose attempts share a request and time limits.

    If `secret` is not None, the client adds its key to the request before the first attempt.
    """

    def __init__(
        self, request: Request, timeouts: CallTimeouts, attempts: Attempts, reader: ChunkReader, *, streamed: bool
    ) -> None:
        self.request = request
        self.reader = reader
        self.server: str = request.endpoint.authority
        self.timeouts = timeouts
        self.attempts = attempts
        self.streamed = streamed
        self.secret: Secret | None = None
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


def _checked_retries(retries: object) -> int:
    if not isinstance(retries, int) or isinstance(retries, bool) or retries < 0:
        raise ValueError(f"max_retries must be a whole number of at least 0, got {retries!r}")
    return retries


def _checked_size(size: object) -> int:
    if not isinstance(size, int) or isinstance(size, bool) or size <= 0:
        raise ValueError(f"max_event_bytes must be a positive number of bytes, got {size!r}")
    return size
