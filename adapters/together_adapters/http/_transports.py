"""Code that both clients share for custom transports, which send requests instead of the clients' own connections.

Does no I/O.
"""

from __future__ import annotations

from ._exchange import request_error
from ._http1 import Fields
from ._secrets import Headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ..errors import APIError
    from ..protocols import HeaderPairs
    from . import Request
    from ._timeouts import CallTimeouts, Deadline

__all__ = ["BaseTransportAnswer", "transport_arguments"]


def transport_arguments(
    request: Request, deadline: Deadline
) -> tuple[str, str, Mapping[str, str], bytes, float | None]:
    """Return the arguments of a transport: method, URL, headers, body, and the remaining seconds or None for no limit.

    Raises APITimeoutError if the deadline has passed.
    """
    return request.method, request.endpoint.url, Headers(request.headers), request.body, deadline.remaining()


class BaseTransportAnswer:
    """The response of a transport. Its subclasses are iterators over the body."""

    raises_api_errors = True  # for every failure of its connection

    def __init__(self, status: int, headers: HeaderPairs, body: Any, request: Request, timeouts: CallTimeouts) -> None:
        self.status: int = status
        self.headers: Fields = Fields(_pairs_of(headers))
        self.is_done: Callable[[], bool] = lambda: False  # the client sets it, but only a pool uses it
        self._body = body
        self._request = request
        self._timeouts = timeouts

    def _to_api_error(self, problem: Exception) -> APIError:
        return request_error(problem, self._request, answered=True)

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
