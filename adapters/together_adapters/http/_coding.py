"""Content codings that a server used without being asked: gzip and deflate, with a bound on what they unpack to.

It never unpacks more than a bounded multiple of what arrived, and imports zlib only where a body needs it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["CodingError", "Unpacker"]

_GZIP_OR_ZLIB = 32 + 15  # zlib: take either header
_RAW = -15  # deflate without zlib's header, which some servers send
_STEP = 65536
# DEFLATE reaches 1032:1 at most. Event streams and completions that were tried stay below 60:1; what unpacks to more than
# a megabyte at more than this ratio is made to exhaust whoever reads it.
_FREE = 2**20
_LARGEST_RATIO = 300


class CodingError(ValueError):
    """The body cannot be unpacked."""


class Unpacker:
    """Unpacks a body of one coding as it arrives.

    Raises CodingError for a coding that is unknown; a body that is broken, or a bomb, is unpacked as far as it goes,
    and `error` then says what is wrong.
    """

    def __init__(self, coding: str) -> None:
        if coding not in ("gzip", "x-gzip", "deflate"):
            raise CodingError(f"the body is coded as {coding[:40]!r}, which was not asked for")
        import zlib

        self._zlib = zlib
        self._coding = coding
        self._unzip: Any = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._received = self._taken = self._given = 0
        self.error: CodingError | None = None

    def feed(self, data: bytes) -> bytes:
        """Unpack what these bytes complete."""
        if self._coding == "deflate" and not self._received and data[:1] and data[0] & 0x0F != 8:
            self._unzip = self._zlib.decompressobj(_RAW)
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
        except self._zlib.error as error:
            self.error = CodingError(f"the {self._coding} body is broken: {error}")
        except CodingError as error:
            self.error = error
        return b"".join(out)

    def finish(self) -> None:
        """The body has ended; where its packed form is cut off, `error` says so."""
        if self._received and not self._unzip.eof and self.error is None:
            self.error = CodingError(f"the {self._coding} body is cut off")

    def _next_member(self, data: bytes) -> bytes:
        """What follows the end of the packed data: another member of a gzip file, or nothing."""
        if data and self._coding == "deflate":
            raise CodingError("the deflate body goes on after its end")
        if data:
            self._unzip = self._zlib.decompressobj(_GZIP_OR_ZLIB)
        return data

    def _check(self) -> None:
        if self._given > _FREE and self._given > _LARGEST_RATIO * self._taken:
            raise CodingError(f"{self._taken} bytes unpack to more than {self._given}: a decompression bomb")
