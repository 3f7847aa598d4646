"""The exceptions for errors between sending a request and receiving its last chunk.

All are subclasses of APIError. An exception does not contain the request, because its headers contain the API key.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .accumulate import Completion
    from .protocols import JSON

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "IncompleteStreamError",
    "InternalServerError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "StreamError",
    "StreamTimeoutError",
    "UnprocessableEntityError",
]


class APIError(Exception):
    """The base class of this module's exceptions.

    `message` describes the error. The exceptions can be pickled.
    """

    def __init__(self, message: str) -> None:
        # Imported on use, because importing the package imports this module, but not together_types.
        from ._types import well_formed

        # A lone surrogate in an exception's message ends the process under AWS Lambda's runtime client.
        message = well_formed(message)
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[object, ...]:
        # Not by calling __init__, which would lose attributes that are set later, such as the notes of add_note.
        return _rebuilt, (self.__class__, self.message), vars(self)


class APIConnectionError(APIError):
    """A failed connection: the server could not be reached, or its response could not be received completely.

    `unanswered` is True if no byte of the response had arrived and sending the request again may succeed.
    """

    unanswered = False


class APITimeoutError(APIConnectionError):
    """A timeout: a limit of `Timeout` or the deadline of the call passed."""


class APIStatusError(APIError):
    """An error response of the server, or a response with a successful status that is not a completion.

    - `status`: the HTTP status.
    - `body`: the decoded JSON of the response's body, or its text if it is not JSON.
    - `request_id`: the identifier of the request, which the server's support may ask for.
    - `retry_after`: the number of seconds after which the server asks to retry.
    - `rate_limits`: the values of the rate-limit headers by name without the prefix, with times in seconds
      (`{"limit": 60, "remaining": 0, "reset": 1.5}`).

    Without the corresponding headers, `request_id` and `retry_after` are None, and `rate_limits` is an empty dict.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        body: JSON = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        rate_limits: Mapping[str, float | str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = body
        self.request_id = request_id
        self.retry_after = retry_after
        self.rate_limits: dict[str, float | str] = dict(rate_limits or {})


class BadRequestError(APIStatusError):
    """Status 400."""


class AuthenticationError(APIStatusError):
    """Status 401: the API key is missing or invalid."""


class PermissionDeniedError(APIStatusError):
    """Status 403."""


class NotFoundError(APIStatusError):
    """Status 404: the model or the path does not exist."""


class ConflictError(APIStatusError):
    """Status 409."""


class UnprocessableEntityError(APIStatusError):
    """Status 422: the request is well formed, but the server cannot process its content."""


class RateLimitError(APIStatusError):
    """Status 429."""


class InternalServerError(APIStatusError):
    """Status 500 or above."""


class _EndedStream(APIError):
    """A stream that did not end normally. `completion` contains everything that was received."""

    def __init__(self, message: str, completion: Completion) -> None:
        super().__init__(message)
        self.completion = completion


class StreamError(_EndedStream):
    """A stream that contains an error of the server, is not an event stream of chunks, or exceeds a size limit.

    `type` and `code` are those of the server's error, and `body` is the JSON that contained it. All three default to
    None. `completion` contains everything that was received.
    """

    def __init__(
        self,
        message: str,
        completion: Completion,
        *,
        type: str | None = None,
        code: str | int | None = None,
        body: Mapping[str, JSON] | None = None,
    ) -> None:
        super().__init__(message, completion)
        self.type = type
        self.code = code
        self.body = body


class IncompleteStreamError(_EndedStream):
    """A stream that ended before it was complete. `completion` contains everything that was received."""


class StreamTimeoutError(IncompleteStreamError, APITimeoutError):
    """A timeout while reading a stream. `completion` contains everything that was received."""


def _rebuilt(cls: type[APIError], message: str) -> APIError:
    return cls.__new__(cls, message)
