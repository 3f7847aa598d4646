"""Comparing the types of the SDKs, the stubs and the project's dataclasses. All are read into the same form, a shape.

A shape is a flat dict from paths to text:

| path | text |
|---|---|
| `common.UsageData` | the kind of the class |
| `common.UsageData.prompt_tokens`, a required field | `int` |
| a field with a default | `int = 0` |
| a field with another key in JSON | `str | None = None as 'type'` |
| `common.FinishReason.Length`, a member of an enum | `'length'` |

Annotations are normalised: `Optional[List[X]]` becomes `list[X] | None`, and the members of a union are sorted.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Optional

Shape = dict[str, str]
KINDS = ("class", "dict", "enum")
ABSENT = "absent"  # the default of a key that is not required in a TypedDict


def union(members: list[str]) -> str:
    """Return a union of the members: without duplicates, sorted, None last. `str` makes string literals redundant."""
    found = {part for member in members for part in _split(member)}
    if "str" in found:
        found = {part for part in found if not part.startswith("Literal['")}
    literals = sorted(part[len("Literal[") : -1] for part in found if part.startswith("Literal["))
    others = sorted(part for part in found - {"None"} if not part.startswith("Literal["))
    merged = [f"Literal[{', '.join(literals)}]"] if literals else []
    return " | ".join(others + merged + (["None"] if "None" in found else []))


def _split(text: str) -> Iterator[str]:
    """Yield the members in the text of a union, and each value of a Literal as a member."""
    depth, start = 0, 0
    for position, character in enumerate(text + "|"):
        depth += (character in "[(") - (character in "])")
        if character == "|" and not depth:
            member = text[start:position].strip()
            start = position + 1
            if member.startswith("Literal["):
                yield from (f"Literal[{value.strip()}]" for value in member[len("Literal[") : -1].split(","))
            else:
                yield member


# ---- annotations in source

Names = Callable[[str], str]
_LOWER = {"List": "list", "Dict": "dict", "Tuple": "tuple", "SequenceNotStr": "Sequence"}


def annotation(node: ast.expr, names: Names = str) -> str:
    """Return the normalised text of an annotation. The function `names` translates the names in it."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            return annotation(ast.parse(node.value, mode="eval").body, names)
        return repr(node.value)
    if isinstance(node, ast.Name):
        return names(_LOWER.get(node.id, node.id))
    if isinstance(node, ast.Attribute):
        return names(ast.unparse(node))
    if isinstance(node, ast.BinOp):
        return union([annotation(node.left, names), annotation(node.right, names)])
    assert isinstance(node, ast.Subscript), ast.dump(node)
    arguments = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    base = annotation(node.value)
    if base == "Literal":
        return names(union([f"Literal[{ast.unparse(argument)}]" for argument in arguments]))
    inner = [repr(...) if ast.unparse(argument) == "..." else annotation(argument, names) for argument in arguments]
    if base in ("Union", "Optional"):
        return union(inner + (["None"] if base == "Optional" else []))
    return generic(names(base), inner)


def generic(base: str, arguments: list[str]) -> str:
    if base == "tuple" and len(arguments) == 1:
        arguments = [*arguments, "..."]
    return f"{base}[{', '.join(arguments).replace('Ellipsis', '...')}]"


# ---- the stubs


def of_stubs(stubs: Path, package: str, names: Names = str) -> Shape:
    """Return the shape of all stubs of a package. The path of a class begins with its module's, below the package.

    A class in an annotation has that path too, before `names` translates it.
    """
    shape: Shape = {}
    folder = stubs.joinpath(*package.split("."))
    for path in sorted(folder.rglob("*.pyi")):
        module = ".".join(path.relative_to(folder).with_suffix("").parts)
        tree = ast.parse(path.read_text("utf-8"))
        scope = {
            node.name: f"{module}.{node.name}" for node in tree.body if isinstance(node, ast.ClassDef) and node.bases
        }
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith(package + "."):
                below = str(node.module)[len(package) + 1 :]
                scope.update({alias.name: f"{below}.{alias.name}" for alias in node.names})
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                found = _class_in_stub(
                    f"{module}.{node.name}", node, lambda name, scope=scope: names(scope.get(name, name))
                )
                shape.update(found)
    return shape


def of_source(path: Path, names: Names = str) -> Shape:
    """Return the shape of the classes in the source of one module."""
    shape: Shape = {}
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef):
            shape.update(_class_in_stub(node.name, node, names))
    return shape


def _class_in_stub(path: str, node: ast.ClassDef, names: Names) -> Shape:
    bases = [ast.unparse(base) for base in node.bases]
    optional = any(keyword.arg == "total" for keyword in node.keywords)
    kind = "enum" if "Enum" in bases else "class" if "BaseModel" in bases else "dict" if bases else ""
    if not kind:
        return {}
    shape = {path: kind}
    for item in node.body:
        if isinstance(item, ast.Assign):
            [target] = item.targets
            shape[f"{path}.{ast.unparse(target)}"] = ast.unparse(item.value)
        elif isinstance(item, ast.AnnAssign):
            shape[f"{path}.{ast.unparse(item.target)}"] = _field_in_stub(item, optional, names)
    return shape


def _field_in_stub(item: ast.AnnAssign, optional: bool, names: Names) -> str:
    node: ast.expr = item.annotation
    default, alias = ABSENT if optional else "", ""
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Required":
        node, default = node.slice, ""
    elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "NotRequired":
        node, default = node.slice, ABSENT
    elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Annotated":
        assert isinstance(node.slice, ast.Tuple)
        node, alias = node.slice.elts[0], ast.literal_eval(node.slice.elts[1])
    if item.value is not None:
        default = ast.unparse(item.value)
    return field(annotation(node, names), default, alias)


def field(text: str, default: str, alias: str) -> str:
    return text + (f" = {default}" if default else "") + (f" as {alias!r}" if alias else "")


# ---- the project's dataclasses

MODULES = ("common", "chat_completions", "error")


def of_values(package: str, names: Names = str) -> Shape:
    """Return the shape of `together_types`, or of a copy of it with another name."""
    shape: Shape = {}
    for name in MODULES:
        module = importlib.import_module(f"{package}.{name}")
        for cls_name, cls in sorted(vars(module).items()):
            if dataclasses.is_dataclass(cls) and isinstance(cls, type):
                shape.update(_dataclass(f"{name}.{cls_name}", cls, names))
            elif isinstance(cls, type) and issubclass(cls, enum.Enum) and list(cls):
                shape[f"{name}.{cls_name}"] = "enum"
                shape.update({f"{name}.{cls_name}.{key}": repr(str(item)) for key, item in cls.__members__.items()})
    return shape


def _dataclass(path: str, cls: type, names: Names) -> Shape:
    shape = {path: "class"}
    for item in dataclasses.fields(cls):
        if item.name == "extra":
            continue
        node = ast.parse(str(item.type), mode="eval").body
        key = cls._schema.keys[item.name]  # type: ignore[attr-defined]
        alias = key if key != item.name else ""
        shape[f"{path}.{item.name}"] = field(annotation(node, names), repr(item.default), alias)
    return shape


def defined_in(package: str) -> dict[str, str]:
    """Return the module that defines each class and enum of the package. Re-exports are ignored."""
    return {
        name: module
        for module in MODULES
        for name, cls in vars(importlib.import_module(f"{package}.{module}")).items()
        if isinstance(cls, type) and cls.__module__ == f"{package}.{module}"
    }


# ---- comparing

_AS_OURS = {
    "list": "tuple",
    "Iterable": "tuple",
    "Sequence": "tuple",
    "dict": "Mapping",
    "Any": "JSON",
    "object": "JSON",
}
Differences = dict[str, list[Optional[str]]]


def in_our_terms(classes: Mapping[str, str]) -> Names:
    """Return a translation of the SDKs' names: arrays become tuples, objects mappings, and literals strings.

    `classes` translates the names of classes.
    """

    def names(text: str) -> str:
        if text.startswith("Literal["):
            return "bool" if text in ("Literal[True]", "Literal[False]") else "str"
        return _AS_OURS.get(text) or classes.get(text) or text.rpartition(".")[2]

    return names


def with_defaults(shape: Shape) -> Shape:
    """Return a shape in which every field has a default, as in the project's classes.

    A required field gets None as an alternative and as its default. Members of enums are unchanged.
    """
    found: Shape = {}
    for path, text in shape.items():
        if text in KINDS or shape.get(path.rpartition(".")[0]) == "enum":
            found[path] = text
        else:
            text = text.removesuffix(f" = {ABSENT}")
            found[path] = text if " = " in text else f"{union([text, 'None'])} = None"
    return found


def differences(theirs: Shape, ours: Shape) -> Differences:
    """Return the paths whose text differs, with the text of both sides. None represents a missing path."""
    paths = sorted({*theirs, *ours})
    return {path: [theirs.get(path), ours.get(path)] for path in paths if theirs.get(path) != ours.get(path)}


def between_together_and_us(stubs: Path, package: str) -> Differences:
    """Return the differences between together-python 1.x's classes and the package's.

    The path of a class that the package adds begins with the package's module.
    """
    theirs = with_defaults(of_stubs(stubs, "together.types", in_our_terms({})))
    classes = {path for path, text in theirs.items() if text in KINDS}
    known = {path.partition(".")[2] for path in classes}
    classes |= {f"{module}.{name}" for name, module in defined_in(package).items() if name not in known}
    ours = {path: text for path, text in of_values(package).items() if ".".join(path.split(".")[:2]) in classes}
    return differences(theirs, ours)


def between_openai_and_us(stubs: Path, package: str, pairs: Mapping[str, str]) -> Differences:
    """Return the differences between the classes of openai's stubs and the package's that `pairs` assigns to them."""
    return between_pairs(of_stubs(stubs, "openai.types", in_our_terms(pairs)), package, pairs)


def translated(shape: Shape, names: Names) -> Shape:
    """Return a shape with the names in its annotations translated."""
    found: Shape = {}
    for path, text in shape.items():
        text, equals, default = text.partition(" = ")
        found[path] = text if text in KINDS else annotation(ast.parse(text, mode="eval").body, names) + equals + default
    return found


def between_pairs(theirs: Shape, package: str, pairs: Mapping[str, str]) -> Differences:
    """Return the differences between an SDK's classes and the package's that `pairs` assigns to them.

    An SDK's class is assigned to a class of the package, or to the type that the package's fields have instead of it.
    Fields are identified by their keys in JSON. An enum of the package counts as a string. A field that only the
    package has is not a difference.
    """
    theirs = with_defaults(theirs)
    found: Differences = {path: [text, None] for path, text in theirs.items() if text in KINDS and path not in pairs}
    for (path, text), ours in zip(theirs.items(), in_openai_terms(theirs, package, pairs)):
        if text not in KINDS and ours not in (text, ANY):
            found[path] = [text, ours]
    return found


ANY = "held as JSON"


def in_openai_terms(paths: Iterable[str], package: str, pairs: Mapping[str, str]) -> Iterator[str | None]:
    """Yield the package's text for each path of an SDK, or None if the package lacks it."""
    homes = defined_in(package)
    enums = {path.rpartition(".")[2] for path, text in of_values(package).items() if text == "enum"}
    values = {}
    for path, text in of_values(package, lambda name: "str" if name in enums else name).items():
        text, _, key = text.partition(" as ")
        values[f"{path.rpartition('.')[0]}.{ast.literal_eval(key)}" if key else path] = text
    for path in paths:
        cls, _, name = path.rpartition(".")
        mine = pairs.get(cls, "")
        yield values.get(f"{homes[mine]}.{mine}.{name}") if mine in homes else ANY
