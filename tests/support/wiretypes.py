"""TypedDicts at run time: checking JSON against one, as type checkers do for source, and making examples of one."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin


def problems(value: Any, kind: Any, path: str = "") -> Iterator[str]:
    """Yield the paths at which JSON does not match the type. Undeclared keys are allowed."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is object:  # the type of any JSON at run time
        return
    if origin in (typing.NotRequired, typing.Required):
        yield from problems(value, arguments[0], path)
    elif origin in (Union, types.UnionType):
        tried = [list(problems(value, argument, path)) for argument in arguments]
        if all(tried):
            # The member that matches best is the one with the longest path.
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


def examples(kind: Any) -> list[Any]:
    """Return JSON of the type: enough values to contain every declared key, literal and member of a union.

    Keys whose type contains any JSON are omitted, because their own schema is unknown here.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (typing.NotRequired, typing.Required):
        return examples(arguments[0])
    if origin in (Union, types.UnionType):
        found = [examples(argument) for argument in arguments]
        return [example for member in found for example in member] if all(found) else []
    if origin is Literal:
        return list(arguments)
    if origin is list:
        return [examples(arguments[0])] if examples(arguments[0]) else []
    if origin is dict:
        return [{"a": example} for example in examples(arguments[1])]
    if typing.is_typeddict(kind):
        hints = typing.get_type_hints(kind, localns={"NotRequired": typing.NotRequired}, include_extras=True)
        values = {key: of_key for key, annotation in hints.items() if (of_key := examples(annotation))}
        count = max(map(len, values.values()))
        return [{key: of_key[index % len(of_key)] for key, of_key in values.items()} for index in range(count)]
    return {str: ["a"], int: [1], float: [0.5], bool: [True], type(None): [None]}.get(kind, [])
