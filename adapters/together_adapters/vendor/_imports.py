"""Finding the imports between modules of the two packages, `together_types` and `together_adapters`, in their source.

The key of a module is its dotted name with the package, like `together_adapters.stream._reader`. The key of a
package's own module ends with `.__init__`.

Does no I/O and does not run the source.
"""

from __future__ import annotations

import ast

from .._named_tuple import NamedTuple
from ._scopes import checked_only

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from ._scopes import Function

__all__ = ["OwnImport", "closure", "module_key", "modules_for_checkers", "own_imports"]


class OwnImport(NamedTuple):
    """An import from a module of the two packages.

    `module` is the key of that module, and `function` the outermost function that contains the statement, if any.
    `checked` is True under `if TYPE_CHECKING`, and `guarded` in the body of a `try` that has an `except ImportError`.
    """

    node: ast.ImportFrom
    module: str
    function: Function | None
    checked: bool
    guarded: bool


def own_imports(key: str, tree: ast.Module, keys: Container[str]) -> list[OwnImport]:
    """Return the imports in the module `key` from modules of the two packages, whose keys are `keys`.

    Imports in functions are included. Raises ValueError, with the line, for an import from the two packages that does
    not have the form `from .module import name`, or whose module is not in `keys`.
    """

    def visit(nodes: Iterable[ast.AST], function: Function | None, checked: bool, guarded: bool) -> Iterator[OwnImport]:
        for node in nodes:
            if isinstance(node, ast.ImportFrom) and _is_own(node):
                yield OwnImport(node, _source_of(key, node, keys), function, checked, guarded)
            elif isinstance(node, ast.If):
                yield from visit(node.body, function, checked or checked_only(node), guarded)
                yield from visit(node.orelse, function, checked, guarded)
            elif isinstance(node, ast.Try):
                yield from visit(node.body, function, checked, guarded or _catches_import_error(node))
                yield from visit([*node.handlers, *node.orelse, *node.finalbody], function, checked, guarded)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield from visit(node.body, function or node, checked, guarded)
            elif not isinstance(node, ast.expr):
                yield from visit(ast.iter_child_nodes(node), function, checked, guarded)

    return list(visit(tree.body, None, False, False))


def _is_own(node: ast.ImportFrom) -> bool:
    return bool(node.level) or (node.module or "").partition(".")[0] == "together_types"


def _catches_import_error(node: ast.Try) -> bool:
    return any(isinstance(handler.type, ast.Name) and handler.type.id == "ImportError" for handler in node.handlers)


def _source_of(key: str, node: ast.ImportFrom, keys: Container[str]) -> str:
    """Return the key of the module that an import statement in the module `key` imports from."""
    base = key.split(".")[: -node.level] if node.level else []
    name = ".".join([*base, *(node.module or "").split(".")]).rstrip(".")
    source = module_key(name, keys)
    if source is None or any(module_key(f"{name}.{alias.name}", keys) for alias in node.names):
        raise ValueError(f"{key}, line {node.lineno}: only `from .module import name` can be copied")
    return source


def module_key(name: str, keys: Container[str]) -> str | None:
    """Return the key of the module with this dotted name, or None if it is not in `keys`."""
    return name if name in keys else f"{name}.__init__" if f"{name}.__init__" in keys else None


def closure(roots: Iterable[str], imports: Mapping[str, Iterable[OwnImport]], typing: bool) -> set[str]:
    """Return the keys of the modules `roots` and of all modules that they import, directly or indirectly.

    The packages that contain a module are included, because importing the module runs them. A module that is imported
    only in a `try` with `except ImportError` is not included, even if it is also imported under `if TYPE_CHECKING`.
    Other imports under `if TYPE_CHECKING` are included if `typing` is True.
    """
    found: set[str] = set()
    waiting = [*roots]
    while waiting:
        key = waiting.pop()
        if key in found:
            continue
        found.add(key)
        waiting += _packages_of(key)
        needed = {item.module for item in imports[key] if not item.guarded and not item.checked}
        optional = {item.module for item in imports[key] if item.guarded} - needed
        if typing:
            needed |= {item.module for item in imports[key] if item.checked} - optional
        waiting += needed
    return found


def _packages_of(key: str) -> list[str]:
    """Return the keys of the packages that contain a module."""
    parts = key.removesuffix(".__init__").split(".")
    return [".".join([*parts[:depth], "__init__"]) for depth in range(1, len(parts))]


def modules_for_checkers(imports: Mapping[str, Iterable[OwnImport]]) -> set[str]:
    """Return the keys of the modules that are imported under `if TYPE_CHECKING` and nowhere else."""
    every = [item for items in imports.values() for item in items]
    run = {item.module for item in every if not item.checked}
    run |= {package for key in run for package in _packages_of(key)}
    return {item.module for item in every if item.checked} - run
