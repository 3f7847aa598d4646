"""Faults in the source of a module, to verify that a comparison of types finds each of them. Does not change files."""

from __future__ import annotations

import ast

KINDS = ("rename", "default", "annotation", "value")


def seeded(source: str, kind: str, *, reader: bool = False, only: str = "") -> str:
    """Return the source with one `kind` of fault in every field or enum member, or only in the one `Class.name`.

    With `reader`, a default is set as the project's own modules set it, in the reader that follows the equals sign. In
    SDKs and stubs the value after the equals sign is the default itself.
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
