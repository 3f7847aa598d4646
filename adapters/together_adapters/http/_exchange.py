"""One request and its answer on one connection, sans-IO: what both clients do between two reads of a socket.

It never reads, writes or waits itself, and lets no error out that shows a key.
"""

from __future__ import annotations

import os

from ..errors import APIConnectionError, APIError, APITimeoutError
from ._http1 import Response
from ._secrets import without_frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import Request
    from ._timeouts import CallTimeouts, Deadline

__all__ = ["MOST_IDLE", "ClientClosed", "Exchange", "connection_error", "request_error"]

MOST_IDLE = 16  # connections that a pool keeps for later requests


class ClientClosed(OSError):
    """The connection ended because this side closed it, so the request is not sent again."""

    def __init__(self) -> None:
        super().__init__("the client was closed")


class Exchange:
    """One request on one connection: turns what each read gave into bytes of the body, and limits the next read.

    `streamed` is whether the answer is a stream. On a connection that was `reused`, a request without an answer was most
    likely never read: the server had closed the idle connection.
    """

    def __init__(self, request: Request, timeouts: CallTimeouts, *, streamed: bool, reused: bool = False) -> None:
        self.request = request
        self.response: Response = Response()
        self.reused = reused
        self._timeouts = timeouts
        self._streamed = streamed
        self._deadline = timeouts.first_byte()
        self._begun = False

    def deadline(self) -> Deadline:
        """How long the next read may wait."""
        return self._timeouts.idle() if self._begun and self._streamed else self._deadline

    def take(self, data: bytes) -> bytes:
        """What a read gave, b"" at the connection's end; returns the bytes of the body among it."""
        if not data:
            self.response.end()
            return b""
        body = self.response.feed(data)
        if body and not self._begun:
            self._begun = True
            # What refuses a stream is no stream.
            self._streamed = self._streamed and 200 <= self.response.status < 300
            if not self._streamed:
                self._deadline = self._timeouts.complete()
        return body

    def to_api_error(self, problem: Exception) -> APIError:
        """The error that a failure to read or to write is for the caller."""
        return request_error(problem, self.request, answered=self.response.started)

    def take_head(self, data: bytes) -> bytes:
        """Take what a read gave before the head was complete; raises the error of an answer that has no valid head."""
        body = self.take(data)
        if self.response.error is not None and not self.response.status:
            raise self.response.error
        return body

    def is_over(self) -> bool:
        """Check whether the body is complete; raises the error of a body that is cut off or malformed."""
        if self.response.error is not None:
            raise self.response.error
        return self.response.complete

    def should_resend(self, error: APIConnectionError) -> bool:
        """Whether to send the request again at once, on a new connection."""
        return self.reused and error.unanswered and not isinstance(error, APITimeoutError)


def request_error(problem: Exception, request: Request, *, answered: bool = False) -> APIError:
    """Return the APIError for a request that failed, without its secrets."""
    return request.conceal(connection_error(problem, request.endpoint.authority, answered=answered))


def connection_error(problem: Exception, host: str, *, answered: bool = False) -> APIError:
    """Return the APIError for a failure on the way to `host`; its cause has no frames and no cause of its own."""
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
        return f"its certificate was refused ({reason}): set SSL_CERT_FILE or give cafile= where it is signed by a CA of your own"
    said: str = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
    if said.startswith("Connect call failed") and isinstance(problem, OSError) and problem.errno:
        return os.strerror(problem.errno)  # asyncio's words instead of the system's
    return said


def _is_certificate(problem: Exception) -> bool:
    return hasattr(problem, "verify_code")
