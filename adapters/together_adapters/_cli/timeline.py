"""The arrival times of a stream's chunks: written into a saved stream, read back, and drawn as bars.

A saved stream is an ordinary event stream. Each chunk follows a comment with the time since the chunk before it, like
`: +12.3 ms`. Readers of event streams ignore comments.

Does not measure times.
"""

from __future__ import annotations

import re
import sys

from .terminal import bar, clipped, width_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["rows", "stamp", "timed_pieces"]

_STAMP = re.compile(rb"^: \+([0-9]{1,9}(?:\.[0-9]{1,3})?) ms\r?$", re.MULTILINE)
_MOST_ROWS = 24
_WIDTH = 80  # columns at most, of which the bars take 28
_BESIDE = 52  # columns next to the bar: 26 for the times, the rest for the text


def stamp(seconds: float) -> bytes:
    """Return the comment for a chunk that arrived `seconds` after the chunk before it."""
    return b": +%.1f ms\n" % (1000 * seconds)


def timed_pieces(data: bytes) -> Iterator[tuple[float | None, bytes]]:
    """Yield a saved stream in pieces, each with the milliseconds since the one before it, or None if not recorded."""
    gap: float | None = None
    start = 0
    for found in _STAMP.finditer(data):
        if found.start() > start:
            yield gap, data[start : found.start()]
        gap, start = float(found.group(1)), found.start()
    yield gap, data[start:]


def rows(arrivals: Iterable[tuple[float, str]]) -> Iterator[str]:
    """Yield a heading, and a row for each chunk with its arrival time, the gap before it as a bar, and its text.

    `arrivals` has for each chunk the milliseconds since the one before it, and the text. If there are more than
    24 chunks, each row shows several of them, with their longest gap.
    """
    chunks = list(arrivals)
    if not chunks:
        return
    each = -(-len(chunks) // _MOST_ROWS)
    width = min(width_of(sys.stdout), _WIDTH)
    longest_bar = max(width - _BESIDE, 4)
    longest = max(gap for gap, _ in chunks)
    shown = f", each row shows {each} chunks and their longest gap" if each > 1 else ""
    yield f"arrival: {len(chunks)} chunks in {sum(gap for gap, _ in chunks):.0f} ms{shown}"
    now = 0.0
    for first in range(0, len(chunks), each):
        group = chunks[first : first + each]
        gap, text = max(gap for gap, _ in group), "".join(text for _, text in group)
        now += sum(gap for gap, _ in group)
        drawn = bar(gap, longest, longest_bar, sys.stdout).ljust(longest_bar)
        head = f"{now:9.1f} ms {drawn} {gap:8.1f} ms "
        yield head + clipped(text, width - len(head))
