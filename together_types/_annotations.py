"""Readers made from annotations, for the fields that a user's subclass declares.

An annotation is an object or a string. A string is evaluated in the module of the class. Python 3.9 does not support
`X | Y` for types, so there a string is first rewritten to use `typing.Union`.
"""

from __future__ import annotations

import sys

from ._json import JSON
from ._read import (
    FLAG,
    INTEGER,
    JSON_VALUE,
    NUMBER,
    OBJECT,
    TEXT,
    Reader,
    array_of,
    enum_of,
    map_of,
    union,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["reader_for"]

_READABLE = (
    "str, int, float, bool, tuple[X, ...], Mapping[str, X], string enums, value classes, Any, and unions with None"
)


def reader_for(cls: type[Any], name: str, annotation: JSON, nested: Callable[[type[Any]], Reader]) -> Reader:
    """Return the reader of a field of `cls`.

    `nested` returns the reader of a value class. Raises TypeError, with the class, the field and the annotation in its
    message, if the annotation describes a type that cannot be read from JSON.
    """
    try:
        return _Resolver(cls, nested).reader(annotation)
    except Exception as error:  # evaluating a string can raise any exception
        shown = annotation if isinstance(annotation, str) else _name_of(annotation)
        problem = f"{type(error).__name__}: {error}" if error.__class__ is not TypeError else str(error)
        raise TypeError(f"{cls.__qualname__}.{name}: cannot read {shown!r} from JSON: {problem}") from error


def _name_of(annotation: JSON) -> str:
    return annotation.__qualname__ if type(annotation) is type else str(annotation)


class _Resolver:
    """A factory of readers for the annotations of one class."""

    def __init__(self, cls: type[Any], nested: Callable[[type[Any]], Reader]) -> None:
        module = sys.modules.get(cls.__module__)
        self._globals = vars(module) if module else {}
        self._locals = {name: item for name, item in vars(cls).items() if isinstance(item, type)}
        self._locals[cls.__name__] = cls
        self._nested = nested

    def reader(self, annotation: JSON) -> Reader:
        """Return the reader of an annotation, which accepts null only if the annotation includes None or Any."""
        kinds = self._members(annotation)
        readers = [self._reader_of_one(kind) for kind in kinds if kind is not _NULL]
        if not readers:
            raise TypeError(f"use {_READABLE}")
        if sum(map(_is_value_class, kinds)) > 1:
            raise TypeError(
                "a union can contain at most one value class, because any object can be read as any of them"
            )
        reader: Reader = readers[0] if len(readers) == 1 else union(*readers)
        return reader.replace(null=_NULL in kinds or JSON_VALUE in readers)

    def _members(self, annotation: JSON) -> list[JSON]:
        """Return the resolved members of a union, or the annotation itself as the only member."""
        from typing import Union, get_args, get_origin

        resolved = self._resolved(annotation)
        if get_origin(resolved) in (Union, getattr(sys.modules["types"], "UnionType", Union)):
            return [kind for member in get_args(resolved) for kind in self._members(member)]
        return [_NULL if resolved is None else resolved]

    def _resolved(self, annotation: JSON) -> JSON:
        annotation = getattr(annotation, "__forward_arg__", annotation)
        if not isinstance(annotation, str):
            return annotation
        code: JSON = annotation
        if sys.version_info < (3, 10):
            code = _with_unions(annotation)
        return self._resolved(eval(code, self._globals, self._locals))

    def _reader_of_one(self, kind: JSON) -> Reader:
        from collections.abc import Mapping
        from typing import Any as AnyType, get_args, get_origin

        scalar: Reader | None = {str: TEXT, int: INTEGER, float: NUMBER, bool: FLAG}.get(kind)
        if scalar is not None:
            return scalar
        if kind is AnyType or kind is object:
            return JSON_VALUE  # type: ignore[no-any-return]
        origin: JSON = get_origin(kind)
        if origin is None:
            origin = kind
        arguments = get_args(kind)
        if origin is tuple and len(arguments) == 2 and arguments[1] is ...:
            item = self.reader(arguments[0])
            return array_of(item, nulls=item.null)  # type: ignore[no-any-return]
        if origin in (Mapping, dict) and (not arguments or self._resolved(arguments[0]) is str):
            item = self.reader(arguments[1]) if arguments else JSON_VALUE
            reader: Reader = OBJECT if item.read is JSON_VALUE.read else map_of(item, nulls=item.null)
            return reader
        if _is_string_enum(kind):
            return enum_of(kind)  # type: ignore[no-any-return]
        if _is_value_class(origin):
            return self._nested(origin)
        if origin is list:
            raise TypeError("lists are not supported: use tuple[X, ...]")
        raise TypeError(f"use {_READABLE}")


_NULL: type = type(None)


def _is_value_class(kind: JSON) -> bool:
    return isinstance(kind, type) and "_schema" in vars(kind)


def _is_string_enum(kind: JSON) -> bool:
    from enum import Enum

    return isinstance(kind, type) and issubclass(kind, Enum) and issubclass(kind, str)


def _with_unions(text: str) -> JSON:
    """Compile an annotation with each `a | b` replaced by `typing.Union[a, b]`."""
    import ast

    def visit(self: ast.NodeTransformer, node: ast.BinOp) -> ast.expr:
        left, right = self.visit(node.left), self.visit(node.right)
        if not isinstance(node.op, ast.BitOr):
            return node
        function = ast.parse("__import__('typing').Union", mode="eval").body
        both = ast.Tuple([left, right], ast.Load())
        return ast.Subscript(function, both, ast.Load())

    # `type` instead of a class statement: stubtest reports a class in a function as a public name of the module.
    transformer: ast.NodeTransformer = type("Unions", (ast.NodeTransformer,), {"visit_BinOp": visit})()
    tree = transformer.visit(ast.parse(text.strip(), mode="eval"))
    return compile(ast.fix_missing_locations(tree), "<annotation>", "eval")
