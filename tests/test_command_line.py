"""The commands as a user runs them: in a process, against a real loopback server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from corpus import DATA
from loopback import serve

FRAME = b'data: {"choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":%s}]}\n\n'


def run(*args: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "together_adapters", *args]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=60, env=environment())


def environment() -> dict[str, str]:
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
        (["parse", "-"], b'{"error": {"message": "no \\u001b[31m credit"}}', 1, b"an error: no \\x1b[31m credit"),
        (["parse", "-"], b'data: {"error": "no credit"}\n\n', 1, b"-: no credit"),
        (["parse", os.curdir], b"", 1, b"directory"),
    ],
    ids=range(13),
)
def test_failures_are_one_line(args: list[str], stdin: bytes, status: int, problem: bytes) -> None:
    done = run(*args, stdin=stdin)
    assert done.returncode == status
    assert problem in done.stderr and done.stderr.count(b"\n") == 1


def test_chat_prints_what_a_terminal_may_see() -> None:
    with serve(FRAME % (b"a\\u001b[31m\\n", b"null"), FRAME % (b"\xc3\xbc", b'"stop"')) as base_url:
        done = run("chat", "hi", "--base-url", base_url)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith("a\\x1b[31m\nü\n".encode()) and b"2 chunks" in done.stdout


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (b"401 No", b'{"error": {"message": "Invalid key"}}', b"status 401 from 127.0.0.1: Invalid key"),
        (b"503 Busy", b"<html>busy</html>", b"status 503 from 127.0.0.1: <html>busy"),
        (b"302 Moved\r\nLocation: http://127.0.0.1:1/", b"", b"status 302"),
        (b"200 OK", b"<html>a portal</html>", b"not an event stream"),
        (b"200 OK", FRAME % (b"half", b"null"), b"without a finish reason"),
        (b"garbage", b"", b"127.0.0.1"),
    ],
    ids=["object", "html", "redirect", "portal", "cut", "garbage"],
)
def test_chat_says_what_went_wrong(status: bytes, body: bytes, problem: bytes) -> None:
    with serve(body, status=status) as base_url:
        done = run("chat", "hi", "--base-url", base_url)
    assert done.returncode == 1
    assert problem in done.stderr and done.stderr.count(b"\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_interrupt_keeps_what_had_arrived(options: list[str]) -> None:
    with serve(FRAME % (b"so far", b"null"), 60.0) as base_url:
        command = [sys.executable, "-m", "together_adapters", "chat", "hi", "--base-url", base_url, *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        assert process.stdout is not None
        first = process.stdout.read1(4096)
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, b"")
    assert b"so far" in first and (first + rest).endswith(b"\n")


@pytest.mark.skipif(os.name == "nt", reason="shell")
@pytest.mark.parametrize(
    ("shell", "status"),
    [("{} replay --json | head -n 1 >&2", 0), ("{} replay >&-", 0), ("{} replay > /dev/full", 1), ("{} parse - <&-", 1)],
    ids=["pipe", "closed", "full", "no input"],
)
def test_output_that_goes_away(shell: str, status: int) -> None:
    if "/dev/full" in shell and not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    command = "set -o pipefail; " + shell.format(f"{sys.executable} -m together_adapters")
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60, env=environment())
    assert done.returncode == status
    assert b"Traceback" not in done.stderr and b"Exception" not in done.stderr and done.stderr.count(b"\n") <= 1
