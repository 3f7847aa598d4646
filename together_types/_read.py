"""The rules for reading JSON: which JSON each type of field accepts.

A `Reader` describes how one field is read. Its `read` function takes raw JSON and its nesting level, and has three
possible outcomes:

- It returns a value of the annotated type.
- It returns `Coerced(value)` if the JSON represents that value in another form (`"0"` or `0.0` for 0). The field
  contains the value, and `extra` keeps the JSON that was received. This is not an issue.
- It raises `TypeMismatch` if the JSON does not represent a value of the type. The field has its default, `extra` keeps
  the JSON, and `issues()` lists the problem.

`Reader.types` is the fast path: it maps the exact Python type of the JSON to the function that reads it, or to None if
the JSON is already the value. `read` accepts every type. `_schema` reads an object with these tables.

In a class body a reader takes the place of the default (`id: str | None = TEXT`). The `dataclass` decorator replaces it
with the default, and adds it to the schema of the class. Readers also accept their own results (values, tuples, enum
members), so constructors convert their arguments by the same rules.

A reader is independent of its field. It does not change the raw JSON. Lists and dicts in its result are copies.
"""

from __future__ import annotations

import json

from ._json import JSON, FrozenDict, at, copy_json, describe, finite, freeze, is_array, is_object, under
from ._merge_rules import KEEP_LAST
from ._open_enum import members_by_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import Enum
    from typing import Any

    Read = Callable[[JSON, int], JSON]

__all__ = [
    "ARGUMENTS",
    "COUNT",
    "EXTRA",
    "FLAG",
    "IDENTIFIER",
    "INTEGER",
    "INTEGERS",
    "INTEGERS_OR_NULLS",
    "INTEGER_OR_FLAG",
    "JSON_VALUE",
    "NUMBER",
    "NUMBERS_BY_NAME",
    "NUMBERS_OR_NULLS",
    "OBJECT",
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

# In characters. A longer string is not a count, a time or a seed, and int() of a very long string is slow.
_LONGEST_INTEGER = 40

_NULL: type = type(None)


class TypeMismatch(Exception):
    """The error for JSON that does not match the field's type. `path` is relative to the field."""

    def __init__(self, expected: str, got: JSON, path: str = "") -> None:
        super().__init__(expected, got, path)
        self.expected = expected
        self.got = got
        self.path = path

    @property
    def problem(self) -> str:
        return f"expected {self.expected}, got {describe(self.got)}"


class Coerced:
    """A converted value. `extra` keeps the original JSON."""

    __slots__ = ("value",)

    def __init__(self, value: JSON) -> None:
        self.value = value


class Reader:
    """The rules for reading one field. The module's docstring describes `read` and `types`.

    - `default`: the value of an absent field.
    - `null`: True if the field accepts null.
    - `required`: True if the absence of the field is an issue.
    - `hash`: False if the value may contain a dict, which cannot be hashed.
    - `raw`: True if the value may be raw JSON, which is frozen at the first access.
    - `repr`: False if the repr of the value omits the field.
    - `alias`: the JSON key, if it differs from the field's name.
    - `merge`: the rule by which a field of a chunk is merged over the chunks of a stream (see `_merge_rules`).
    - `head`: True if every chunk of a stream repeats the field.
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
        """Return a copy of the reader with the given settings changed."""
        settings = {name: getattr(self, name) for name in self.__slots__}
        return self.__class__(**{**settings, **changes})

    def convert(self, raw: JSON, level: int) -> JSON:
        """Return the value, or a Coerced, for raw JSON of any type. Raises TypeMismatch."""
        try:
            read = self.types[type(raw)]
        except KeyError:
            read = self.read
        return raw if read is None else read(raw, level)


def _text(raw: JSON, level: int) -> JSON:
    if isinstance(raw, str):
        return str.__str__(raw)  # a plain string even if `raw` is of a subclass, such as a member of another enum
    raise TypeMismatch("string", raw)


def _text_or_number(raw: JSON, level: int) -> JSON:
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        try:
            return Coerced(json.dumps(raw, allow_nan=False))
        except ValueError:  # not a JSON number, or an integer of more digits than this interpreter writes
            pass
    return _text(raw, level)


def _flag(raw: JSON, level: int) -> JSON:
    raise TypeMismatch("true or false", raw)


def _finite(raw: JSON) -> int | None:
    """Return a number of any type (Decimal, NumPy's) as a truncated int, or None for NaN, infinities, other objects."""
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
    except TypeError:  # it contains an object that is not JSON
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
    """Return the reader of a value of the class `cls`. `read_object` reads a dict as such a value."""

    def read(raw: JSON, level: int) -> JSON:
        if isinstance(raw, cls):
            return raw
        if is_object(raw):
            return read_object(dict(raw), level)
        raise TypeMismatch("object", raw)

    return Reader(read, {dict: read_object})


def enum_of(enum: type[Enum]) -> Any:
    """Return the reader of a string enum. An open enum accepts every string."""
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
    """Return the reader of an array, which becomes a tuple. One invalid element makes the whole array a mismatch.

    `nulls` allows null as an element.
    """
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
    """Return the reader of an object with values of one type, which becomes a FrozenDict.

    One invalid value makes the whole object a mismatch. `nulls` allows null as a value.
    """
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
    """Return the `types` and the `read` of an element. Raw JSON in an element is frozen while it is read."""
    if not item.raw:
        return {kind: read for kind, read in item.types.items() if nulls or kind is not _NULL}, item.read

    def read(raw: JSON, level: int) -> JSON:
        if raw is None and not nulls:
            return item.read(raw, level)
        result = item.convert(raw, level)
        return Coerced(freeze(result.value)) if result.__class__ is Coerced else freeze(result)

    return {}, read


def union(*readers: Reader) -> Any:
    """Return the reader of a union of the types of several readers.

    The reader uses the first type that the JSON already has, or else the first type to which the JSON can be converted.
    """

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
            if found.path:  # the container matches and an element does not: this is the most specific problem
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


# Annotated as Any for type checkers, because in a class body a reader takes the place of the field's default.
EXTRA: Any = Reader(_object, {}, hash=False, raw=True)  # marks the field `extra`, which the decorator handles
TEXT: Any = Reader(_text, {str: None})
IDENTIFIER: Any = Reader(_text_or_number, {str: None})
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
# One object, or an array with an object or null for each position.
TOP_LOGPROBS: Any = union(NUMBERS_BY_NAME, array_of(NUMBERS_BY_NAME, nulls=True))
TEXT_OR_TEXTS: Any = union(TEXT, array_of(TEXT))
TEXT_OR_INTEGER: Any = union(TEXT, INTEGER)
TEXT_OR_OBJECT: Any = union(TEXT, OBJECT)
INTEGER_OR_FLAG: Any = union(INTEGER, FLAG)

# Pickles of version 0.1.0 contain `_read.ReadOnlyDict`, whose nested lists and dicts were not read-only.
ReadOnlyDict = freeze
