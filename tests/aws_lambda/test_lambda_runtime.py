"""Tests of `lambda_runtime` in a process of its own, against an emulator of the Runtime API on loopback."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lambda_emulator import MOST_BYTES, RuntimeAPI
from lambda_sources import Request, event_of, sent_by
from processes import environment
from together_adapters.accumulate import accumulate
from together_adapters.stream import iter_chunks

SUPPORT = Path(__file__).parents[1] / "support"
URL = event_of("function_url", Request("POST", "/v1/chat", body=b"{}"))


@contextmanager
def running(handler: str, **options: Any) -> Iterator[RuntimeAPI]:
    with RuntimeAPI() as api:
        api.start(f"lambda_function.{handler}", folder=SUPPORT, **options).wait()
        yield api


def once(handler: str, event: Any, **options: Any) -> Any:
    """Invoke the function once, and assert that the runtime serves another event afterwards."""
    with running(handler, **options) as api:
        first = api.invoke(event)
        assert api.process is not None and api.process.poll() is None
        assert api.invoke(event).outcome == first.outcome
        return first


@pytest.mark.parametrize("event", [{"a": [1, None, "hé\u2028"]}, [], "text", 7, None, {"n": 1e300}], ids=repr)
def test_handler_result_is_sent_as_json(event: Any) -> None:
    got = once("echo", event)
    assert got.outcome == "response" and got.json() == event and not got.streamed
    assert got.headers["Content-Type"] == "application/json"


def test_result_of_bytes_is_sent_unchanged() -> None:
    assert once("raw", {}).answer == b"\xff\x00"


@pytest.mark.parametrize("handler", ["value", "nested_value", "answered"])
def test_value_in_a_result_is_sent_as_json(handler: str) -> None:
    got = once(handler, URL)
    sent = got.json()
    if handler == "answered":
        sent = json.loads(sent_by("function_url", sent).body)
    sent = sent["all"][0] if handler == "nested_value" else sent
    assert got.answer.isascii() and sent["choices"][0] == {"index": 0, "text": "hé\ufffd", "n": None}


def test_context_has_the_values_of_the_headers() -> None:
    headers = {
        "Lambda-Runtime-Aws-Tenant-Id": "tenant",
        "Lambda-Runtime-Client-Context": '{"client":{"app_title":"a"},"custom":{"k":1},"env":{}}',
        "Lambda-Runtime-Cognito-Identity": '{"cognitoIdentityId":"i","cognitoIdentityPoolId":"p"}',
        "Lambda-Runtime-Invocation-Id": "invocation",
    }
    with running("about") as api:
        got = api.invoke({}, seconds=20, headers={**headers, "Lambda-Runtime-Client-Context": "broken"})
        assert got.json()["client_context"] is None
        got = api.invoke({}, seconds=20, headers={**headers, "Lambda-Runtime-Client-Context": ""})
    about = got.json()
    assert (about["aws_request_id"], about["tenant_id"], about["function_name"]) == (got.id, "tenant", "f")
    assert about["identity"] == {"cognito_identity_id": "i", "cognito_identity_pool_id": "p"}
    assert 15_000 < about["left"] <= 20_000 and about["memory_limit_in_mb"] == "128"
    assert got.headers["Lambda-Runtime-Invocation-Id"] == "invocation"


def test_event_with_client_context_has_it_in_the_context() -> None:
    told = json.dumps({"client": {"app_title": "hé"}, "custom": {"k": "é"}, "env": None}, ensure_ascii=False)
    headers = {
        "Lambda-Runtime-Client-Context": told.encode("utf-8").decode("latin-1"),
        "Lambda-Runtime-Deadline-Ms": "soon",
    }
    with running("app_title") as api:
        assert api.invoke({}, headers=headers).json() == ["hé", {"k": "é"}, None]
        assert api.invoke({}, headers={"Lambda-Runtime-Client-Context": '{"client":7}'}).outcome == "error"
        assert api.invoke({}, headers=headers).outcome == "response"


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        ("oversized", "ResponseTooLargeError"),
        ("not_json", "TypeError"),
        ("asynchronous", "TypeError"),
        ("foreign", "Gr__e"),
        ("broken_at_once", "HandlerError"),
        ("lengthy", "HandlerError"),
    ],
)
def test_failure_is_reported_and_next_event_handled(handler: str, kind: str) -> None:
    got = once(handler, {})
    assert got.outcome == "error" and got.headers["Lambda-Runtime-Function-Error-Type"] == kind
    report = got.json()
    assert report["errorType"] == kind and report["requestId"] == got.id and isinstance(report["stackTrace"], list)


def test_event_of_invalid_json_is_reported() -> None:
    assert once("echo", b"{").json()["errorType"] == "JSONDecodeError"


@pytest.mark.parametrize(
    "text", ["\ud800", "Bearer hiddenHidden", "sk-hiddenHidden", "hidden/secret/access/key"], ids=ascii
)
@pytest.mark.parametrize("handler", ["failing", "failed"])
def test_error_text_with_surrogate_or_key_is_reported_without_key(text: str, handler: str) -> None:
    with tempfile.TemporaryFile() as log:
        got = once(handler, {"text": text}, log=log)
        log.seek(0)
        logged = log.read()
    assert b"refused" in got.answer + logged or handler == "failed"
    assert b"hidden" not in (got.answer + logged).replace(b"[hidden]", b"").lower()
    assert got.outcome == ("error" if handler == "failing" else "response")


@pytest.mark.parametrize("size", [6 * 2**20 - 200, 6 * 2**20 + 1, MOST_BYTES + 1])
def test_handler_that_catches_the_size_error_sends_413(size: int) -> None:
    got = once("guarded", {**URL, "size": size})
    assert got.outcome == "response" and got.json()["statusCode"] == (200 if size < 6 * 2**20 else 413)


def test_output_is_flushed_before_freeze() -> None:
    with tempfile.TemporaryFile() as log, running("printing", log=log) as api:
        assert api.invoke({"text": "hé\ud800"}).outcome == "response"
        log.seek(0)
        assert log.read() == b"out h\xc3\xa9\\ud800\nerr\n"


def test_log_record_of_a_handler_is_written_to_output() -> None:
    with tempfile.TemporaryFile() as log, running("logging_handler", log=log) as api:
        assert api.invoke(7).outcome == "response"
        log.seek(0)
        assert re.fullmatch(r"\[INFO\]\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\thé 7\n", log.read().decode())


def test_handler_log_configuration_is_kept(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import logging\nlogging.basicConfig(format='mine %(message)s')\ndef handler(event, context): logging.warning('w')"
    )
    with tempfile.TemporaryFile() as log, RuntimeAPI() as api:
        api.start("app.handler", folder=tmp_path, log=log).wait()
        assert api.invoke({}).outcome == "response"
        log.seek(0)
        assert log.read() == b"mine w\n"


# ---- streams


def test_part_of_a_response_is_sent_before_the_next_is_yielded() -> None:
    with running("pieces") as api:
        invocation = api.submit({"count": 4, "pause": 0.2})
        arrived = []
        for _ in range(4):
            arrived.append((invocation.arrived.get(timeout=10), time.monotonic()))
        assert b"".join(part for part, _ in arrived) == b"0,1,2,3,"
        assert all(later - earlier > 0.1 for (_, earlier), (_, later) in zip(arrived, arrived[1:]))
        api.settle(invocation)
        assert invocation.streamed and invocation.headers["Content-Type"] == "application/octet-stream"


def test_stream_without_parts_is_an_empty_response() -> None:
    got = once("pieces", {"count": 0})
    assert (got.outcome, got.streamed, got.answer, got.trailers) == ("response", True, b"", {})


def test_first_part_that_is_a_dict_is_sent_as_prelude() -> None:
    got = once("with_prelude", URL)
    assert got.headers["Content-Type"] == "application/vnd.awslambda.http-integration-response"
    assert got.prelude == {"statusCode": 201, "headers": {"x": "1"}, "cookies": ["a=1"]}
    assert json.loads(got.streamed_body) == {"path": "/v1/chat"}


@pytest.mark.parametrize(
    ("handler", "kind", "sent"), [("broken", "HandlerError", b"one"), ("odd_part", "TypeError", b"one")]
)
def test_failure_after_the_first_part_is_sent_in_trailers(handler: str, kind: str, sent: bytes) -> None:
    got = once(handler, {})
    assert got.answer == sent and got.trailers["lambda-runtime-function-error-type"] == kind
    report = got.trailing_error
    assert (report["errorType"] == kind and "idden]" in report["errorMessage"]) or kind == "TypeError"
    assert "hiddenHidden" not in json.dumps(report)


def test_parts_whose_close_raises_are_sent_completely() -> None:
    got = once("closing_badly", {})
    assert (got.outcome, got.answer, got.trailers) == ("response", b"twoone", {})


def test_stream_after_the_api_closed_the_connection_is_complete() -> None:
    """A server may close an idle connection while the handler works, and the parts cannot be sent twice."""
    with running("pieces") as api:
        api.close_after_next = True
        for _ in range(2):
            assert api.invoke({"count": 3, "pause": 0.05}).answer == b"0,1,2,"


@pytest.mark.parametrize("kind", ["function_url", "rest_v1", "http_v2", "alb", "direct"])
def test_chunks_are_streamed_to_sources_that_support_it(kind: str) -> None:
    event = {"direct": 1} if kind == "direct" else event_of(kind, Request("POST", "/v1/chat"))
    got = once("chunks", event)
    assert got.streamed == (kind not in ("http_v2", "alb"))
    if not got.streamed:
        frames = sent_by(kind, got.json()).body
    elif kind == "direct":
        frames = got.answer
    else:
        frames = got.streamed_body
        assert got.prelude["headers"]["content-type"] == "text/event-stream"
    assert accumulate(iter_chunks([frames])).response.choices[0].finish_reason == "stop"  # type: ignore[index]


def test_streaming_variable_off_sends_a_buffered_response() -> None:
    got = once("chunks", URL, environment={"TOGETHER_LAMBDA_STREAMING": "off"})
    assert not got.streamed and sent_by("function_url", got.json()).body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("handler", ["answered", "failed"])
def test_streaming_variable_always_streams_complete_responses(handler: str) -> None:
    got = once(handler, {**URL, "text": "x"}, environment={"TOGETHER_LAMBDA_STREAMING": "always"})
    assert got.prelude["statusCode"] == (200 if handler == "answered" else 500)
    assert set(got.prelude) == {"statusCode", "headers"} and json.loads(got.streamed_body)


@pytest.mark.parametrize(
    ("body", "encoded", "sent"),
    [
        ("a\ud800", False, b"a\xef\xbf\xbd"),
        ("/wA=", True, b"\xff\x00"),
        (None, False, b""),
        ("%", True, None),
        ({"a": 1}, False, None),
        (7, False, None),
    ],
    ids=repr,
)
def test_body_of_a_whole_response_is_decoded_when_streamed(body: Any, encoded: bool, sent: bytes | None) -> None:
    got = once(
        "raw_response",
        {**URL, "sent": {"statusCode": 201, "body": body, "isBase64Encoded": encoded}},
        environment={"TOGETHER_LAMBDA_STREAMING": "always"},
    )
    if sent is None:  # the error is found before the status is sent
        assert (got.outcome, got.streamed) == ("error", False)
    else:
        assert (got.prelude, got.streamed_body, got.trailers) == ({"statusCode": 201}, sent, {})


@pytest.mark.parametrize("endless", [True, "unclosable"])
def test_stream_whose_client_disconnects_is_closed(endless: Any) -> None:
    with running("routed") as api:
        api.hang_up_after = 3
        assert api.invoke({"endless": endless}).outcome == "hung up"
        api.hang_up_after = None
        assert api.invoke({}).json() == 1


# ---- the life of the process


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        ("no_dot", "Runtime.MalformedHandlerName"),
        ("lambda_function.missing", "Runtime.HandlerNotFound"),
        ("missing_module.handler", "Runtime.ImportModuleError"),
        ("broken_module.handler", "Runtime.UserCodeSyntaxError"),
        ("raising_module.handler", "ZeroDivisionError"),
    ],
)
def test_handler_that_cannot_be_loaded_is_reported_as_init_error(handler: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "broken_module.py").write_text("def (")
    (tmp_path / "raising_module.py").write_text("1 / 0")
    with RuntimeAPI() as api:
        api.start(handler, folder=tmp_path).wait()
        assert api.process is not None and api.process.wait(10) == 1
    assert api.failed is not None and api.failed[:2] == ("init", kind)
    assert api.failed[2]["errorMessage"]


def test_runtime_outside_of_lambda_exits_with_message() -> None:
    command = [sys.executable, "-m", "together_adapters.lambda_runtime", "app.handler"]
    variables = {name: value for name, value in environment().items() if name != "AWS_LAMBDA_RUNTIME_API"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("AWS_LAMBDA_RUNTIME_API is not set")


def test_handler_name_with_slash_is_a_module_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_text("def handler(event, context): return __name__")
    with RuntimeAPI() as api:
        api.start("app/main.handler", folder=tmp_path).wait()
        assert api.invoke({}).json() == "app.main"


HOOKS = """
import snapshot_restore_py
seen = []
snapshot_restore_py.register_before_snapshot(seen.append, "before 1")
snapshot_restore_py.register_before_snapshot(seen.append, "before 2")
snapshot_restore_py.register_after_restore(seen.append, "after")
{}
def handler(event, context):
    return seen
"""
REGISTRY = """
before, after = [], []
def register_before_snapshot(function, *args, **kwargs): before.append((function, args, kwargs))
def register_after_restore(function, *args, **kwargs): after.append((function, args, kwargs))
def get_before_snapshot(): return before
def get_after_restore(): return after
"""


@pytest.mark.parametrize(
    ("fault", "report", "status"),
    [
        ("", None, None),
        ("snapshot_restore_py.register_before_snapshot(int, 'x')", ("init", "Runtime.BeforeSnapshotError"), 64),
        ("snapshot_restore_py.register_after_restore(int, 'x')", ("restore", "Runtime.AfterRestoreError"), 65),
    ],
)
def test_snapstart_hooks_run_around_the_snapshot(fault: str, report: Any, status: int | None, tmp_path: Path) -> None:
    (tmp_path / "snapshot_restore_py.py").write_text(REGISTRY)
    (tmp_path / "hooked.py").write_text(HOOKS.format(fault))
    with RuntimeAPI() as api:
        api.start(
            "hooked.handler", folder=tmp_path, environment={"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
        ).wait()
        if status is None:
            assert api.invoke({}).json() == ["before 2", "before 1", "after"] and api.restores == 1
        else:
            assert api.process is not None and api.process.wait(10) == status
            assert api.failed is not None and api.failed[:2] == report
