"""The parts of the packages to which a copy may be limited, and the modules of each part.

A part consists of a few modules and all modules that they import (see `_imports.closure`). Imports of modules
that a copy lacks are edited, because type checkers would report them. Under `if TYPE_CHECKING`, the import and its
names in `__all__` are removed. In a `try` with `except ImportError`, the import is replaced by `raise`.

Does no I/O.
"""

from __future__ import annotations

import ast

from .._named_tuple import NamedTuple
from ._imports import closure, module_key, modules_for_checkers, own_imports
from ._source_edits import Edits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from ._imports import OwnImport

__all__ = ["ALL", "PARTS", "Part", "Selection", "known_parts", "select"]


class Part(NamedTuple):
    """A part: `modules` of `together_adapters`, whose imports it includes, and an `example` import (module, name)."""

    modules: tuple[str, ...]
    example: tuple[str, str]


class Selection(NamedTuple):
    """The selected modules: `texts` by their keys, and in `typed` the keys of those that only type checkers read."""

    texts: Mapping[str, str]
    typed: Collection[str]


ALL = "all"
"""The name that selects everything, used instead of the name of a part."""

PARTS = {
    "types": Part((), ("together_types", "ChatCompletionResponse")),
    "streams": Part(("stream", "passthrough"), ("together_adapters.stream", "iter_chunks")),
    "openai": Part(("openai_format", "sse._encoding"), ("together_adapters.openai_format", "to_openai")),
    "client": Part(("client", "aio"), ("together_adapters", "Together")),
    "lambda": Part(("aws_lambda", "lambda_runtime"), ("together_adapters.aws_lambda", "parse_event")),
}
"""The parts by name. Each of them includes `together_types`."""

_TYPES = "together_types"
_ADAPTERS = "together_adapters"
# The command line, `vendor`, the server and the recordings cannot be used from a single file.
_NOT_IN_A_SINGLE_FILE = ("__main__", "replay", "serve", "vendor")


def known_parts(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of parts in the order of `PARTS`, or `("all",)` if `all` is among them.

    `types` is left out if there are other parts, which include it. Raises ValueError for an unknown name or no name.
    """
    chosen = {names} if isinstance(names, str) else {*names}
    unknown = sorted(chosen.difference(PARTS, [ALL]))
    if unknown or not chosen:
        received = f"got {', '.join(map(repr, unknown))}" if unknown else "got no name"
        raise ValueError(f"expected parts from {', '.join(PARTS)} and {ALL}, {received}")
    if ALL in chosen:
        return (ALL,)
    return tuple(name for name in PARTS if name in chosen and (name != "types" or len(chosen) == 1))


def select(texts: Mapping[str, str], parts: Iterable[str], *, typing: bool, single_file: bool) -> Selection:
    """Return the modules of a copy of these parts. `texts` maps the keys of all modules to their texts.

    With `typing=False`, modules that only type checkers read are left out. With the part `all` and
    `single_file=True`, so are modules that cannot be used from a single file.
    """
    trees = {key: ast.parse(text) for key, text in texts.items()}
    imports = {key: own_imports(key, tree, texts) for key, tree in trees.items()}
    typed = modules_for_checkers(imports)
    roots = _roots(texts, parts, single_file)
    kept = closure(roots if typing else roots - typed, imports, typing)
    selected = {
        key: _without_imports(text, trees[key], [item for item in imports[key] if item.module not in kept])
        for key, text in texts.items()
        if key in kept
    }
    return Selection(selected, typed & kept)


def _roots(texts: Mapping[str, str], parts: Iterable[str], single_file: bool) -> set[str]:
    if ALL not in parts:
        roots = {key for key in texts if key.startswith(f"{_TYPES}.")}
        names = [name for part in parts for name in PARTS[part].modules]
        return roots.union(module_key(f"{_ADAPTERS}.{name}", texts) or name for name in names)
    return {key for key in texts if not single_file or _is_offered(key)}


def _is_offered(key: str) -> bool:
    """Return whether a module is public in the full single file."""
    parts = key.split(".")[1:]
    return parts[0] not in _NOT_IN_A_SINGLE_FILE and not any(
        part.startswith("_") for part in parts if part != "__init__"
    )


def _without_imports(text: str, tree: ast.Module, missing: Collection[OwnImport]) -> str:
    """Return a module's text without its imports of modules that the copy lacks."""
    if not missing:
        return text
    edits = Edits(text)
    edits.drop(tree, [item.node for item in missing if item.checked])
    for item in missing:
        if not item.checked:
            path = item.module.partition(".")[2].replace(".", "/")
            raising = f'raise ModuleNotFoundError("{path}.py is not in this copy")'
            edits.replace_to_end_of_block(tree, item.node, raising)
    lost = {alias.asname or alias.name for item in missing if item.checked for alias in item.node.names}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(statement.value)
            if lost.intersection(names):
                lines = [f'    "{name}",' for name in names if name not in lost]
                edits.replace([statement], "\n".join(["__all__ = [", *lines, "]"]))
    return edits.text()
