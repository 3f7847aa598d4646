"""Where bytes come from: a response, a binary file or any iterable of bytes, piece by piece, and how it is closed.
Nothing here opens a source, looks into its bytes, or closes one unasked.
"""

from __future__ import annotations

import os
from functools import partial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from typing import Any

__all__ = [
    "BLANK_LINE",
    "aclose_source",
    "aiterator_of",
    "as_bytes",
    "close_source",
    "interrupt_read",
    "iterator_of",
    "partial_data",
    "truncation_error",
]

_READ_SIZE = 65536
BLANK_LINE = b"\n\n"  # whatever comes before it, the next event begins after it


def as_bytes(piece: Any) -> bytes:
    """A piece as bytes; raises TypeError for anything else."""
    if isinstance(piece, bytes):
        return piece
    try:
        return memoryview(piece).tobytes()
    except TypeError:
        if piece is None:  # what a file gives that does not block and has nothing yet
            raise TypeError("the source gave None instead of bytes: a file must be one that blocks") from None
        raise TypeError(f"the source gave {type(piece).__name__} instead of bytes: open it in binary mode") from None


def iterator_of(source: Any) -> Iterator[bytes]:
    """The bytes of a source as they arrive."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return iter((as_bytes(source),))
    # read1 gives what has arrived; read(n) would wait for n bytes, and readline hides a cut connection.
    read: Callable[[int], bytes] | None = getattr(source, "read1", None) or getattr(source, "read", None)
    return iter(source) if read is None else iter(partial(read, _READ_SIZE), b"")


def aiterator_of(source: Any) -> AsyncIterator[bytes]:
    """The same of an asynchronous source.

    The StreamReaders of asyncio and aiohttp iterate by lines and refuse long ones, so of what can be iterated and
    read, `read` is used.
    """
    pieces: AsyncIterator[bytes] = source.__aiter__()
    read: Callable[[int], Awaitable[bytes]] | None = getattr(source, "read", None)
    return pieces if read is None else _read_on(read)


async def _read_on(read: Callable[[int], Awaitable[bytes]]) -> AsyncIterator[bytes]:
    while True:
        piece = await read(_READ_SIZE)
        if not piece:
            return
        yield piece


def close_source(source: Any) -> None:
    """Close a source that can be closed."""
    close: Callable[[], object] | None = getattr(source, "close", None)
    if close is not None:
        close()


async def aclose_source(source: Any) -> None:
    """Close an asynchronous source that can be closed, by `aclose` or by `close`.

    Raises RuntimeError for an asynchronous generator that another task runs.
    """
    if getattr(source, "ag_running", False):  # PyPy would end it where it waits, and its task would wait for ever
        raise RuntimeError("the asynchronous generator is already running")
    close: Callable[[], Any] | None = getattr(source, "aclose", None) or getattr(source, "close", None)
    closing: Any = None if close is None else close()
    if hasattr(closing, "__await__"):
        await closing


def interrupt_read(source: Any) -> None:
    """End the read of another thread that waits for a socket's bytes; closing the socket would wait for that thread.

    The shutdown is done on a second handle, because TLS sockets turn into plain ones by their own.
    """
    try:
        handle = os.dup(source.fileno())
    except (AttributeError, OSError, ValueError):  # no file, or a closed one
        return
    from socket import SHUT_RDWR, socket

    try:
        with socket(fileno=handle) as twin:
            twin.shutdown(SHUT_RDWR)
    except OSError:  # no socket, or not connected any more
        try:
            os.close(handle)
        except OSError:
            pass


def partial_data(error: Exception) -> bytes:
    """The bytes that had been read when reading failed: http.client's IncompleteRead has them with it."""
    partial: object = getattr(error, "partial", None)
    return partial if isinstance(partial, bytes) else b""  # urllib3's is their number


def truncation_error(source: Any) -> Exception | None:
    """The error of a body that ended before its Content-Length, which http.client's read1 does not notice."""
    left = getattr(source, "length", None) if hasattr(source, "chunked") else None
    return EOFError(f"{left} bytes of the body are missing") if left else None
