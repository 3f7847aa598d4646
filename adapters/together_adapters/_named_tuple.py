"""`typing.NamedTuple` without importing `typing`, which takes 2 to 5 ms.

Type checkers see the class of the standard library. At run time a class statement with this base creates the same
kind of class from its annotations: a named tuple that has the methods of the class body.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    from collections import namedtuple

    class _NamedTupleType(type):
        def __new__(cls, name, bases, namespace):
            if not bases:
                return super().__new__(cls, name, bases, namespace)
            # The annotations are not evaluated, because their names may be imported under TYPE_CHECKING only.
            fields = namespace.pop("__annotations__")
            defaults = [namespace.pop(field) for field in fields if field in namespace]
            return type(name, (namedtuple(name, fields, defaults=defaults),), {"__slots__": (), **namespace})

    class NamedTuple(metaclass=_NamedTupleType):
        """The base of classes whose annotations are the fields of a tuple."""


__all__ = ["NamedTuple"]
