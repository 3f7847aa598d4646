"""What one key comes to over many chunks: text that is joined, keys that no one declared, parts of a content list."""

from __future__ import annotations

from collections import namedtuple
from io import StringIO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, NamedTuple

    from typing_extensions import TypeGuard

    class Unmerged(NamedTuple):
        path: str
        problem: str
        value: Any

else:
    Unmerged = namedtuple("Unmerged", ("path", "problem", "value"))
    Unmerged.__doc__ = "What a chunk had and the response cannot show: the `value`, the `path` it belongs to, and why."

__all__ = ["Folded", "Parts", "Text", "Unmerged", "is_items", "is_members", "json_of", "keep_unknown", "with_unknown"]


def is_members(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether raw JSON is an object."""
    return isinstance(value, dict)


def json_of(value: Any) -> dict[str, Any]:
    """A value's JSON to be taken apart: whatever the server sent, where `to_dict` promises what keeps to the format."""
    data: dict[str, Any] = value.to_dict()
    return data


def is_items(value: Any) -> TypeGuard[list[Any]]:
    """Whether raw JSON is an array."""
    return isinstance(value, list)


# Fragments of text, written one by one and joined by `getvalue()`: takes little more memory than the text.
Text = StringIO


class Folded:
    """The value of one undeclared key over many chunks.

    null changes nothing, objects are folded key by key, and otherwise the last value stands. Where the
    values are `fragments`, as in a delta, strings are joined and arrays chained; unless all are equal,
    which is a constant that is repeated.
    """

    __slots__ = ("_count", "_fragments", "_members", "_parts", "_value")

    def __init__(self, fragments: bool) -> None:
        self._fragments = fragments
        self._value: Any = None
        self._count = 0
        self._members: dict[str, Folded] | None = None
        self._parts: list[Any] | None = None

    def add(self, value: Any) -> None:
        """Fold one more value in."""
        if value is None:
            return
        if self._parts is None and self._members is None:
            if self._count == 0 or (value == self._value and value.__class__ is self._value.__class__):
                self._value = value
                self._count += 1
                return
            self._begin(value)
        if self._members is not None and is_members(value):
            _fold_into(self._members, value.items(), self._fragments)
        elif self._parts is not None and isinstance(value, (str, list)) and isinstance(value, type(self._parts[0])):
            self._parts.append(value)
        else:
            self._value, self._count, self._members, self._parts = value, 1, None, None

    def _begin(self, value: Any) -> None:
        """The first value that differs says what the equal ones before it were."""
        kind = value.__class__
        if kind is not self._value.__class__:
            return
        if kind is dict:
            self._members = {}
            for _ in range(self._count):
                _fold_into(self._members, self._value.items(), self._fragments)
        elif self._fragments and kind in (str, list):
            self._parts = [self._value] * self._count

    def result(self) -> Any:
        """What the values so far come to."""
        if self._members is not None:
            return {key: folded.result() for key, folded in self._members.items()}
        if self._parts is None:
            return self._value
        if isinstance(self._parts[0], str):
            return "".join(self._parts)
        return [item for part in self._parts for item in part]


def _fold_into(into: dict[str, Folded], items: Iterable[tuple[str, Any]], fragments: bool) -> None:
    """Fold the members of an object into those of the objects before it."""
    for key, value in items:
        folded = into.get(key)
        if folded is None:
            folded = into[key] = Folded(fragments)
        folded.add(value)


def with_unknown(data: dict[str, Any], unknown: Mapping[str, Folded], path: str, left: list[Unmerged]) -> dict[str, Any]:
    """Add the undeclared keys to what the declared ones came to.

    A declared key is among them where a chunk had something there that its field cannot hold: it is put
    in where no other chunk had better, and else into `left`, with its path.
    """
    for key, folded in unknown.items():
        if data.get(key) is None:
            data[key] = folded.result()
        else:
            where = f"{path}.{key}" if path else key
            left.append(Unmerged(where, "not of the kind that other chunks have there", folded.result()))
    return data


def keep_unknown(into: dict[str, Folded], value: Any, fragments: bool) -> None:
    """What no field of a value holds; another spelling of what one holds, as an index of 0.0, is not needed any more."""
    _fold_into(into, [(key, raw) for key, raw in value.extra.items() if key not in vars(value)], fragments)


_TEXTS = ("text", "thinking", "refusal")


class Parts:
    """A content that comes as lists of parts: a part continues the one before it where all but their texts agree."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []

    def add(self, part: dict[str, Any]) -> None:
        """Take the next part, as JSON."""
        same = {key: value for key, value in part.items() if not _is_text(key, value)}
        if not self._parts or self._parts[-1].same != same:
            self._parts.append(_Part(same))
        self._parts[-1].add(part)

    def result(self) -> list[dict[str, Any]]:
        """The parts so far, as JSON."""
        return [part.result() for part in self._parts]


def _is_text(key: str, value: Any) -> bool:
    """Text, or a list of parts that have text; `text` of another kind is raw JSON that no field could hold."""
    if key == "thinking" and is_items(value):
        return all([is_members(piece) for piece in value])
    return key in _TEXTS and isinstance(value, str)


class _Part:
    def __init__(self, same: dict[str, Any]) -> None:
        self.same = same
        self._texts: dict[str, Text] = {}
        self._pieces: dict[str, Parts] = {}

    def add(self, part: dict[str, Any]) -> None:
        for key in _TEXTS:
            value: Any = part.get(key)
            if not _is_text(key, value):
                continue
            if isinstance(value, str):
                self._texts.setdefault(key, Text()).write(value)
            else:
                for piece in value:
                    self._pieces.setdefault(key, Parts()).add(piece)

    def result(self) -> dict[str, Any]:
        texts = {key: text.getvalue() for key, text in self._texts.items()}
        pieces = {key: parts.result() for key, parts in self._pieces.items()}
        return {**self.same, **texts, **pieces}
