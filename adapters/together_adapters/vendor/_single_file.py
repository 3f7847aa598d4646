"""Both packages as one module, with the same statements, names and comments. Each module follows those that it imports.

- Imports from the two packages are removed, because the imported names are globals of the file. The `__all__` of each
  module is removed too.
- If a private name is already used by another module or is a builtin, it gets the name of its module as a prefix.
- Imports of the modules in LIGHT are merged at the top. Other imports of the standard library are moved into each
  function that uses them, so that importing the file loads no more modules than importing the packages.

Does no I/O and does not run the source.
"""

from __future__ import annotations

import ast
import builtins
import re
from textwrap import indent

from .._named_tuple import NamedTuple
from ._imports import own_imports
from ._scopes import bound_by, checked_only, global_uses
from ._source_edits import Edits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from ._scopes import Function

__all__ = ["SingleFile", "flatten"]

# Modules that json, enum and re import anyway, and math, which is a single extension module.
LIGHT = frozenset(
    [
        "abc",
        "builtins",
        "codecs",
        "collections",
        "enum",
        "functools",
        "io",
        "itertools",
        "json",
        "keyword",
        "math",
        "operator",
        "os",
        "re",
        "sys",
        "time",
        "types",
    ]
)
_HEAD = ("from __future__ import annotations", "TYPE_CHECKING = False")


class SingleFile(NamedTuple):
    """The `text` of the file, and its `names`.

    `names` maps the key of each module to a mapping from the names of its globals to their names in the file.
    """

    text: str
    names: Mapping[str, Mapping[str, str]]


def flatten(texts: Mapping[str, str], typed: Container[str], preface: str, version: str) -> SingleFile:
    """Return the modules of the packages as one module.

    `texts` maps the key of each module (see `_imports`) to its text, and contains the modules of `together_types`
    first. Modules in `typed` are moved under `if TYPE_CHECKING`. `preface` is the docstring and the comments at the top
    of the file, and `version` its `__version__`. Raises ValueError, which names the module, for source that cannot be
    moved.
    """
    modules = {key: _Module(key, text, key in typed, texts) for key, text in texts.items()}
    order = [module for module in _in_order(modules) if module.name not in ("__init__", "_types")]
    taken = dict.fromkeys([*dir(builtins), "annotations", "TYPE_CHECKING", "__all__", "__version__"], "builtin")
    for module in order:
        module.claim(taken, module.public)
    for module in order:
        module.claim(taken, module.defined)
    bodies = [module.rewritten(modules) for module in order]
    offered = sorted(
        {module.final(name, modules) for module in modules.values() if not module.checked for name in module.public}
    )
    light = {line for module in order for line, kind in module.imports.items() if kind == "light"}
    hidden = {line for module in order for line in module.annotation_imports() if line not in light}
    head = [preface.rstrip(), "", _HEAD[0], "", *_merged(light), "", _HEAD[1], "if TYPE_CHECKING:"]
    head += [f"    {line}" for line in _merged(hidden)]
    head += ["", f'__version__ = "{version}"', "", "__all__ = [", *[f'    "{name}",' for name in offered], "]", ""]
    text = re.sub(r"\n{4,}", "\n\n\n", "\n".join([*head, *bodies])).rstrip("\n") + "\n"
    return SingleFile(text, {key: dict(module.names(modules)) for key, module in modules.items()})


def _merged(lines: Iterable[str]) -> list[str]:
    """Return import statements, sorted, with the imports from one module merged."""
    plain: set[str] = set()
    names: dict[str, set[str]] = {}
    for line in lines:
        start, _, name = line.partition(" import ")
        if name:
            names.setdefault(start, set()).add(name)
        else:
            plain.add(line)
    return sorted(plain) + [f"{start} import {', '.join(sorted(found))}" for start, found in sorted(names.items())]


def _in_order(modules: Mapping[str, _Module]) -> Iterator[_Module]:
    """Yield the modules, each after the modules that it imports at import time."""
    done: set[str] = set()

    def visit(key: str) -> Iterator[_Module]:
        if key in done:
            return
        done.add(key)
        for needed in modules[key].needs:
            if needed in modules:
                yield from visit(needed)
        yield modules[key]

    # Modules for type checkers come first, because a type alias must follow the definitions of the names in it.
    for key in sorted(modules, key=lambda key: not modules[key].checked):
        yield from visit(key)


class _Module:
    """The source of one module and its analysis."""

    def __init__(self, key: str, text: str, checked: bool, keys: Container[str]) -> None:
        self.key = key
        self.package, _, self.name = key.partition(".")
        self.checked = checked
        self.text = text
        self.tree = ast.parse(text)
        self._uses = global_uses(self.tree)
        self.imports: dict[str, str] = {}  # import of the standard library that is moved: light, heavy or typed
        self.needs: list[str] = []  # the modules of the packages that must come before this one
        self._relative: dict[str, tuple[str, str]] = {}  # name here: (module, name there)
        self._relative_in: dict[Function, dict[str, tuple[str, str]]] = {}  # the same for imports in functions
        self._heavy: dict[str, list[str]] = {}  # name here: the statements that bind it
        self._bound_by_import: dict[str, str] = {}  # name here: the statement
        self._own: dict[str, str] = {}  # name here: name in the single file
        self._drop: list[ast.stmt] = []
        self._kept: list[ast.Import | ast.ImportFrom] = []  # imports of the standard library that stay in place
        self.defined = self._collect(keys)
        self.public = frozenset(self._offered() if self.is_public else ())

    def _collect(self, keys: Container[str]) -> set[str]:
        at_top = list(_top_statements(self.tree.body, False))
        defined = {
            name
            for statement, _ in at_top
            if not isinstance(statement, (ast.Import, ast.ImportFrom))
            for name in bound_by([statement])
        }
        for node, source, function, checked, _ in own_imports(self.key, self.tree, keys):
            into = self._relative if function is None else self._relative_in.setdefault(function, {})
            into.update({alias.asname or alias.name: (source, alias.name) for alias in node.names})
            self.needs += [] if checked or function else [source]
            self._drop.append(node)
        for statement, checked in at_top:
            if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
                self._drop.append(statement)
            elif isinstance(statement, (ast.Import, ast.ImportFrom)) and statement not in self._drop:
                self._hoist(statement, checked, defined)
        return defined - {"TYPE_CHECKING", "__all__"}

    def _offered(self) -> Iterator[str]:
        for statement in self.tree.body:
            if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "__all__":
                names: list[str] = ast.literal_eval(statement.value)
                yield from [name for name in names if name != "__version__"]

    def _hoist(self, node: ast.Import | ast.ImportFrom, checked: bool, defined: set[str]) -> None:
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            if name in defined and not checked:  # the module also defines the name: this import stays in place
                self._kept.append(node)
                return
            defined.discard(name)  # its definition at run time keeps its name
            renamed = f" as {alias.asname}" if alias.asname and alias.asname != alias.name else ""
            module = (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
            line = (
                f"from {module} import {alias.name}{renamed}"
                if isinstance(node, ast.ImportFrom)
                else f"import {module}{renamed}"
            )
            kind = "typed" if checked or self.checked else "light" if module.partition(".")[0] in LIGHT else "heavy"
            self.imports[line] = kind if self.imports.get(line) != "light" else "light"
            self._bound_by_import[name] = line
            if kind == "heavy":
                self._heavy.setdefault(name, []).append(line)
        self._drop.append(node)

    # ---- names

    def claim(self, taken: dict[str, str], names: Iterable[str]) -> None:
        """Choose unused names for these globals of the module, and add them to `taken`.

        `taken` maps each used name to its module or import. Raises ValueError if a name cannot be made unique.
        """
        for name, line in self._bound_by_import.items():
            # `import a.b` and `import a.c` both bind a.
            what = line.partition(".")[0] if line.startswith("import") and " as " not in line else line
            if taken.setdefault(name, what) != what:
                raise ValueError(f"{self.name}: `{line}` binds a name that another module uses for something else")
        for name in sorted(self.defined.intersection(names) - set(self._own)):
            new = name if name not in taken else f"_{self._last.strip('_')}_{name.lstrip('_')}"
            if taken.setdefault(new, self.name) != self.name:
                raise ValueError(f"{self.name}: the names {name} and {new} are both taken")
            self._own[name] = new

    def final(self, name: str, modules: Mapping[str, _Module], function: Function | None = None) -> str:
        """Return the name that a global of this module, or a name that `function` imports, has in the single file."""
        found = (self._relative_in.get(function, {}) if function else {}).get(name) or (
            self._relative.get(name) if name not in self._own else None
        )
        if found is not None:
            return modules[found[0]].final(found[1], modules)
        return self._own.get(name, name)

    def names(self, modules: Mapping[str, _Module]) -> Iterator[tuple[str, str]]:
        """Yield each global of the module with its name in the single file."""
        for name in [*self._own, *self._relative, *self._bound_by_import]:
            yield name, self.final(name, modules)

    @property
    def is_public(self) -> bool:
        return not any(part.startswith("_") for part in self.name.split(".") if part != "__init__")

    @property
    def _last(self) -> str:
        return self.name.removesuffix(".__init__").rpartition(".")[2]

    def annotation_imports(self) -> Iterator[str]:
        """Yield the import statements that annotations need."""
        unrun = {use.node.id for use in self._uses if not use.runs}
        yield from [line for line, kind in self.imports.items() if kind == "typed"]
        yield from [line for name, lines in self._heavy.items() if name in unrun for line in lines]

    # ---- text

    def rewritten(self, modules: Mapping[str, _Module]) -> str:
        """Return the text of the module in the single file."""
        edits = Edits(self.text)
        named = [(use.node, self.final(use.node.id, modules, use.function)) for use in self._uses]
        renamed = {id(node): new for node, new in named if new != node.id}
        for node, new in named:
            if id(node) in renamed:
                edits.rename(node, new)
        own = {name: new for name, new in self._own.items() if new != name}
        for inner in ast.walk(self.tree):
            if isinstance(inner, ast.Global):
                edits.rename_in_line(inner, own)
        for statement, _ in _top_statements(self.tree.body, False):
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and statement.name in own:
                edits.rename_definition(statement, own[statement.name])
        edits.rename_in_strings(self.tree, renamed)
        for imported in self._kept:
            edits.rename_imported(imported, own)
        for function, lines in self._imports_by_function().items():
            edits.insert_imports(function, lines)
        self._drop_statements(edits)
        title = f"# ---- {self.package.rpartition('.')[2]}/{self.name.replace('.', '/')}.py"
        about = [f"# {line}".rstrip() for line in (ast.get_docstring(self.tree) or "").splitlines()]
        text = edits.text().strip("\n")
        if self.checked:
            text = "if TYPE_CHECKING:\n" + indent(text, "    ")
        return "\n".join(["", "", title, "#", *about, "", "", text, ""])

    def _imports_by_function(self) -> dict[Function, list[str]]:
        found: dict[Function, list[str]] = {}
        for use in self._uses:
            lines = self._heavy.get(use.node.id)
            if lines is None or not use.runs:
                continue
            if use.function is None:
                raise ValueError(
                    f"{self.name}, line {use.node.lineno}: {use.node.id} is slow to import: use it in functions only"
                )
            into = found.setdefault(use.function, [])
            into += [line for line in lines if line not in into]
        return found

    def _drop_statements(self, edits: Edits) -> None:
        body = self.tree.body
        drop = [*self._drop]
        for statement in body:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and statement is body[0]:
                drop.append(statement)
            if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") in (
                "TYPE_CHECKING",
                "__all__",
            ):
                drop.append(statement)
        edits.drop(self.tree, drop)


def _top_statements(body: Iterable[ast.stmt], checked: bool) -> Iterator[tuple[ast.stmt, bool]]:
    """Yield the statements of a module and of its `if` statements, each with whether only type checkers read it."""
    for statement in body:
        if isinstance(statement, ast.If):
            yield from _top_statements(statement.body, checked or checked_only(statement))
            yield from _top_statements(statement.orelse, checked)
        else:
            yield statement, checked
