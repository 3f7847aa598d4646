"""The `dataclass` decorator of the values, and the attributes that make them dataclasses to other code.

The classes of this package declare a field with a reader (`id: str | None = TEXT`). A subclass in a user's program
declares one with an annotation and a default, as any dataclass does; its annotations are resolved when the class is
first used, so that they may name classes that are defined later.

To other code each class is a frozen dataclass of the standard library: `fields`, `replace`, `asdict`, `match`, `help`
and type checkers accept it. But its methods are shared by `_model.Value` instead of generated, and the standard
description of the fields is made when it is first requested. So importing does not load `dataclasses`, which with 39
classes would take most of the time that a process spends on this package before its first value (43 ms against 4).
"""

from __future__ import annotations

from ._read import Reader
from ._schema import declared_schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from typing import Any

    from ._schema import Schema

__all__ = ["SCHEMA_AT_FIRST_USE", "Described", "dataclass", "keep_shared_methods"]


class _SchemaAtFirstUse:
    """The `_schema` of a class that is not used yet: it makes the schema, which replaces it."""

    def __get__(self, value: object, owner: type[Any]) -> Schema:
        from ._subclasses import publish_schema

        return publish_schema(owner)


SCHEMA_AT_FIRST_USE = _SchemaAtFirstUse()


def keep_shared_methods(cls: type[Any], base: type[Any]) -> None:
    """Put the shared methods into a subclass, so that the standard decorator does not generate its own.

    A generated `__hash__` fails for a dict, and a generated `__repr__` shows fields that the base class hides. A class
    of this package, which has a reader in `extra`, needs no copies: its decorator generates nothing.
    """
    if vars(cls).get("extra").__class__ is Reader:
        return
    for name in ("__init__", "__repr__", "__eq__", "__hash__"):
        if getattr(cls, name) is getattr(base, name):
            type.__setattr__(cls, name, vars(base)[name])
    type.__setattr__(cls, "__signature__", Described("__signature__"))


class Described:
    """A class attribute in which the standard library describes a dataclass; made when it is first requested.

    `dataclasses` and `inspect` look up these attributes on the class and need nothing else.
    """

    NAMES = ("__dataclass_fields__", "__dataclass_params__", "__signature__")

    def __init__(self, attribute: str) -> None:
        self.attribute = attribute

    def __get__(self, value: object, owner: type[Any]) -> object:
        from ._description import describe

        return describe(owner, self.attribute)


if not TYPE_CHECKING:

    def dataclass(*, frozen):
        """Declare a value class: `@dataclass(frozen=True)` on a subclass of a value.

        To type checkers this is the standard library's decorator, which works too; this one does not import
        `dataclasses`. Every annotation is a field that is read from the JSON key of its name, and needs a default.
        Raises TypeError when the class is first used if an annotation cannot be read from JSON: str, int, float, bool,
        tuple[X, ...], Mapping[str, X], string enums, values, Any, and unions of these with None can.
        """
        if not frozen:
            raise TypeError("values are frozen: use @dataclass(frozen=True)")

        def build(cls):
            if "_schema" not in vars(cls):
                raise TypeError(f"{cls.__qualname__} is not a subclass of a value: use dataclasses.dataclass")
            if vars(cls).get("extra").__class__ is Reader:
                cls._schema = declared_schema(cls)
            else:
                from ._subclasses import own_fields

                cls._declares_fields = True
                cls.__match_args__ = tuple(dict.fromkeys([*cls.__match_args__, *own_fields(cls)]))
                for attribute in Described.NAMES:  # the base class may have its own by now
                    setattr(cls, attribute, Described(attribute))
            return cls

        return build
