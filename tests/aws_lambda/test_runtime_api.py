"""Tests of the client of Lambda's Runtime API, in this process, against the emulator and against a failing server."""

from __future__ import annotations

import http.client
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from http_server import CLOSE, Part, Received, reply, serving
from lambda_emulator import MOST_BYTES, RuntimeAPI as Emulator
from together_adapters.aws_lambda import _runtime_api
from together_adapters.lambda_runtime import Context, RuntimeAPI, serve


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as api:
        yield api


@contextmanager
def client_of(address: str) -> Iterator[RuntimeAPI]:
    """Yield a client of the Runtime API at an address, which may begin with `http://`. Close it at the end."""
    api = RuntimeAPI(address.rpartition("/")[2])
    try:
        yield api
    finally:
        api.close()


def next_event(api: RuntimeAPI) -> str:
    """Request an event and return the path for its response, without `/response`."""
    headers, _ = api.call("GET", "/invocation/next")
    return f"/invocation/{headers['Lambda-Runtime-Aws-Request-Id']}"


# ---- calls


def test_connection_that_was_closed_after_a_call_is_replaced(emulator: Emulator) -> None:
    emulator.close_after_next = True
    invocation = emulator.submit({})
    with client_of(emulator.address) as api:
        api.call("POST", next_event(api) + "/response", b"1")
        emulator.settle(invocation)
    assert (invocation.outcome, invocation.answer) == ("response", b"1")


def test_connection_that_fails_twice_raises() -> None:
    answers = iter([reply(b"{}"), CLOSE, CLOSE])

    def respond(request: Received) -> list[Part]:
        return [next(answers)]

    with serving(respond) as server, client_of(server.origin) as api:
        assert api.call("GET", "/invocation/next")[1] == b"{}"
        with pytest.raises((OSError, http.client.HTTPException)):
            api.call("GET", "/invocation/next")
        assert (len(server.requests), server.connections) == (3, 2)


def test_new_connection_that_fails_is_not_retried() -> None:
    with serving([CLOSE]) as server, client_of(server.origin) as api:
        for count in (1, 2):
            with pytest.raises((OSError, http.client.HTTPException)):
                api.call("GET", "/invocation/next")
            assert len(server.requests) == count


def test_closed_client_opens_a_new_connection() -> None:
    with serving([reply(b"{}")]) as server, client_of(server.origin) as api:
        for count in (1, 2):
            api.call("GET", "/invocation/next")
            api.close()
            api.close()
            assert server.connections == count


def test_error_status_ends_the_process(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    with client_of(emulator.address) as api, pytest.raises(SystemExit) as raised:
        api.call("GET", "/unknown")
    assert raised.value.code == 1
    assert capsys.readouterr().err == "[ERROR] Runtime API: 404 b''\n"


def test_status_413_is_logged_and_returns(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = emulator.submit({}), emulator.submit({})
    with client_of(emulator.address) as api:
        api.call("POST", next_event(api) + "/response", b"x" * (MOST_BYTES + 1))
        api.call("POST", next_event(api) + "/response", b"1")
        for invocation in (first, second):
            emulator.settle(invocation)
    assert (first.outcome, second.outcome) == ("too large", "response")
    assert capsys.readouterr().err == "[ERROR] Runtime API: 413 b''\n"


# ---- streams


@pytest.mark.parametrize(("limit", "sent"), [(4, b"aabbc"), (3, b"aabb")])
def test_stream_above_the_limit_ends_with_the_error_in_trailers(
    limit: int, sent: bytes, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The part that exceeds the limit is the last one."""
    monkeypatch.setattr(_runtime_api, "_MOST_STREAMED", limit)
    invocation = emulator.submit({})
    parts: Iterator[Any] = iter([b"bb", b"", "c", b"dd"])
    with client_of(emulator.address) as api:
        api.stream(next_event(api) + "/response", "application/octet-stream", b"aa", parts, {})
        emulator.settle(invocation)
    assert (invocation.outcome, invocation.answer) == ("response", sent)
    assert invocation.trailers["lambda-runtime-function-error-type"] == "ResponseTooLargeError"
    message = invocation.trailing_error["errorMessage"]
    assert message.startswith(f"the response must be at most {limit} bytes") and message.endswith(f"got {len(sent)}")
    assert b"dd" in list(parts)


# ---- events


def test_event_without_trace_id_removes_that_of_the_last_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=last")
    answers = iter(
        [
            reply(b"1", "Lambda-Runtime-Aws-Request-Id: a", "Lambda-Runtime-Trace-Id: Root=1"),
            reply(b"", status="202 X"),
            reply(b"2", "Lambda-Runtime-Aws-Request-Id: b"),
            reply(b"", status="202 X"),
            reply(b"", status="500 X"),
        ]
    )
    seen: list[Any] = []

    def handler(event: Any, context: Context) -> None:
        seen.append((event, context.aws_request_id, os.environ.get("_X_AMZN_TRACE_ID")))

    with serving(lambda request: [next(answers)]) as server, client_of(server.origin) as api:
        with pytest.raises(SystemExit):
            serve(handler, api)
    assert seen == [(1, "a", "Root=1"), (2, "b", None)]


def test_context_writes_to_the_log_and_shows_its_request(capsys: pytest.CaptureFixture[str]) -> None:
    headers = http.client.HTTPMessage()
    headers["Lambda-Runtime-Aws-Request-Id"] = "r"
    context = Context(headers)
    context.log({"a": 1})
    assert capsys.readouterr().out == "{'a': 1}\n"
    assert repr(context).startswith("Context(aws_request_id='r', ")
    assert context.get_remaining_time_in_millis() == 0
