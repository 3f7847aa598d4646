"""The keys that no field declares, for `parse`: where they stand, and how often.

Misfits of declared fields are issues, never listed here.
"""

from __future__ import annotations

import json

from .._json_data import is_sequence
from .._types import at
from .terminal import clipped, on_one_line, plural

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["Undeclared"]

_MOST = 100  # paths that are kept: a key may be made up anew for each chunk
_VALUE = 40


class Undeclared:
    """Collects undeclared keys of many values; the same path in several of them is listed once, and counted."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[str, Any, int]] = {}
        self._left_out = 0

    def add(self, value: Any, where: str = "") -> None:
        """Note the keys of a value; `where` goes before the path of the first: `chunk[7].`."""
        for path, raw in _undeclared(value, ""):
            if path in self._found:
                first, shown, times = self._found[path]
                self._found[path] = first, shown, times + 1
            elif len(self._found) < _MOST:
                self._found[path] = where + path, raw, 1
            else:
                self._left_out += 1

    def lines(self) -> Iterator[str]:
        """A line for each path, with what stood there first."""
        for path, raw, times in self._found.values():
            again = f" (and {times - 1} more)" if times > 1 else ""
            yield f"extra: {on_one_line(path)}: {clipped(json.dumps(raw, ensure_ascii=False), _VALUE)}{again}"
        if self._left_out:
            yield f"extra: {plural(self._left_out, 'more key')}"

    def as_json(self) -> list[dict[str, object]]:
        """The same for programs; `times` is how many had the path, `value` what the first had there."""
        return [{"path": path, "value": raw, "times": times} for path, raw, times in self._found.values()]


def _undeclared(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    declared = {name.rstrip("_") for name in value.__match_args__[:-1]}  # `type_` is the key `type`
    for key, raw in value.extra.items():
        if key not in declared:
            yield at(path, key), raw
    for name, item in value.__dict__.items():
        if name != "extra":
            yield from _below(item, at(path, name))


def _below(item: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The same for what a field holds: a value, a tuple of them, or raw JSON, of which nothing is undeclared."""
    if is_sequence(item):
        for index, one in enumerate(item):
            yield from _below(one, at(path, index))
    elif hasattr(item, "issues"):
        yield from _undeclared(item, path)
