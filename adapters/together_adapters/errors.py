"""What can go wrong between a request and its last chunk."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .accumulate import Completion

__all__ = ["APIError", "IncompleteStreamError", "StreamError"]


class APIError(Exception):
    """The server, or the way to it, failed; `message` says how."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class StreamError(APIError):
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
        body: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.completion = completion
        self.type = type
        self.code = code
        self.body = body

    def __reduce__(self) -> tuple[object, ...]:
        details = {"type": self.type, "code": self.code, "body": self.body}
        return _rebuilt, (self.__class__, self.message, self.completion, details)


class IncompleteStreamError(APIError):
    """The stream was cut off; `completion` holds everything that had arrived."""

    def __init__(self, message: str, completion: Completion) -> None:
        super().__init__(message)
        self.completion = completion

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuilt, (self.__class__, self.message, self.completion, dict[str, object]())


def _rebuilt(cls: type[APIError], message: str, completion: Completion, fields: dict[str, object]) -> APIError:
    return cls(message, completion, **fields)  # type: ignore[call-arg]
