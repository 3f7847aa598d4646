"""Output of the commands: text that is safe for a terminal, dimmed text, counts, and bars.

Does not write to standard output.
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
    """An input of the user that cannot be used. Its text is the whole error message."""


# All control characters except tab and line feed, and the characters that change the direction of the text around
# them: a model, or a text that it quotes, must not be able to control the terminal.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code not in (9, 10)}
_CONTROLS.update({code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))})
_ON_ONE_LINE = {**_CONTROLS, 9: "\\t", 10: "\\n"}


def visible(text: str) -> str:
    """Return text with its control characters escaped, so that it cannot control a terminal."""
    return text.translate(_CONTROLS)


def on_one_line(text: object) -> str:
    """Return text with tabs and line ends escaped too, so that it cannot imitate another line of the output."""
    return str(text).translate(_ON_ONE_LINE)


def clipped(text: str, width: int) -> str:
    """Return a text on one line, cut to `width` columns.

    A cut text ends with `…`. Wide characters take two columns, and combining characters none.
    """
    line = visible(" ".join(text.split()))
    ends = range(1, len(line) + 1) if line.isascii() else [*accumulate(map(_columns, line))]
    return line if not ends or ends[-1] <= width else line[: bisect_right(ends, max(width - 1, 0))] + "…"


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def counts(usage: UsageData) -> str:
    """Return the token counts of a usage as text."""
    return f"{usage.prompt_tokens} prompt + {usage.completion_tokens} completion = {usage.total_tokens} tokens"


def calls_in(message: ChatCompletionMessage) -> Iterator[tuple[str, str]]:
    """Yield the name and the arguments (or the input) of each call in a message, or of its older `function_call`."""
    for call in message.tool_calls or ():
        if call.function is not None:
            yield call.function.name or "", call.function.arguments or ""
        if call.custom is not None:
            yield call.custom.name or "", call.custom.input or ""
    if message.function_call is not None and not message.tool_calls:
        yield message.function_call.name or "", message.function_call.arguments or ""


def plural(count: int, noun: str) -> str:
    """Return a count and its noun, in the plural unless the count is 1."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def on_terminal(output: TextIO) -> bool:
    """Return whether a stream is a terminal."""
    try:
        return output.isatty()
    except (AttributeError, ValueError):  # a closed stream, or None
        return False


def width_of(output: TextIO) -> int:
    """Return the width of a terminal in columns, or 80 if the width is unknown or the stream is not a terminal."""
    try:
        return os.get_terminal_size(output.fileno()).columns or 80
    except (AttributeError, OSError, ValueError):
        return 80


def dim_codes(output: TextIO) -> tuple[str, str]:
    """Return the control sequences that begin and end dimmed text.

    They are empty if the output is not a terminal, if TERM is `dumb`, and if NO_COLOR is set.
    """
    if not on_terminal(output) or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return "", ""
    return "\x1b[2m", "\x1b[0m"


def bar(part: float, whole: float, width: int, output: TextIO) -> str:
    """Return a bar for `part`. The bar for `whole` takes `width` columns. The bar for a part above 0 is never empty.

    The bar consists of block characters, or of `#` if the encoding of the output lacks them.
    """
    length = max(1, round(width * part / whole)) if whole > 0 and part > 0 else 0
    try:
        "█".encode(getattr(output, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "#" * length
    return "█" * length


class Progress:
    """A progress bar on standard error. It is shown only if standard error is a terminal."""

    _WIDTH = 40
    _BESIDE = len(" 100% of 99999.9 MiB")
    _STEP = 0.005  # fraction of the total between two drawings: at most 200 drawings

    def __init__(self) -> None:
        self._shown = on_terminal(sys.stderr)
        self._width = min(self._WIDTH, width_of(sys.stderr) - self._BESIDE) if self._shown else 0
        self._drawn = 0.0

    def __call__(self, done: int, total: int | None) -> None:
        """Draw the bar for `done` of `total` bytes, or nothing if the total is unknown (None)."""
        if not self._shown or not total or (done < total and done / total - self._drawn < self._STEP):
            return  # the size of a pipe is unknown
        self._drawn = done / total
        part = bar(done, total, self._width, sys.stderr).ljust(self._width) if self._width > 0 else ""
        print(f"\r{part} {100 * done // total:3}% of {total / 2**20:.1f} MiB", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Remove the bar from the terminal."""
        if self._drawn:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
