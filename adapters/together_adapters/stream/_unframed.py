"""The lines of a body that are not fields of an event stream.

There are three cases: an error or a completion as JSON without `data:`, the errors of llama.cpp as `error: {...}`, and
the HTML page of a proxy.

Does no I/O.
"""

from __future__ import annotations

import re

__all__ = ["UnframedText"]

_ERROR_JSON = r'[\s\[]*\{\s*"error"\s*:'
_ERROR_FIELD = r"(?m)^error: ?"  # llama-server of 2024 and 2025


class UnframedText:
    """The text outside of events: the lines that wait for the rest of their JSON, and the first text that is not JSON.

    Waiting lines are kept in pieces and joined once, so that the time is linear for any content.
    """

    def __init__(self, limit: int) -> None:
        self.quoted: str = ""
        """The first text that is not JSON, which errors quote."""
        self.is_error = False
        """True if the last text was the value of a field named `error`."""
        self._limit = limit
        self._waiting: list[str] = []
        self._size = 0

    @property
    def waits(self) -> bool:
        """True if there is text whose JSON is not complete."""
        return bool(self._waiting)

    def add(self, text: str) -> str:
        """Take the next lines, and return the text to parse.

        If earlier lines wait, the next lines wait with them, and "" is returned. Otherwise the next lines are returned,
        without the field name `error`.
        """
        if self._waiting:
            self._wait(text)
            return ""
        self.is_error = re.search(_ERROR_FIELD, text) is not None
        return re.sub(_ERROR_FIELD, "", text) if self.is_error else text

    def reports_error(self, text: str) -> bool:
        """Return whether text that is not complete JSON reports an error, because of its field or its beginning."""
        return self.is_error or re.match(_ERROR_JSON, text) is not None

    def put_back(self, rest: str) -> None:
        """Take back text that is not complete JSON.

        The beginning of JSON waits for more lines. Other text is kept for quotation in an error.
        """
        if rest.lstrip()[:1] in ("{", "["):
            self._wait(rest)
        else:
            self.quoted = self.quoted or rest.strip()

    def take(self) -> str:
        """Remove and return the waiting text, to which no more lines belong."""
        text = "\n".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        return text

    def _wait(self, text: str) -> None:
        """Keep text. Raises ValueError if it has more characters than the limit."""
        self._waiting.append(text)
        self._size += len(text) + 1
        if self._size > self._limit:
            self._waiting.clear()
            raise ValueError(f"not an event stream: the body has more than {self._limit} bytes outside of events")
