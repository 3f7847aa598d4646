"""Tests of every Python snippet in README.md, CONTRIBUTING.md, SCALING.md and the docstrings.

A snippet must run without an error and print the text that follows it.
"""

from __future__ import annotations

import ast
import doctest
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from http_server import serving
from processes import environment
from snippet_server import respond

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "CONTRIBUTING.md", "tests/compat/SCALING.md"]
# Packages that some snippets are about. The project does not need them: the snippets run only if they are installed.
ELSEWHERE = ["dask", "pyspark"]


def snippets_in(text: str) -> list[tuple[str, str]]:
    return re.findall(r"^```python\n(.*?)^```$(?:\n\n^```text\n(.*?)^```$)?", text, re.MULTILINE | re.DOTALL)


def docstrings() -> Iterator[tuple[str, str]]:
    """Yield the docstrings of both packages, each with its file and line."""
    for folder in ("together_types", "adapters/together_adapters"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                    text = ast.get_docstring(node)
                    if text:
                        yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}", text


def snippets() -> Iterator[tuple[str, tuple[str, str]]]:
    for page in PAGES:
        for number, snippet in enumerate(snippets_in((ROOT / page).read_text("utf-8"))):
            yield f"{Path(page).stem}-{number}", snippet
    for place, text in docstrings():
        for number, snippet in enumerate(snippets_in(text)):
            yield f"{place}-{number}", snippet
        examples = doctest.DocTestParser().get_examples(text)
        if examples:
            yield f"{place}-examples", (_of_prompts(examples), "".join([example.want for example in examples]))


def _of_prompts(examples: list[doctest.Example]) -> str:
    """Return code that runs `>>>` examples like the interactive interpreter, which prints the values of expressions."""
    return "\n".join([f"exec(compile({example.source!r}, 'example', 'single'))" for example in examples])


FOUND = dict(snippets())
SNIPPETS = [snippet for name, snippet in FOUND.items() if name.startswith("README-")]
assert len(SNIPPETS) >= 10


@pytest.mark.parametrize(("code", "output"), FOUND.values(), ids=FOUND)
def test_snippet_prints_the_text_below_it(code: str, output: str) -> None:
    for package in ELSEWHERE:
        if re.search(rf"^(?:import|from) {package}\b", code, re.MULTILINE):
            pytest.importorskip(package, reason=f"the snippet uses {package}")
    with serving(respond) as server:
        variables = environment(TOGETHER_API_KEY="test-key", TOGETHER_BASE_URL=server.base_url)
        command = [sys.executable, "-W", "error", "-X", "dev", "-c", code]
        done = subprocess.run(command, capture_output=True, timeout=60, env=variables)
    assert (done.stderr.decode(), done.returncode) == ("", 0)
    if output:
        assert done.stdout.decode() == output


def test_lambda_snippet_called_with_events_responds() -> None:
    """The Lambda snippet only defines a handler, so this calls it as Lambda does."""
    [code] = [code for code, _ in SNIPPETS if "def handler(" in code]
    call = """
class Context:
    def get_remaining_time_in_millis(self):
        return 30_000
event = {"version": "2.0", "rawPath": "/", "requestContext": {"http": {"method": "POST", "path": "/"}}}
print(handler({**event, "body": '{"question": "What is the capital of France?"}'}, Context())["body"])
print(handler({**event, "body": "{"}, Context())["statusCode"])
"""
    with serving(respond) as server:
        variables = environment(TOGETHER_API_KEY="test-key", TOGETHER_BASE_URL=server.base_url)
        command = [sys.executable, "-W", "error", "-c", code + call]
        done = subprocess.run(command, capture_output=True, timeout=60, env=variables, check=True)
    assert done.stdout.decode() == '{"answer":"The capital of France is Paris."}\n400\n'


def test_quirk_in_contributing_equals_the_named_file() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    found = re.findall(r"`(tests/data/quirks/\w+\.json)`:\n\n```json\n(.*?)```", page, re.DOTALL)
    assert [(ROOT / path).read_text("utf-8").rstrip("\n") for path, _ in found] == [
        text.rstrip("\n") for _, text in found
    ]
    assert found
