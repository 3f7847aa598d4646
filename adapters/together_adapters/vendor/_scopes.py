"""The uses of globals in a module's source, which are needed to rename a global or to move an import.

Python's scope rules:

- A name belongs to the innermost function that binds it.
- A name bound in the body of a class is visible only to the statements of that body.
- A comprehension binds its targets.

Annotations do not run (`from __future__ import annotations`), and neither does code under `if TYPE_CHECKING:`.

Does no I/O and does not run the source.
"""

from __future__ import annotations

import ast

from .._named_tuple import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Union

    Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]
    Comprehension = Union[ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp]

__all__ = ["Use", "bound_by", "checked_only", "global_uses"]


class Use(NamedTuple):
    """A use of a global.

    `runs` is False in an annotation and under `if TYPE_CHECKING`. `function` is the outermost function that contains
    the use, or None.
    """

    node: ast.Name
    runs: bool
    function: Function | None


def global_uses(tree: ast.Module) -> list[Use]:
    """Return every use of a global in a module."""
    walk = _Walk()
    walk.run(tree)
    return walk.uses


def checked_only(node: ast.AST) -> bool:
    """Return whether a node is an `if TYPE_CHECKING:` statement."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def bound_by(statements: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the names that statements bind in their own scope, except the names that relative imports bind."""
    for node in _own_scope(statements):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        elif isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and not node.level):
            yield from [alias.asname or alias.name.partition(".")[0] for alias in node.names]


def _own_scope(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield the nodes, and the nodes inside them, that belong to this scope and not to a nested one."""
    for node in nodes:
        yield node
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            yield from _own_scope(inner.target for inner in ast.walk(node) if isinstance(inner, ast.NamedExpr))
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            yield from _own_scope(ast.iter_child_nodes(node))


class _Walk:
    def __init__(self) -> None:
        self.uses: list[Use] = []
        self._scopes: list[tuple[bool, frozenset[str]]] = []  # (whether it is a class's scope, the names bound in it)
        self._runs = True
        self._function: Function | None = None

    def run(self, node: ast.AST | None) -> None:
        if node is None:
            return
        if isinstance(node, ast.Name):
            if not any(node.id in names for names in self._visible()):
                self.uses.append(Use(node, self._runs, self._function))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            self._function_like(node)
        elif isinstance(node, ast.ClassDef):
            self._each([*node.decorator_list, *node.bases, *node.keywords])
            self._within(True, bound_by(node.body), node.body)
        elif isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            self._comprehension(node)
        elif isinstance(node, ast.AnnAssign):
            self._each([node.target, node.value])
            self._unrun([node.annotation])
        elif isinstance(node, ast.If) and checked_only(node):
            self._unrun(node.body)
            self._each(node.orelse)
        else:
            self._each(ast.iter_child_nodes(node))

    def _visible(self) -> Iterator[frozenset[str]]:
        for depth, (of_class, names) in enumerate(reversed(self._scopes)):
            if not of_class or depth == 0:
                yield names

    def _each(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            self.run(node)

    def _within(self, of_class: bool, names: Iterable[str], nodes: Iterable[ast.AST | None]) -> None:
        self._scopes.append((of_class, frozenset(names)))
        self._each(nodes)
        self._scopes.pop()

    def _unrun(self, nodes: Iterable[ast.AST | None]) -> None:
        before, self._runs = self._runs, False
        self._each(nodes)
        self._runs = before

    def _function_like(self, node: Function | ast.Lambda) -> None:
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        arguments += [argument for argument in (node.args.vararg, node.args.kwarg) if argument]
        self._each([*node.args.defaults, *node.args.kw_defaults])
        names = {argument.arg for argument in arguments}
        if isinstance(node, ast.Lambda):
            self._within(False, names, [node.body])
            return
        self._each(node.decorator_list)
        self._unrun([*[argument.annotation for argument in arguments], node.returns])
        names |= set(bound_by(node.body))
        declared = [inner.names for inner in _own_scope(node.body) if isinstance(inner, (ast.Global, ast.Nonlocal))]
        outermost = self._function is None
        if outermost:
            self._function = node
        self._within(False, names.difference(*declared), node.body)
        if outermost:
            self._function = None

    def _comprehension(self, node: Comprehension) -> None:
        first, *others = node.generators
        self.run(first.iter)
        targets = [generator.target for generator in node.generators]
        rest: list[ast.AST] = [*targets, *first.ifs]
        for generator in others:
            rest += [generator.iter, *generator.ifs]
        # Since Python 3.15, `{**a for a in b}` is a DictComp without a value.
        rest += [*filter(None, (node.key, node.value))] if isinstance(node, ast.DictComp) else [node.elt]
        self._within(False, bound_by(targets), rest)
