"""The commands as a user runs them: in a process, against a real loopback server."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from corpus import DATA


def run(*args: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "together_adapters", *args]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=60, env=environment())


def environment() -> dict[str, str]:
    import os

    paths = os.pathsep.join(path for path in sys.path if path)
    return {**{k: v for k, v in os.environ.items() if k != "TOGETHER_API_KEY"}, "PYTHONPATH": paths}


@pytest.mark.parametrize("case", ["plain", "thinking", "tools", "unicode"])
def test_replay(case: str) -> None:
    done = run("replay", case)
    assert (done.returncode, done.stderr) == (0, b"")
    chunks = run("replay", case, "--json").stdout.splitlines()
    assert all(json.loads(line)["choices"] is not None for line in chunks)


def test_replay_says_what_was_recorded() -> None:
    assert b"The capital of France is Paris." in run("replay").stdout


def test_parse() -> None:
    done = run("parse", str(DATA / "recordings/vllm-cpu/stream_tool_parallel.200.sse"))
    assert done.returncode == 0 and b'get_time({"zone": "Asia/Tokyo"})' in done.stdout
    done = run("parse", "--json", "-", stdin=b'{"choices": 7}')
    assert json.loads(done.stdout)["issues"] == [{"path": "choices", "problem": "expected array, got number 7"}]


@pytest.mark.parametrize(
    ("args", "stdin", "status", "problem"),
    [
        ([], b"", 2, b"COMMAND"),
        (["parse"], b"", 2, b"FILE"),
        (["parse", "no such file"], b"", 1, b"no such file: No such file"),
        (["parse", "-"], b"", 1, b"empty"),
        (["parse", "-"], b'{"choices": ', 1, b"-: not JSON"),
        (["parse", "--strict", "-"], b'{"choices": 7}', 1, b"choices: expected array, got number 7"),
        (["replay", "nothing"], b"", 1, b"plain, thinking"),
        (["chat", "hi"], b"", 1, b"TOGETHER_API_KEY"),
        (["chat", "hi", "--base-url", "file:///etc"], b"", 1, b"not an http or https URL"),
        (["chat", "hi", "--base-url", "http://127.0.0.1:1"], b"", 1, b"cannot reach 127.0.0.1"),
    ],
    ids=range(10),
)
def test_failures_are_one_line(args: list[str], stdin: bytes, status: int, problem: bytes) -> None:
    done = run(*args, stdin=stdin)
    assert done.returncode == status
    assert problem in done.stderr and done.stderr.count(b"\n") == 1
