"""Merging the values of one key over many chunks. Changes no value.

The declaration of a field contains its rule (see `together_types._merge_rules`). Keys inside the field, and undeclared keys,
are merged by the rule of the field or object around them:

- `CONCATENATE`, for fragments: strings and arrays are concatenated, also if they are equal. The keys in `_NAMES` are
  not fragments, so the first value is kept. For numbers and booleans, the last value is kept.
- `COLLECT`: the items of all arrays are collected without duplicates.
- `KEEP_FIRST`, for values that every chunk repeats: the first value that is not empty is kept.
- `KEEP_LAST`, for values that are sent once: the last value that is not `""` is kept.
- `CUMULATIVE`, for counts that include the earlier counts: the last value is kept.

Objects are merged key by key. null does not replace another value; it is kept only if no chunk has another value.

Each distinct value that is not kept is listed once as unmerged, and so is a value whose type differs from the first.
Exceptions: earlier counts of a CUMULATIVE number, and an empty value if another value is not empty.
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

__all__ = ["MergedField", "Text", "Unmerged", "field_in", "in_order", "keep_unknown", "with_unknown"]

_NAMES = frozenset(["id", "type", "role", "index", "name", "object", "format", "model", "status"])
_OTHER_KIND = "not of the kind that other chunks have there"


@with_jsonable_asdict
class Unmerged(NamedTuple):
    """A value in a chunk that the response cannot contain, with its `path` and the reason (`problem`)."""

    path: str
    problem: str
    value: JSON


class Text(StringIO):
    """A text written in fragments; it takes the memory of the text, 4 bytes a character, and not of the fragments."""

    def __init__(self) -> None:
        super().__init__()
        self.readline()  # makes CPython write into one buffer; until then it keeps every fragment (62 bytes each)

    def getvalue(self) -> str:
        """Return the text; two halves of a surrogate pair, received in two fragments, become one character."""
        text = super().getvalue()
        try:
            text.encode()
        except UnicodeEncodeError:
            return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        return text

    def rest(self, start: int) -> str:
        """Return the text from a position to the end, without copying the text before it."""
        self.seek(start)
        return self.read()


class MergedField:
    """An accumulator of the values of one key over many chunks."""

    __slots__ = ("_items", "_last", "_members", "_once", "_rule", "_seen", "_text")

    def __init__(self, rule: str) -> None:
        self._rule = rule
        self._text: Text | None = None
        self._items: list[Any] | None = None
        self._once: set[str] = set()  # the keys (see `_key`) of the items, for COLLECT
        self._members: dict[str, MergedField] | None = None
        self._last: Any = None  # the last value that is not concatenated or collected
        self._seen: dict[str, Any] = {}  # the distinct values of that kind

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
        """Merge a value as a unit, also if it is an object or an array."""
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
        """Return the merged value, and append the values that are not kept to `unmerged`."""
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
    """Return a key that distinguishes values as JSON does: 1, 1.0 and true differ."""
    try:
        return repr(value)
    except ValueError:  # an integer of more digits than this interpreter writes
        return f"{id(value)}"


def _shown(value: Any) -> str:
    return _key(value)[:80]


def field_in(fields: dict[str, MergedField], key: str, rule: str) -> MergedField:
    """Return the field of a key, which is created with this rule for the first value."""
    field = fields.get(key)
    if field is None:
        field = fields[key] = MergedField(rule)
    return field


def merge_into(into: dict[str, MergedField], items: Iterable[tuple[str, Any]], rule: str) -> None:
    """Merge the members of an object into those of the earlier objects."""
    for key, value in items:
        field_in(into, key, KEEP_FIRST if rule == CONCATENATE and key in _NAMES else rule).add(value)


def merged_members(members: Mapping[str, MergedField], path: str, unmerged: list[Unmerged]) -> dict[str, Any]:
    """Return the merged members of an object."""
    data: dict[str, Any] = {}
    for key, field in members.items():
        data[key] = field.result(at(path, key), unmerged)
    return data


def with_unknown(
    data: dict[str, Any], unknown: Mapping[str, MergedField], path: str, unmerged: list[Unmerged]
) -> dict[str, Any]:
    """Add the values from `extra` to the merged fields, and return them.

    `extra` has undeclared keys, and declared keys whose value does not match the field's type. A value for a declared
    key is added if no chunk had a valid value; otherwise it is appended to `unmerged`.
    """
    for key, value in merged_members(unknown, path, unmerged).items():
        if data.get(key) is None:
            data[key] = value
        elif value is not None:
            unmerged.append(Unmerged(at(path, key), _OTHER_KIND, value))
    return data


def in_order(data: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Return the object with its declared keys first, in the order of `keys`."""
    return {**{key: data[key] for key in keys if key in data}, **data}


def keep_unknown(into: dict[str, MergedField], value: Any, rule: str) -> None:
    """Merge the JSON in `extra`, except that of a coerced value, such as 0 for 0.0, which its field contains."""
    merge_into(into, [(key, raw) for key, raw in value.extra.items() if key not in vars(value)], rule)
