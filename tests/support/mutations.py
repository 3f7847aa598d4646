"""Faults put into the source of a module, to see that a comparison of types notices each. No file is changed."""

from __future__ import annotations

import ast

KINDS = ("rename", "default", "annotation", "value")


def seeded(source: str, kind: str, *, reader: bool = False, only: str = "") -> str:
    """The source with one kind of change to every field, or to every enum member, or to `only` the one `Class.name`.

    In our own modules a default is a reader's (`reader`), in SDKs and stubs what stands after the equals sign.
    """
    tree = ast.parse(source)
    for cls in tree.body:
        if not isinstance(cls, ast.ClassDef):
            continue
        is_enum = any(ast.unparse(base).endswith("Enum") for base in cls.bases)
        for item in cls.body:
            name = _name(item)
            if name and name != "extra" and only in ("", f"{cls.name}.{name}"):
                _change(item, kind, is_enum, reader)
    return ast.unparse(ast.fix_missing_locations(tree))


def _name(item: ast.stmt) -> str:
    if isinstance(item, ast.AnnAssign):
        return ast.unparse(item.target)
    return ast.unparse(item.targets[0]) if isinstance(item, ast.Assign) else ""


def _change(item: ast.stmt, kind: str, is_enum: bool, reader: bool) -> None:
    if isinstance(item, ast.Assign):
        if is_enum and kind == "value":
            item.value = ast.Constant(f"{ast.literal_eval(item.value)} seeded")
        return
    assert isinstance(item, ast.AnnAssign)
    if kind == "rename":
        item.target = ast.Name(f"{_name(item)}_seeded", ast.Store())
    elif kind == "annotation":
        item.annotation = ast.Name("complex", ast.Load())
    elif kind == "default":
        item.value = ast.Constant("seeded")
        if reader:
            item.value = ast.parse("TEXT.replace(default='seeded', null=False)", mode="eval").body
