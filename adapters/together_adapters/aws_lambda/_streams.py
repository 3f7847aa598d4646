"""Sending chunks as a streamed response, part by part, or as one response whose body is the whole event stream.

The chunks are closed in each case. Does no I/O.
"""

from __future__ import annotations

import json

from .._byte_sources import close_source
from .._types import well_formed
from ..errors import APIError
from ..sse._encoding import encode_chunks
from ._responses import Response, ResponseTooLargeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping
    from typing import Union

    from .._types import ChatCompletionChunk
    from ..protocols import JSON
    from ._sources import EventSource

    Chunk = Union[ChatCompletionChunk, Mapping[str, JSON]]
    Part = Union[dict[str, JSON], bytes]

__all__ = ["buffered", "response_parts", "streamed"]


class _Peekable:
    """Chunks whose first one can be requested before the status is sent, so that an error can determine the status.

    `failure` is the exception that was raised after the first chunk.
    """

    def __init__(self, chunks: Iterable[Chunk]) -> None:
        self._chunks = chunks
        self._rest = iter(chunks)
        self._first: list[Chunk] = []
        self.failure: Exception | None = None

    def pull(self) -> APIError | None:
        """Request the first chunk. Return the APIError that is raised instead, or None."""
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

    def __next__(self) -> Chunk:
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


def streamed(chunks: Iterable[Chunk], source: EventSource, response: Response) -> Generator[Part, None, None]:
    """Yield the prelude, if the source has one, and each frame of the stream when its chunk arrives.

    An APIError instead of the first chunk becomes an error response, and any later exception an error frame.
    Exceptions that are not an APIError are also raised.
    """
    pulled = _Peekable(chunks)
    try:
        refused = pulled.pull()
        if refused is not None:
            yield from response_parts(source.format_error(refused))
            return
        prelude = source.prelude(response)
        if prelude is not None:
            yield prelude
        yield from encode_chunks(pulled)
        if pulled.failure is not None and not isinstance(pulled.failure, APIError):
            raise pulled.failure  # the client has received an error frame, and the runtime reports the handler's error
    finally:
        pulled.close()


def response_parts(response: Mapping[str, JSON]) -> Generator[Part, None, None]:
    """Yield the parts of a response in a function URL's format, or of the value that a direct invocation returns.

    Raises TypeError or ValueError before the first part if the body is not a string or not base64.
    """
    if "statusCode" not in response:
        yield json.dumps(response).encode("ascii")
        return
    body = _body_bytes(response)  # before the status is sent, so that an error can still determine it
    yield {name: value for name, value in response.items() if name not in ("body", "isBase64Encoded")}
    yield body


def _body_bytes(response: Mapping[str, JSON]) -> bytes:
    """Return the bytes of a response's body. Raises TypeError if it is not a string, and ValueError if not base64."""
    body = response.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise TypeError(f"the body of a response must be a string, got {type(body).__name__}")
    if not response.get("isBase64Encoded"):
        return well_formed(body).encode("utf-8")
    from base64 import b64decode

    return b64decode(body, validate=True)


def buffered(chunks: Iterable[Chunk], source: EventSource, response: Response) -> JSON:
    """Return the response whose body is the whole event stream.

    Raises ResponseTooLargeError when the size limit is exceeded, without reading the remaining chunks. An APIError
    instead of the first chunk becomes an error response, and any later exception an error frame.
    """
    frames: list[bytes] = []
    pulled, size = _Peekable(chunks), 0
    try:
        refused = pulled.pull()
        if refused is not None:
            return source.format_error(refused)
        for frame in encode_chunks(pulled):
            frames.append(frame)
            size += len(frame)
            if size > source.max_bytes:
                raise ResponseTooLargeError(size, source.max_bytes)
    finally:
        pulled.close()
    return source.format(Response(response.status, response.headers, b"".join(frames)))
