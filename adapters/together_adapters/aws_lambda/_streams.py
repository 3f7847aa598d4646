"""Chunks as a streamed response, part by part, or as one response that holds the whole event stream.

It never sends anything itself, and never leaves the chunks unclosed.
"""

from __future__ import annotations

import json

from .._byte_sources import close_source
from .._types import well_formed
from ..errors import APIError
from ..sse._encoding import encode_chunks
from ._events import EventKind
from ._responses import ResponseTooLargeError, error_response, limit_of, response_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from typing import Any

__all__ = ["buffered", "response_parts", "streamed"]


class _Peekable:
    """Chunks whose first is asked for before anything is sent, so that a failure there still has a status."""

    def __init__(self, chunks: Iterable[Any]) -> None:
        self._chunks = chunks
        self._rest = iter(chunks)
        self._first: list[Any] = []
        self.failure: Exception | None = None

    def pull(self) -> Exception | None:
        """Ask for the first chunk; gives the APIError that came instead."""
        try:
            self._first = [next(self._rest)]
        except StopIteration:
            pass
        except APIError as error:
            self.close()
            return error
        except BaseException:
            self.close()
            raise
        return None

    def __iter__(self) -> _Peekable:
        return self

    def __next__(self) -> Any:
        if self._first:
            return self._first.pop()
        try:
            return next(self._rest)
        except StopIteration:
            raise
        except Exception as error:
            self.failure = error
            raise

    def close(self) -> None:
        for source in (self._rest, self._chunks):
            close_source(source)


def streamed(chunks: Iterable[Any], raw: Any, prelude: dict[str, Any] | None) -> Generator[Any, None, None]:
    """The prelude, where there is one, and the frames of the stream as they come."""
    pulled = _Peekable(chunks)
    try:
        refused = pulled.pull()
        if refused is not None:
            yield from response_parts(
                error_response(refused, raw, EventKind.DIRECT if prelude is None else EventKind.FUNCTION_URL)
            )
            return
        if prelude is not None:
            yield prelude
        yield from encode_chunks(pulled)
        if pulled.failure is not None and not isinstance(pulled.failure, APIError):
            raise pulled.failure  # the client has its error frame; the runtime reports what is a fault of the handler
    finally:
        pulled.close()


def response_parts(response: Any) -> Generator[Any, None, None]:
    """A response in the shape of a function URL, or the value that a direct invocation gets, as a streamed one."""
    if "statusCode" not in response:
        yield json.dumps(response).encode("ascii")
        return
    body = _data_of(response)  # before the status is sent, so that a failure has one
    yield {name: value for name, value in response.items() if name not in ("body", "isBase64Encoded")}
    yield body


def _data_of(response: Any) -> bytes:
    """The bytes of a response's body; raises TypeError and ValueError for what is none."""
    body: Any = response.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise TypeError(f"the body of a response is text, not {type(body).__name__}")
    if not response.get("isBase64Encoded"):
        return well_formed(body).encode("utf-8")
    from base64 import b64decode

    return b64decode(body, validate=True)


def buffered(chunks: Iterable[Any], raw: Any, kind: EventKind, status: int, headers: dict[str, list[str]]) -> Any:
    """The response whose body is the whole event stream."""
    frames: list[bytes] = []
    pulled, size = _Peekable(chunks), 0
    try:
        refused = pulled.pull()
        if refused is not None:
            return error_response(refused, raw, kind)
        for frame in encode_chunks(pulled):
            frames.append(frame)
            size += len(frame)
            if size > limit_of(kind):  # the rest need not be waited for
                raise ResponseTooLargeError(size, limit_of(kind))
    finally:
        pulled.close()
    return response_to(b"".join(frames), raw, kind, status, headers)
