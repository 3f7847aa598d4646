"""Descriptions of the body of a stream for error messages: its beginning, its events, and text outside of them.

Secrets in text from the server are replaced before the text is shortened, because a shortened secret is not recognized.

Does no I/O.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..protocols import JSON

__all__ = ["BodyReport"]

_BLANK = b"\xef\xbb\xbf \t\r\n"  # a byte order mark and white space
_SHOWN = 80  # characters of the server's text in an error message
_LONGEST_MESSAGE = 4096  # characters of the server's own error message
_KEPT = 65536  # bytes of the body's beginning. More than are shown, because secrets are replaced by shorter texts.
_MOST_NAMES = 20  # types of events that are counted


class BodyReport:
    """A description of the data that has arrived, for the message of an error."""

    def __init__(self, conceal: Callable[[JSON], JSON] | None) -> None:
        self._conceal = conceal
        self._head = bytearray()
        self._names: dict[str, int] = {}  # number of events with data, by type, except `message`
        self._unread = ""  # the data of the last event before the first choice

    def note_block(self, block: bytes) -> None:
        """Keep the beginning of the body, which `block` continues."""
        if not self._head:
            block = block.lstrip(_BLANK)
        self._head += block[: _KEPT - len(self._head)]

    def note_event(self, name: str, text: str) -> None:
        """Count an event whose data is not `[DONE]`, and keep its data."""
        if name != "message" and (name in self._names or len(self._names) < _MOST_NAMES):
            self._names[name] = self._names.get(name, 0) + 1
        self._unread = text

    def concealed(self, value: Any) -> Any:
        """Return a JSON value without secrets."""
        return value if self._conceal is None else self._conceal(value)

    def message(self, text: str) -> str:
        """Return the text of an error from the server, at most 4,096 characters of it."""
        return str(self.concealed(text))[:_LONGEST_MESSAGE]

    def shown(self, text: str) -> str:
        """Quote the beginning of a text."""
        return repr(self.concealed(text)[:_SHOWN])

    def beginning(self) -> str:
        """Return the reason why the body is not an event stream."""
        head = self._head.decode("utf-8", "replace").strip()
        return f"not an event stream: the body begins with {self.shown(head)}" if head else "an empty body"

    def events(self, total: int) -> str:
        """Describe the events, `total` in number, of a stream in which no choice has arrived."""
        if not total:
            return "no event arrived"
        names = {**self._names, "message": total - sum(self._names.values())}
        counts = ", ".join([f"{count} {self.shown(name)}" for name, count in names.items() if count])
        last = f". The last event: {self.shown(self._unread)}" if self._unread else ""
        return f"{total} {'event' if total == 1 else 'events'} arrived ({counts}), and no chunk with a choice{last}"
