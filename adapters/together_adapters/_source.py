"""Where bytes come from: the next piece of a response, of a binary file or of any iterable of bytes."""

from __future__ import annotations

from functools import partial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

__all__ = ["READ_SIZE", "as_bytes", "missing", "pieces_of"]

READ_SIZE = 65536


def as_bytes(piece: Any) -> bytes:
    """A piece as bytes; raises TypeError for text."""
    if isinstance(piece, bytes):
        return piece
    try:
        return memoryview(piece).tobytes()
    except TypeError:
        raise TypeError(f"the source gave {type(piece).__name__} instead of bytes: open it in binary mode") from None


def pieces_of(source: Any) -> Callable[[], bytes | None]:
    """What gives the next bytes of a source, or None at its end."""
    # read1 gives what has arrived; read(n) would wait for n bytes, and readline hides a cut connection.
    read: Callable[[int], bytes] | None = getattr(source, "read1", None) or getattr(source, "read", None)
    pieces: Iterator[bytes] = iter(source) if read is None else iter(partial(read, READ_SIZE), b"")
    return partial(next, pieces, None)


def missing(source: Any) -> Exception | None:
    """http.client's read1 does not notice that a body is shorter than its Content-Length."""
    left = getattr(source, "length", None) if hasattr(source, "chunked") else None
    return EOFError(f"{left} bytes of the body are missing") if left else None
