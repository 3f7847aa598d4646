"""A message's content that comes as lists of parts, put together. No part is dropped, and only its text goes on.

The first part of a delta continues the last one before it where both have text, under keys of the same kind, and
all else in them agrees. Every other part is one of its own: two of one delta, and two equal pictures, stay two.
"""

from __future__ import annotations

from ._merging import Text, is_dict, is_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

__all__ = ["Parts"]

_TEXTS = ("text", "thinking", "refusal")


class Parts:
    """The parts so far."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []

    def add(self, parts: Iterable[Mapping[str, Any]]) -> None:
        """Take the parts of one delta, as JSON."""
        last = self._parts[-1] if self._parts else None
        for part in parts:
            texts = {key: value for key, value in part.items() if _is_text(key, value)}
            rest = {key: value for key, value in part.items() if key not in texts}
            if last is None or not last.goes_on_with(texts, rest):
                self._parts.append(_Part(rest))
            self._parts[-1].add(texts)
            last = None

    def result(self) -> list[dict[str, Any]]:
        """The parts so far, as JSON."""
        return [part.result() for part in self._parts]


def _is_text(key: str, value: Any) -> bool:
    """Text, or a list of parts that have text; `text` of another kind is raw JSON that no field could hold."""
    if key == "thinking" and is_list(value):
        return all([is_dict(piece) for piece in value])
    return key in _TEXTS and isinstance(value, str)


class _Part:
    def __init__(self, rest: dict[str, Any]) -> None:
        self._rest = rest
        self._texts: dict[str, Text] = {}
        self._pieces: dict[str, Parts] = {}

    def goes_on_with(self, texts: Mapping[str, Any], rest: dict[str, Any]) -> bool:
        known = [key in (self._texts if isinstance(value, str) else self._pieces) for key, value in texts.items()]
        return bool(known) and all(known) and rest == self._rest

    def add(self, texts: Mapping[str, Any]) -> None:
        for key, value in texts.items():
            if isinstance(value, str):
                if key not in self._texts:
                    self._texts[key] = Text()
                self._texts[key].write(value)
            else:
                if key not in self._pieces:
                    self._pieces[key] = Parts()
                self._pieces[key].add(value)

    def result(self) -> dict[str, Any]:
        texts = {key: text.getvalue() for key, text in self._texts.items()}
        pieces = {key: parts.result() for key, parts in self._pieces.items()}
        return {**self._rest, **texts, **pieces}
