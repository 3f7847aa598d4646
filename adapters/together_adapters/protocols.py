"""What the adapters accept, for type checkers and for the annotations of those who write a transport.
The adapters never import this at run time, and check no object against it.
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
"""A value of JSON of any kind: None, bool, int, float, str, list or dict."""


class SupportsRead1(Protocol):
    """A response of urllib or http.client, a buffered binary file: `read1` gives what has arrived, b"" at the end."""

    def read1(self, size: int, /) -> bytes:
        """At most `size` bytes."""
        ...


class SupportsRead(Protocol):
    """A binary file, a botocore StreamingBody: `read` gives b"" at the end and may wait until there are `size` bytes."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes."""
        ...


Bytes = Union[bytes, bytearray, memoryview]
"""One piece of a stream."""

ByteSource = Union[SupportsRead1, SupportsRead, Iterable[Bytes], Bytes]
"""Where the bytes of a stream come from; the pieces may be cut anywhere, or be one."""

AsyncByteSource = AsyncIterable[Bytes]
"""Where the bytes of a stream come from in asyncio: `response.aiter_bytes()` of httpx, `response.content` of aiohttp."""

HeaderPairs = Union[Mapping[str, str], Iterable[tuple[str, str]]]
"""The headers of an answer."""


class Transport(Protocol):
    """What stands in for the client's connections: it posts a request and gives status, headers and the body's bytes."""

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout: float | None, /
    ) -> tuple[int, HeaderPairs, Iterable[bytes]]:
        """`timeout` is the seconds to wait for the answer, None for no limit; raise any exception where there is none."""
        ...


class AsyncTransport(Protocol):
    """A Transport for asyncio."""

    async def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout: float | None, /
    ) -> tuple[int, HeaderPairs, AsyncIterable[bytes]]:
        """`timeout` is the seconds to wait for the answer, None for no limit; raise any exception where there is none."""
        ...


class SupportsToDict(Protocol):
    """An object that gives itself as JSON: a value of together_types, an object of the openai or together SDK."""

    def to_dict(self) -> Mapping[str, JSON]:
        """The JSON object, with its own keys."""
        ...


class SupportsModelDump(Protocol):
    """A pydantic model, as the objects of together-python 1.x are."""

    def model_dump(self, *, by_alias: bool, exclude_unset: bool) -> Mapping[str, JSON]:
        """The JSON object."""
        ...


SDKObject = Union[SupportsToDict, SupportsModelDump]
"""An object of an SDK."""


class LambdaContext(Protocol):
    """What AWS Lambda gives to a handler beside the event."""

    def get_remaining_time_in_millis(self) -> int:
        """The milliseconds until the handler is stopped."""
        ...
