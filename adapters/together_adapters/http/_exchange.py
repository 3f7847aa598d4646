"""The logic of one request and its response on one connection, which both clients share.

A failure becomes an APIError whose texts contain no API key. Does no I/O and does not wait.
"""

from __future__ import annotations

import os

from ..errors import APIConnectionError, APIError, APITimeoutError
from ._http1 import ProtocolError, Response
from ._secrets import without_frames
from ._timeouts import ReadDeadlines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import Request
    from ._timeouts import CallTimeouts, Deadline

__all__ = ["MOST_IDLE", "ClientClosed", "Exchange", "connection_error", "request_error"]

MOST_IDLE = 16  # connections that a pool keeps for later requests


class ClientClosed(OSError):
    """The error of a connection that the client itself closed. The request is not sent again."""

    def __init__(self) -> None:
        super().__init__("the client was closed")


class Exchange:
    """One request on one connection: parses the data of each read, and provides the deadline of the next read.

    `streamed` is true if a stream was requested, and `reused` if the connection served another request before. A
    request that fails on a reused connection may be sent again, because servers close idle connections.
    """

    def __init__(self, request: Request, timeouts: CallTimeouts, *, streamed: bool, reused: bool = False) -> None:
        self.request = request
        self.response: Response = Response()
        self.reused = reused
        self._deadlines = ReadDeadlines(timeouts, streamed=streamed)

    def deadline(self) -> Deadline:
        """Return the deadline of the next read."""
        return self._deadlines.next()

    def take(self, data: bytes) -> bytes:
        """Process the data of a read (b"" at the end of the connection), and return the bytes of the body in it."""
        if not data:
            self.response.end()
            return b""
        body = self.response.feed(data)
        if body:
            self._deadlines.begin(self.response.status)
        return body

    def to_api_error(self, problem: Exception) -> APIError:
        """Return the APIError for an error in reading, writing or parsing."""
        return request_error(problem, self.request, answered=self.response.started)

    def take_head(self, data: bytes) -> bytes:
        """Process the data of a read like `take`, for the reads until the head is complete.

        Raises EOFError or ProtocolError if the head is cut off or malformed.
        """
        body = self.take(data)
        if self.response.error is not None and not self.response.status:
            raise self.response.error
        return body

    def is_over(self) -> bool:
        """Check whether the body is complete. Raises EOFError or ProtocolError if it is cut off or malformed."""
        if self.response.error is not None:
            raise self.response.error
        return self.response.complete

    def should_resend(self, error: APIConnectionError) -> bool:
        """Check whether to send the request again on a new connection, without a pause and without counting a retry."""
        return self.reused and error.unanswered and not isinstance(error, APITimeoutError)


def request_error(problem: Exception, request: Request, *, answered: bool = False) -> APIError:
    """Return the APIError for a request that failed. The secrets of the request are removed from its texts."""
    if isinstance(problem, ProtocolError):
        request.conceal(problem)  # before the message shortens the quoted text, which could leave a part of a secret
    return request.conceal(connection_error(problem, request.endpoint.authority, answered=answered))


def connection_error(problem: Exception, host: str, *, answered: bool = False) -> APIError:
    """Return the APIError for a failure to reach `host` or to read its response.

    `problem` becomes the cause of the error, and loses its traceback and its own cause. An APIError that is not an
    APIConnectionError is returned unchanged.
    """
    if isinstance(problem, APIConnectionError) or not isinstance(problem, APIError):
        kind = APITimeoutError if isinstance(problem, (APITimeoutError, TimeoutError)) else APIConnectionError
        where = f"the connection to {host} broke" if answered else f"cannot reach {host}"
        error = kind(f"{where}: {_reason_of(problem)}")
        error.unanswered = not (answered or _is_certificate(problem) or isinstance(problem, ClientClosed))
        problem.__cause__ = None
        error.__cause__ = without_frames(problem)
        return error
    return problem


def _reason_of(problem: Exception) -> str:
    if isinstance(problem, APIError):
        return problem.message
    if _is_certificate(problem):
        reason = getattr(problem, "verify_message", "")
        return f"its certificate was rejected ({reason}): set SSL_CERT_FILE or pass cafile= if a private CA signed it"
    said: str = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
    if said.startswith("Connect call failed") and isinstance(problem, OSError) and problem.errno:
        return os.strerror(problem.errno)  # asyncio replaces the system's message
    return said


def _is_certificate(problem: Exception) -> bool:
    return hasattr(problem, "verify_code")
