"""Reading and closing a source of bytes: a response, a binary file or any iterable of bytes.

Opens no source and does not parse the bytes.
"""

from __future__ import annotations

import os
from functools import partial

from .errors import APIError

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
    "is_connection_error",
    "iterator_of",
    "partial_data",
    "raised_by_signal_handler",
    "truncation_error",
]

_READ_SIZE = 65536
_NO_LIBRARIES = ("builtins", "__main__")  # any code may raise exceptions of these modules
BLANK_LINE = b"\n\n"  # an event begins after it, whatever precedes it


def as_bytes(piece: Any) -> bytes:
    """Return a bytes-like piece as bytes. Raises TypeError for any other type."""
    if isinstance(piece, bytes):
        return piece
    try:
        return memoryview(piece).tobytes()
    except TypeError:
        if piece is None:  # a non-blocking file without data returns None
            raise TypeError("a source must return bytes, got None: the file must be in blocking mode") from None
        raise TypeError(f"a source must return bytes, got {type(piece).__name__}: open a file in binary mode") from None


def iterator_of(source: Any) -> Iterator[bytes]:
    """Return an iterator over the bytes of a source as they arrive."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return iter((as_bytes(source),))
    # read1 returns the bytes that have arrived. read(n) waits for n bytes, and readline hides a broken connection.
    read: Callable[[int], bytes] | None = getattr(source, "read1", None) or getattr(source, "read", None)
    return iter(source) if read is None else iter(partial(read, _READ_SIZE), b"")


def aiterator_of(source: Any) -> AsyncIterator[bytes]:
    """Return an asynchronous iterator over the bytes of an asynchronous source as they arrive.

    `read` is used if the source has it, because the StreamReaders of asyncio and aiohttp iterate over lines and reject
    long ones.
    """
    pieces: AsyncIterator[bytes] = source.__aiter__()
    read: Callable[[int], Awaitable[bytes | None]] | None = getattr(source, "read", None)
    return pieces if read is None else _read_on(read)


async def _read_on(read: Callable[[int], Awaitable[bytes | None]]) -> AsyncIterator[Any]:
    while True:
        piece: bytes | None = await read(_READ_SIZE)
        if not piece and piece is not None:  # `as_bytes` rejects None
            return
        yield piece


def close_source(source: Any) -> None:
    """Close a source if it has a `close` method."""
    close: Callable[[], object] | None = getattr(source, "close", None)
    if close is not None:
        close()


async def aclose_source(source: Any) -> None:
    """Close an asynchronous source if it has an `aclose` or a `close` method.

    Raises RuntimeError for an asynchronous generator that another task is running.
    """
    if getattr(source, "ag_running", False):  # PyPy would close it while it waits, and its task would wait forever
        raise RuntimeError("the asynchronous generator is already running")
    close: Callable[[], Any] | None = getattr(source, "aclose", None) or getattr(source, "close", None)
    closing: Any = None if close is None else close()
    if hasattr(closing, "__await__"):
        await closing


def interrupt_read(source: Any) -> None:
    """Interrupt another thread's read from a socket by shutting down the socket.

    Closing the socket would wait for that thread. The shutdown uses a duplicate file descriptor, because `shutdown` of a
    TLS socket object turns the object into a plain socket.
    """
    try:
        handle = os.dup(source.fileno())
    except (AttributeError, OSError, ValueError):  # without a file descriptor, or closed
        return
    from socket import SHUT_RDWR, socket

    try:
        with socket(fileno=handle) as twin:
            twin.shutdown(SHUT_RDWR)
    except OSError:  # not a socket, or no longer connected
        try:
            os.close(handle)
        except OSError:
            pass


def is_connection_error(error: BaseException, source: Any) -> bool:
    """Return whether an exception that a source or a transport raised means that its connection broke.

    The sources of this package raise APIError for a broken connection. Exceptions of other sources that indicate one:

    - An OSError, EOFError or APIError.
    - An exception of http.client or of the source's own package.
    - An exception that one module of a package defines and another module of that package raises, such as
      httpx.ReadError. The source can be a generator that uses httpx.

    An exception of a signal handler never indicates one.
    """
    if getattr(source, "raises_api_errors", False):
        return isinstance(error, APIError)
    if raised_by_signal_handler(error):
        return False
    if isinstance(error, (OSError, EOFError, APIError)):
        return True
    module, source_module, raised_in = type(error).__module__, type(source).__module__, _raised_in(error)
    package = _package_of(module)
    if package in _NO_LIBRARIES:
        return False
    return (
        module == "http.client"
        or package == _package_of(source_module)
        or (package == _package_of(raised_in) and module != raised_in)
    )


def raised_by_signal_handler(error: BaseException) -> bool:
    """Return whether a signal handler raised an exception.

    A handler can interrupt any instruction, and its exception then looks like one of that instruction.
    """
    import signal

    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    code = {_code_of(handler) for handler in handlers if callable(handler)}
    link = error.__traceback__
    while link is not None:
        if link.tb_frame.f_code in code:
            return True
        link = link.tb_next
    return False


def _code_of(handler: Any) -> object:
    """Return the code object of a function, a method, a partial or an object with `__call__`."""
    handler = getattr(handler, "func", handler)
    if not hasattr(handler, "__code__"):
        handler = type(handler).__call__
    return getattr(handler, "__code__", None)


def _raised_in(error: BaseException) -> str:
    """Return the module of the code that raised an exception."""
    link, module = error.__traceback__, ""
    while link is not None:
        module, link = link.tb_frame.f_globals.get("__name__", ""), link.tb_next
    return module


def _package_of(module: str) -> str:
    return module.partition(".")[0]


def partial_data(error: Exception) -> bytes:
    """Return the bytes that were read before an error, which http.client's IncompleteRead contains, or b""."""
    partial: object = getattr(error, "partial", None)
    return partial if isinstance(partial, bytes) else b""  # `partial` of urllib3's error is the number of bytes


def truncation_error(source: Any) -> Exception | None:
    """Return the error of a body that ended before its Content-Length, or None. read1 of http.client hides the error."""
    left = getattr(source, "length", None) if hasattr(source, "chunked") else None
    return EOFError(f"{left} bytes of the body are missing") if left else None
