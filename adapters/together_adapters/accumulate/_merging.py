"""Merging the values of one key over many chunks. Changes no value.

The declaration of a field contains its rule (see `together_types._merge_rules`). Keys inside the field, and undeclared
keys, are merged by the rule of the field or object around them:

- `CONCATENATE`, for fragments: strings and arrays are concatenated, also if they are equal. The keys in `_NAMES` are
  not fragments, so the first value is kept. For numbers and booleans, the last value is kept.
- `COLLECT`: the items of all arrays are collected without duplicates.
- `KEEP_FIRST`, for values that every chunk repeats: the first value that is not empty is kept.
- `INCREASING`, for times: the first number is kept. Larger numbers are expected.
- `KEEP_LAST`, for values that are sent once: the last value that is not `""` is kept.
- `CUMULATIVE`, for counts that include the earlier counts: the last value is kept.
- `PER_CHUNK`: no value is kept.

Objects are merged key by key. null does not replace another value. It is kept only if no chunk has another value.

Each distinct value that is not kept is listed once as unmerged. Exceptions: earlier counts of a CUMULATIVE number,
larger INCREASING numbers, and an empty value if another value is not empty. If a key has values of several
types, the first of these is kept: concatenated text, an array, an object, another value. The others are listed.
Listing takes time proportional to the size of the values, because each `problem` contains at most 80 characters of a
value.
"""

from __future__ import annotations

from io import StringIO

from .._json_data import is_dict, is_list, with_jsonable_asdict
from .._named_tuple import NamedTuple
from .._types import COLLECT, CONCATENATE, CUMULATIVE, INCREASING, KEEP_FIRST, PER_CHUNK, at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ..protocols import JSON

__all__ = [
    "ItemCount",
    "MergedField",
    "Text",
    "Unmerged",
    "field_in",
    "in_order",
    "index_key",
    "keep_unknown",
    "value_key",
    "with_unknown",
]

_NAMES = frozenset(["id", "type", "role", "index", "name", "object", "format", "model", "status"])
_FIRST = (KEEP_FIRST, INCREASING)
_OTHER_TYPE = "its type, or the type of an element, differs from that of the value that is kept"
_SHOWN = 80  # characters of a value in the text of an issue
_MOST_SMALL = 4096
_NO_RULES: Mapping[str, str] = {}


@with_jsonable_asdict
class Unmerged(NamedTuple):
    """A value in a chunk that the response cannot contain, with its `path` and the reason (`problem`)."""

    path: str
    problem: str
    value: JSON


class Text(StringIO):
    """A text written in fragments. It takes the memory of the text, 4 bytes a character, and not of the fragments."""

    def __init__(self) -> None:
        super().__init__()
        self.readline()  # makes CPython write into one buffer: until then it keeps every fragment (62 bytes each)

    def getvalue(self) -> str:
        """Return the text. Two halves of a surrogate pair, received in two fragments, become one character."""
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

    def equals(self, text: str) -> bool:
        """Return whether the text equals another, in time proportional to the other."""
        return self.tell() == len(text) and super().getvalue() == text


class MergedField:
    """An accumulator of the values of one key over many chunks."""

    __slots__ = ("_collected", "_items", "_members", "_rule", "_seen", "_text", "last")

    def __init__(self, rule: str) -> None:
        self._rule = rule
        self._text: Text | None = None
        self._items: list[Any] | None = None
        self._collected: dict[str, Any] | None = None  # the distinct items of arrays, by `value_key`
        self._members: dict[str, MergedField] | None = None
        self.last: Any = None  # the last value that is not concatenated or collected
        self._seen: dict[str, Any] = {}  # the distinct values of that kind, by `value_key`

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
            if self._collected is None:
                self._collected = {}
            for item in value:
                self._collected.setdefault(value_key(item), item)
        elif value is not None:
            self.add_single(value)

    def add_single(self, value: Any) -> None:
        """Merge a value as a unit, also if it is an object or an array."""
        last, keeps_first = self.last, self._rule in _FIRST
        if value.__class__ is last.__class__ is str and value == last:
            return
        if isinstance(value, (int, float)) and isinstance(last, (int, float)):
            if self._rule == CUMULATIVE:
                self._seen.clear()
            elif self._rule == INCREASING and 0 < last <= value:
                self.last = value
                return
        is_empty = not value if keeps_first else value == ""
        if not (self._seen and is_empty):
            if self._seen and (not last if keeps_first else last == ""):
                self._seen.clear()
            self._seen.setdefault(value_key(value), value)
            self.last = value

    def values(self) -> list[Any]:
        """Return the distinct values that were merged as units."""
        return list(self._seen.values())

    def result(self, path: str, unmerged: list[Unmerged]) -> Any:
        """Return the merged value, and append the values that are not kept to `unmerged`."""
        kinds: list[Any] = []
        if self._text is not None:
            kinds.append(self._text.getvalue())
        if self._items is not None:
            kinds.append(list(self._items))
        if self._collected is not None:
            kinds.append(list(self._collected.values()))
        if self._members is not None:
            kinds.append(merged_members(self._members, path, unmerged))
        if self._seen:
            kinds.append(self._kept(path, unmerged))
        filled = [value for value in kinds if value not in ("", [], {})] or kinds[:1]
        unmerged.extend([Unmerged(path, _OTHER_TYPE, value) for value in filled[1:]])
        return filled[0] if filled else None

    def _kept(self, path: str, unmerged: list[Unmerged]) -> Any:
        if len(self._seen) == 1:
            return next(iter(self._seen.values()))
        kept_key = next(iter(self._seen)) if self._rule in _FIRST else value_key(self.last)
        for key, value in self._seen.items():
            if key != kept_key:
                problem = f"one chunk has {kept_key[:_SHOWN]}, another {key[:_SHOWN]}"
                unmerged.append(Unmerged(path, problem, value))
        return self._seen[kept_key]


def value_key(value: Any) -> str:
    """Return a key that differs for values with different JSON texts, such as 1, 1.0 and true."""
    try:
        return repr(value)
    except ValueError:  # an integer with more digits than Python converts to text
        return f"<{type(value).__name__} at {id(value):#x}>"


class ItemCount:
    """The number of choices, tool calls and blocks of reasoning in a response so far, so that a reader can limit it."""

    __slots__ = ("total",)

    def __init__(self) -> None:
        self.total: int = 0


def index_key(index: int) -> int | str:
    """Return the dict key for an index that the server chose.

    Integers that are equal modulo 2**61 - 1 have the same hash, so a dict of them takes quadratic time. The hash of a
    text depends on a random seed. Small indexes, which are usual, need no text.
    """
    return index if 0 <= index < _MOST_SMALL else hex(index)


def field_in(fields: dict[str, MergedField], key: str, rule: str) -> MergedField:
    """Return the field of a key, which is created with this rule for the first value."""
    field = fields.get(key)
    if field is None:
        field = fields[key] = MergedField(rule)
    return field


def merge_into(into: dict[str, MergedField], items: Iterable[tuple[str, Any]], rule: str) -> None:
    """Merge the members of an object into those of the earlier objects."""
    for key, value in items:
        field_in(into, key, _rule_of(key, rule)).add(value)


def _rule_of(key: str, rule: str) -> str:
    """Return the rule of a key in an object that is merged by `rule`."""
    return KEEP_FIRST if rule == CONCATENATE and key in _NAMES else rule


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
    key is added if no chunk had a valid value. Otherwise it is appended to `unmerged`.
    """
    for key, value in merged_members(unknown, path, unmerged).items():
        if data.get(key) is None:
            data[key] = value
        elif value is not None:
            unmerged.append(Unmerged(at(path, key), _OTHER_TYPE, value))
    return data


def in_order(data: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Return the object with its declared keys first, in the order of `keys`."""
    return {**{key: data[key] for key in keys if key in data}, **data}


def keep_unknown(into: dict[str, MergedField], value: Any, rule: str, rules: Mapping[str, str] = _NO_RULES) -> None:
    """Merge each value in `extra` by the rule of its key in `rules`, or if absent by `rule`.

    The JSON of a coerced value, such as `"5"` for 5, is omitted, because its field contains the value.
    """
    fields: dict[str, Any] = value.__dict__
    for key, raw in value.extra.items():
        own = rules.get(key) or _rule_of(key, rule)
        if key not in fields and own != PER_CHUNK:
            field_in(into, key, own).add(raw)
