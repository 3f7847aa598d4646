"""Tests of the layers of imports, and of the modules that an import loads."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
import together_adapters

import together_types

# A module may import only from earlier layers, or from its own package.
LAYERS: dict[str, list[list[str]]] = {
    "together_types": [
        ["_json", "_open_enum", "_merge_rules"],
        ["_read"],
        ["_schema", "_annotations"],
        ["_subclasses"],
        ["_description"],
        ["_dataclass"],
        ["_model", "_fast_chunks"],
        ["error"],
        ["common"],
        ["chat_completions"],
        ["wire"],
        ["__init__"],
    ],
    "together_adapters": [
        ["protocols", "_types"],
        ["_redaction", "_named_tuple", "_json_data", "_http_fields"],
        ["errors"],
        ["_byte_sources", "_error_messages", "_logprob_forms"],
        ["accumulate"],
        ["sse"],
        ["stream"],
        ["passthrough", "batch"],
        ["openai_format"],
        ["http"],
        ["client"],
        ["aio"],
        ["__init__"],
        ["aws_lambda"],
        ["lambda_runtime"],
        ["_recordings"],
        ["serve", "replay"],
        ["vendor"],
        ["_cli"],
        ["__main__"],
    ],
}
# Modules in which pickles of 0.1.0 look for classes that have moved. They will be removed in 1.0.
ALIASES = ["_fold", "_lambda_events", "_lambda_responses", "_limits", "_losses"]
FOLDERS = {package.__name__: Path(str(package.__file__)).parent for package in (together_types, together_adapters)}


def dotted(path: Path, folder: Path) -> str:
    """Return the dotted name of a module: `stream._reader` for `stream/_reader.py`.

    The `__init__.py` of a package has the package's name. That of the root has the name `__init__`.
    """
    parts = path.relative_to(folder).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


MODULES = {
    package: {
        name: path
        for path in sorted(folder.rglob("*.py"))
        if (name := dotted(path, folder)) not in ALIASES or package == "together_types"
    }
    for package, folder in FOLDERS.items()
}
EACH = [pytest.param(package, name, id=f"{package}.{name}") for package in MODULES for name in MODULES[package]]


def imports(body: list[ast.stmt], typing: bool = False) -> list[ast.stmt]:
    """Return the import statements that run, including those in functions.

    With `typing`, the statements under TYPE_CHECKING are included.
    """
    found: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING" and not typing:
            found += imports(statement.orelse)
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            found.append(statement)
        else:
            below = [
                child for child in ast.iter_child_nodes(statement) if isinstance(child, (ast.stmt, ast.excepthandler))
            ]
            found += imports(below, typing)  # type: ignore[arg-type]
    return found


def imported(package: str, name: str, typing: bool = False) -> dict[str, str]:
    """Return the modules of its own package that a module imports, each with its import statement."""
    path = MODULES[package][name]
    base = [*path.relative_to(FOLDERS[package]).parts[:-1]]
    found = {}
    for statement in imports(ast.parse(path.read_text("utf-8")).body, typing):
        if isinstance(statement, ast.ImportFrom) and statement.level:
            parts = [*base[: len(base) - statement.level + 1], *str(statement.module or "").split(".")]
            found[".".join(filter(None, parts)) or "__init__"] = ast.unparse(statement)
    return found


@pytest.mark.parametrize(("package", "name"), EACH)
def test_module_imports_only_from_earlier_layers(package: str, name: str) -> None:
    layer = {entry: number for number, entries in enumerate(LAYERS[package]) for entry in entries}
    own = name.partition(".")[0]
    for other, statement in imported(package, name).items():
        entry = other.partition(".")[0]
        assert entry == own or layer[entry] < layer[own], statement


@pytest.mark.parametrize(("package", "name"), EACH)
def test_module_imports_only_the_standard_library(package: str, name: str) -> None:
    for statement in imports(ast.parse(MODULES[package][name].read_text("utf-8")).body):
        if isinstance(statement, ast.ImportFrom) and str(statement.module).partition(".")[0] == "together_types":
            assert name == "_types", "only together_adapters._types may import together_types"
        elif not (isinstance(statement, ast.ImportFrom) and statement.level):
            names = [statement.module] if isinstance(statement, ast.ImportFrom) else [a.name for a in statement.names]
            for imported_name in names:
                if sys.version_info >= (3, 10):
                    known = sys.stdlib_module_names | {"annotationlib"}  # new in Python 3.14
                    assert str(imported_name).split(".")[0] in known, ast.unparse(statement)


@pytest.mark.parametrize("package", LAYERS)
def test_every_module_belongs_to_one_layer(package: str) -> None:
    entries = [entry for layer in LAYERS[package] for entry in layer]
    assert sorted(entries) == sorted({name.partition(".")[0] for name in MODULES[package]})


@pytest.mark.parametrize("package", LAYERS)
def test_modules_have_no_import_cycle(package: str) -> None:
    graph = {name: set(imported(package, name)) - {name} for name in MODULES[package]}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the modules


def test_types_have_no_import_cycle_for_type_checkers() -> None:
    checked = [name for name in MODULES["together_types"] if name != "wire"]  # only type checkers import `wire`
    TopologicalSorter(
        {name: set(imported("together_types", name, typing=True)) - {"wire"} for name in checked}
    ).prepare()


def test_private_module_at_the_top_has_several_users() -> None:
    """A private module that only one package uses belongs inside that package."""
    users: dict[str, set[str]] = {}
    for name in MODULES["together_adapters"]:
        for other in imported("together_adapters", name, typing=True):
            users.setdefault(other, set()).add(name.partition(".")[0])
    alone = {entry: found for entry, found in users.items() if re.match(r"_[a-z]\w*$", entry) and len(found) == 1}
    assert alone == {"_cli": {"__main__"}}  # `_cli` is a package, and `__main__` is its public module


@pytest.mark.parametrize("name", ALIASES)
def test_alias_for_pickles_is_short(name: str) -> None:
    lines = (FOLDERS["together_adapters"] / f"{name}.py").read_text("utf-8").splitlines()
    assert len(lines) <= 5 and not any(f".{name}" in statement for statement in lines)


@pytest.mark.parametrize("package", LAYERS)
def test_architecture_table_of_contributing_lists_the_layers(package: str) -> None:
    page = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text("utf-8")
    table = page.split(f"| modules of `{package}` |")[1].split("\n\n")[0]
    rows = [re.findall(r"`([^`]+)`", row.split("|")[1]) for row in table.splitlines()[2:]]
    assert rows == [layer for layer in LAYERS[package] if layer != ["__init__"]]


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("together_types", "urllib ssl socket asyncio http email typing_extensions dataclasses inspect typing"),
        (
            "together_adapters",
            "urllib ssl socket asyncio http email typing_extensions dataclasses typing together_types",
        ),
        ("together_adapters.client", "urllib.request ssl asyncio http email typing_extensions dataclasses"),
        ("together_adapters.http", "urllib.request socket ssl asyncio http email typing_extensions dataclasses"),
        ("together_adapters.stream", "urllib ssl socket asyncio http email typing_extensions dataclasses typing"),
        (
            "together_adapters.openai_format",
            "urllib ssl socket asyncio http email typing_extensions dataclasses typing",
        ),
        (
            "together_adapters.aws_lambda",
            "urllib ssl socket asyncio http email base64 typing_extensions dataclasses typing",
        ),
        (
            "together_adapters.sse",
            "together_types json urllib ssl socket asyncio http email typing_extensions dataclasses typing",
        ),
    ],
)
def test_import_loads_no_heavy_module(module: str, forbidden: str) -> None:
    code = f"import sys; sys.path[:0] = {sys.path!r}; import {module}; loaded = sorted(sys.modules); import json; print(json.dumps(loaded))"
    loaded = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, check=True, text=True)
    assert set(json.loads(loaded.stdout)).isdisjoint(forbidden.split())
