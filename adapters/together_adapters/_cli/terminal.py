"""What the commands print: text made safe for a terminal, dimmed where it can be, and bars.

Nothing here writes to standard output.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from bisect import bisect_right
from itertools import accumulate

from .._types import UsageData

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from .._types import ChatCompletionMessage

__all__ = [
    "BadInput",
    "Progress",
    "bar",
    "calls_in",
    "clipped",
    "counts",
    "dim_codes",
    "on_one_line",
    "on_terminal",
    "plural",
    "visible",
    "width_of",
]


class BadInput(Exception):
    """What the user gave cannot be used; the text is the whole message."""


# All control characters but tab and line feed, and what turns the direction of the text around it: a model, or
# whoever it quotes, must not steer the terminal.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code not in (9, 10)}
_CONTROLS.update({code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))})
_ON_ONE_LINE = {**_CONTROLS, 9: "\\t", 10: "\\n"}


def visible(text: str) -> str:
    """Text that cannot steer a terminal: control characters are spelt out."""
    return text.translate(_CONTROLS)


def on_one_line(text: object) -> str:
    """The same, with line ends spelt out too, so that it cannot pass for a line of ours."""
    return str(text).translate(_ON_ONE_LINE)


def clipped(text: str, width: int) -> str:
    """The beginning of a text on one line of so many columns, of which wide characters take two and combining ones none."""
    line = visible(" ".join(text.split()))
    ends = range(1, len(line) + 1) if line.isascii() else [*accumulate(map(_columns, line))]
    return line if not ends or ends[-1] <= width else line[: bisect_right(ends, max(width - 1, 0))] + "…"


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def counts(usage: UsageData) -> str:
    return f"{usage.prompt_tokens} prompt + {usage.completion_tokens} completion = {usage.total_tokens} tokens"


def calls_in(message: ChatCompletionMessage) -> Iterator[tuple[str, str]]:
    """The name and the arguments, or the input, of each call that a message makes; also of the older `function_call`."""
    for call in message.tool_calls or ():
        if call.function is not None:
            yield call.function.name or "", call.function.arguments or ""
        if call.custom is not None:
            yield call.custom.name or "", call.custom.input or ""
    if message.function_call is not None and not message.tool_calls:
        yield message.function_call.name or "", message.function_call.arguments or ""


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def on_terminal(output: TextIO) -> bool:
    """Whether a person looks at it."""
    try:
        return output.isatty()
    except (AttributeError, ValueError):  # there is none, or it was closed
        return False


def width_of(output: TextIO) -> int:
    """The width of a terminal; 80 where it is none, or does not say."""
    try:
        return os.get_terminal_size(output.fileno()).columns or 80
    except (AttributeError, OSError, ValueError):
        return 80


def dim_codes(output: TextIO) -> tuple[str, str]:
    """What begins and ends dimmed text there: nothing on a pipe, with NO_COLOR set or on a dumb terminal."""
    if not on_terminal(output) or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return "", ""
    return "\x1b[2m", "\x1b[0m"


def bar(part: float, whole: float, width: int, output: TextIO) -> str:
    """A bar for a part of a whole, of block characters where the output can show them; something always shows."""
    length = max(1, round(width * part / whole)) if whole > 0 and part > 0 else 0
    try:
        "█".encode(getattr(output, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "#" * length
    return "█" * length


class Progress:
    """A bar on standard error while something long goes on; shows nothing where that is no terminal."""

    _WIDTH = 40
    _BESIDE = len(" 100% of 99999.9 MiB")
    _STEP = 0.005  # of the whole: redrawn 200 times at the most

    def __init__(self) -> None:
        self._shown = on_terminal(sys.stderr)
        self._width = min(self._WIDTH, width_of(sys.stderr) - self._BESIDE) if self._shown else 0
        self._drawn = 0.0

    def __call__(self, done: int, total: int | None) -> None:
        """Draw what was done, in bytes."""
        if not self._shown or not total or (done < total and done / total - self._drawn < self._STEP):
            return  # of a pipe nobody knows how much is still to come
        self._drawn = done / total
        part = bar(done, total, self._width, sys.stderr).ljust(self._width) if self._width > 0 else ""
        print(f"\r{part} {100 * done // total:3}% of {total / 2**20:.1f} MiB", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the bar away."""
        if self._drawn:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
