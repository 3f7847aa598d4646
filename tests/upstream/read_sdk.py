"""Print the types of installed SDK modules as JSON, in the form of `sdk_parity`: read_sdk.py PACKAGE MODULE ..."""

from __future__ import annotations

import enum
import importlib
import json
import sys
import types
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import typing_extensions
from pydantic import BaseModel
from sdk_parity import ABSENT, Shape, field, generic, union


def spelled(annotation: Any, package: str) -> str:
    """Return a type in the spelling that `sdk_parity` uses for annotations in source."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated or origin in (typing_extensions.Required, typing_extensions.NotRequired):
        return spelled(arguments[0], package)
    if origin is typing_extensions.Literal:
        return union([f"Literal[{value!r}]" for value in arguments])
    if origin in (Union, types.UnionType):
        return union([spelled(argument, package) for argument in arguments])
    if origin is not None:
        inner = ["..." if argument is ... else spelled(argument, package) for argument in arguments]
        name = "Sequence" if origin.__name__ == "SequenceNotStr" else origin.__name__
        return generic(name, inner)
    if annotation is type(None):
        return "None"
    if annotation is Any:
        return "Any"
    module = annotation.__module__
    below = f"{module[len(package) + 1 :]}." if module.startswith(f"{package}.") else ""
    return below + str(annotation.__name__)


def of_model(path: str, cls: type[BaseModel], package: str) -> Shape:
    shape = {path: "class"}
    for name, info in cls.model_fields.items():
        if name in vars(cls).get("__annotations__", {}):
            default = "" if info.is_required() else repr(info.default)
            shape[f"{path}.{name}"] = field(spelled(info.annotation, package), default, info.alias or "")
    return shape


def of_dict(path: str, cls: Any, package: str) -> Shape:
    shape = {path: "dict"}
    inherited = {
        key for base in vars(cls).get("__orig_bases__", cls.__bases__) for key in getattr(base, "__annotations__", {})
    }
    for name, annotation in typing_extensions.get_type_hints(cls, include_extras=True).items():
        if name not in inherited:
            # `__required_keys__` ignores Required in a module with `from __future__ import annotations`.
            required = get_origin(annotation) is typing_extensions.Required or cls.__total__
            shape[f"{path}.{name}"] = field(spelled(annotation, package), "" if required else ABSENT, "")
    return shape


def of_enum(path: str, cls: type[enum.Enum]) -> Shape:
    return {path: "enum", **{f"{path}.{name}": repr(member.value) for name, member in cls.__members__.items()}}


def read(package: str, modules: list[str]) -> Shape:
    shape: Shape = {}
    for below in modules:
        module = importlib.import_module(f"{package}.{below}")
        for name, cls in vars(module).items():
            path = f"{below}.{name}"
            if getattr(cls, "__module__", "") != module.__name__ or not isinstance(cls, type):
                continue
            if issubclass(cls, BaseModel):
                shape.update(of_model(path, cls, package))
            elif issubclass(cls, enum.Enum):
                shape.update(of_enum(path, cls))
            elif typing_extensions.is_typeddict(cls):
                shape.update(of_dict(path, cls, package))
    return shape


if __name__ == "__main__":
    print(json.dumps(read(sys.argv[1], sys.argv[2:])))
