"""The base class of all values: frozen dataclasses whose `__dict__` contains the JSON that was received.

`vars(value)` contains every declared key whose JSON was read or converted, nulls included. Nested objects are values
there, arrays are tuples, and strings of an enum are its members. The class attribute is the value of an absent field.
`extra` is a dict of the undeclared keys, the JSON that does not match its field's type, and the originals of converted
JSON (`"0"` for 0), under their JSON keys. It is stored only if it is not empty. The fields and `extra` together contain
exactly the JSON that was received.

Only `together_types` and `together_adapters` may use `vars(value)`: raw JSON in it is mutable until the first access to
its attribute, which freezes it. This module does not declare fields.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping

from ._dataclass import SCHEMA_AT_FIRST_USE, Described, dataclass, keep_shared_methods
from ._json import (
    JSON,
    MAX_DEPTH,
    STACK_USED_UP,
    FrozenDict,
    ParseError,
    at,
    copy_json,
    describe,
    dumps,
    is_array,
    is_object,
    loads,
    under,
    utf8_safe,
)
from ._read import Coerced, Reader, TypeMismatch
from ._schema import JSONField, Schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import ClassVar, Generic, NamedTuple, NoReturn, TypeVar

    from typing_extensions import Self

    JSONDict = TypeVar("JSONDict", bound=Mapping[str, JSON])

    class _IssueFields(NamedTuple):
        path: str
        problem: str

else:
    Self = object  # so that typing.get_type_hints can read the annotations of methods
    _IssueFields = namedtuple("Issue", ("path", "problem"))

__all__ = ["Issue", "Value", "ValueOf", "dataclass", "head_keys", "merge_rules", "reader_of"]

# A comparison with `dict` itself would make type checkers narrow raw JSON to `dict[Unknown, Unknown]`.
_DICT: JSON = dict
_NOTHING: Mapping[str, JSON] = FrozenDict()
_ABSENT = object()


class Issue(_IssueFields):
    """A mismatch between the JSON and a field's type.

    `path` is its position in the JSON, like `choices[0].message.role`. `problem` describes the mismatch.
    """

    __slots__ = ()


class Value:
    """A frozen value, read from JSON or built by a constructor.

    Two values are equal if all their fields are equal, `extra` included. A null equals an absent field whose default
    is None, although only the null appears in `to_dict()`.

    A constructor converts its arguments by the rules of reading. A list becomes a tuple, a dict becomes the value that
    it describes, and a string becomes the enum member. A constructor raises TypeError for an argument that does not
    match its field's type, and ParseError for JSON nested deeper than 200 levels. `dataclasses.replace` calls the
    constructor, so explicit nulls are lost, and an absent field whose default is not None is written with its default.
    """

    if TYPE_CHECKING:
        extra: Mapping[str, JSON]
        __match_args__: tuple[str, ...]
        _schema: ClassVar[Schema]
    else:
        extra = JSONField("extra")
        __dataclass_fields__, __dataclass_params__, __signature__ = map(Described, Described.NAMES)

        def __new__(cls, *args, **values):
            _ = cls._schema  # sets the attributes of the class. Unpickling calls only `__new__`.
            return object.__new__(cls)

    def __init_subclass__(cls, **settings: object) -> None:
        super().__init_subclass__(**settings)
        if not TYPE_CHECKING:
            cls._schema = SCHEMA_AT_FIRST_USE
            keep_shared_methods(cls, Value)

    # ---- from JSON

    @classmethod
    def from_dict(cls, data: Mapping[str, JSON], *, strict: bool = False) -> Self:
        """Return the value that a decoded JSON object describes. The value contains copies, not parts of `data`.

        JSON that does not match its field's type is kept in `extra` and listed by `issues()`. With `strict=True`, the
        first issue raises ParseError. A root that is not an object, and JSON nested deeper than 200 levels, always
        raise ParseError.

            >>> from together_types import UsageData
            >>> usage = UsageData.from_dict({"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": "12", "cost": 1})
            >>> usage.total_tokens, usage.extra["cost"]
            (12, 1)
        """
        root: JSON = data
        if not is_object(root):
            raise ParseError("", TypeMismatch("object", root).problem)
        try:
            value: Self = cls._schema.read(dict(data), 1)
        except (ParseError, RecursionError) as error:
            raise _too_deep(error, root) from None
        if strict:
            for issue in value._issues(""):
                raise ParseError(*issue)
        return value

    @classmethod
    def from_json(cls, text: str | bytes | bytearray | memoryview, *, strict: bool = False) -> Self:
        """Return the value that JSON text describes. Bytes must be UTF-8, with or without a byte order mark.

        Raises ParseError if the text is not valid JSON, and in the cases of `from_dict`.

            >>> from together_types import ChatCompletionResponse
            >>> response = ChatCompletionResponse.from_json('{"choices": [{"message": {"content": "Paris"}}]}')
            >>> response.text
            'Paris'
        """
        data = loads(text)
        if strict or type(data) is not _DICT:
            return cls.from_dict(data, strict=strict)
        try:
            value: Self = cls._schema.read(data, 1)
            return value
        except (ParseError, RecursionError) as error:
            raise _too_deep(error, data) from None

    # ---- to JSON

    def to_dict(self) -> Mapping[str, JSON]:
        """Return the JSON object as a new dict: the JSON that was read, or the constructor's arguments without None.

        The order of the keys may differ from the order in which they were received. Undeclared keys come last.
        """
        readers = self._schema.readers  # a subclass may keep other things in its __dict__, such as cached properties
        data = {key: _thaw(value) for key, value in self.__dict__.items() if key in readers}
        for key, raw in self._extra().items():
            data[key] = copy_json(raw, 0)
        return data

    def _extra(self) -> Mapping[str, JSON]:
        """Return `extra` as it is stored, without freezing it."""
        extra: Mapping[str, JSON] = self.__dict__.get("extra", _NOTHING)
        return extra

    def _asdict(self) -> dict[str, JSON]:
        """Return the dict that AWS Lambda's runtime client sends for a value returned by a handler.

        The client fails on a lone surrogate, and writes NaN, which is not valid JSON. This dict therefore contains
        U+FFFD for a lone surrogate, and None for NaN.
        """
        data: dict[str, JSON] = utf8_safe(self.to_dict())
        return data

    def to_json(self) -> str:
        """Return the JSON object as ASCII text. A number that JSON cannot represent (NaN, an infinity) becomes null."""
        return dumps(self.to_dict())

    def issues(self) -> list[Issue]:
        """Return the mismatches between the JSON and the fields' types, in the order of the fields.

        A missing token count is an issue. An undeclared key is not.

            >>> from together_types import ChatCompletionResponse
            >>> ChatCompletionResponse.from_dict({"id": 7, "undeclared": 1}).issues()
            [Issue(path='id', problem='expected string, got number 7')]
        """
        return list(self._issues(""))

    def _issues(self, path: str) -> Iterator[Issue]:
        present, extra = self.__dict__, self._extra()
        for key, reader in self._schema.readers.items():
            here = at(path, key)
            if key in extra:
                try:
                    reader.convert(extra[key], 1)
                except TypeMismatch as mismatch:
                    problem = mismatch.problem if reader.repr else f"expected {mismatch.expected}"
                    yield Issue(under(here, mismatch.path), problem)
            elif key in present:
                yield from self._issues_in(here, present[key])
            elif reader.required:
                yield Issue(here, "expected integer, but the key is missing")

    @staticmethod
    def _issues_in(path: str, item: JSON) -> Iterator[Issue]:
        """Yield the issues of the values in a field."""
        items: Iterable[tuple[object, JSON]] = ()
        if isinstance(item, Value):
            yield from item._issues(path)
        elif is_array(item):
            items = enumerate(item)
        elif is_object(item):
            items = item.items()
        for key, below in items:
            if isinstance(below, (Value, tuple, FrozenDict)):  # most arrays contain only numbers
                yield from Value._issues_in(at(path, key), below)

    # ---- the dataclass

    def __replace__(self, **changes: JSON) -> Self:
        from dataclasses import replace

        return replace(self, **changes)  # type: ignore[type-var]

    def __init__(self, *args: JSON, **values: JSON) -> None:
        cls, schema = self.__class__, self._schema
        names = self.__match_args__
        if len(args) > len(names):
            raise TypeError(f"{cls.__name__}() takes at most {len(names)} arguments, got {len(args)}")
        for name, value in zip(names, args):
            if name in values:
                raise TypeError(f"{cls.__name__}() got two values for {name!r}")
            values[name] = value
        for name in values:
            if name not in schema.names and name not in schema.readers:
                hint = "pass undeclared keys in extra=, or read the JSON with from_dict() or from_json()"
                raise TypeError(f"{cls.__name__}() has no field {name!r}: {hint}")
        self.__dict__.update(values)
        self.__post_init__()

    def __post_init__(self) -> None:
        schema, into = self._schema, self.__dict__
        given = dict(into)
        into.clear()
        for name, key in schema.keys.items():
            reader = schema.readers[key]
            value = given.pop(name, None if reader.default is None else _ABSENT)
            if name != key:  # the constructor of together-python 1.x takes the JSON key
                value = given.pop(key, value)
            if value is _ABSENT or (value is None and not reader.null):
                value = reader.default
            # None is stored, and later written as null, only if it differs from the default.
            if value is not None or reader.default is not None:
                into[key] = self._converted(name, value, reader)
        spare: JSON = given.pop("extra", None) or {}
        if not is_object(spare):
            raise TypeError(f"{self.__class__.__name__}.extra: {TypeMismatch('object', spare).problem}")
        into.update(given)  # attributes that a subclass's own __init__ has set
        extra = {key: copy_json(raw, 2) for key, raw in spare.items() if self._is_current(key, raw)}
        if extra:
            into["extra"] = extra

    def _converted(self, name: str, value: JSON, reader: Reader) -> JSON:
        try:
            result = reader.convert(value, 2)
        except TypeMismatch as mismatch:
            path = under(f"{self.__class__.__name__}.{name}", mismatch.path)
            raise TypeError(f"{path}: {mismatch.problem}") from None
        return result.value if result.__class__ is Coerced else result

    def _is_current(self, key: str, raw: JSON) -> bool:
        """Return whether an entry of `extra` is undeclared, or is the original JSON of its field's present value.

        The constructor drops other entries, because `dataclasses.replace` also passes those of the fields it changes.
        """
        reader = self._schema.readers.get(key)
        if reader is None:
            return True
        value = self.__dict__.get(key, reader.default)
        try:
            result = reader.convert(raw, 2)
        except TypeMismatch:
            return bool(value == reader.default)
        return bool((result.value if result.__class__ is Coerced else result) == value)

    def __repr__(self) -> str:
        schema = self._schema
        parts: list[str] = []
        hidden: set[str] = set()
        for name, key in schema.keys.items():
            if not schema.readers[key].repr:
                hidden.add(key)
            elif self.__dict__.get(key) is not None:
                parts.append(f"{name}={_shown(self.__dict__[key])}")
        extra = {key: raw for key, raw in self._extra().items() if key not in hidden}
        if extra:
            parts.append(f"extra={_shown(extra)}")
        return f"{self.__class__.__qualname__}({', '.join(parts)})"

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        if self.__dict__ == other.__dict__:
            return True
        return all(getattr(self, name) == getattr(other, name) for name in self._schema.names)

    def __hash__(self) -> int:
        schema = self._schema
        return hash(tuple([getattr(self, name) for name, key in schema.keys.items() if schema.readers[key].hash]))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        _refuse("assign to", name)

    def __delattr__(self, name: str) -> NoReturn:
        _refuse("delete", name)


if not TYPE_CHECKING:
    Value._schema = Schema(Value)


if TYPE_CHECKING:

    class ValueOf(Value, Generic[JSONDict]):
        """The base of a value whose JSON is the named TypedDict: `class UsageData(ValueOf["UsageDataDict"])`."""

        def to_dict(self) -> JSONDict: ...

else:

    class ValueOf:
        """A replacement for a generic base class, because `typing` is slow to import."""

        def __class_getitem__(cls, name):
            return Value


def reader_of(cls: JSON) -> Callable[[Mapping[str, JSON], int], JSON]:
    """Return the function that reads a dict as an instance of the class. It takes the dict and its nesting level."""
    read: Callable[[Mapping[str, JSON], int], JSON] = cls._schema.read
    return read


def merge_rules(cls: JSON) -> Mapping[str, str]:
    """Return the merge rule (see `_merge_rules`) of each field of a chunk's class, by JSON key."""
    readers: Mapping[str, Reader] = cls._schema.readers
    return {key: reader.merge for key, reader in readers.items()}


def head_keys(cls: JSON) -> tuple[str, ...]:
    """Return the JSON keys of the fields that every chunk of a stream repeats."""
    readers: Mapping[str, Reader] = cls._schema.readers
    return tuple([key for key, reader in readers.items() if reader.head])


def _refuse(action: str, name: str) -> NoReturn:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot {action} field {name!r}: make a new value with dataclasses.replace()")


def _shown(value: JSON) -> str:
    try:
        return repr(value)
    except ValueError:  # an integer with more digits than this interpreter can convert
        return f"<{describe(value)}>"


def _too_deep(error: ParseError | RecursionError, data: JSON) -> ParseError:
    """Return the ParseError for an error that reading raised. The only possible cause is excessive nesting."""
    if isinstance(error, RecursionError):
        return ParseError("", STACK_USED_UP)
    return ParseError(_deep_path(data), error.problem)


_SHOWN_STEPS = 8


def _deep_path(value: JSON) -> str:
    """Return the beginning of the path to the JSON that is nested deeper than MAX_DEPTH levels."""
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


def _thaw(value: JSON) -> JSON:
    """Return the content of a field as JSON, in new dicts, new lists and plain strings."""
    if isinstance(value, Value):
        return value.to_dict()
    if is_array(value):
        return [_thaw(item) for item in value]
    if isinstance(value, str):
        return str.__str__(value)
    if value.__class__ is FrozenDict:
        return {key: _thaw(item) for key, item in value.items()}
    return copy_json(value, 0)
