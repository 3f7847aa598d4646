"""The `dataclass` decorator of the value classes, and the attributes by which other code recognizes dataclasses.

The classes of this package declare a field with a reader (`id: str | None = TEXT`). A user's subclass declares a field
with an annotation and a default, like any dataclass. Its annotations are resolved when the class is first used, so that
they can refer to classes that are defined later.

Each class works as a frozen dataclass of the standard library: `fields`, `replace`, `asdict`, `match`, `help` and type
checkers accept it. Unlike a standard dataclass, it inherits its methods from `_model.Value` instead of generating them,
and the standard description of its fields is created at the first access. Importing the package therefore does not
import `dataclasses`. Decorating the 39 classes takes 4 ms, and would take 43 ms with `dataclasses`.
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
    """The `_schema` of a class before its first use. This descriptor creates the schema, which then replaces it."""

    def __get__(self, value: object, owner: type[Any]) -> Schema:
        from ._subclasses import publish_schema

        return publish_schema(owner)


SCHEMA_AT_FIRST_USE = _SchemaAtFirstUse()


def keep_shared_methods(cls: type[Any], base: type[Any]) -> None:
    """Copy the shared methods into a subclass, so that the standard decorator does not generate its own.

    A generated `__hash__` fails for a dict, and a generated `__repr__` shows fields that the base class hides. The
    classes of this package, recognized by the reader in `extra`, need no copies: their decorator generates no methods.
    """
    if vars(cls).get("extra").__class__ is Reader:
        return
    for name in ("__init__", "__repr__", "__eq__", "__hash__"):
        if getattr(cls, name) is getattr(base, name):
            type.__setattr__(cls, name, vars(base)[name])
    type.__setattr__(cls, "__signature__", Described("__signature__"))


class Described:
    """A class attribute in which the standard library expects the description of a dataclass.

    The value is created at the first access. NAMES lists all attributes that `dataclasses` and `inspect` look up on the
    class.
    """

    NAMES = ("__dataclass_fields__", "__dataclass_params__", "__signature__")

    def __init__(self, attribute: str) -> None:
        self.attribute = attribute

    def __get__(self, value: object, owner: type[Any]) -> object:
        from ._description import describe

        return describe(owner, self.attribute)


if not TYPE_CHECKING:

    def dataclass(*, frozen):
        """Declare the fields of a subclass of a value class.

        Every annotation declares a field, which needs a default and is read from the JSON key of the same name. An
        annotation can be str, int, float, bool, tuple[X, ...], Mapping[str, X], a string enum, a value class, Any, or a
        union of these with None. Any other annotation raises TypeError when the class is first used.

            >>> import together_types
            >>> @together_types.dataclass(frozen=True)
            ... class PricedUsage(together_types.UsageData):
            ...     cost: float = 0.0
            >>> PricedUsage.from_dict({"total_tokens": 3, "cost": 0.25}).cost
            0.25

        Type checkers see the standard library's decorator, which also works. This one avoids the time to import
        `dataclasses`.
        """
        if not frozen:
            raise TypeError("values are frozen: use @dataclass(frozen=True)")

        def build(cls):
            if "_schema" not in vars(cls):
                raise TypeError(f"{cls.__qualname__} is not a subclass of a value class: use dataclasses.dataclass")
            if vars(cls).get("extra").__class__ is Reader:
                cls._schema = declared_schema(cls)
            else:
                from ._subclasses import own_fields

                cls._declares_fields = True
                cls.__match_args__ = tuple(dict.fromkeys([*cls.__match_args__, *own_fields(cls)]))
                for attribute in Described.NAMES:  # the base class may already have its own
                    setattr(cls, attribute, Described(attribute))
            return cls

        return build
