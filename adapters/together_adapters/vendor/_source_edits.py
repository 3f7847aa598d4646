"""Edits of a source text at the positions of `ast` nodes, which count bytes."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize

from ._scopes import checked_only

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ._scopes import Function

__all__ = ["Edits"]


class Edits:
    """Edits of a source text, which `text()` applies together.

    The argument `changed` of the methods maps old names to new ones.
    """

    def __init__(self, text: str) -> None:
        self._data = text.encode("utf-8")
        self._starts = [0]
        for line in self._data.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._changes: dict[tuple[int, int], bytes] = {}

    def text(self) -> str:
        """Return the edited source text."""
        parts: list[bytes] = []
        at = 0
        for (start, end), new in sorted(self._changes.items()):
            if start >= at:  # not inside a dropped statement
                parts += [self._data[at:start], new]
                at = end
        return b"".join([*parts, self._data[at:]]).decode("utf-8")

    def _at(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column

    def rename(self, node: ast.Name, new: str) -> None:
        """Rename a use of a name."""
        start, old = self._at(node.lineno, node.col_offset), node.id
        # Up to Python 3.11, names in f-strings have wrong positions: see rename_in_strings.
        if self._data[start : start + len(old)] == old.encode():
            self._changes[(start, start + len(old))] = new.encode()

    def rename_in_line(self, node: ast.stmt, changed: Mapping[str, str]) -> None:
        """Rename names in the first line of a statement, such as `global a, b`."""
        self._rename_between(self._at(node.lineno, 0), self._starts[node.lineno], changed)

    def rename_definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, new: str) -> None:
        """Rename a function or a class where it is defined."""
        start = self._at(node.lineno, node.col_offset)
        self._rename_between(
            start, self._data.index(b":" if isinstance(node, ast.ClassDef) else b"(", start), {node.name: new}
        )

    def rename_imported(self, node: ast.Import | ast.ImportFrom, changed: Mapping[str, str]) -> None:
        """Rename the names that an import statement binds."""
        names = [(alias.name, changed.get(alias.asname or alias.name, alias.asname)) for alias in node.names]
        what = ", ".join([f"{name} as {new}" if new else name for name, new in names])
        start = f"from {node.module} import" if isinstance(node, ast.ImportFrom) else "import"
        if any(new != alias.asname for (_, new), alias in zip(names, node.names)):
            self._changes[self._lines_of(node, node)] = f"{' ' * node.col_offset}{start} {what}\n".encode()

    def _rename_between(self, start: int, end: int, changed: Mapping[str, str]) -> None:
        for old, new in changed.items():
            for found in re.finditer(rb"(?<![\w.'\"])%s(?![\w'\"])" % old.encode(), self._data[start:end]):
                self._changes[(start + found.start(), start + found.end())] = new.encode()

    def rename_in_strings(self, tree: ast.Module, renamed: Mapping[int, str]) -> None:
        """Rename names in f-strings, whose positions are wrong before Python 3.12.

        `renamed` maps the `id()` of a node to its new name.
        """
        if sys.version_info >= (3, 12):
            return
        strings = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
        for node in strings:
            here = {
                inner.id: renamed[id(inner)]
                for inner in ast.walk(node)
                if isinstance(inner, ast.Name) and id(inner) in renamed
            }
            start, end = (
                self._at(node.lineno, node.col_offset),
                self._at(node.end_lineno or 0, node.end_col_offset or 0),
            )
            for low, high in self._replacement_fields(start, end) if here else ():
                self._rename_between(low, high, here)

    def _replacement_fields(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the start and the end of each replacement field in the f-strings between two positions."""
        source = b"(" + self._data[start:end] + b")"  # adjacent strings may be on separate lines
        lines = [0]
        for line in source.splitlines(keepends=True):
            lines.append(lines[-1] + len(line))
        for token in tokenize.tokenize(io.BytesIO(source).readline):
            if token.type != tokenize.STRING or "f" not in token.string.lower().partition(token.string[-1])[0]:
                continue
            text = source.splitlines(keepends=True)[token.start[0] - 1].decode("utf-8")
            first = start - 1 + lines[token.start[0] - 1] + len(text[: token.start[1]].encode("utf-8"))
            data = token.string.encode("utf-8").replace(b"{{", b"  ").replace(b"}}", b"  ")
            depth = opened = 0
            for position, byte in enumerate(data):
                if byte == ord("{"):
                    depth, opened = depth + 1, position if depth == 0 else opened
                elif byte == ord("}"):
                    depth -= 1
                    if depth == 0:
                        yield first + opened, first + position

    def insert_imports(self, function: Function, lines: Iterable[str]) -> None:
        """Insert import statements at the beginning of a function, after its docstring."""
        first, *rest = function.body
        if rest and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            first = rest[0]
        line = min([first.lineno, *[decorator.lineno for decorator in getattr(first, "decorator_list", [])]])
        start = self._at(line, 0)
        indent = b" " * first.col_offset
        text = b"".join(indent + statement.encode() + b"\n" for statement in lines)
        self._changes[(start, start)] = self._changes.get((start, start), b"") + text + b"\n"

    def _lines_of(self, first: ast.stmt, last: ast.stmt) -> tuple[int, int]:
        return self._at(first.lineno, 0), self._starts[last.end_lineno or 0]

    def drop(self, tree: ast.Module, statements: Iterable[ast.stmt]) -> None:
        """Drop statements of the module `tree`, and each `if TYPE_CHECKING` and `try` that would be empty.

        Any other block that would be empty becomes `pass`.
        """
        dropped = {id(statement): statement for statement in statements}
        for node, block in reversed([*_blocks(tree)]):  # inner blocks first
            if all(id(statement) in dropped for statement in block):
                if (isinstance(node, ast.If) and checked_only(node) and not node.orelse) or (
                    isinstance(node, ast.Try) and not node.orelse and not node.finalbody
                ):
                    dropped[id(node)] = node
                else:
                    self.replace(block, "pass")
                    for statement in block:
                        del dropped[id(statement)]
        for statement in dropped.values():
            self._changes[self._lines_of(statement, statement)] = b""

    def replace(self, statements: list[ast.stmt], text: str) -> None:
        """Replace consecutive statements of one block with lines of text, which are given without indentation."""
        indent = b" " * statements[0].col_offset
        lines = [indent + line + b"\n" if line else b"\n" for line in text.encode().split(b"\n")]
        self._changes[self._lines_of(statements[0], statements[-1])] = b"".join(lines)

    def replace_to_end_of_block(self, tree: ast.Module, statement: ast.stmt, text: str) -> None:
        """Replace a statement, and all statements after it in its block, with text."""
        [block] = [block for _, block in _blocks(tree) if statement in block]
        self.replace(block[block.index(statement) :], text)


def _blocks(tree: ast.Module) -> Iterator[tuple[ast.AST, list[ast.stmt]]]:
    """Yield a pair for each block below the top level: the node that contains the block, and the block's statements.

    Python does not allow these blocks to be empty.
    """
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block: object = getattr(node, name, None)
            if node is not tree and isinstance(block, list) and block:
                yield (
                    node,
                    [
                        statement
                        for statement in ast.iter_child_nodes(node)
                        if isinstance(statement, ast.stmt) and statement in block
                    ],
                )
