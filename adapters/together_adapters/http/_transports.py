"""Code that both clients share for custom transports, which send requests instead of the clients' own connections.

Does no I/O.
"""

from __future__ import annotations

from socket import timeout as SocketTimeout

from .._byte_sources import as_bytes
from ..errors import APITimeoutError
from ._exchange import request_error
from ._http1 import Fields
from ._secrets import Headers
from ._timeouts import ReadDeadlines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ..errors import APIError
    from ..protocols import HeaderPairs
    from . import Request
    from ._timeouts import CallTimeouts, Deadline

__all__ = ["BaseTransportAnswer", "transport_arguments", "transport_error"]


def transport_arguments(
    request: Request, deadline: Deadline
) -> tuple[str, str, Mapping[str, str], bytes, float | None]:
    """Return the arguments of a transport: method, URL, headers, body, and the remaining seconds or None for no limit.

    Raises APITimeoutError if the deadline has passed.
    """
    return request.method, request.endpoint.url, Headers(request.headers), request.body, deadline.remaining()


def transport_error(problem: Exception, request: Request, deadline: Deadline, *, answered: bool) -> APIError:
    """Return the APIError for a connection error of a transport. A TimeoutError after the deadline is its timeout.

    A transport sets the attribute `answered` of an error to True if the response had begun.
    """
    if isinstance(problem, (TimeoutError, SocketTimeout)):  # one class since Python 3.10
        problem = TimeoutError(str(problem))
        try:
            deadline.remaining()
        except APITimeoutError as error:
            problem = error
    return request_error(problem, request, answered=answered or getattr(problem, "answered", False))


class BaseTransportAnswer:
    """The response of a transport. Its subclasses are iterators over the body."""

    raises_api_errors = True  # for every failure of its connection

    def __init__(
        self,
        status: int,
        headers: HeaderPairs,
        body: Any,
        request: Request,
        timeouts: CallTimeouts,
        *,
        streamed: bool,
    ) -> None:
        self.status: int = status
        self.headers: Fields = Fields(_pairs_of(headers))
        self.is_done: Callable[[], bool] = lambda: False  # the client sets it, but only a pool uses it
        self._body = body
        self._request = request
        self._deadlines = ReadDeadlines(timeouts, streamed=streamed)
        self._pieces: Any = self._pieces_of(body)

    def _pieces_of(self, body: Any) -> Any:
        """Return an iterator over the pieces of the body."""
        raise NotImplementedError

    def _take(self, piece: object) -> bytes:
        data = as_bytes(piece)
        if data:
            self._deadlines.begin(self.status)
        return data

    def _to_api_error(self, problem: Exception) -> APIError:
        return transport_error(problem, self._request, self._deadlines.last, answered=True)

    def _take_body(self) -> Any:
        """Return the body the first time and None later, so that it is closed only once."""
        body, self._body = self._body, None
        return body


def _pairs_of(headers: HeaderPairs) -> list[tuple[str, str]]:
    """Return headers, a mapping or pairs of strings or bytes, as pairs of strings."""
    mapping: Any = headers
    items: Iterable[tuple[object, object]] = mapping.items() if hasattr(headers, "items") else mapping
    return [(_text(name), _text(value)) for name, value in items]


def _text(field: object) -> str:
    return field.decode("latin-1") if isinstance(field, bytes) else str(field)
