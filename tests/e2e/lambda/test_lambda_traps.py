"""Situations that have broken functions in the past, with AWS's runtime client and with `lambda_runtime`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from http_server import CLOSE, RESET, Part, Received, reply, serving
from lambda_sources import Request, event_of, sent_by
from model_server import KEY, recording

SUPPORT = Path(__file__).parents[2] / "support"
URL = event_of("function_url", Request("POST", "/"))
ASK = event_of("rest_v1", Request("POST", "/summaries", body=b'{"text": "x"}'))
READ_ONLY = """
mount -o remount,ro,bind / 2>/dev/null || { mount --bind / / && mount -o remount,ro,bind /; }
if [ -w /usr ]; then exit 99; fi
exec env -u HOME setpriv --no-new-privs --bounding-set=-all "$@"
"""


@pytest.mark.parametrize("handler", ["value", "nested_value", "answered"])
def test_value_with_surrogate_and_nan_is_sent(start: Any, handler: str) -> None:
    with start("", handler=f"lambda_function.{handler}", folder=SUPPORT) as api:
        for _ in range(2):
            got = api.invoke(URL)
            assert got.outcome == "response"
            sent = got.json()
            if handler == "answered":
                sent = json.loads(sent_by("function_url", sent).body)
            sent = sent["all"][0] if handler == "nested_value" else sent
            assert sent["choices"][0] == {"index": 0, "text": "hé\ufffd", "n": None}


def test_record_with_surrogate_and_nan_is_sent(start: Any) -> None:
    with start("", handler="lambda_function.records", folder=SUPPORT) as api:
        for _ in range(2):
            result, issue, unmerged = api.invoke(URL).json()
            assert result["custom_id"] == "\ufffd" and result["response"]["choices"][0] == {
                "index": 0,
                "text": "a\ufffd",
                "n": None,
            }
            assert issue["path"] == "created" and unmerged == {"path": "p\ufffd", "problem": "problem", "value": None}


@pytest.mark.parametrize("size", [6 * 2**20 - 200, 6 * 2**20 + 1, 7 * 2**20])
def test_response_above_the_size_limit_becomes_413(start: Any, size: int) -> None:
    with start("", handler="lambda_function.guarded", folder=SUPPORT) as api:
        for _ in range(2):
            got = api.invoke({**URL, "size": size})
            assert got.outcome == "response" and got.json()["statusCode"] == (200 if size < 6 * 2**20 else 413)


@pytest.mark.parametrize("handler", ["failing", "failed"])
@pytest.mark.parametrize("text", ["\ud800", "sk-hiddenHidden \ud800 hidden/secret/access/key"], ids=ascii)
def test_exception_with_surrogate_or_key_in_its_text_is_reported(start: Any, handler: str, text: str) -> None:
    with start("", handler=f"lambda_function.{handler}", folder=SUPPORT) as api:
        for _ in range(2):
            got = api.invoke({**URL, "text": text})
            assert got.outcome == ("error" if handler == "failing" else "response")
            if handler == "failed":
                assert b"hidden" not in got.answer.lower()


@pytest.mark.parametrize("end", [CLOSE, RESET])
def test_connection_closed_while_frozen_is_replaced(start: Any, end: str) -> None:
    body = recording("vllm-cpu/plain").read_bytes()

    def answer(request: Received) -> Iterator[Part]:
        yield reply(body)
        yield 0.3
        yield end

    with serving(answer) as server, start("summariser", server.base_url) as api:
        for number in range(1, 4):
            got = api.invoke(ASK)
            assert got.json()["statusCode"] == 200
            api.process.send_signal(signal.SIGSTOP)
            while server.open:  # until the server has closed the idle connection
                time.sleep(0.02)
            api.process.send_signal(signal.SIGCONT)
            assert (server.connections, len(server.requests)) == (number, number)


def test_invocations_share_a_connection_and_leave_no_open_files(start: Any, upstream: Any) -> None:
    with start("summariser", upstream.base_url) as api:
        files = Path(f"/proc/{api.process.pid}/fd")
        counts = set()
        for _ in range(6):
            assert api.invoke(ASK).json()["statusCode"] == 200
            if files.exists():
                counts.add(len(list(files.iterdir())))
        assert upstream.connections == 1 and len(counts) <= 1


def test_response_and_log_do_not_contain_the_key(start: Any, tmp_path: Path) -> None:
    def answer(request: Received) -> Iterator[Part]:
        quoted = {"error": {"message": f"bad key {KEY} in {request.headers['authorization']} \ud800"}}
        yield reply(json.dumps(quoted).encode(), status="401 X")

    with (
        serving(answer) as server,
        open(tmp_path / "log", "wb") as log,
        start("summariser", server.base_url, log=log) as api,
    ):
        got = sent_by("rest_v1", api.invoke(ASK).json())
        assert api.invoke(ASK).outcome == "response"
    assert got.status == 401 and b"bad key" in got.body
    assert b"hidden-upstream" not in got.body + (tmp_path / "log").read_bytes()


def test_snapstart_function_restores_once_and_responds(start: Any, upstream: Any, version: str, tmp_path: Path) -> None:
    snapstart = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    with start("summariser", upstream.base_url, environment=snapstart) as api:
        assert [api.invoke(ASK).json()["statusCode"] for _ in range(2)] == [200, 200]
        assert api.restores == 1 and upstream.connections == 1


def _can_remount() -> bool:
    tools = [shutil.which(name) for name in ("unshare", "mount", "setpriv")]
    return (
        os.name == "posix"
        and all(tools)
        and not subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode
    )


@pytest.mark.skipif(not _can_remount(), reason="needs permission to mount file systems")
def test_function_on_read_only_root_without_home_responds(start: Any, upstream: Any, command: Any) -> None:
    runtime = [*command, "app.handler"] if command else [sys.executable, "-m", "together_adapters.lambda_runtime"]
    isolated = ["unshare", "-m", "--propagation", "private", "sh", "-ec", READ_ONLY, "sh", *runtime]
    with start("summariser", upstream.base_url, isolated=isolated) as api:
        assert [api.invoke(ASK).json()["statusCode"] for _ in range(2)] == [200, 200]
