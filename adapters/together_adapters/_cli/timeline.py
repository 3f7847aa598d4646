"""When the chunks of a stream arrived: written into a saved stream as comments, read back, and shown as bars.
Nothing here measures a time.

A saved stream is an event stream like any other, of which each frame stands behind a comment with the time
since the one before it, `: +12.3 ms`. Every reader of event streams passes comments over.
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
_WIDTH = 80  # columns at the most, of which the bars have 28
_BESIDE = 52  # beside the bar: 26 for the times, the rest for the text


def stamp(seconds: float) -> bytes:
    """The comment that says how long after the frame before it the next one came."""
    return b": +%.1f ms\n" % (1000 * seconds)


def timed_pieces(data: bytes) -> Iterator[tuple[float | None, bytes]]:
    """A saved stream in pieces, each with the milliseconds since the one before it; None where nothing says so."""
    gap: float | None = None
    start = 0
    for found in _STAMP.finditer(data):
        if found.start() > start:
            yield gap, data[start : found.start()]
        gap, start = float(found.group(1)), found.start()
    yield gap, data[start:]


def rows(arrivals: Iterable[tuple[float, str]]) -> Iterator[str]:
    """A line for each chunk, or for several where there are many: when, how long the wait was, and the text.

    `arrivals` are (milliseconds since the one before it, text). Of several chunks the longest wait is shown.
    """
    chunks = list(arrivals)
    if not chunks:
        return
    each = -(-len(chunks) // _MOST_ROWS)
    width = min(width_of(sys.stdout), _WIDTH)
    longest_bar = max(width - _BESIDE, 4)
    longest = max(gap for gap, _ in chunks)
    shown = f", each row is {each} chunks and the longest gap among them" if each > 1 else ""
    yield f"arrival: {len(chunks)} chunks in {sum(gap for gap, _ in chunks):.0f} ms{shown}"
    now = 0.0
    for first in range(0, len(chunks), each):
        group = chunks[first : first + each]
        gap, text = max(gap for gap, _ in group), "".join(text for _, text in group)
        now += sum(gap for gap, _ in group)
        drawn = bar(gap, longest, longest_bar, sys.stdout).ljust(longest_bar)
        head = f"{now:9.1f} ms {drawn} {gap:8.1f} ms "
        yield head + clipped(text, width - len(head))
