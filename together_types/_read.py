"""How one field is read from JSON: the policy of every type, in one place. No reader knows its field,
changes the raw JSON it is given or keeps a part that its caller could change.

A `Reader` takes the raw JSON of one field and the nesting level it stands at, and gives
the value that the field's annotation promises. There are two other ends:

- `TypeMismatch`: the field cannot hold this truthfully. The object keeps the raw JSON in
  `extra`, the field reads as absent, and `issues()` names the problem.
- `Coerced`: the right thing in another spelling (`"0"` or `0.0` for 0). The field
  holds the converted value and `extra` the spelling that came. Not an issue.

In a class body a reader stands where the default would stand (`id: str | None = TEXT`);
the `dataclass` decorator of `_model` turns it into the default and the reading table.
`plain` is the exact JSON type that needs no reading at all: the shortcut that lets most
fields of a chunk pass with one comparison.

Readers also take what they give (values, tuples, enum members), so that constructors
settle their arguments by the same rules.
"""

from __future__ import annotations

import json

from ._json import JSON, copy_json, describe, finite, is_array, is_object
from ._open_enum import members_by_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from ._open_enum import OpenEnum

    Read = Callable[[JSON, int], JSON]

__all__ = [
    "ARGUMENTS",
    "COUNT",
    "EXTRA",
    "FLAG",
    "INTEGER",
    "INTEGERS",
    "INTEGERS_OR_NULLS",
    "INTEGER_OR_FLAG",
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
    "ReadOnlyDict",
    "Reader",
    "TypeMismatch",
    "array_of",
    "at",
    "enum_of",
    "nested",
    "under",
    "union",
]

# A longer digit string is no count, time or seed; the bound keeps int() from being slow.
_LONGEST_INTEGER = 40


class TypeMismatch(Exception):
    """The raw JSON is not what the field holds; `path` is relative to the field."""

    def __init__(self, expected: str, got: JSON, path: str = "") -> None:
        super().__init__(expected, got, path)
        self.expected = expected
        self.got = got
        self.path = path

    @property
    def problem(self) -> str:
        return f"expected {self.expected}, got {describe(self.got)}"


class Coerced(Exception):
    """The raw JSON says `value` in another spelling."""

    def __init__(self, value: JSON) -> None:
        super().__init__(value)
        self.value = value


if TYPE_CHECKING:
    _JSONDict = dict[str, JSON]
else:
    _JSONDict = dict


class ReadOnlyDict(_JSONDict):
    """A dict that is not changed by accident; `json`, `==`, `pickle` and `asdict` take it as the dict it is."""

    __slots__ = ()

    def _refuse(self, *args: object, **kwargs: object) -> NoReturn:
        raise TypeError("this mapping is read-only: take dict(...) of it, or make a new value with replace()")

    if not TYPE_CHECKING:
        __setitem__ = __delitem__ = __ior__ = _refuse
        clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[ReadOnlyDict], tuple[dict[str, JSON]]]:
        return self.__class__, (dict(self),)


class Reader:
    """How one field is read (the module's text has the contract of `read`).

    `default` answers for an absent field and `null` says whether JSON's null may stand in
    it; a `required` field has an issue when it is absent. `hash` is False if the field may hold raw JSON,
    which cannot be hashed; `repr` is False for a field that the repr leaves out. `alias` is the
    key in JSON if it is not the field's name.
    """

    __slots__ = ("alias", "default", "hash", "null", "plain", "read", "repr", "required")

    def __init__(
        self,
        read: Read,
        plain: type | None = None,
        *,
        default: JSON = None,
        null: bool = True,
        required: bool = False,
        hash: bool = True,
        repr: bool = True,
        alias: str | None = None,
    ) -> None:
        self.read = read
        self.plain = plain
        self.default = default
        self.null = null
        self.required = required
        self.hash = hash
        self.repr = repr
        self.alias = alias

    def replace(self, **changes: JSON) -> Reader:
        """The same reader with other settings."""
        settings = {name: getattr(self, name) for name in self.__slots__}
        return self.__class__(**{**settings, **changes})

    def convert(self, raw: JSON, level: int) -> JSON:
        """`read`, with the rule for null in front."""
        if raw is None and self.null:
            return None
        return raw if type(raw) is self.plain else self.read(raw, level)


def at(path: str, key: object) -> str:
    """The path of a key or an array index below `path`: `choices[0].message`, `metadata["a key"]`."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    name = str(key)
    return under(path, name if name.isidentifier() else f"[{json.dumps(name)}]")


def under(path: str, below: str) -> str:
    """Two paths as one."""
    return path + below if not path or not below or below.startswith("[") else f"{path}.{below}"


def _text(raw: JSON, level: int) -> JSON:
    if isinstance(raw, str):
        return str.__str__(raw)  # of a subclass too, such as another enum's member
    raise TypeMismatch("string", raw)


def _flag(raw: JSON, level: int) -> JSON:
    raise TypeMismatch("true or false", raw)


def _finite(raw: JSON) -> int | None:
    """A number of any kind (Decimal, NumPy's), truncated; None where it is none, or not finite."""
    if isinstance(raw, bool) or not hasattr(raw, "__float__"):
        return None
    try:
        return int(raw)
    except (ValueError, OverflowError):
        return None


def _integer(raw: JSON, level: int) -> JSON:
    number = _finite(raw)
    if number is not None and number == raw:
        raise Coerced(number)
    if isinstance(raw, str) and len(raw) <= _LONGEST_INTEGER and raw.isascii() and raw.removeprefix("-").isdigit():
        raise Coerced(int(raw))
    raise TypeMismatch("integer", raw)


def _timestamp(raw: JSON, level: int) -> JSON:
    number = _finite(raw)
    if number is not None:
        raise Coerced(number)
    return _integer(raw, level)


def _number(raw: JSON, level: int) -> JSON:
    if not isinstance(raw, bool) and hasattr(raw, "__float__"):
        try:
            number = float(raw)
        except OverflowError:
            number = float("inf")
        if number == raw or not isinstance(raw, int):
            raise Coerced(number)
    raise TypeMismatch("number", raw)


def _arguments(raw: JSON, level: int) -> JSON:
    if not is_object(raw):
        return _text(raw, level)
    try:
        text = json.dumps(finite(copy_json(raw, level)), ensure_ascii=False)
    except TypeError:  # a caller's object, not JSON
        raise TypeMismatch("string or JSON object", raw) from None
    raise Coerced(text)


def _object(raw: JSON, level: int) -> JSON:
    if is_object(raw):
        return ReadOnlyDict(copy_json(raw, level))
    raise TypeMismatch("object", raw)


def nested(cls: Any) -> Any:
    """A nested value of the class `cls`."""
    read_value = cls._read

    def read(raw: JSON, level: int) -> JSON:
        if type(raw) is dict:
            return read_value(raw, level)
        if isinstance(raw, cls):
            return raw
        if is_object(raw):
            return read_value(dict(raw), level)
        raise TypeMismatch("object", raw)

    return Reader(read)


def enum_of(enum: type[OpenEnum]) -> Any:
    """A member of an open enum."""
    members = members_by_value(enum)

    def read(raw: JSON, level: int) -> JSON:
        if isinstance(raw, str):
            return members.get(raw) or enum(str.__str__(raw))
        raise TypeMismatch("string", raw)

    return Reader(read)


def array_of(item: Reader, *, nulls: bool = False) -> Any:
    """An array as a tuple; one bad element sets the whole array aside."""
    read_item, plain = item.read, item.plain
    plain_types = {plain, type(None)} if nulls else {plain}

    def read(raw: JSON, level: int) -> JSON:
        if not is_array(raw):
            raise TypeMismatch("array", raw)
        if plain is not None and plain_types.issuperset(map(type, raw)):
            return tuple(raw)
        items: list[JSON] = []
        respelled = False
        for element in raw:
            if type(element) is plain or (nulls and element is None):
                items.append(element)
                continue
            try:
                items.append(read_item(element, level + 1))
            except Coerced as converted:
                items.append(converted.value)
                respelled = True
            except TypeMismatch as misfit:
                path = under(at("", len(items)), misfit.path)
                raise TypeMismatch(misfit.expected, misfit.got, path) from None
        if respelled:
            raise Coerced(tuple(items))
        return tuple(items)

    return Reader(read, hash=item.hash)


def map_of(item: Reader) -> Any:
    """An object of any keys whose values are all alike; one bad value sets the whole object aside."""
    read_item, plain = item.read, item.plain

    def read(raw: JSON, level: int) -> JSON:
        if not is_object(raw):
            raise TypeMismatch("object", raw)
        if {plain}.issuperset(map(type, raw.values())):
            return ReadOnlyDict(raw)
        items: dict[str, JSON] = {}
        respelled = False
        for name, element in raw.items():
            try:
                items[name] = element if type(element) is plain else read_item(element, level + 1)
            except Coerced as converted:
                items[name] = converted.value
                respelled = True
            except TypeMismatch as misfit:
                raise TypeMismatch(misfit.expected, misfit.got, under(at("", name), misfit.path)) from None
        if respelled:
            raise Coerced(ReadOnlyDict(items))
        return ReadOnlyDict(items)

    return Reader(read, hash=False)


def union(*readers: Reader) -> Any:
    """The first of the readers that takes the JSON as it is, else the first that converts it."""

    def read(raw: JSON, level: int) -> JSON:
        misfits: list[TypeMismatch] = []
        converted: Coerced | None = None
        for reader in readers:
            try:
                return raw if type(raw) is reader.plain else reader.read(raw, level)
            except Coerced as respelled:
                converted = converted or respelled
            except TypeMismatch as misfit:
                if misfit.path:  # the right kind of container, with something wrong inside
                    raise
                misfits.append(misfit)
        if converted:
            raise converted
        raise TypeMismatch(" or ".join(misfit.expected for misfit in misfits), raw)

    return Reader(read, readers[0].plain, hash=all(reader.hash for reader in readers))


# Checkers see Any: in a class body these stand for the field's default value.
EXTRA: Any = Reader(_object)  # the field `extra` itself, which the `dataclass` decorator supplies
TEXT: Any = Reader(_text, str)
FLAG: Any = Reader(_flag, bool)
INTEGER: Any = Reader(_integer, int)
TIMESTAMP: Any = Reader(_timestamp, int)
COUNT: Any = INTEGER.replace(default=0, null=False, required=True)
NUMBER: Any = Reader(_number, float)
ARGUMENTS: Any = Reader(_arguments, str)
OBJECT: Any = Reader(_object, hash=False)
NUMBERS_BY_NAME: Any = map_of(NUMBER)
TEXTS_BY_NAME: Any = map_of(TEXT)
INTEGERS: Any = array_of(INTEGER)
INTEGERS_OR_NULLS: Any = array_of(INTEGER, nulls=True)
NUMBERS_OR_NULLS: Any = array_of(NUMBER, nulls=True)
TEXTS_OR_NULLS: Any = array_of(TEXT, nulls=True)
# One object, or one for each position: which of the two came is kept.
TOP_LOGPROBS: Any = union(NUMBERS_BY_NAME, array_of(NUMBERS_BY_NAME, nulls=True))
TEXT_OR_TEXTS: Any = union(TEXT, array_of(TEXT))
TEXT_OR_INTEGER: Any = union(TEXT, INTEGER)
TEXT_OR_OBJECT: Any = union(TEXT, OBJECT)
INTEGER_OR_FLAG: Any = union(INTEGER, FLAG)
