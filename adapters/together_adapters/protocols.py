"""The types of the arguments that the adapters accept, for type checkers and for annotations in users' programs.

The adapters do not import this module at run time, and do not check arguments against its protocols.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any, Protocol, Union

__all__ = [
    "JSON",
    "AsyncByteSource",
    "AsyncTransport",
    "ByteSource",
    "HeaderPairs",
    "LambdaContext",
    "SDKObject",
    "SupportsModelDump",
    "SupportsRead",
    "SupportsRead1",
    "SupportsToDict",
    "Transport",
]

JSON = Any
"""Any JSON value: None, bool, int, float, str, list or dict."""


class SupportsRead1(Protocol):
    """A response of urllib or http.client, or a buffered binary file."""

    def read1(self, size: int, /) -> bytes:
        """Return at most `size` bytes as soon as any have arrived, or b"" at the end."""
        ...


class SupportsRead(Protocol):
    """A binary file, or a StreamingBody of botocore."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, or b"" at the end. It may block until `size` bytes have arrived."""
        ...


Bytes = Union[bytes, bytearray, memoryview]
"""One piece of a stream of bytes."""

ByteSource = Union[SupportsRead1, SupportsRead, Iterable[Bytes], Bytes]
"""A source of a stream's bytes. It can be split into pieces at any byte, or consist of a single piece."""

AsyncByteSource = AsyncIterable[Bytes]
"""An asynchronous source of a stream's bytes: `response.aiter_bytes()` of httpx, or `response.content` of aiohttp."""

HeaderPairs = Union[Mapping[str, str], Iterable[tuple[str, str]]]
"""The header fields of a response, as a mapping or as pairs of name and value."""


class Transport(Protocol):
    """A function that sends the client's requests instead of the client's own connections."""

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout: float | None, /
    ) -> tuple[int, HeaderPairs, Iterable[bytes]]:
        """Send a request, and return the status, the header fields and the body of the response.

        `timeout` is the number of seconds to wait for the response, or None for no limit.

        If the connection fails, the transport raises an OSError or an exception of its HTTP library. The client
        converts these to APIConnectionError, or APITimeoutError for a TimeoutError, and may send the request again. The
        client raises other exceptions unchanged.
        """
        ...


class AsyncTransport(Protocol):
    """An asynchronous Transport, for AsyncTogether."""

    async def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout: float | None, /
    ) -> tuple[int, HeaderPairs, AsyncIterable[bytes]]:
        """Send a request, and return the status, the header fields and the body of the response.

        `timeout` is the number of seconds to wait for the response, or None for no limit.

        If the connection fails, the transport raises an OSError or an exception of its HTTP library. The client
        converts these to APIConnectionError, or APITimeoutError for a TimeoutError, and may send the request again. The
        client raises other exceptions unchanged.
        """
        ...


class SupportsToDict(Protocol):
    """A value of together_types, or an object of the openai or together SDK."""

    def to_dict(self) -> Mapping[str, JSON]:
        """Return the object as JSON, with the keys that a server uses."""
        ...


class SupportsModelDump(Protocol):
    """A pydantic model, such as the objects of together-python 1.x."""

    def model_dump(self, *, by_alias: bool, exclude_unset: bool) -> Mapping[str, JSON]:
        """Return the object as JSON.

        `by_alias` selects the keys that a server uses, and `exclude_unset` omits the fields that were not received.
        """
        ...


SDKObject = Union[SupportsToDict, SupportsModelDump]
"""An object of an SDK, or a value of together_types."""


class LambdaContext(Protocol):
    """The context object that AWS Lambda passes to a handler together with the event."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the number of milliseconds until Lambda stops the handler."""
        ...
