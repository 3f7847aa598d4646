"""How one field is read from JSON: the policy of every type, in one place. No reader knows its field,
changes the raw JSON it is given or keeps a part that its caller could change.

A `Reader` takes the raw JSON of one field and the nesting level it stands at, and gives
the value that the field's annotation promises. There are two other ends:

- `Misfit`: the field cannot hold this truthfully. The object keeps the raw JSON in
  `extra`, the field reads as absent, and `issues()` names the problem.
- `Respelled`: the right thing in another spelling (`"0"` or `0.0` for 0). The field
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

from ._json import JSON, describe, is_array, is_object, keep, writable
from ._open_enum import named_in

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
    "Misfit",
    "ReadOnlyDict",
    "Reader",
    "Respelled",
    "array_of",
    "at",
    "either",
    "one",
    "one_of",
    "under",
]

# A longer digit string is no count, time or seed; the bound keeps int() from being slow.
_LONGEST_INTEGER = 40


class Misfit(Exception):
    """The raw JSON is not what the field holds; `path` is relative to the field."""

    def __init__(self, expected: str, got: JSON, path: str = "") -> None:
        super().__init__(expected, got, path)
        self.expected = expected
        self.got = got
        self.path = path

    @property
    def problem(self) -> str:
        return f"expected {self.expected}, got {describe(self.got)}"


class Respelled(Exception):
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
    it; a `required` field has an issue when it is absent. `hashed` is False where raw JSON,
    which cannot be hashed, may stand; a `hidden` one stays out of the repr. `wire` is the
    key in JSON where it is not the field's name.
    """

    __slots__ = ("default", "hashed", "hidden", "null", "plain", "read", "required", "wire")

    def __init__(
        self,
        read: Read,
        plain: type | None = None,
        *,
        default: JSON = None,
        null: bool = True,
        required: bool = False,
        hashed: bool = True,
        hidden: bool = False,
        wire: str | None = None,
    ) -> None:
        self.read = read
        self.plain = plain
        self.default = default
        self.null = null
        self.required = required
        self.hashed = hashed
        self.hidden = hidden
        self.wire = wire

    def but(self, **changes: JSON) -> Reader:
        """The same reader with other settings."""
        settings = {name: getattr(self, name) for name in self.__slots__}
        return self.__class__(**{**settings, **changes})

    def settle(self, raw: JSON, level: int) -> JSON:
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
    raise Misfit("string", raw)


def _flag(raw: JSON, level: int) -> JSON:
    raise Misfit("true or false", raw)


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
        raise Respelled(number)
    if isinstance(raw, str) and len(raw) <= _LONGEST_INTEGER and raw.isascii() and raw.removeprefix("-").isdigit():
        raise Respelled(int(raw))
    raise Misfit("integer", raw)


def _timestamp(raw: JSON, level: int) -> JSON:
    number = _finite(raw)
    if number is not None:
        raise Respelled(number)
    return _integer(raw, level)


def _number(raw: JSON, level: int) -> JSON:
    if not isinstance(raw, bool) and hasattr(raw, "__float__"):
        try:
            number = float(raw)
        except OverflowError:
            number = float("inf")
        if number == raw or not isinstance(raw, int):
            raise Respelled(number)
    raise Misfit("number", raw)


def _arguments(raw: JSON, level: int) -> JSON:
    if not is_object(raw):
        return _text(raw, level)
    try:
        text = json.dumps(writable(keep(raw, level)), ensure_ascii=False)
    except TypeError:  # a caller's object, not JSON
        raise Misfit("string or JSON object", raw) from None
    raise Respelled(text)


def _object(raw: JSON, level: int) -> JSON:
    if is_object(raw):
        return ReadOnlyDict(keep(raw, level))
    raise Misfit("object", raw)


def one(cls: Any) -> Any:
    """A nested value of the class `cls`."""
    read_value = cls._read

    def read(raw: JSON, level: int) -> JSON:
        if type(raw) is dict:
            return read_value(raw, level)
        if isinstance(raw, cls):
            return raw
        if is_object(raw):
            return read_value(dict(raw), level)
        raise Misfit("object", raw)

    return Reader(read)


def one_of(enum: type[OpenEnum]) -> Any:
    """A member of an open enum."""
    members = named_in(enum)

    def read(raw: JSON, level: int) -> JSON:
        if isinstance(raw, str):
            return members.get(raw) or enum(str.__str__(raw))
        raise Misfit("string", raw)

    return Reader(read)


def array_of(item: Reader, *, nulls: bool = False) -> Any:
    """An array as a tuple; one bad element sets the whole array aside."""
    read_item, plain = item.read, item.plain
    plain_types = {plain, type(None)} if nulls else {plain}

    def read(raw: JSON, level: int) -> JSON:
        if not is_array(raw):
            raise Misfit("array", raw)
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
            except Respelled as converted:
                items.append(converted.value)
                respelled = True
            except Misfit as misfit:
                path = under(at("", len(items)), misfit.path)
                raise Misfit(misfit.expected, misfit.got, path) from None
        if respelled:
            raise Respelled(tuple(items))
        return tuple(items)

    return Reader(read, hashed=item.hashed)


def by_name(item: Reader) -> Any:
    """An object of any keys whose values are all alike; one bad value sets the whole object aside."""
    read_item, plain = item.read, item.plain

    def read(raw: JSON, level: int) -> JSON:
        if not is_object(raw):
            raise Misfit("object", raw)
        if {plain}.issuperset(map(type, raw.values())):
            return ReadOnlyDict(raw)
        items: dict[str, JSON] = {}
        respelled = False
        for name, element in raw.items():
            try:
                items[name] = element if type(element) is plain else read_item(element, level + 1)
            except Respelled as converted:
                items[name] = converted.value
                respelled = True
            except Misfit as misfit:
                raise Misfit(misfit.expected, misfit.got, under(at("", name), misfit.path)) from None
        if respelled:
            raise Respelled(ReadOnlyDict(items))
        return ReadOnlyDict(items)

    return Reader(read, hashed=False)


def either(*readers: Reader) -> Any:
    """The first of the readers that takes the JSON as it is, else the first that converts it."""

    def read(raw: JSON, level: int) -> JSON:
        misfits: list[Misfit] = []
        converted: Respelled | None = None
        for reader in readers:
            try:
                return raw if type(raw) is reader.plain else reader.read(raw, level)
            except Respelled as respelled:
                converted = converted or respelled
            except Misfit as misfit:
                if misfit.path:  # the right kind of container, with something wrong inside
                    raise
                misfits.append(misfit)
        if converted:
            raise converted
        raise Misfit(" or ".join(misfit.expected for misfit in misfits), raw)

    return Reader(read, readers[0].plain, hashed=all(reader.hashed for reader in readers))


# Checkers see Any: in a class body these stand for the field's default value.
EXTRA: Any = Reader(_object)  # the field `extra` itself, which the `dataclass` decorator supplies
TEXT: Any = Reader(_text, str)
FLAG: Any = Reader(_flag, bool)
INTEGER: Any = Reader(_integer, int)
TIMESTAMP: Any = Reader(_timestamp, int)
COUNT: Any = INTEGER.but(default=0, null=False, required=True)
NUMBER: Any = Reader(_number, float)
ARGUMENTS: Any = Reader(_arguments, str)
OBJECT: Any = Reader(_object, hashed=False)
NUMBERS_BY_NAME: Any = by_name(NUMBER)
TEXTS_BY_NAME: Any = by_name(TEXT)
INTEGERS: Any = array_of(INTEGER)
INTEGERS_OR_NULLS: Any = array_of(INTEGER, nulls=True)
NUMBERS_OR_NULLS: Any = array_of(NUMBER, nulls=True)
TEXTS_OR_NULLS: Any = array_of(TEXT, nulls=True)
# One object, or one for each position: which of the two came is kept.
TOP_LOGPROBS: Any = either(NUMBERS_BY_NAME, array_of(NUMBERS_BY_NAME, nulls=True))
TEXT_OR_TEXTS: Any = either(TEXT, array_of(TEXT))
TEXT_OR_INTEGER: Any = either(TEXT, INTEGER)
TEXT_OR_OBJECT: Any = either(TEXT, OBJECT)
INTEGER_OR_FLAG: Any = either(INTEGER, FLAG)
