"""The value of one key over many chunks. Values are not changed.

The rule of a declared field is part of its declaration (see `together_types._read`); keys inside of it, and undeclared keys,
merge by the same rule:

- `CONCATENATE`, for fragments: strings are joined and arrays chained, equal ones too. The keys in `_NAMES` are not
  fragments: their first value is kept. Of numbers and booleans the last is kept.
- `COLLECT`: the items of all arrays, each once.
- `KEEP_FIRST`, for what every chunk repeats: the first value that is not empty.
- `KEEP_LAST`, for what is sent once: the last value that is not `""`.
- `CUMULATIVE`, for counts that include the counts before them: the last value.

Objects are merged key by key. null never overrides another value; it is kept only if no chunk contains anything else.

A value that is not kept is not lost. Every other value is listed once, and so is a value of another type than the first.
Earlier counts of a CUMULATIVE number are not listed, and neither is an empty value beside one that is not empty.
"""

from __future__ import annotations

from io import StringIO

from .._json_data import is_dict, is_list, with_jsonable_asdict
from .._named_tuple import NamedTuple
from .._types import COLLECT, CONCATENATE, CUMULATIVE, KEEP_FIRST, at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ..protocols import JSON

__all__ = ["MergedField", "Text", "Unmerged", "keep_unknown", "with_unknown"]

_NAMES = frozenset(["id", "type", "role", "index", "name", "object", "format", "model", "status"])
_OTHER_KIND = "not of the kind that other chunks have there"


@with_jsonable_asdict
class Unmerged(NamedTuple):
    """A part of a chunk that the response cannot hold: the `value`, the `path` it belongs to, and the reason."""

    path: str
    problem: str
    value: JSON


class Text(StringIO):
    """Fragments of text, written one by one: takes the memory of the text, at 4 bytes a character, not of the fragments."""

    def __init__(self) -> None:
        super().__init__()
        self.readline()  # from then on CPython writes into one buffer; before, it keeps every fragment (62 bytes each)

    def getvalue(self) -> str:
        """The text; the halves of a surrogate pair that came in two fragments are one character."""
        text = super().getvalue()
        try:
            text.encode()
        except UnicodeEncodeError:
            return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        return text

    def rest(self, start: int) -> str:
        """The text from a position on, at the cost of that alone."""
        self.seek(start)
        return self.read()


class MergedField:
    """The value of one key over many chunks."""

    __slots__ = ("_items", "_last", "_members", "_once", "_rule", "_seen", "_text")

    def __init__(self, rule: str) -> None:
        self._rule = rule
        self._text: Text | None = None
        self._items: list[Any] | None = None
        self._once: set[str] = set()  # the keys of these, if each is collected once
        self._members: dict[str, MergedField] | None = None
        self._last: Any = None  # of the values that stand alone
        self._seen: dict[str, Any] = {}  # those, each once

    def add(self, value: Any) -> None:
        """Merge one more value."""
        if is_dict(value):
            if self._members is None:
                self._members = {}
            merge_into(self._members, value.items(), self._rule)
        elif value.__class__ is str and self._rule == CONCATENATE:
            if self._text is None:
                self._text = Text()
            self._text.write(value)
        elif is_list(value) and self._rule == CONCATENATE:
            if self._items is None:
                self._items = []
            self._items.extend(value)
        elif is_list(value) and self._rule == COLLECT:
            self._collect(value)
        elif value is not None:
            self.add_single(value)

    def _collect(self, items: list[Any]) -> None:
        self._items = [] if self._items is None else self._items
        for item in items:
            key = _key(item)
            if key not in self._once:
                self._once.add(key)
                self._items.append(item)

    def add_single(self, value: Any) -> None:
        """Merge a value as a whole, also if it is an object or an array."""
        if value.__class__ is self._last.__class__ is str and value == self._last:
            return
        if self._rule == CUMULATIVE and isinstance(value, (int, float)) and isinstance(self._last, (int, float)):
            self._seen.clear()
        says_nothing = not value if self._rule == KEEP_FIRST else value == ""
        if not (self._seen and says_nothing):
            if self._seen and (self._last == "" if self._rule != KEEP_FIRST else not self._last):
                self._seen.clear()
            self._seen.setdefault(_key(value), value)
            self._last = value

    def result(self, path: str, unmerged: list[Unmerged]) -> Any:
        """What the values so far come to; what does not stand goes into `unmerged`."""
        kinds: list[Any] = []
        if self._text is not None:
            kinds.append(self._text.getvalue())
        if self._items is not None:
            kinds.append(list(self._items))
        if self._members is not None:
            kinds.append(merged_members(self._members, path, unmerged))
        if self._seen:
            kinds.append(self._kept(path, unmerged))
        said = [value for value in kinds if value not in ("", [], {})] or kinds[:1]
        unmerged.extend([Unmerged(path, _OTHER_KIND, value) for value in said[1:]])
        return said[0] if said else None

    def _kept(self, path: str, unmerged: list[Unmerged]) -> Any:
        values = list(self._seen.values())
        stands = values[0] if self._rule == KEEP_FIRST else self._last
        key = _key(stands)
        for other, value in self._seen.items():
            if other != key:
                unmerged.append(Unmerged(path, f"one chunk says {_shown(stands)}, another {_shown(value)}", value))
        return stands


def _key(value: Any) -> str:
    """Tells values apart as JSON does: 1, 1.0 and true differ."""
    try:
        return repr(value)
    except ValueError:  # an integer of more digits than this interpreter writes
        return f"{id(value)}"


def _shown(value: Any) -> str:
    return _key(value)[:80]


def merge_into(into: dict[str, MergedField], items: Iterable[tuple[str, Any]], rule: str) -> None:
    """Fold the members of an object into those of the objects before it."""
    for key, value in items:
        field = into.get(key)
        if field is None:
            field = into[key] = MergedField(KEEP_FIRST if rule == CONCATENATE and key in _NAMES else rule)
        field.add(value)


def merged_members(members: Mapping[str, MergedField], path: str, unmerged: list[Unmerged]) -> dict[str, Any]:
    """What the members of an object come to."""
    data: dict[str, Any] = {}
    for key, field in members.items():
        data[key] = field.result(at(path, key), unmerged)
    return data


def with_unknown(
    data: dict[str, Any], unknown: Mapping[str, MergedField], path: str, unmerged: list[Unmerged]
) -> dict[str, Any]:
    """Add the undeclared keys to what the declared ones came to.

    A declared key is among them where a chunk had something there that its field cannot hold: it is put
    in where no other chunk had better, and else into `unmerged`, with its path.
    """
    for key, value in merged_members(unknown, path, unmerged).items():
        if data.get(key) is None:
            data[key] = value
        elif value is not None:
            unmerged.append(Unmerged(at(path, key), _OTHER_KIND, value))
    return data


def keep_unknown(into: dict[str, MergedField], value: Any, rule: str) -> None:
    """What no field of a value holds; another spelling of what one holds, as an index of 0.0, is not needed any more."""
    merge_into(into, [(key, raw) for key, raw in value.extra.items() if key not in vars(value)], rule)
