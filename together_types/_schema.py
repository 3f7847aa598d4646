"""The schema of a value class: its fields, how an object is read with them, and the attributes that freeze raw JSON."""

from __future__ import annotations

from ._json import JSON, FrozenDict, copy_json, freeze
from ._read import Coerced, Reader, TypeMismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Read = Callable[[JSON, int], JSON]

__all__ = ["JSONField", "Schema", "declared_schema"]


class Schema:
    """The fields of one class: `names` in order, `keys` from names to JSON keys, `readers` by JSON key.

    `read` reads a JSON object: it takes a dict and its nesting level. `names` has `extra`, `keys` has not.
    """

    __slots__ = ("keys", "names", "read", "readers", "table")

    def __init__(self, cls: type[Any]) -> None:
        self.names: tuple[str, ...] = ()
        self.keys: dict[str, str] = {}
        self.readers: dict[str, Reader] = {}
        self.table: dict[str, Mapping[type, Read | None]] = {}
        self.read = _object_reader(cls, self.table, self.readers)

    def add(self, name: str, key: str, reader: Reader) -> None:
        """Add a field, or replace an inherited one."""
        self.keys[name] = key
        self.readers[key] = reader
        self.table[key] = reader.types
        self.names = tuple(dict.fromkeys([*self.names, name]))

    def inherit(self, other: Schema) -> None:
        """Add the fields of a base class."""
        self.names = tuple(dict.fromkeys([*self.names, *other.names]))
        self.keys.update(other.keys)
        self.readers.update(other.readers)
        self.table.update(other.table)


def _object_reader(
    cls: type[Any], table: Mapping[str, Mapping[type, Read | None]], readers: Mapping[str, Reader]
) -> Read:
    """Return a function that reads a JSON object as an instance of `cls`, by the tables of its schema.

    This loop is most of the cost of reading. In units of `json.loads` of the same bytes, with the values kept
    (CPython 3.11), for a content chunk, a tool-call chunk and a response with three tool calls: this loop 1.4, 1.6 and
    1.9; tables of one type a field 1.7, 2.0 and 2.2; readers written by hand for nine classes 1.2, 1.3 and 1.6. Plans
    that are cached by the keys and types of an object take 1.2 to 1.9 times as long as this loop, 1.7 to 2.7 times if
    they keep the key-sharing dicts. KeyError, which costs 0.2 us, is for undeclared keys and other types only.
    """
    new = object.__new__

    def read_object(data: Mapping[str, JSON], level: int) -> JSON:
        value = new(cls)
        fields: dict[str, JSON] = value.__dict__
        extra: dict[str, JSON] = {}
        level += 1
        for key, raw in data.items():
            try:
                read = table[key][type(raw)]
            except KeyError:
                if key not in readers:
                    extra[key] = copy_json(raw, level)
                    continue
                read = readers[key].read
            if read is None:
                fields[key] = raw
                continue
            try:
                result = read(raw, level)
                if result.__class__ is not Coerced:
                    fields[key] = result
                    continue
                fields[key] = result.value
            except TypeMismatch:
                pass
            extra[key] = copy_json(raw, level)
        if extra:
            fields["extra"] = extra
        return value

    return read_object


class JSONField:
    """The attribute of a field that holds raw JSON, or whose JSON key is not its name.

    `vars()` of the value has the JSON under its key. Dicts and lists are frozen when they are first accessed, so that
    reading, which is more frequent, does not pay for it.
    """

    def __init__(self, key: str, default: JSON = None) -> None:
        self.key = key
        self.default = default

    def __get__(self, value: object, owner: type) -> JSON:
        if value is None:
            return self._default()
        stored = value.__dict__.get(self.key, self)
        if stored is self:
            return self._default()
        if stored.__class__ is dict or stored.__class__ is list:
            stored = value.__dict__[self.key] = freeze(stored)
        return stored

    def __set__(self, value: object, item: JSON) -> None:
        # Values refuse assignment before this is called; the standard library's `__init__` of a subclass calls it.
        value.__dict__[self.key] = item

    def _default(self) -> JSON:
        return FrozenDict() if self.key == "extra" else self.default


def declared_schema(cls: type[Any]) -> Schema:
    """Return the schema of a class of this package, and replace the readers in the class by the defaults."""
    schema = Schema(cls)
    readers = {name: item for name, item in vars(cls).items() if item.__class__ is Reader}
    del cls.extra, readers["extra"]
    for name, reader in readers.items():
        key = reader.alias or name
        schema.keys[name] = key
        schema.readers[key] = reader
        schema.table[key] = reader.types
        setattr(cls, name, JSONField(key, reader.default) if reader.raw or reader.alias else reader.default)
    schema.names = (*schema.keys, "extra")
    type.__setattr__(cls, "__match_args__", schema.names)
    return schema
