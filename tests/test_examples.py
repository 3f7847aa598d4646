"""Tests of the five examples in README.md, which are the usual patterns of code for together-python 1.x.

They run against a server on a real socket.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from corpus import DATA
from http_server import serving
from processes import environment
from snippet_server import respond

EXAMPLES = sorted(DATA.glob("examples/*.py"))
assert len(EXAMPLES) == 5
EXPECTED = {
    "completion": (
        "The capital of France is Paris.\nFinish reason: stop\nPrompt tokens: 12\nCompletion tokens: 8\n"
        "Total tokens: 20\nID: cmpl-1, model: recorded, created: 1700000000\n"
    ),
    "stream": "The capital of France is Paris.\nFinish reason: stop\n",
    "tools": "get_weather: {'city': 'Paris'}\n",
    "choices": "".join(f"Choice {n} (seed {n + 7}): The capital of France is Paris.\n" for n in range(3)),
    "async_stream": "The capital of France is Paris.",
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_prints_the_expected_output(path: Path) -> None:
    with serving(respond) as server:
        variables = environment(TOGETHER_API_KEY="test-key", TOGETHER_BASE_URL=server.base_url)
        command = [sys.executable, "-W", "error", "-X", "dev", str(path)]
        done = subprocess.run(command, capture_output=True, timeout=60, env=variables)
    assert (done.stderr.decode(), done.returncode) == ("", 0)
    assert done.stdout.decode() == EXPECTED[path.stem]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_readme_contains_the_example(path: Path) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    assert f"```python\n{path.read_text('utf-8')}```" in readme
