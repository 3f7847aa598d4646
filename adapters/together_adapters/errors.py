"""What can go wrong between a request and its last chunk, as exceptions. Nothing here decides which is raised, and
none has the request, whose headers hold the key.
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
    """The server, or the way to it, failed; `message` says how."""

    def __init__(self, message: str) -> None:
        from ._types import well_formed  # not above: exceptions are imported with the package, the types with their use

        # A lone surrogate in an exception's text ends the process under AWS Lambda's runtime client.
        message = well_formed(message)
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[object, ...]:
        # Not by __init__, which knows nothing of what others set, such as the notes of add_note.
        return _rebuilt, (self.__class__, self.message), vars(self)


class APIConnectionError(APIError):
    """No answer: the server could not be reached, or the connection broke before its answer was complete.

    `unanswered` is true where not one byte of an answer had arrived, so that the request may be sent again.
    """

    unanswered = False


class APITimeoutError(APIConnectionError):
    """A limit of time passed: to connect, for the first byte, between two bytes, or for the whole call."""


class APIStatusError(APIError):
    """The server answered with an error.

    `status` is the HTTP status and `body` what came with it: a JSON value, or text where it was no JSON.
    `request_id` is what to give to the server's support, `retry_after` the seconds the server asks to wait,
    and `rate_limits` the figures of its rate-limit headers by name, times in seconds (`{"limit": 60, "remaining": 0,
    "reset": 1.5}`); each empty or None where it gave none.
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
    """Status 401: no API key, or one that the server does not know."""


class PermissionDeniedError(APIStatusError):
    """Status 403."""


class NotFoundError(APIStatusError):
    """Status 404: no such model or path."""


class ConflictError(APIStatusError):
    """Status 409."""


class UnprocessableEntityError(APIStatusError):
    """Status 422: the request is well formed and means nothing to the server."""


class RateLimitError(APIStatusError):
    """Status 429."""


class InternalServerError(APIStatusError):
    """Status 500 or above."""


class _EndedStream(APIError):
    """A stream that did not end well; `completion` holds everything that had arrived."""

    def __init__(self, message: str, completion: Completion) -> None:
        super().__init__(message)
        self.completion = completion


class StreamError(_EndedStream):
    """The stream reported an error, or sent what is not a stream.

    `type` and `code` are the server's, where it gave any, and `body` is the JSON it gave them in; `completion`
    holds everything that had arrived.
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
    """The stream was cut off; `completion` holds everything that had arrived."""


class StreamTimeoutError(IncompleteStreamError, APITimeoutError):
    """A limit of time passed inside the stream; `completion` holds everything that had arrived."""


def _rebuilt(cls: type[APIError], message: str) -> APIError:
    return cls.__new__(cls, message)
