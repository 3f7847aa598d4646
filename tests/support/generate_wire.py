"""Generate the TypedDicts of the value classes: the part of `together_types/wire.py` above its marker line.

    python tests/support/generate_wire.py           write the file
    python tests/support/generate_wire.py --check   exit with 1 if the file is out of date

Each class becomes a TypedDict and each field a key. The annotations of the fields determine the types:

    a value class    its TypedDict               tuple[X, ...]    list[X]
    an enum          str                         Mapping[K, V]    dict[K, V]

Every key may be absent, because a server may leave out any field. A TypedDict's docstring is the first sentence of
the class's. The schema of OpenAI, below the marker line, is written by hand, because it cannot be derived from our
classes.
The output is the same on every Python from 3.9 on.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
WIRE = ROOT / "together_types" / "wire.py"
MODULES = ("common", "error", "chat_completions")  # in the order of their imports
MARKER = "# ---- the schema of OpenAI: written by hand"
HEADER = '''\
# Everything above the line "written by hand" is generated from the value classes: `python tests/support/generate_wire.py`
"""The JSON of Together and of OpenAI as TypedDicts, for type checkers.

`XDict` is the type of `X.to_dict()` for JSON that matches its declaration. Any key may be absent (use `get`). A server
may send undeclared keys, or values of another type than declared. A TypedDict does not detect that at run time.
`from_dict` does, and `value.issues()` lists the values of the wrong type.

`OpenAI...` is the type of `to_openai(value, only_openai=True)`: exactly OpenAI's schema, with every required key.

Not imported at run time.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from ._json import JSON

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import NotRequired

# ---- the format of Together, with the fields that other servers of OpenAI's format add
'''


class _ToJSON(ast.NodeTransformer):
    """A translator of annotations to types in JSON. `names` maps the name of a class to its name in JSON."""

    def __init__(self, names: Callable[[str], str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._names(node.id), node.ctx)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if ast.unparse(node.value) == "tuple":
            assert isinstance(node.slice, ast.Tuple) and ast.unparse(node.slice.elts[1]) == "...", ast.unparse(node)
            node = ast.Subscript(ast.Name("list", ast.Load()), node.slice.elts[0], node.ctx)
        return self.generic_visit(node)


def json_type(annotation: str, names: Callable[[str], str]) -> str:
    """Return the type in JSON for a field's annotation."""
    tree = _ToJSON(names).visit(ast.parse(annotation, mode="eval"))
    return ast.unparse(ast.fix_missing_locations(tree))


def classes_of(package: str) -> Iterator[type]:
    """Yield the classes and enums of the package's modules in the order of their definitions."""
    for name in MODULES:
        module = importlib.import_module(f"{package}.{name}")
        yield from (cls for cls in vars(module).values() if getattr(cls, "__module__", "") == module.__name__)


def generated(package: str = "together_types") -> str:
    """Return the generated part of the file."""
    classes = {cls.__name__: cls for cls in classes_of(package) if isinstance(cls, type)}

    def in_json(name: str) -> str:
        if dataclasses.is_dataclass(classes.get(name)):
            return f"{name}Dict"
        return "str" if name in classes else {"Mapping": "dict"}.get(name, name)

    parts = [HEADER]
    for name, cls in classes.items():
        if dataclasses.is_dataclass(cls):
            summary = (inspect.getdoc(cls) or "").splitlines()[0].partition(". ")[0].rstrip(".")
            lines = [f"class {name}Dict(TypedDict, total=False):", f'    """{summary}."""', ""]
            for field in dataclasses.fields(cls):
                if field.name != "extra":  # the keys that no field declares
                    lines.append(f"    {cls._schema.keys[field.name]}: {json_type(str(field.type), in_json)}")
            parts.append("\n".join([*lines, ""]))
    return "\n\n".join(parts) + "\n\n"


def main(arguments: list[str]) -> int:
    sys.path.insert(0, str(ROOT))
    before = WIRE.read_text("utf-8")
    after = generated() + before[before.index(MARKER) :]
    if "--check" not in arguments:
        WIRE.write_text(after, "utf-8")
    elif after != before:
        print("together_types/wire.py is out of date: run `python tests/support/generate_wire.py`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
