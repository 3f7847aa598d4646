"""What the packages may import, and what importing them loads."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import together_adapters

import together_types

ORDER = {
    "together_types": [
        "_json",
        "_open_enum",
        "_read",
        "_model",
        "error",
        "common",
        "chat_completions",
        "wire",
        "__init__",
    ],
    "together_adapters": [
        "protocols",
        "_types",
        "_plain",
        "_source",
        "errors",
        "_fold",
        "_problems",
        "_tool_calls",
        "_openai_logprobs",
        "_encode",
        "_unfold",
        "sse",
        "_logprobs",
        "_parts",
        "_message",
        "accumulate",
        "_frames",
        "_template",
        "_chunk_reader",
        "stream",
        "passthrough",
        "_schema",
        "_openai_schema",
        "_openai_request",
        "_openai_exact",
        "_losses",
        "openai_format",
        "batch",
        "_coding",
        "_http1",
        "_url",
        "_limits",
        "_retry",
        "http",
        "_tls",
        "_proxy",
        "_resolve",
        "_exchange",
        "_options",
        "_connection",
        "client",
        "_link",
        "_async_connection",
        "aio",
        "_backends",
        "_asked",
        "_caller",
        "serve",
        "_recordings",
        "replay",
        "_scopes",
        "_edits",
        "_single_file",
        "vendor",
        "_arguments",
        "_terminal",
        "_timeline",
        "_undeclared",
        "_screen",
        "_parse_command",
        "_serve_command",
        "_chat_command",
        "_vendor_command",
        "_lambda_events",
        "_lambda_responses",
        "_lambda_streams",
        "aws_lambda",
        "_lambda_context",
        "_runtime_api",
        "lambda_runtime",
        "__init__",
        "_command_line",
        "__main__",
    ],
}
PATHS = [
    path
    for package in (together_types, together_adapters)
    for path in sorted(Path(str(package.__file__)).parent.glob("*.py"))
]
MODULES = [pytest.param(path, id=f"{path.parent.name}/{path.stem}") for path in PATHS]


def imports(body: list[ast.stmt]) -> list[ast.stmt]:
    """The import statements that run, that is all but those under TYPE_CHECKING."""
    found: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            found += imports(statement.orelse)
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            found.append(statement)
        else:
            found += imports([child for child in ast.iter_child_nodes(statement) if isinstance(child, ast.stmt)])
    return found


@pytest.mark.parametrize("path", MODULES)
def test_imports_go_down(path: Path) -> None:
    order = ORDER[path.parent.name]
    above = order[: order.index(path.stem)]
    for statement in imports(ast.parse(path.read_text("utf-8")).body):
        if isinstance(statement, ast.ImportFrom) and statement.level:
            assert statement.level == 1 and statement.module in above, ast.unparse(statement)
        elif isinstance(statement, ast.ImportFrom) and str(statement.module).split(".")[0] == "together_types":
            assert path.stem == "_types"
        else:
            names = [statement.module] if isinstance(statement, ast.ImportFrom) else [a.name for a in statement.names]
            for name in names:
                if sys.version_info >= (3, 10):
                    assert str(name).split(".")[0] in sys.stdlib_module_names, ast.unparse(statement)


def rooms(package: str) -> dict[str, int]:
    """The place of each module on the page of the architecture; a name goes before a pattern."""
    page = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text("utf-8")
    table = page.split(f"| rooms of `{package}` |")[1].split("\n\n")[0]
    names = [name for row in table.splitlines() for name in re.findall(r"`([^`]+)`", row.split("|")[1])]
    found: dict[str, int] = {}
    for module in ORDER[package]:
        places = [name for name in sorted(names, key=lambda name: "*" in name) if fnmatchcase(module, name)]
        if module != "__init__":
            assert places, f"{module} is not on the page"
            found[module] = names.index(places[0])
    assert not [name for name in names if not any(fnmatchcase(module, name) for module in found)]
    return found


@pytest.mark.parametrize("package", ORDER)
def test_the_page_of_the_architecture_is_true(package: str) -> None:
    """Modules import what stands above them there, too."""
    place = rooms(package)
    for module in PATHS:
        if module.parent.name != package or module.stem == "__init__":
            continue
        for statement in imports(ast.parse(module.read_text("utf-8")).body):
            if isinstance(statement, ast.ImportFrom) and statement.level:
                assert place[str(statement.module)] <= place[module.stem], f"{module.stem}: {ast.unparse(statement)}"


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("together_types", "urllib ssl socket asyncio http email typing_extensions dataclasses inspect typing"),
        (
            "together_adapters",
            "urllib ssl socket asyncio http email typing_extensions dataclasses typing together_types",
        ),
        ("together_adapters.client", "urllib.request ssl asyncio http email typing_extensions dataclasses"),
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
def test_import_is_light(module: str, forbidden: str) -> None:
    code = f"import sys; sys.path[:0] = {sys.path!r}; import {module}; loaded = sorted(sys.modules); import json; print(json.dumps(loaded))"
    loaded = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, check=True, text=True)
    assert set(json.loads(loaded.stdout)).isdisjoint(forbidden.split())
