"""Whether JSON is what a TypedDict says: what type checkers do with source, done with data. Nothing is converted."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin


def problems(value: Any, kind: Any, path: str = "") -> Iterator[str]:
    """The paths at which JSON is not of the type; keys that the type does not declare are none."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is object:  # what JSON of any kind is at run time
        return
    if origin in (typing.NotRequired, typing.Required):
        yield from problems(value, arguments[0], path)
    elif origin in (Union, types.UnionType):
        tried = [list(problems(value, argument, path)) for argument in arguments]
        if all(tried):
            # The member that fits best has the path that is farthest down.
            yield from max(tried, key=lambda found: max(map(len, found)))
    elif origin is Literal:
        if value not in arguments:
            yield path
    elif origin is list:
        if not isinstance(value, list):
            yield path
            return
        for index, item in enumerate(value):
            yield from problems(item, arguments[0], f"{path}[{index}]")
    elif origin is dict:
        if not isinstance(value, dict):
            yield path
            return
        for key, item in value.items():
            yield from problems(item, arguments[1], f"{path}.{key}")
    elif typing.is_typeddict(kind):
        yield from _in_dict(value, kind, path)
    elif kind is float:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            yield path
    elif type(value) is not kind:
        yield path


def _in_dict(value: Any, kind: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield path
        return
    for key, annotation in typing.get_type_hints(
        kind, localns={"NotRequired": typing.NotRequired}, include_extras=True
    ).items():
        below = f"{path}.{key}" if path else key
        if key in value:
            yield from problems(value[key], annotation, below)
        elif kind.__total__ and get_origin(annotation) is not typing.NotRequired:
            yield below
