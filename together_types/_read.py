"""How JSON is read: the policy for every type, in one place.

A `Reader` describes how one field is read. Its `read` function receives raw JSON and the nesting level of that JSON,
and has three results:

- the value that the field's annotation promises;
- `Coerced(value)`: the same value in another form (`"0"` or `0.0` for 0). The field holds the value, `extra` keeps
  the JSON that was received. This is not an issue.
- `TypeMismatch`, raised: the field cannot hold this JSON truthfully. The field reads as absent, `extra` keeps the
  JSON, and `issues()` lists the problem.

`Reader.types` is the fast path: it maps an exact JSON type to the function that reads it, or to None where the JSON is
the value already. `read` accepts every type. `_schema` reads an object with these tables.

In a class body a reader is written in place of the default (`id: str | None = TEXT`); the `dataclass` decorator
makes the default and the schema of the class from it. Readers also accept what they return (values, tuples,
enum members), so constructors convert their arguments by the same rules.

A reader does not know its field, does not change the raw JSON, and returns no part of it that the caller can change.
"""

from __future__ import annotations

import json

from ._json import JSON, FrozenDict, at, copy_json, describe, finite, freeze, is_array, is_object, under
from ._open_enum import members_by_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import Enum
    from typing import Any

    Read = Callable[[JSON, int], JSON]

__all__ = [
    "ARGUMENTS",
    "COLLECT",
    "CONCATENATE",
    "COUNT",
    "CUMULATIVE",
    "CUSTOM",
    "EXTRA",
    "FLAG",
    "INTEGER",
    "INTEGERS",
    "INTEGERS_OR_NULLS",
    "INTEGER_OR_FLAG",
    "JSON_VALUE",
    "KEEP_FIRST",
    "KEEP_LAST",
    "NUMBER",
    "NUMBERS_BY_NAME",
    "NUMBERS_OR_NULLS",
    "OBJECT",
    "PER_CHUNK",
    "TEXT",
    "TEXTS_BY_NAME",
    "TEXTS_OR_NULLS",
    "TEXT_OR_INTEGER",
    "TEXT_OR_OBJECT",
    "TEXT_OR_TEXTS",
    "TIMESTAMP",
    "TOP_LOGPROBS",
    "Coerced",
    "Reader",
    "TypeMismatch",
    "array_of",
    "enum_of",
    "map_of",
    "nested",
    "object_in",
    "union",
]

# How a field of a chunk merges over the chunks of a stream; `together_adapters.accumulate` applies these rules.
KEEP_FIRST = "keep first"
"""The first value that is not empty: what every chunk repeats (id, model)."""
KEEP_LAST = "keep last"
"""The last value that is not "": what is sent once, or may change."""
CUMULATIVE = "cumulative"
"""The last value, because it includes the ones before it (token counts)."""
CONCATENATE = "concatenate"
"""All values, joined in order: fragments of text, parts of an array."""
COLLECT = "collect"
"""The items of all arrays, each once."""
PER_CHUNK = "per chunk"
"""No value, because it belongs to one chunk and not to the response."""
CUSTOM = "custom"
"""A rule of its own in `accumulate`."""

# A longer digit string is not a count, a time or a seed, and int() of a very long one is slow.
_LONGEST_INTEGER = 40

_NULL: type = type(None)


class TypeMismatch(Exception):
    """JSON of another type than the field holds; `path` is relative to the field."""

    def __init__(self, expected: str, got: JSON, path: str = "") -> None:
        super().__init__(expected, got, path)
        self.expected = expected
        self.got = got
        self.path = path

    @property
    def problem(self) -> str:
        return f"expected {self.expected}, got {describe(self.got)}"


class Coerced:
    """A converted value; `extra` keeps the JSON that it was made from."""

    __slots__ = ("value",)

    def __init__(self, value: JSON) -> None:
        self.value = value


class Reader:
    """How one field is read; the module's docstring describes `read` and `types`.

    `default` is the value of an absent field. `null` is whether JSON's null is a value of it. A `required` field has an
    issue when it is absent. `hash` is False if the value may contain a dict, which cannot be hashed. `raw` is True if
    the value may be raw JSON, which is frozen when it is first accessed. `repr` is False for a field that the repr
    leaves out. `alias` is the key in JSON if it is not the field's name. `merge` is how the field of a chunk merges over
    the chunks of a stream. `head` is True for a field that every chunk of a stream repeats.
    """

    __slots__ = ("alias", "default", "hash", "head", "merge", "null", "raw", "read", "repr", "required", "types")

    def __init__(
        self,
        read: Read,
        types: Mapping[type, Read | None],
        *,
        default: JSON = None,
        null: bool = True,
        required: bool = False,
        hash: bool = True,
        raw: bool = False,
        repr: bool = True,
        alias: str | None = None,
        merge: str = KEEP_LAST,
        head: bool = False,
    ) -> None:
        self.read = read
        self.types = {**types, _NULL: None}
        if not null:
            del self.types[_NULL]
        self.default = default
        self.null = null
        self.required = required
        self.hash = hash
        self.raw = raw
        self.repr = repr
        self.alias = alias
        self.merge = merge
        self.head = head

    def replace(self, **changes: JSON) -> Reader:
        """Return the same reader with other settings."""
        settings = {name: getattr(self, name) for name in self.__slots__}
        return self.__class__(**{**settings, **changes})

    def convert(self, raw: JSON, level: int) -> JSON:
        """Return the value, or the Coerced, that the reader makes of raw JSON of any type. Raises TypeMismatch."""
        try:
            read = self.types[type(raw)]
        except KeyError:
            read = self.read
        return raw if read is None else read(raw, level)


def _text(raw: JSON, level: int) -> JSON:
    if isinstance(raw, str):
        return str.__str__(raw)  # of a subclass too, such as another enum's member
    raise TypeMismatch("string", raw)


def _flag(raw: JSON, level: int) -> JSON:
    raise TypeMismatch("true or false", raw)


def _finite(raw: JSON) -> int | None:
    """Truncate a number of any type (Decimal, NumPy's); return None for anything else, NaN and infinities."""
    if isinstance(raw, bool) or not hasattr(raw, "__float__"):
        return None
    try:
        return int(raw)
    except (ValueError, OverflowError):
        return None


def _integer(raw: JSON, level: int) -> JSON:
    number = _finite(raw)
    if number is not None and number == raw:
        return Coerced(number)
    if isinstance(raw, str) and len(raw) <= _LONGEST_INTEGER and raw.isascii() and raw.removeprefix("-").isdigit():
        return Coerced(int(raw))
    raise TypeMismatch("integer", raw)


def _timestamp(raw: JSON, level: int) -> JSON:
    number = _finite(raw)
    if number is not None:
        return Coerced(number)
    return _integer(raw, level)


def _number(raw: JSON, level: int) -> JSON:
    if not isinstance(raw, bool) and hasattr(raw, "__float__"):
        try:
            number = float(raw)
        except OverflowError:
            number = float("inf")
        if number == raw or not isinstance(raw, int):
            return Coerced(number)
    raise TypeMismatch("number", raw)


def _arguments(raw: JSON, level: int) -> JSON:
    if not is_object(raw):
        return _text(raw, level)
    try:
        text = json.dumps(finite(copy_json(raw, level)), ensure_ascii=False)
    except TypeError:  # a caller's object, not JSON
        raise TypeMismatch("string or JSON object", raw) from None
    return Coerced(text)


def _object(raw: JSON, level: int) -> JSON:
    if is_object(raw):
        return copy_json(raw, level)
    raise TypeMismatch("object", raw)


def nested(cls: Any) -> Any:
    """Return the reader of a value of the class `cls`."""
    return object_in(cls, cls._schema.read)


def object_in(cls: type[Any], read_object: Read) -> Reader:
    """Return the reader of a value of the class `cls`; `read_object` makes one of a dict."""

    def read(raw: JSON, level: int) -> JSON:
        if isinstance(raw, cls):
            return raw
        if is_object(raw):
            return read_object(dict(raw), level)
        raise TypeMismatch("object", raw)

    return Reader(read, {dict: read_object})


def enum_of(enum: type[Enum]) -> Any:
    """Return the reader of a member of a string enum; an open enum has a member for every string."""
    members = members_by_value(enum)

    def read_text(raw: str, level: int) -> JSON:
        if raw in members:
            return members[raw]
        try:
            return enum(raw)
        except ValueError:
            raise TypeMismatch(f"one of {', '.join(map(json.dumps, members))}", raw) from None

    def read(raw: JSON, level: int) -> JSON:
        if isinstance(raw, str):
            return read_text(str.__str__(raw), level)
        raise TypeMismatch("string", raw)

    return Reader(read, {str: read_text})


def array_of(item: Reader, *, nulls: bool = False) -> Any:
    """Return the reader of an array as a tuple; one element of the wrong type is a mismatch of the whole array."""
    types, read_any = _element(item, nulls)
    kept = frozenset([kind for kind, read in types.items() if read is None])

    def read_list(raw: JSON, level: int) -> JSON:
        if kept and kept.issuperset(map(type, raw)):
            return tuple(raw)
        items: list[JSON] = []
        level += 1
        coerced = False
        for element in raw:
            try:
                read = types[type(element)]
            except KeyError:
                read = read_any
            if read is None:
                items.append(element)
                continue
            try:
                result = read(element, level)
            except TypeMismatch as mismatch:
                path = under(at("", len(items)), mismatch.path)
                raise TypeMismatch(mismatch.expected, mismatch.got, path) from None
            if result.__class__ is Coerced:
                result, coerced = result.value, True
            items.append(result)
        return Coerced(tuple(items)) if coerced else tuple(items)

    def read(raw: JSON, level: int) -> JSON:
        if is_array(raw):
            return read_list(raw, level)
        raise TypeMismatch("array", raw)

    return Reader(read, {list: read_list}, hash=item.hash)


def map_of(item: Reader, *, nulls: bool = False) -> Any:
    """Return the reader of an object with any keys and values of one type; one wrong value is a mismatch of it all."""
    types, read_any = _element(item, nulls)
    kept = frozenset([kind for kind, read in types.items() if read is None])

    def read_dict(raw: JSON, level: int) -> JSON:
        if kept.issuperset(map(type, raw.values())):
            return FrozenDict(raw)
        items: dict[str, JSON] = {}
        level += 1
        coerced = False
        for name, element in raw.items():
            try:
                read = types[type(element)]
            except KeyError:
                read = read_any
            try:
                result = element if read is None else read(element, level)
            except TypeMismatch as mismatch:
                raise TypeMismatch(mismatch.expected, mismatch.got, under(at("", name), mismatch.path)) from None
            if result.__class__ is Coerced:
                result, coerced = result.value, True
            items[name] = result
        return Coerced(FrozenDict(items)) if coerced else FrozenDict(items)

    def read(raw: JSON, level: int) -> JSON:
        if is_object(raw):
            return read_dict(raw, level)
        raise TypeMismatch("object", raw)

    return Reader(read, {dict: read_dict}, hash=False)


def _element(item: Reader, nulls: bool) -> tuple[Mapping[type, Read | None], Read]:
    """Return the `types` and the `read` of an element. Raw JSON in one is frozen at once, in a field on access."""
    if not item.raw:
        return {kind: read for kind, read in item.types.items() if nulls or kind is not _NULL}, item.read

    def read(raw: JSON, level: int) -> JSON:
        if raw is None and not nulls:
            return item.read(raw, level)
        result = item.convert(raw, level)
        return Coerced(freeze(result.value)) if result.__class__ is Coerced else freeze(result)

    return {}, read


def union(*readers: Reader) -> Any:
    """Return the reader of the first type that is the JSON as it is, else of the first that it can be converted to."""

    def read(raw: JSON, level: int) -> JSON:
        mismatches: list[TypeMismatch] = []
        coerced: Coerced | None = None
        for reader in readers:
            try:
                result = reader.read(raw, level) if raw is None else reader.convert(raw, level)
            except TypeMismatch as mismatch:
                mismatches.append(mismatch)
                continue
            if result.__class__ is not Coerced:
                return result
            coerced = coerced or result
        if coerced:
            return coerced
        for found in mismatches:
            if found.path:  # the right kind of container, with a wrong element
                raise found
        raise TypeMismatch(" or ".join(found.expected for found in mismatches), raw)

    types: dict[type, Read | None] = {}
    for kind in {kind for reader in readers for kind in reader.types}:
        functions = [reader.types[kind] for reader in readers if kind in reader.types]
        if None in functions:
            types[kind] = None
        elif len(functions) == 1:
            types[kind] = functions[0]
    hashed = all(reader.hash for reader in readers)
    return Reader(read, types, hash=hashed, raw=any(reader.raw for reader in readers))


# Any for type checkers: in a class body a reader is in the place of the field's default.
EXTRA: Any = Reader(_object, {}, hash=False, raw=True)  # the field `extra` itself, which the decorator handles
TEXT: Any = Reader(_text, {str: None})
FLAG: Any = Reader(_flag, {bool: None})
INTEGER: Any = Reader(_integer, {int: None})
TIMESTAMP: Any = Reader(_timestamp, {int: None})
COUNT: Any = INTEGER.replace(default=0, null=False, required=True)
NUMBER: Any = Reader(_number, {float: None})
ARGUMENTS: Any = Reader(_arguments, {str: None})
OBJECT: Any = Reader(_object, {dict: copy_json}, hash=False, raw=True)
JSON_VALUE: Any = Reader(copy_json, dict.fromkeys([str, int, float, bool]), hash=False, raw=True)
NUMBERS_BY_NAME: Any = map_of(NUMBER)
TEXTS_BY_NAME: Any = map_of(TEXT)
INTEGERS: Any = array_of(INTEGER)
INTEGERS_OR_NULLS: Any = array_of(INTEGER, nulls=True)
NUMBERS_OR_NULLS: Any = array_of(NUMBER, nulls=True)
TEXTS_OR_NULLS: Any = array_of(TEXT, nulls=True)
# One object, or an array of one object for each position.
TOP_LOGPROBS: Any = union(NUMBERS_BY_NAME, array_of(NUMBERS_BY_NAME, nulls=True))
TEXT_OR_TEXTS: Any = union(TEXT, array_of(TEXT))
TEXT_OR_INTEGER: Any = union(TEXT, INTEGER)
TEXT_OR_OBJECT: Any = union(TEXT, OBJECT)
INTEGER_OR_FLAG: Any = union(INTEGER, FLAG)

# Pickles of 0.1.0 contain `_read.ReadOnlyDict`, whose nested lists and dicts were not read-only.
ReadOnlyDict = freeze
