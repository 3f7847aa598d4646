"""Every Python snippet of the README runs, and prints what stands below it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from http_server import serving
from test_examples import respond

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
SNIPPETS = re.findall(r"^```python\n(.*?)^```$(?:\n\n^```text\n(.*?)^```$)?", README, re.MULTILINE | re.DOTALL)
assert len(SNIPPETS) >= 10


@pytest.mark.parametrize(("code", "output"), SNIPPETS, ids=range(len(SNIPPETS)))
def test_snippet(code: str, output: str) -> None:
    with serving(respond) as server:
        environment = {**os.environ, "TOGETHER_API_KEY": "test-key", "TOGETHER_BASE_URL": server.base_url}
        environment["PYTHONPATH"] = os.pathsep.join(sys.path)
        command = [sys.executable, "-W", "error", "-X", "dev", "-c", code]
        done = subprocess.run(command, capture_output=True, timeout=60, env=environment)
    assert (done.stderr.decode(), done.returncode) == ("", 0)
    if output:
        assert done.stdout.decode() == output


def test_handler_answers() -> None:
    """The snippet of a Lambda handler defines one: it is called as Lambda would."""
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
        environment = {**os.environ, "TOGETHER_API_KEY": "test-key", "TOGETHER_BASE_URL": server.base_url}
        environment["PYTHONPATH"] = os.pathsep.join(sys.path)
        command = [sys.executable, "-W", "error", "-c", code + call]
        done = subprocess.run(command, capture_output=True, timeout=60, env=environment, check=True)
    assert done.stdout.decode() == '{"answer":"The capital of France is Paris."}\n400\n'
