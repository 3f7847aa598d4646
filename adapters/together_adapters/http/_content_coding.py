"""Decompressing the body of a response. Does no I/O."""

from __future__ import annotations

import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["ContentDecoder", "ContentDecodingError"]

_GZIP_OR_ZLIB = 32 + 15  # the `wbits` with which zlib accepts the header of either format
_RAW = -15  # the `wbits` for deflate without the zlib header, as some servers send it (RFC 9110, section 8.4.1.2)
_STEP = 65536
# DEFLATE compresses at most 1032:1. The event streams and completions that were measured stay below 60:1. Data that
# decompresses to more than 1 MiB at more than 300:1 is meant to exhaust the memory of the reader.
_FREE = 2**20
_LARGEST_RATIO = 300


class ContentDecodingError(ValueError):
    """The content coding is not supported, or the body cannot be decompressed."""


class ContentDecoder:
    """A decompressor of a body in one content coding (RFC 9110, section 8.4): `gzip`, `x-gzip` or `deflate`.

    The constructor raises ContentDecodingError for another coding. If a body is malformed or a decompression bomb,
    `feed` sets `error` to a ContentDecodingError and returns what it has decompressed until then.
    """

    def __init__(self, coding: str) -> None:
        if coding not in ("gzip", "x-gzip", "deflate"):
            raise ContentDecodingError(f"unsupported Content-Encoding {coding[:40]!r}, which was not requested")
        self._coding = coding
        self._unzip: Any = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._received = self._taken = self._given = 0
        self.error: ContentDecodingError | None = None

    def feed(self, data: bytes) -> bytes:
        """Return the decompressed bytes of the next bytes of the body."""
        if self._coding == "deflate" and not self._received and data[:1] and data[0] & 0x0F != 8:
            self._unzip = zlib.decompressobj(_RAW)
        self._received += len(data)
        out: list[bytes] = []
        try:
            while data:
                out.append(self._unzip.decompress(data, _STEP))
                self._taken += len(data) - len(self._unzip.unconsumed_tail)
                self._given += len(out[-1])
                data = self._unzip.unconsumed_tail
                self._check()
                if self._unzip.eof:
                    data = self._next_member(self._unzip.unused_data)
        except zlib.error as error:
            self.error = ContentDecodingError(f"the {self._coding} body is malformed: {error}")
        except ContentDecodingError as error:
            self.error = error
        return b"".join(out)

    def finish(self) -> None:
        """Process the end of the body and set `error` if the compressed data is cut off."""
        if self._received and not self._unzip.eof and self.error is None:
            self.error = ContentDecodingError(f"the {self._coding} body is cut off")

    def _next_member(self, data: bytes) -> bytes:
        """Start another member of a gzip file, unless `data` is empty, and return `data`."""
        if data and self._coding == "deflate":
            raise ContentDecodingError("the deflate body has data after its end")
        if data:
            self._unzip = zlib.decompressobj(_GZIP_OR_ZLIB)
        return data

    def _check(self) -> None:
        if self._given > _FREE and self._given > _LARGEST_RATIO * self._taken:
            raise ContentDecodingError(f"decompression bomb: {self._taken} bytes decompress to at least {self._given}")
