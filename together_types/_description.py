"""The standard library's description of a value class: its `dataclasses.fields` and its signature.

This module imports `dataclasses` and `inspect`, so it is imported only when a description is first requested.
"""

from __future__ import annotations

import dataclasses
from inspect import Parameter, Signature

from ._json import JSON, FrozenDict
from ._subclasses import own_annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._schema import Schema

__all__ = ["describe"]


def describe(cls: type[Any], attribute: str) -> object:
    """Return an attribute that describes a class, and store it in the class.

    Raises AttributeError for `Value`, which is not a dataclass because it does not declare fields.
    """
    if not cls._schema.names:
        raise AttributeError(attribute)
    described: dict[str, object] = {}
    if attribute == "__signature__":
        described["__signature__"] = _signature(cls)
    else:
        standard = _standard_dataclass(cls)
        described = {name: getattr(standard, name) for name in ("__dataclass_fields__", "__dataclass_params__")}
    for name, item in described.items():
        type.__setattr__(cls, name, item)
    return described[attribute]


def _standard_dataclass(cls: type[Any]) -> type[Any]:
    """Return a dataclass of the standard library with the same fields."""
    schema: Schema = cls._schema
    annotations: dict[str, JSON] = {}
    for base in reversed(cls.__mro__):
        annotations.update(own_annotations(base))
    described: list[tuple[str, JSON, JSON]] = []
    for name in schema.names:
        if name == "extra":
            field = dataclasses.field(default_factory=FrozenDict, hash=False)
        else:
            reader = schema.readers[schema.keys[name]]
            settings: dict[str, JSON] = {"default": reader.default}
            if reader.default.__class__.__hash__ is None:
                settings = {"default_factory": lambda default=reader.default: default}
            field = dataclasses.field(hash=reader.hash, repr=reader.repr, **settings)
        described.append((name, annotations[name], field))
    return dataclasses.make_dataclass(cls.__name__, described, frozen=True)


def _signature(cls: type[Any]) -> Signature:
    """Return the signature of the constructor."""
    parameters: list[Parameter] = []
    for field in dataclasses.fields(cls):
        if field.init:
            kind = (
                Parameter.KEYWORD_ONLY if getattr(field, "kw_only", False) is True else Parameter.POSITIONAL_OR_KEYWORD
            )
            factory: JSON = field.default_factory
            default = field.default if factory is dataclasses.MISSING else factory()
            parameters.append(Parameter(field.name, kind, default=default, annotation=field.type))
    return Signature(sorted(parameters, key=lambda parameter: parameter.kind), return_annotation=None)
