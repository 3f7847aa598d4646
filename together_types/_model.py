"""What every value shares: a frozen dataclass whose `__dict__` is what its JSON said. No field and no type is named here.

`vars(value)` holds the declared keys that were present, nulls included, with nested
objects as values, arrays as tuples and strings of an enum as its members; absent fields
are answered by the class default. What the fields cannot hold truthfully, and keys that
are not declared, are in `extra` (one read-only dict, stored only when it is not empty)
under their JSON keys. Both together give back exactly the JSON that came.

To the outside each is a frozen dataclass (`fields`, `replace`, `asdict`, `match`, `help`, type
checkers), but `__init__`, `__repr__`, `__eq__`, `__hash__` and the freezing are shared here
instead of generated for each class, and the standard library's description of the fields is
made when it is first asked for. That way importing does not load `dataclasses`, which with 39
classes would be most of the time that a process spends on this package before its first value.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping

from ._json import (
    JSON,
    MAX_DEPTH,
    STACK_USED_UP,
    ParseError,
    copy_json,
    describe,
    dumps,
    is_array,
    is_object,
    loads,
    utf8_safe,
)
from ._read import Coerced, Reader, ReadOnlyDict, TypeMismatch, at, under

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from dataclasses import dataclass as dataclass
    from typing import Generic, NamedTuple, NoReturn, TypeVar

    from typing_extensions import Self

    JSONDict = TypeVar("JSONDict", bound=Mapping[str, JSON])

    class _IssueFields(NamedTuple):
        path: str
        problem: str

else:
    Self = object  # so that typing.get_type_hints can read the annotations of methods
    _IssueFields = namedtuple("Issue", ("path", "problem"))

__all__ = ["ABSENT", "DICT", "LIST", "Issue", "Value", "ValueOf", "dataclass", "new_object", "reader_of"]

# For the types that read by themselves. `type(raw) is DICT` leaves raw JSON what it is for checkers, which make
# `dict[Unknown, Unknown]` of it where the comparison is with `dict`.
new_object = object.__new__
ABSENT = object()
DICT: JSON = dict
LIST: JSON = list


class Issue(_IssueFields):
    """Something in the JSON that a field could not hold: `path` says where, `problem` what is wrong."""

    __slots__ = ()


def reader_of(cls: JSON) -> Callable[[JSON, int], JSON]:
    """What reads an object of the class: takes the dict and the level it stands at."""
    read: Callable[[JSON, int], JSON] = cls._read
    return read


class Value:
    """A frozen value read from JSON, or built by hand.

    Two values are equal when all their fields are, `extra` included; null and absent are
    the same there, though `to_dict` tells them apart. Arguments of a constructor are settled
    by the rules that JSON is read by: a list becomes a tuple, a dict the value it describes,
    a string the enum member; what a field cannot hold raises TypeError. `dataclasses.replace`
    goes through the constructor: explicit nulls do not survive it, and a field that cannot be
    None is written out with its default where it was absent.
    """

    if TYPE_CHECKING:
        extra: Mapping[str, JSON]
        __match_args__: tuple[str, ...]
        # The tables that `dataclass` fills: by JSON key, and the last from a field's name to its key. They are
        # declared for checkers only, because typing.get_type_hints would take them for fields.
        _readers: Mapping[str, Reader]
        _reads: Mapping[str, Callable[[JSON, int], JSON]]
        _plain: Mapping[str, type]
        _nullable: frozenset[str]
        _keys: Mapping[str, str]
    else:
        extra = ReadOnlyDict()

    # ---- from JSON

    @classmethod
    def from_dict(cls, data: Mapping[str, JSON], *, strict: bool = False) -> Self:
        """Read a decoded JSON object; the caller's dict is copied where it is kept.

        Below the root nothing raises: what a field cannot hold is kept in `extra` and listed
        by `issues()`. With `strict=True` the first issue raises ParseError. A root that is not
        an object, and nesting deeper than 200 levels, always do.
        """
        root: JSON = data
        if not is_object(root):
            raise ParseError("", TypeMismatch("object", root).problem)
        try:
            value = cls._read(dict(data), 1)
        except (ParseError, RecursionError) as error:
            raise _too_deep(error, root) from None
        if strict:
            for issue in value._issues(""):
                raise ParseError(*issue)
        return value

    @classmethod
    def from_json(cls, text: str | bytes | bytearray | memoryview, *, strict: bool = False) -> Self:
        """Read JSON text; bytes are UTF-8, and a byte order mark is passed over.

        Raises ParseError where the text is not JSON, and as `from_dict` does.
        """
        data = loads(text)
        if strict or type(data) is not DICT:
            return cls.from_dict(data, strict=strict)
        try:
            return cls._read(data, 1)
        except (ParseError, RecursionError) as error:
            raise _too_deep(error, data) from None

    @classmethod
    def _read(cls, data: dict[str, JSON], level: int) -> Self:
        """Read an object that stands at `level`. Raises ParseError only where raw JSON is nested too deeply.

        The types that streams and replies are made of have one of their own, which takes by itself what is
        plain and leaves everything else to `_read_rest`: a content chunk in 1.15 instead of 1.65 of the time
        of `json.loads`. `tests/test_reading.py` holds the two ways equal.
        """
        self = new_object(cls)
        if data:
            self._read_rest(data, level)
        return self

    def _read_rest(self, data: dict[str, JSON], level: int) -> None:
        """Read the keys that are not read yet, by the class's tables: the one definition of reading."""
        into = self.__dict__
        plain = self._plain.get
        aside: dict[str, JSON] | None = None
        for key, raw in data.items():
            if key in into:
                continue
            if plain(key) is type(raw):
                into[key] = raw
            elif raw is None and key in self._nullable:
                into[key] = None
            else:
                try:
                    read = self._reads.get(key)
                    if read is not None:
                        into[key] = read(raw, level + 1)
                        continue
                except Coerced as converted:
                    into[key] = converted.value
                except TypeMismatch:
                    pass
                if aside is None:
                    aside = {}
                aside[key] = copy_json(raw, level + 1)
        if aside:
            into["extra"] = ReadOnlyDict(aside)

    # ---- to JSON

    def to_dict(self) -> Mapping[str, JSON]:
        """The JSON object as a new dict: equal to what was read, or what was given by hand without its Nones.

        Keys that no field declares stand behind the others.
        """
        data = {key: thaw(value) for key, value in self.__dict__.items() if key != "extra"}
        for key, raw in self.extra.items():
            data[key] = copy_json(raw, 0)
        return data

    def _asdict(self) -> dict[str, JSON]:
        """What AWS Lambda's runtime client sends for a value that a handler returns.

        That client dies of a lone surrogate and sends NaN as it is, so the one is U+FFFD here and the other None.
        """
        data: dict[str, JSON] = utf8_safe(self.to_dict())
        return data

    def to_json(self) -> str:
        """The JSON object as ASCII text; numbers that JSON cannot hold (NaN, infinities) become null."""
        return dumps(self.to_dict())

    def issues(self) -> list[Issue]:
        """What in the JSON the fields could not hold, in the order of the fields; unknown keys are no issue."""
        return list(self._issues(""))

    def _issues(self, path: str) -> Iterator[Issue]:
        present, extra = self.__dict__, self.extra
        for key, reader in self._readers.items():
            here = at(path, key)
            if key in extra:
                try:
                    reader.convert(extra[key], 1)
                except Coerced:
                    continue
                except TypeMismatch as misfit:
                    problem = f"expected {misfit.expected}" if not reader.repr else misfit.problem
                    yield Issue(under(here, misfit.path), problem)
            elif key in present:
                yield from self._issues_below(here, present[key])
            elif reader.required:
                yield Issue(here, "expected an integer, but it is missing")

    @staticmethod
    def _issues_below(path: str, value: JSON) -> Iterator[Issue]:
        if isinstance(value, Value):
            yield from value._issues(path)
        elif is_array(value):
            for index, item in enumerate(value):
                if isinstance(item, Value):
                    yield from item._issues(at(path, index))

    # ---- the dataclass

    def __replace__(self, **changes: JSON) -> Self:
        from dataclasses import replace

        return replace(self, **changes)  # type: ignore[type-var]

    def __init__(self, *args: JSON, **values: JSON) -> None:
        names = self.__match_args__
        if len(args) > len(names):
            raise TypeError(f"{self.__class__.__name__}() takes at most {len(names)} arguments, got {len(args)}")
        for name, value in zip(names, args):
            if name in values:
                raise TypeError(f"{self.__class__.__name__}() got two values for {name!r}")
            values[name] = value
        for name in values:
            if name not in names and name not in self._readers:
                hint = "from_dict() and from_json() read JSON of any keys, and extra= takes them"
                raise TypeError(f"{self.__class__.__name__}() has no field {name!r}: {hint}")
        self.__dict__.update(values)
        self.__post_init__()

    def __post_init__(self) -> None:
        into = self.__dict__
        given = dict(into)
        into.clear()
        for name, key in self._keys.items():
            reader = self._readers[key]
            value = given.pop(name, None)
            if name != key:  # as 1.x, whose constructor takes the JSON key
                value = given.pop(key, value)
            if value is None:
                value = reader.default
            if value is not None:
                into[key] = self._converted(name, value, reader)
        spare: JSON = given.pop("extra", None) or {}
        if not is_object(spare):
            raise TypeError(f"{self.__class__.__name__}.extra: {TypeMismatch('object', spare).problem}")
        into.update(given)  # the fields of a subclass that its own __init__ has set
        extra = {key: copy_json(raw, 2) for key, raw in spare.items() if self._still_says(key, raw)}
        if extra:
            into["extra"] = ReadOnlyDict(extra)

    def _converted(self, name: str, value: JSON, reader: Reader) -> JSON:
        try:
            return reader.convert(value, 2)
        except Coerced as converted:
            return converted.value
        except TypeMismatch as misfit:
            path = under(f"{self.__class__.__name__}.{name}", misfit.path)
            raise TypeError(f"{path}: {misfit.problem}") from None

    def _still_says(self, key: str, raw: JSON) -> bool:
        """An old spelling stays only while it reads as the field's value, so that `replace` replaces it."""
        reader = self._readers.get(key)
        if reader is None:
            return True
        value = self.__dict__.get(key, reader.default)
        try:
            return bool(reader.convert(raw, 2) == value)
        except Coerced as converted:
            return bool(converted.value == value)
        except TypeMismatch:
            return bool(value == reader.default)

    @classmethod
    def _standard_dataclass(cls) -> type:
        import dataclasses
        from inspect import signature

        fields: list[tuple[str, JSON, JSON]] = []
        for name, key in cls._keys.items():
            reader = cls._readers[key]
            field = dataclasses.field(default=reader.default, hash=reader.hash, repr=reader.repr)
            fields.append((name, cls.__annotations__[name], field))
        extra = dataclasses.field(default_factory=ReadOnlyDict, hash=False)
        fields.append(("extra", cls.__annotations__["extra"], extra))
        standard = dataclasses.make_dataclass(cls.__name__, fields, frozen=True)
        standard.__signature__ = signature(standard)  # type: ignore[attr-defined]
        return standard

    def __repr__(self) -> str:
        parts: list[str] = []
        hidden: set[str] = set()
        for name, key in self._keys.items():
            if not self._readers[key].repr:
                hidden.add(key)
            elif self.__dict__.get(key) is not None:
                parts.append(f"{name}={_shown(self.__dict__[key])}")
        extra = {key: raw for key, raw in self.extra.items() if key not in hidden}
        if extra:
            parts.append(f"extra={_shown(extra)}")
        return f"{self.__class__.__qualname__}({', '.join(parts)})"

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        if self.__dict__ == other.__dict__:
            return True
        return all(getattr(self, name) == getattr(other, name) for name in self.__match_args__)

    def __hash__(self) -> int:
        return hash(tuple([getattr(self, name) for name, key in self._keys.items() if self._readers[key].hash]))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        _refuse("assign to", name)

    def __delattr__(self, name: str) -> NoReturn:
        _refuse("delete", name)


if TYPE_CHECKING:

    class ValueOf(Value, Generic[JSONDict]):
        """The base of a value whose JSON is the named TypedDict: `class UsageData(ValueOf["UsageDataDict"])`."""

        def to_dict(self) -> JSONDict: ...

else:

    class ValueOf:
        """The subscript of a class without `typing`, which is slow to import."""

        def __class_getitem__(cls, name):
            return Value


def _refuse(action: str, name: str) -> NoReturn:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot {action} field {name!r}: make a new value with dataclasses.replace()")


def _shown(value: JSON) -> str:
    try:
        return repr(value)
    except ValueError:  # an integer of more digits than this interpreter writes
        return f"<{describe(value)}>"


def _too_deep(error: ParseError | RecursionError, data: JSON) -> ParseError:
    """What to raise where reading ended in an error, which then is about depth."""
    if isinstance(error, RecursionError):
        return ParseError("", STACK_USED_UP)
    return ParseError(_deep_path(data), error.problem)


_SHOWN_STEPS = 8


def _deep_path(value: JSON) -> str:
    """The way, as far as its first steps, to what is nested deeper than MAX_DEPTH levels."""
    path = ""
    for level in range(1, _SHOWN_STEPS + 1):
        items = value.items() if is_object(value) else enumerate(value)
        for key, child in items:
            if _deeper(child, MAX_DEPTH - level):
                path, value = at(path, key), child
                break
    return path


def _deeper(value: JSON, levels: int) -> bool:
    if not is_object(value) and not is_array(value):
        return False
    if levels == 0:
        return True
    children = value.values() if is_object(value) else value
    return any([_deeper(child, levels - 1) for child in children])


def thaw(value: JSON) -> JSON:
    if isinstance(value, Value):
        return value.to_dict()
    if is_array(value):
        return [thaw(item) for item in value]
    if isinstance(value, str):
        return value if value.__class__ is str else str(value)
    return copy_json(value, 0)


if not TYPE_CHECKING:

    class _Alias:
        """A field whose JSON key is not its name: `vars()` has the key, the attribute reads it there."""

        def __init__(self, key: str) -> None:
            self.key = key

        def __get__(self, value: Value | None, owner: type[Value]) -> JSON:
            return None if value is None else value.__dict__.get(self.key)

    class _Standard:
        """A class attribute that the standard library's own dataclass of the same fields answers for.

        `dataclasses` and `inspect` look for these attributes on the class, so this is all they need.
        """

        def __init__(self, attribute: str, cls: type[Value]) -> None:
            self.attribute = attribute
            self.cls = cls

        def __get__(self, value: Value | None, owner: type[Value]) -> object:
            standard = self.cls._standard_dataclass()
            for attribute in _STANDARD:
                type.__setattr__(self.cls, attribute, getattr(standard, attribute))
            return getattr(standard, self.attribute)

    _STANDARD = ("__dataclass_fields__", "__dataclass_params__", "__signature__")

    def dataclass(*, frozen):
        """The `@dataclass(frozen=True)` of the values; type checkers are shown the standard one."""

        def build(cls):
            fields = {name: item for name, item in vars(cls).items() if item.__class__ is Reader and name != "extra"}
            readers = {reader.alias or name: reader for name, reader in fields.items()}
            cls._keys = {name: reader.alias or name for name, reader in fields.items()}
            cls._readers = readers
            cls._reads = {key: reader.read for key, reader in readers.items()}
            cls._plain = {key: reader.plain for key, reader in readers.items() if reader.plain}
            cls._nullable = frozenset([key for key, reader in readers.items() if reader.null])
            for name, reader in fields.items():
                setattr(cls, name, _Alias(reader.alias) if reader.alias else reader.default)
            del cls.extra
            cls.__match_args__ = (*fields, "extra")
            for attribute in _STANDARD:
                setattr(cls, attribute, _Standard(attribute, cls))
            return cls

        return build
