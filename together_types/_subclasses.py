"""The fields that a user's subclass declares, with `together_types.dataclass` or the standard library's decorator.

This module is imported on demand: `import together_types` does not import it.
"""

from __future__ import annotations

import re
import sys

from ._annotations import reader_for
from ._json import JSON, check_level, freeze
from ._read import Coerced, Reader, TypeMismatch, object_in
from ._schema import JSONField, Schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Read = Callable[[JSON, int], JSON]

__all__ = ["own_annotations", "own_fields", "publish_schema"]

_MISSING = object()


def publish_schema(cls: type[Any]) -> Schema:
    """Create the schema of a class, set the class attributes that depend on it, and return the schema.

    Raises TypeError if the class declares a field that is not supported.
    """
    building: dict[type[Any], Schema] = {}
    schema = _schema_of(cls, building)
    # Only complete schemas are assigned, because another thread may use these classes at the same time.
    for owner, made in building.items():
        for name in own_fields(owner):
            key = made.keys[name]
            reader = made.readers[key]
            attribute = JSONField(key, reader.default) if reader.raw or key != name else reader.default
            type.__setattr__(owner, name, attribute)
        if "__match_args__" not in vars(owner):  # the standard decorator sets it only since Python 3.10
            type.__setattr__(owner, "__match_args__", made.names)
        type.__setattr__(owner, "_schema", made)
    return schema


def _schema_of(cls: type[Any], building: dict[type[Any], Schema]) -> Schema:
    """Return the schema of a class, and create it if necessary.

    `building` contains the schemas that are under construction, for classes that contain themselves.
    """
    found: Any = vars(cls)["_schema"]
    if found.__class__ is Schema:
        schema: Schema = found
        return schema
    if cls in building:
        return building[cls]
    schema = building[cls] = Schema(cls)
    for base in reversed(cls.__mro__[1:]):
        if "_schema" in vars(base):
            schema.inherit(_schema_of(base, building))
        elif "__dataclass_fields__" in vars(base):
            raise TypeError(
                f"{cls.__qualname__}: its base {base.__qualname__} is a dataclass but not a value class, so its fields would "
                f"not be read: declare them in {cls.__qualname__}, or derive {base.__qualname__} from a value class"
            )
    for name, (annotation, default) in own_fields(cls).items():
        reader = _reader_for(cls, name, annotation, building)
        key = schema.keys.get(name, name)
        default = _checked_default(f"{cls.__qualname__}.{name}", reader, default)
        options = _options_of(cls, name)
        schema.add(name, key, reader.replace(default=default, alias=None if key == name else key, **options))
    return schema


def _options_of(cls: type[Any], name: str) -> dict[str, bool]:
    """Return the options of a `dataclasses.field` that differ from the defaults of a reader.

    Raises TypeError for `init=False` and `compare=False`.
    """
    standard: Any = vars(cls).get("__dataclass_fields__")
    field: Any = standard[name] if standard.__class__ is dict else vars(cls).get(name)
    if field.__class__.__name__ != "Field":
        return {}
    if not (field.init and field.compare):
        raise TypeError(f"{cls.__qualname__}.{name}: init=False and compare=False are not supported: remove them")
    options = {} if field.repr else {"repr": False}
    return {**options, "hash": False} if field.hash is False else options


def _reader_for(cls: type[Any], name: str, annotation: JSON, building: dict[type[Any], Schema]) -> Reader:
    def nested_reader(other: type[Any]) -> Reader:
        recursive = other in building
        read = _schema_of(other, building).read
        return object_in(other, _bounded(read) if recursive else read)

    return reader_for(cls, name, annotation, nested_reader)


def _bounded(read: Read) -> Read:
    """Return a read function that checks the nesting level, for a class that contains itself."""

    def read_bounded(data: JSON, level: int) -> JSON:
        check_level(level)
        return read(data, level)

    return read_bounded


def _checked_default(field: str, reader: Reader, default: JSON) -> JSON:
    try:
        result = reader.convert(default, 1)
    except TypeMismatch as mismatch:
        raise TypeError(f"{field}: invalid default: {mismatch.problem}") from None
    default = result.value if result.__class__ is Coerced else result
    return freeze(default) if reader.raw else default


def own_annotations(cls: type[Any]) -> Mapping[str, JSON]:
    """Return the annotations of a class without those of its bases."""
    if sys.version_info >= (3, 14):
        from annotationlib import Format, get_annotations

        return get_annotations(cls, format=Format.FORWARDREF)
    own: Mapping[str, JSON] = vars(cls).get("__annotations__", {})
    return own


def own_fields(cls: type[Any]) -> dict[str, tuple[JSON, JSON]]:
    """Return the annotation and the default of each field that a user's class declares with either decorator."""
    members = vars(cls)
    standard = members.get("__dataclass_fields__")
    fields: dict[str, tuple[JSON, JSON]] = {}
    if members.get("_declares_fields"):
        for name, annotation in own_annotations(cls).items():
            if name != "extra" and not re.match(r"(\w+\.)?ClassVar\b", str(annotation)):
                fields[name] = annotation, getattr(cls, name, _MISSING)
    elif standard.__class__ is dict:
        from dataclasses import fields as standard_fields

        own = own_annotations(cls)
        for field in standard_fields(cls):
            if field.name in own and field.name != "extra":
                fields[field.name] = own[field.name], field
    return {name: (annotation, _default_in(cls, name, item)) for name, (annotation, item) in fields.items()}


def _default_in(cls: type[Any], name: str, item: JSON) -> JSON:
    """Return the default that a class attribute or a `dataclasses.field` declares.

    Raises TypeError if there is no default, and for a class with `slots=True`.
    """
    dataclasses = sys.modules.get("dataclasses")
    if dataclasses and isinstance(item, dataclasses.Field):
        field: JSON = item
        item = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        item = _MISSING if item is dataclasses.MISSING else item
    if vars(cls).get(name).__class__.__name__ == "member_descriptor":
        raise TypeError(f"{cls.__qualname__}.{name}: slots=True is not supported: declare the class without it")
    if item is _MISSING:
        raise TypeError(f"{cls.__qualname__}.{name}: a field needs a default, because its key may be absent")
    return item
