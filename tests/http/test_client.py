"""Both clients over real sockets: retries, time limits, secrets, and the reuse and closing of connections."""

from __future__ import annotations

import asyncio
import datetime
import gc
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from client_calls import ASKED, BOTH, EACH, KEY, alarm, ask, assert_no_secret, no_leaks, options_for, seconds_to_cancel
from http_server import CHUNKED, CLOSE, RESET, HTTPServer, Part, Received, contexts_of, in_chunks, reply, serving
from processes import environment
from together_adapters import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AsyncTogether,
    IncompleteStreamError,
    Timeout,
    Together,
)

from together_types import ChatCompletionMessage, ChatCompletionResponse, MessageRole

FRAME = b'data: {"choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":%s}]}\n\n'
FINISH = FRAME % (b"", b'"stop"')
DONE = b"data: [DONE]\n\n"
OK = reply(b'{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}')


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    with no_leaks():
        yield


def answers(*parts: bytes | list[Part]) -> Any:
    """Return a function that responds to each request with the next of `parts`, and then always with the last."""
    rest = list(parts)

    def respond(_: Received) -> Iterable[Part]:
        answer = rest.pop(0) if len(rest) > 1 else rest[0]
        return [answer] if isinstance(answer, bytes) else answer

    return respond


def failing(status: int, *headers: str) -> bytes:
    return reply(b'{"error":"no"}', "retry-after-ms: 1", *headers, status=f"{status} No")


# ---- the request


@EACH
def test_request_with_parameters_of_every_kind_sends_them_with_its_headers(kind: str) -> None:
    message = ChatCompletionMessage(role=MessageRole.USER, content="h\u00efi \ud800")
    parameters: dict[str, Any] = {
        "messages": (message, {"role": "user", "content": "x"}), "top_k": 5, "temperature": None, "not_known": {"a": [1]},
        "logit_bias": {"1": -1.5}, "tools": [], "safety_model": "s",
    }  # fmt: skip
    with serving(answers(OK)) as server:
        ask(
            kind,
            base_url=server.base_url,
            parameters=parameters,
            supplied_headers={"X-Team": "a", "user-agent": "mine"},
        )
        (request,) = server.requests
    assert request.json == {
        "model": "m", "messages": [{"role": "user", "content": "h\u00efi \ud800"}, {"role": "user", "content": "x"}],
        "top_k": 5, "not_known": {"a": [1]}, "logit_bias": {"1": -1.5}, "tools": [], "safety_model": "s",
    }  # fmt: skip
    assert request.headers["x-team"] == "a" and request.headers["user-agent"] == "mine"
    assert (
        request.headers["authorization"] == "Bearer sk-test-key"
        and request.headers["host"] == f"127.0.0.1:{server.port}"
    )


@EACH
@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}], ids=["nan", "object", "set"])
def test_request_with_value_outside_json_is_not_sent(kind: str, value: object) -> None:
    with serving(answers(OK)) as server:
        with pytest.raises((TypeError, ValueError)):
            outcome = ask(kind, base_url=server.base_url, parameters={"top_p": value})
            raise outcome.error or AssertionError
        assert server.requests == []


def test_message_of_response_is_accepted_in_next_request() -> None:
    with serving(answers(OK)) as server, Together(api_key=KEY, base_url=server.base_url) as client:
        first: ChatCompletionResponse = client.chat.completions.create(**ASKED)
        assert first.choices and first.choices[0].message
        client.chat.completions.create(model="m", messages=[*ASKED["messages"], first.choices[0].message])
        assert server.requests[1].json["messages"][1] == {"role": "assistant", "content": "hi"}


def test_client_without_arguments_uses_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answers(OK)) as server:
        monkeypatch.setenv("TOGETHER_API_KEY", "sk-env-key")
        monkeypatch.setenv("TOGETHER_BASE_URL", server.base_url + "/")
        Together().chat.completions.create(**ASKED)
        Together(api_key="").chat.completions.create(**ASKED)
        keys = iter(["sk-one", "sk-two"])
        client = Together(api_key=lambda: next(keys))
        client.chat.completions.create(**ASKED)
        client.chat.completions.create(**ASKED)
        assert [request.headers.get("authorization", "")[7:] for request in server.requests] == [
            "sk-env-key",
            "",
            "sk-one",
            "sk-two",
        ]
        assert server.requests[0].line == "POST /v1/chat/completions HTTP/1.1"
    monkeypatch.delenv("TOGETHER_API_KEY")
    monkeypatch.delenv("TOGETHER_BASE_URL")
    with pytest.raises(ValueError, match="TOGETHER_API_KEY"):
        Together()


@pytest.mark.parametrize("client", [Together, AsyncTogether])
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"base_url": "file:///etc/passwd"}, "not an http or https URL"),
        ({"base_url": "data:text/plain,hi"}, "not an http or https URL"),
        ({"base_url": "ftp://example.com"}, "not an http or https URL"),
        ({"base_url": "example.com/v1"}, "not an http or https URL"),
        ({"base_url": "https://"}, "not an http or https URL"),
        ({"base_url": "https://exa mple.com/"}, "a URL cannot contain"),
        ({"base_url": "https://example.com/\r\nX: y"}, "URL"),
        ({"base_url": "https://example.com:99999/"}, "not a valid URL"),
        ({"base_url": "https://[::1/"}, "not a valid URL"),
        ({"base_url": "https://example.com/#a"}, "fragment"),
        ({"base_url": "https://user:sk-secret-0123456789@example.com/"}, "must not contain a user name or a password"),
        ({"base_url": "http://example.com/v1"}, "https only"),
        ({"base_url": "http://127.0.0.1.example.com/v1"}, "https only"),
        ({"base_url": "http://localhost.example.com/v1"}, "https only"),
        ({"base_url": "http://169.254.169.254/v1"}, "https only"),
        ({"base_url": "http://example.com/v1", "api_key": "", "supplied_headers": {"X-Api-Key": "k"}}, "https only"),
        ({"base_url": "ftp://example.com/?key=sk-secret-0123456789"}, "not an http or https URL: 'ftp://example.com/'"),
        (
            {"base_url": "https://exa mple.com/?key=sk-secret-0123456789"},
            "a URL cannot contain: 'https://exa mple.com/'",
        ),
        ({"supplied_headers": "no mapping"}, "supplied_headers must be a mapping, got str"),
        ({"supplied_headers": {"X": "a\r\nY: b"}}, "the header X has"),
        ({"supplied_headers": {"X": "a\nb"}}, "the header X has"),
        ({"supplied_headers": {"X": "a\x00"}}, "the header X has"),
        ({"supplied_headers": {"X": "\u20ac"}}, "the header X has"),
        ({"supplied_headers": {"X\r\nY": "a"}}, "not a valid header name"),
        ({"supplied_headers": {"": "a"}}, "not a valid header name"),
        ({"supplied_headers": {"Content-Length": "0"}}, "set by the client itself"),
        ({"supplied_headers": {"transfer-encoding": "chunked"}}, "set by the client itself"),
        ({"timeout": 0}, "above 0"),
        ({"timeout": -1}, "above 0"),
        ({"timeout": float("nan")}, "above 0"),
        ({"timeout": Timeout(idle=-1)}, "above 0"),
        pytest.param({"cafile": "x", "ssl_context": ssl.create_default_context()}, "not both", id="both TLS settings"),
    ]
    + [
        ({"api_key": key}, "must be printable ASCII")
        for key in (KEY + "\n", KEY + "\r\nX: y", KEY + "\n folded", KEY + "\x00", KEY + "\u20ac", "a " + KEY)
    ],
    ids=str,
)
def test_invalid_argument_raises_value_error(client: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says) as refused:
        client(**{"api_key": KEY, **options})
    assert_no_secret(refused.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "[::1]", "LOCALHOST"])
def test_plain_http_to_loopback_is_allowed(host: str) -> None:
    Together(api_key=KEY, base_url=f"http://{host}:8080/v1")
    Together(api_key="", base_url="http://example.com/v1")
    Together(api_key=KEY, base_url="http://example.com/v1", insecure_http=True)


# ---- secrets


@EACH
@pytest.mark.parametrize(
    "parts",
    [
        [RESET],
        [CLOSE],
        [b"garbage"],
        [CHUNKED + in_chunks(FRAME % (b"a", b"null"), end=False), CLOSE],
        [reply(b'{"error":{"message":"Incorrect API key provided: %s"}}' % KEY.encode(), status="401 No")],
        [reply(b'{"choices":[],"error":"%s"}' % KEY.encode())],
        [reply(b'{"error":[{"message":"%s"}]}' % KEY.replace("-", "\\u002d").encode(), status="401 No")],
        [reply(b"{}", f"X-Request-Id: {KEY}", f"X-RateLimit-Limit: {KEY}", status="401 No")],
        [
            CHUNKED
            + in_chunks(
                FRAME % (b"a", b"null"),
                b'data: {"error":{"message":"%s","code":"%s"}}\n\n' % (KEY.encode(), KEY.encode()),
            )
        ],
        [b"HTTP/1.1 200 OK\r\nBearer %s\r\n\r\n" % KEY.encode()],
        [b"Authorization: Bearer %s\r\n\r\n" % KEY.encode()],
        [60.0],
    ],
    ids=[
        "reset",
        "close",
        "garbage",
        "cut",
        "echoed",
        "200",
        "escaped",
        "headers",
        "in band",
        "field",
        "status line",
        "silent",
    ],
)
def test_error_after_any_failure_contains_no_key(kind: str, parts: list[Part]) -> None:
    with serving(parts) as server:
        for stream in (False, True):
            outcome = ask(kind, base_url=server.base_url, api_key=KEY, max_retries=0, timeout=0.3, stream=stream)
            assert outcome.error is not None
            assert_no_secret(outcome.error)
            shown = traceback.TracebackException.from_exception(outcome.error, capture_locals=True).format()
            assert KEY not in "".join(line for line in shown if "tests" not in line.splitlines()[0])


@EACH
@pytest.mark.parametrize("name", ["Authorization", "authorization", "X-Api-Key", "Cookie"])
@pytest.mark.parametrize("value", [KEY, f"Bearer {KEY}", f"cl\xe9 {KEY}", f"cl\xe9-{KEY}"])
def test_error_contains_no_credentials_from_headers(kind: str, name: str, value: str) -> None:
    with serving([reply(b'{"error":"not known: %s"}' % value.encode(), status="401 No")]) as server:
        outcome = ask(kind, base_url=server.base_url, api_key="", supplied_headers={name: value}, max_retries=0)
    assert isinstance(outcome.error, APIStatusError)
    assert_no_secret(outcome.error)


@EACH
def test_error_for_unreachable_server_contains_no_key(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    outcome = ask(kind, base_url=f"http://127.0.0.1:{port}", api_key=KEY, max_retries=0)
    assert type(outcome.error) is APIConnectionError and "Connection refused" in str(outcome.error)
    assert_no_secret(outcome.error)
    outcome = ask(kind, base_url="https://no-such-host.invalid", api_key=KEY, max_retries=0)
    assert type(outcome.error) is APIConnectionError
    assert_no_secret(outcome.error)


@pytest.mark.parametrize("client", [Together, AsyncTogether])
def test_repr_of_client_and_its_parts_contains_no_key(client: Any) -> None:
    shown = client(api_key=KEY, supplied_headers={"X-Api-Key": KEY}, base_url="https://example.com/v1")
    assert repr(shown) == f"{client.__name__}(base_url='https://example.com/v1')"
    queue, seen = [shown], set()
    while queue:
        value = queue.pop()
        if id(value) not in seen and type(value).__module__.startswith("together"):
            seen.add(id(value))
            assert KEY not in repr(value)
            queue += list(getattr(value, "__dict__", {}).values())


# ---- attempts


@EACH
@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 524])
def test_request_with_transient_error_status_is_sent_again(kind: str, status: int) -> None:
    with serving(answers(failing(status), failing(status), OK)) as server:
        assert ask(kind, base_url=server.base_url).texts == ["hi"]
        assert len(server.requests) == 3 and len({request.body for request in server.requests}) == 1
    with serving(answers(failing(status))) as server:
        outcome = ask(kind, base_url=server.base_url, max_retries=1)
        assert (
            isinstance(outcome.error, APIStatusError) and outcome.error.status == status and len(server.requests) == 2
        )


@EACH
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 413, 422])
def test_request_with_permanent_error_status_is_sent_once(kind: str, status: int) -> None:
    with serving(answers(failing(status), OK)) as server:
        assert ask(kind, base_url=server.base_url).error and len(server.requests) == 1
    with serving(answers(failing(status, "x-should-retry: true"), OK)) as server:
        assert ask(kind, base_url=server.base_url).texts == ["hi"]


@EACH
def test_request_with_x_should_retry_false_is_sent_once(kind: str) -> None:
    with serving(answers(failing(503, "x-should-retry: false"), OK)) as server:
        assert ask(kind, base_url=server.base_url).error and len(server.requests) == 1


@EACH
@pytest.mark.parametrize("parts", [[CLOSE], [RESET]], ids=["close", "reset"])
def test_request_without_response_is_sent_again(kind: str, parts: list[Part]) -> None:
    with serving(answers(parts, OK)) as server:
        assert ask(kind, base_url=server.base_url).texts == ["hi"]
    with serving(answers([b"HTTP/1.1 2", CLOSE], OK)) as server:
        assert ask(kind, base_url=server.base_url).error and len(server.requests) == 1


@EACH
def test_request_of_broken_stream_is_sent_once(kind: str) -> None:
    cut = [CHUNKED + in_chunks(FRAME % (b"a", b"null"), end=False), RESET]
    with serving(answers(cut, OK)) as server:
        assert ask(kind, base_url=server.base_url, stream=True).texts in (["a"], [])
        assert len(server.requests) == 1


@BOTH
def test_retry_waits_for_retry_after_of_at_most_a_minute(kind: str) -> None:
    limited = reply(b"", "Retry-After: 1", status="429 Too many")
    with serving(answers(limited, OK)) as server:
        started = time.monotonic()
        assert ask(kind, base_url=server.base_url).texts == ["hi"]
        assert time.monotonic() - started >= 1
    long = reply(b"", "Retry-After: 3600", status="429 Too many")
    with serving(answers(long, OK)) as server:
        outcome = ask(kind, base_url=server.base_url)
        assert isinstance(outcome.error, APIStatusError) and outcome.error.retry_after == 3600


# ---- time


def lambda_context(milliseconds: int) -> Any:
    def get_remaining_time_in_millis() -> int:
        return milliseconds

    return get_remaining_time_in_millis


@EACH
@pytest.mark.parametrize(
    "deadline",
    [
        lambda: time.monotonic() + 0.4,
        lambda: time.time() + 0.4,
        lambda: datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=0.4),
        lambda: lambda: 0.4,
        lambda: lambda_context(400),
    ],
    ids=["monotonic", "unix", "datetime", "seconds", "milliseconds"],
)
def test_deadline_in_any_form_ends_call(kind: str, deadline: Any) -> None:
    with serving(answers([60.0])) as server:
        started = time.monotonic()
        outcome = ask(kind, base_url=server.base_url, deadline=deadline())
        assert type(outcome.error) is APITimeoutError and "deadline" in str(outcome.error)
        assert 0.3 < time.monotonic() - started < 1
        started = time.monotonic()
        assert ask(kind, base_url=server.base_url, parameters={"deadline": deadline()}).error is not None
        assert time.monotonic() - started < 1
    # The pauses between attempts count too. The error of the server is more useful than a timeout.
    with serving(answers(reply(b"", "Retry-After: 5", status="503 Busy"))) as server:
        started = time.monotonic()
        outcome = ask(kind, base_url=server.base_url, deadline=deadline())
        assert isinstance(outcome.error, APIStatusError) and time.monotonic() - started < 1


@EACH
def test_deadline_in_the_past_sends_no_request(kind: str) -> None:
    with serving(answers(OK)) as server:
        outcome = ask(kind, base_url=server.base_url, deadline=lambda: -1.0)
        assert type(outcome.error) is APITimeoutError and server.requests == []


@EACH
@pytest.mark.parametrize("stream", [False, True])
def test_slow_error_body_ends_with_status_error_at_timeout(kind: str, stream: bool) -> None:
    drips: list[Part] = [part for _ in range(50) for part in (b"1\r\na\r\n", 0.1)]
    with serving([b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n", *drips]) as server:
        started = time.monotonic()
        outcome = ask(kind, base_url=server.base_url, stream=stream, timeout=0.4, max_retries=0)
        assert time.monotonic() - started < 2
    assert isinstance(outcome.error, APIStatusError) and re.search(": a+$", str(outcome.error))


@EACH
@pytest.mark.parametrize("seconds", [1e8, 1e10, 1e300, float("inf")])
def test_timeout_above_system_limit_is_accepted(kind: str, seconds: float) -> None:
    with serving([OK]) as server:
        assert ask(kind, base_url=server.base_url, timeout=seconds, deadline=lambda: seconds).texts == ["hi"]


@EACH
def test_server_that_does_not_read_causes_timeout(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        started = time.monotonic()
        big = {"user": "x" * 50_000_000}
        outcome = ask(
            kind, base_url=f"http://127.0.0.1:{deaf.getsockname()[1]}", timeout=0.4, max_retries=0, parameters=big
        )
    assert type(outcome.error) is APITimeoutError and time.monotonic() - started < 3


@BOTH
def test_error_response_while_request_is_sent_is_reported(kind: str) -> None:
    """A gateway responds with 413 and closes the connection while the client is still sending the body."""
    refusal = reply(b'{"error":"too large"}', "Connection: close", status="413 Too large")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(refusal)
                connection.shutdown(socket.SHUT_WR)
                time.sleep(0.3)

        thread = threading.Thread(target=refuse)
        thread.start()
        big = {"user": "x" * 20_000_000}
        outcome = ask(kind, base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", max_retries=0, parameters=big)
        thread.join()
    assert isinstance(outcome.error, APIStatusError) and outcome.error.status == 413


# ---- connections


@pytest.fixture(params=["http", "https"])
def tls(request: pytest.FixtureRequest) -> tuple[ssl.SSLContext | None, ssl.SSLContext | None]:
    """Return the TLS contexts of server and client, or None for both."""
    if request.param == "http":
        return None, None
    trustme = pytest.importorskip("trustme", reason="needs a package that this interpreter may not have")
    return contexts_of(trustme.CA(), "127.0.0.1", "api.example.com")


def streaming(*pauses: float) -> list[Part]:
    """Return the parts of a stream with pauses, whose last HTTP chunk is sent after `[DONE]`."""
    pauses = (*pauses, 0.0, 0.0)
    return [
        CHUNKED + in_chunks(FRAME % (b"a", b"null"), end=False), pauses[0], in_chunks(FINISH, DONE, end=False), pauses[1], b"0\r\n\r\n",
    ]  # fmt: skip


@BOTH
def test_consecutive_calls_use_one_connection(kind: str, tls: Any) -> None:
    with serving(answers(OK, streaming(), OK, streaming(0.01, 0.02), OK, failing(400), OK), tls[0]) as server:
        options: dict[str, Any] = {"api_key": KEY, "base_url": server.base_url, "ssl_context": tls[1]}
        if kind == "sync":
            with Together(**options) as client:
                for number in range(7):
                    _one_call(client, stream=number in (1, 3))
                    time.sleep(0.3 if number in (1, 3) else 0)  # the last chunk may arrive after [DONE]
        else:
            asyncio.run(_many_calls(options))
        assert len(server.requests) == 7 and server.connections == 1


def _one_call(client: Together, stream: bool) -> None:
    try:
        answer = client.chat.completions.create(**ASKED, stream=stream)
        if not isinstance(answer, ChatCompletionResponse):
            assert [chunk.text for chunk in answer] == ["a", ""]
    except APIStatusError:
        pass


async def _many_calls(options: dict[str, Any]) -> None:
    async with AsyncTogether(**options) as client:
        for number in range(7):
            try:
                answer = await client.chat.completions.create(**ASKED, stream=number in (1, 3))
                if not isinstance(answer, ChatCompletionResponse):
                    assert [chunk.text async for chunk in answer] == ["a", ""]
            except APIStatusError:
                pass
            await asyncio.sleep(0.3 if number in (1, 3) else 0)


@BOTH
@pytest.mark.parametrize("end", [CLOSE, RESET])
def test_closed_idle_connection_is_replaced(kind: str, end: str, tls: Any) -> None:
    """A process that was frozen finds its connections closed. The call is sent again immediately, even without retries."""
    with serving(answers([OK, 0.05, end], [OK]), tls[0]) as server:
        options: dict[str, Any] = {"api_key": KEY, "base_url": server.base_url, "ssl_context": tls[1], "max_retries": 0}
        if kind == "sync":
            with Together(**options) as client:
                client.chat.completions.create(**ASKED)
                time.sleep(0.2)
                assert client.chat.completions.create(**ASKED).text == "hi"
        else:

            async def run() -> None:
                async with AsyncTogether(**options) as client:
                    await client.chat.completions.create(**ASKED)
                    await asyncio.sleep(0.2)
                    assert (await client.chat.completions.create(**ASKED)).text == "hi"

            asyncio.run(run())
        assert server.connections == 2 and len(server.requests) == 2


@BOTH
def test_reused_connection_closed_without_response_is_replaced(kind: str, tls: Any) -> None:
    """The server closes the idle connection just when the next request arrives."""
    for end in (CLOSE, RESET):
        with serving(answers([OK], [end], [OK]), tls[0]) as server:
            options: dict[str, Any] = {
                "api_key": KEY,
                "base_url": server.base_url,
                "ssl_context": tls[1],
                "max_retries": 0,
            }
            if kind == "sync":
                with Together(**options) as client:
                    assert [client.chat.completions.create(**ASKED).text for _ in range(2)] == ["hi", "hi"]
            else:

                async def run(options: Any = options) -> None:
                    async with AsyncTogether(**options) as client:
                        assert [(await client.chat.completions.create(**ASKED)).text for _ in range(2)] == ["hi", "hi"]

                asyncio.run(run())
            assert server.connections == 2


@pytest.mark.parametrize("head", ["Connection: close", "Connection: Keep-Alive, Close"])
def test_connection_with_close_option_is_not_reused(head: str) -> None:
    with serving(answers(OK.replace(b"\r\n\r\n", b"\r\n%s\r\n\r\n" % head.encode()))) as server:
        with Together(api_key=KEY, base_url=server.base_url) as client:
            for _ in range(3):
                client.chat.completions.create(**ASKED)
        assert server.connections == 3


def test_connection_with_bytes_after_response_is_not_reused() -> None:
    with serving(answers(OK + b"HTTP/1.1 200 OK\r\n")) as server:
        with Together(api_key=KEY, base_url=server.base_url) as client:
            for _ in range(2):
                assert client.chat.completions.create(**ASKED).text == "hi"
        assert server.connections == 2


@BOTH
def test_idle_connection_closed_after_the_end_of_a_stream_is_replaced(kind: str, tls: Any) -> None:
    """The last chunk and the end of the connection arrive together, after `[DONE]`."""
    with serving(answers([*streaming(0.0, 0.1), CLOSE], [OK]), tls[0]) as server:
        options: dict[str, Any] = {"api_key": KEY, "base_url": server.base_url, "ssl_context": tls[1], "max_retries": 0}

        async def run() -> None:
            async with AsyncTogether(**options) as client:
                stream = await client.chat.completions.create(**ASKED, stream=True)
                assert [chunk.text async for chunk in stream] == ["a", ""]
                await asyncio.sleep(0.3)
                assert (await client.chat.completions.create(**ASKED)).text == "hi"

        if kind == "async":
            asyncio.run(run())
        else:
            with Together(**options) as client:
                _one_call(client, stream=True)
                time.sleep(0.3)
                assert client.chat.completions.create(**ASKED).text == "hi"
        assert server.connections == 2 and len(server.requests) == 2


@BOTH
def test_idle_connection_with_unexpected_bytes_is_replaced(kind: str, tls: Any) -> None:
    """A server may send status 408 on an idle connection before it closes it (RFC 9110, section 15.5.9)."""
    with serving(answers([OK, 0.1, failing(408)], [OK]), tls[0]) as server:
        options: dict[str, Any] = {"api_key": KEY, "base_url": server.base_url, "ssl_context": tls[1], "max_retries": 0}

        async def run() -> None:
            async with AsyncTogether(**options) as client:
                for _ in range(2):
                    assert (await client.chat.completions.create(**ASKED)).text == "hi"
                    await asyncio.sleep(0.3)

        if kind == "async":
            asyncio.run(run())
        else:
            with Together(**options) as client:
                for _ in range(2):
                    assert client.chat.completions.create(**ASKED).text == "hi"
                    time.sleep(0.3)
        assert server.connections == 2 and len(server.requests) == 2


def test_closed_client_opens_new_connection(tls: Any) -> None:
    with serving(answers(OK), tls[0]) as server:
        client = Together(api_key=KEY, base_url=server.base_url, ssl_context=tls[1])
        client.close()
        client.chat.completions.create(**ASKED)
        client.close()
        assert client.chat.completions.create(**ASKED).text == "hi"
        client.close()
        client.close()
        assert server.connections == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_forked_process_opens_its_own_connections() -> None:
    with serving(answers(OK)) as server, Together(api_key=KEY, base_url=server.base_url) as client:
        client.chat.completions.create(**ASKED)
        code = (
            "import os, sys\n"
            "from together_adapters import Together\n"
            f"client = Together(api_key='k', base_url={server.base_url!r})\n"
            "ask = lambda: client.chat.completions.create(model='m', messages=[]).text\n"
            "ask()\n"
            "pid = os.fork()\n"
            "ask()\n"
            "if not pid: os._exit(0)\n"
            "os.waitpid(pid, 0)\n"
            "print(ask())\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, env=environment())
        assert (done.stdout, done.stderr) == (b"hi\n", b"")
        assert server.connections == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.parametrize("how", ["del stream", "stream.close()", "client.close()", "sys.exit()"])
def test_forked_process_does_not_disturb_stream_of_parent(how: str, tls: Any, tmp_path: Path) -> None:
    gate = threading.Event()

    def respond(_: Received) -> Iterable[Part]:
        yield CHUNKED + in_chunks(FRAME % (b"a", b"null"), end=False)
        gate.wait(30)
        yield in_chunks(FRAME % (b"b", b'"stop"'), DONE)

    trusted = tls[1].get_ca_certs(binary_form=True) if tls[1] else []
    (tmp_path / "ca.pem").write_text("".join([ssl.DER_cert_to_PEM_cert(certificate) for certificate in trusted]))
    with serving(respond, tls[0]) as server:
        code = (
            "import os, sys\n"
            "from together_adapters import Together\n"
            f"client = Together(api_key='k', base_url={server.base_url!r}, cafile={str(tmp_path / 'ca.pem')!r})\n"
            "stream = client.chat.completions.create(model='m', messages=[], stream=True)\n"
            "next(stream)\n"
            "pid = os.fork()\n"
            "if not pid:\n"
            f"    {how}\n"
            "    os._exit(0)\n"
            "os.waitpid(pid, 0)\n"
            "print('child gone', flush=True)\n"
            "print([chunk.text for chunk in stream])\n"
        )
        child = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"child gone\n"
        gate.set()
        assert child.communicate(timeout=60) == (b"['b']\n", b"")


WITHOUT_THREADING = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name == "threading":
            raise ModuleNotFoundError(name)
sys.modules.pop("threading", None)
sys.meta_path.insert(0, Blocked())
import socket
system = socket.getaddrinfo
def getaddrinfo(host, *args, flags=0, **options):
    return system(host if flags else "127.0.0.1", *args, flags=flags, **options)
socket.getaddrinfo = getaddrinfo
from together_adapters import Together
for url in sys.argv[1:]:
    with Together(api_key="", base_url=url) as client:
        asked = client.chat.completions.create
        print(asked(model="m", messages=[]).text, asked(model="m", messages=[]).text)
assert "threading" not in sys.modules
"""


def test_client_works_without_threading_module() -> None:
    with serving(answers(OK)) as server:
        urls = [server.base_url, server.base_url.replace("127.0.0.1", "model.test")]
        command = [sys.executable, "-S", "-c", WITHOUT_THREADING, *urls]
        done = subprocess.run(command, capture_output=True, timeout=60, env=environment())
    assert done.stdout.split() == [b"hi"] * 4, done.stderr.decode()


# ---- slow readers and writers


@EACH
def test_large_request_is_sent_completely_to_slow_server(kind: str, tls: Any) -> None:
    text = "x" * 5_000_000
    with serving(answers(OK), tls[0]) as server:
        options: dict[str, Any] = {"base_url": server.base_url, "ssl_context": tls[1], "timeout": 20}
        assert ask(kind, parameters={"user": text}, **options).texts == ["hi"]
        assert server.requests[0].json["user"] == text


@pytest.mark.parametrize("limits", [Timeout(idle=0.3), Timeout(first_byte=0.3, idle=None)], ids=["idle", "first byte"])
@BOTH
def test_pause_of_the_reader_is_not_a_timeout(kind: str, limits: Timeout, tls: Any) -> None:
    """The limits apply to waiting for the server, and that of the first byte only until it arrives."""
    pause = 0.0 if limits.idle else 0.6
    parts: list[Part] = [CHUNKED + in_chunks(FRAME % (b"a", b"null"), end=False), pause, in_chunks(FINISH, DONE)]
    with serving(answers(parts), tls[0]) as server:
        options: dict[str, Any] = {"api_key": "", "base_url": server.base_url, "ssl_context": tls[1], "timeout": limits}

        async def run() -> list[str]:
            async with AsyncTogether(**options) as client:
                stream = await client.chat.completions.create(**ASKED, stream=True)
                texts = [(await stream.__anext__()).text]
                await asyncio.sleep(0.6 - pause)
                return texts + [chunk.text async for chunk in stream]

        if kind == "async":
            assert asyncio.run(run()) == ["a", ""]
        else:
            with Together(**options) as client, client.chat.completions.create(**ASKED, stream=True) as stream:
                texts = [next(stream).text]
                time.sleep(0.6 - pause)
                assert texts + [chunk.text for chunk in stream] == ["a", ""]


@BOTH
def test_idle_timeout_restarts_with_each_read(kind: str, tls: Any) -> None:
    pieces = [part for _ in range(4) for part in (in_chunks(FRAME % (b"a", b"null"), end=False), 0.25)]
    with serving(answers([CHUNKED, *pieces, in_chunks(FINISH, DONE)]), tls[0]) as server:
        options: dict[str, Any] = {"ssl_context": tls[1], "timeout": Timeout(idle=0.6), "max_retries": 0}
        assert ask(kind, stream=True, base_url=server.base_url, **options).texts == ["a"] * 4 + [""]


@EACH
def test_stream_that_is_not_read_stops_the_server(kind: str, tls: Any) -> None:
    """The client does not buffer what its caller does not read."""
    sent = 0

    def respond(_: Received) -> Iterator[Part]:
        nonlocal sent
        yield CHUNKED + in_chunks(FRAME % (b"a", b"null"), end=False)
        for _ in range(64):
            yield in_chunks((b":" + b"x" * 998 + b"\n") * 500, end=False)
            sent += 1
        yield in_chunks(FINISH, DONE)

    with serving(respond, tls[0]) as server:
        options: dict[str, Any] = options_for(
            kind, {"api_key": "", "base_url": server.base_url, "ssl_context": tls[1], "timeout": 20}
        )

        async def run() -> None:
            async with AsyncTogether(**options) as client:
                stream = await client.chat.completions.create(**ASKED, stream=True)
                assert (await stream.__anext__()).text == "a"
                await asyncio.sleep(0.5)
                assert sent < 40
                assert [chunk.text async for chunk in stream] == [""] and stream.completion.state == "finished"

        if kind == "async":
            asyncio.run(run())
        else:
            with Together(**options) as client, client.chat.completions.create(**ASKED, stream=True) as stream:
                assert next(stream).text == "a"
                time.sleep(0.5)
                assert sent < 40
                assert [chunk.text for chunk in stream] == [""] and stream.completion.state == "finished"
        assert sent == 64


# ---- streams that are closed


@BOTH
def test_read_after_close_of_client_is_an_error(kind: str, tls: Any) -> None:
    with serving(answers([CHUNKED + in_chunks(FRAME % (b"a", b"null"), end=False), 60.0]), tls[0]) as server:
        options: dict[str, Any] = {"api_key": KEY, "base_url": server.base_url, "ssl_context": tls[1]}

        async def run() -> None:
            client = AsyncTogether(**options)
            stream = await client.chat.completions.create(**ASKED, stream=True)
            assert (await stream.__anext__()).text == "a"
            await client.close()
            await stream.__anext__()

        def run_sync() -> None:
            client = Together(**options)
            stream = client.chat.completions.create(**ASKED, stream=True)
            assert next(stream).text == "a"
            client.close()
            next(stream)

        with pytest.raises(IncompleteStreamError, match="the client was closed") as caught:
            asyncio.run(run()) if kind == "async" else run_sync()
        assert caught.value.completion.response.text == "a"
        server.assert_open(0)


def test_close_from_another_thread_ends_blocked_read(tls: Any) -> None:
    with serving(answers([CHUNKED + in_chunks(FRAME % (b"a", b"null"), end=False), 60.0]), tls[0]) as server:
        with Together(api_key=KEY, base_url=server.base_url, ssl_context=tls[1]) as client:
            for close in ("stream", "client"):
                stream = client.chat.completions.create(**ASKED, stream=True)
                assert next(stream).text == "a"
                woken: list[Any] = []

                def read(stream: Any = stream, woken: list[Any] = woken) -> None:
                    try:
                        woken.append(list(stream))
                    except APIError as error:
                        woken.append(error)
                    woken.append(time.monotonic())

                thread = threading.Thread(target=read)
                thread.start()
                time.sleep(0.2)
                started = time.monotonic()
                (stream if close == "stream" else client).close()
                thread.join(5)
                assert woken[1] - started < 0.05
                if close == "stream":
                    assert woken[0] == [] and stream.completion.state == "cancelled"
                else:
                    assert isinstance(woken[0], APIError) and stream.completion.state == "cut_off"
        server.assert_open(0)


@BOTH
@pytest.mark.parametrize("reused", [False, True])
def test_close_ends_waiting_call(kind: str, reused: bool, tls: Any) -> None:
    parts: list[Any] = [OK, [60.0]] if reused else [[60.0]]
    with serving(answers(*parts), tls[0]) as server:
        options: dict[str, Any] = {"api_key": KEY, "base_url": server.base_url, "ssl_context": tls[1], "timeout": 3.0}

        async def with_async() -> float:
            async with AsyncTogether(**options) as client:
                if reused:
                    await client.chat.completions.create(**ASKED)
                waiting = asyncio.ensure_future(client.chat.completions.create(**ASKED))
                await asyncio.sleep(0.3)
                started = time.monotonic()
                await client.close()
                with pytest.raises(APIConnectionError, match="the client was closed"):
                    await waiting
                return time.monotonic() - started

        def with_sync() -> float:
            with Together(**options) as client:
                if reused:
                    client.chat.completions.create(**ASKED)
                timer = threading.Timer(0.3, client.close)
                timer.start()
                started = time.monotonic()
                with pytest.raises(APIConnectionError, match="the client was closed"):
                    client.chat.completions.create(**ASKED)
                return time.monotonic() - started - 0.3

        assert (asyncio.run(with_async()) if kind == "async" else with_sync()) < 1.0
        assert len(server.requests) == (2 if reused else 1)
        server.assert_open(0)


@pytest.mark.parametrize("stream", [True, False])
def test_cancelled_task_ends_immediately(stream: bool, tls: Any) -> None:
    parts: list[Part] = [CHUNKED + in_chunks(FRAME % (b"a", b"null"), end=False), 60.0] if stream else [60.0]
    with serving(answers(parts), tls[0]) as server:

        async def read(client: AsyncTogether) -> None:
            answer = await client.chat.completions.create(**ASKED, stream=stream)
            assert not isinstance(answer, ChatCompletionResponse)
            async for _ in answer:
                pass

        async def run() -> None:
            async with AsyncTogether(api_key=KEY, base_url=server.base_url, ssl_context=tls[1]) as client:
                assert await seconds_to_cancel(read(client)) < 0.05
                assert asyncio.all_tasks() == {asyncio.current_task()}

        asyncio.run(run())
        server.assert_open(0)


def test_task_cancelled_in_handshake_or_pause_ends_immediately() -> None:
    """Neither a missing handshake nor a pause between attempts delays the cancellation."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for silence in (60.0, 0.0):
        respond = answers(reply(b"", "Retry-After: 50", status="429 No"))
        with serving(respond, context if silence else None) as server:
            server.silence = silence

            async def run(server: HTTPServer = server) -> None:
                async with AsyncTogether(api_key=KEY, base_url=server.base_url) as client:
                    assert await seconds_to_cancel(client.chat.completions.create(**ASKED)) < 0.05

            asyncio.run(run())
            server.assert_open(0)


@EACH
def test_abandoned_stream_closes_connection(kind: str, tls: Any) -> None:
    parts: list[Part] = [CHUNKED + in_chunks(FRAME % (b"a", b"null"), end=False), 60.0]
    with serving(answers(parts), tls[0]) as server:
        options: dict[str, Any] = options_for(
            kind, {"api_key": KEY, "base_url": server.base_url, "ssl_context": tls[1]}
        )
        if kind != "async":
            for chunk in Together(**options).chat.completions.create(**ASKED, stream=True):
                assert chunk.text == "a"
                break
        else:

            async def run() -> None:
                async for chunk in await AsyncTogether(**options).chat.completions.create(**ASKED, stream=True):
                    assert chunk.text == "a"
                    break
                gc.collect()
                await asyncio.sleep(0.05)
                assert asyncio.all_tasks() == {asyncio.current_task()}

            asyncio.run(run())
        gc.collect()
        server.assert_open(0)


@pytest.mark.parametrize("how", ["closed", "open", "streaming"])
def test_client_works_on_successive_event_loops(how: str, tls: Any) -> None:
    with serving(answers(streaming(0.01)), tls[0]) as server:
        client = AsyncTogether(api_key=KEY, base_url=server.base_url, ssl_context=tls[1])

        async def run() -> None:
            stream = await client.chat.completions.create(**ASKED, stream=True)
            assert (await stream.__anext__()).text == "a"
            if how != "streaming":
                assert [chunk.text async for chunk in stream] == [""]
            if how == "closed":
                await client.close()

        for _ in range(3):
            asyncio.run(run())
        assert server.connections == 3
        server.assert_open(0)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # from a loop that is closed without a shutdown
@pytest.mark.parametrize("shutdown", [True, False])
def test_stream_may_be_closed_on_a_later_event_loop(shutdown: bool, tls: Any) -> None:
    with serving(answers([CHUNKED + in_chunks(FRAME % (b"a", b"null"), end=False), 60.0]), tls[0]) as server:
        client = AsyncTogether(api_key=KEY, base_url=server.base_url, ssl_context=tls[1])

        async def begin() -> Any:
            stream = await client.chat.completions.create(**ASKED, stream=True)
            assert (await stream.__anext__()).text == "a"
            return stream

        loop = asyncio.new_event_loop()
        stream = loop.run_until_complete(begin())
        if shutdown:
            loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        asyncio.run(stream.aclose())
        assert stream.completion.state == "cancelled"
        del loop
        gc.collect()
        server.assert_open(0)


def test_client_works_on_two_event_loops_at_once(tls: Any) -> None:
    with serving(answers(OK), tls[0]) as server:
        client = AsyncTogether(api_key=KEY, base_url=server.base_url, ssl_context=tls[1])
        both, texts = threading.Barrier(2), []

        async def run() -> None:
            both.wait(10)
            for _ in range(5):
                texts.append((await client.chat.completions.create(**ASKED)).text)
            both.wait(10)  # both loops are still running

        threads = [threading.Thread(target=asyncio.run, args=(run(),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert texts == ["hi"] * 10 and server.connections == 2
        server.assert_open(0)


# ---- concurrent calls


def test_eight_threads_can_share_a_client(tls: Any) -> None:
    def respond(request: Received) -> Iterator[Part]:
        number = request.json["messages"][0]["content"].encode()
        yield CHUNKED
        for part in range(20):
            yield in_chunks(FRAME % (b"%s-%d " % (number, part), b"null"), end=False)
        yield in_chunks(FINISH, DONE)

    with (
        serving(respond, tls[0]) as server,
        Together(api_key=KEY, base_url=server.base_url, ssl_context=tls[1]) as client,
    ):
        problems: list[BaseException] = []

        def work(thread: int) -> None:
            try:
                for call in range(10):
                    name = f"{thread}.{call}"
                    stream = client.chat.completions.create(
                        model="m", messages=[{"role": "user", "content": name}], stream=True
                    )
                    assert "".join(chunk.text for chunk in stream) == "".join(f"{name}-{part} " for part in range(20))
            except BaseException as error:
                problems.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert problems == [] and len(server.requests) == 80 and server.connections <= 16


def test_two_hundred_concurrent_streams_are_complete(tls: Any) -> None:
    def respond(request: Received) -> Iterator[Part]:
        number = request.json["messages"][0]["content"].encode()
        yield CHUNKED
        for part in range(20):
            yield in_chunks(FRAME % (b"%s-%d " % (number, part), b"null"), end=False)
            yield 0.01
        yield in_chunks(FINISH, DONE)

    async def one(client: AsyncTogether, number: int) -> None:
        messages = [{"role": "user", "content": str(number)}]
        stream = await client.chat.completions.create(model="m", messages=messages, stream=True)
        texts = [chunk.text async for chunk in stream]
        assert texts == [f"{number}-{part} " for part in range(20)] + [""] and stream.completion.saw_done

    async def run(server: HTTPServer) -> None:
        async with AsyncTogether(api_key=KEY, base_url=server.base_url, ssl_context=tls[1], timeout=60) as client:
            await asyncio.gather(*[one(client, number) for number in range(200)])
            assert asyncio.all_tasks() == {asyncio.current_task()}

    with serving(respond, tls[0]) as server:
        asyncio.run(run(server))
        assert len(server.requests) == 200
        server.assert_open(0)


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_interrupt_of_blocked_read_closes_connection(tls: Any) -> None:
    """SIGINT is what Ctrl-C sends."""
    with serving(answers([CHUNKED + in_chunks(FRAME % (b"a", b"null"), end=False), 60.0]), tls[0]) as server:
        with Together(api_key=KEY, base_url=server.base_url, ssl_context=tls[1]) as client:
            stream = client.chat.completions.create(**ASKED, stream=True)
            assert next(stream).text == "a"
            timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                next(stream)
            timer.join()
            assert stream.completion.state == "cancelled"
            server.assert_open(0)


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_interrupt_of_waiting_call_closes_connection(tls: Any) -> None:
    with serving(answers([60.0]), tls[0]) as server:
        with Together(api_key=KEY, base_url=server.base_url, ssl_context=tls[1]) as client:
            timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                client.chat.completions.create(**ASKED)
            timer.join()
            server.assert_open(0)
            assert len(server.requests) == 1


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")
@pytest.mark.parametrize("step", ["request", "response"])
def test_timeout_error_of_a_signal_handler_ends_a_call_without_a_retry(step: str) -> None:
    """An exception of a signal handler is not one of the connection, although it is raised while the socket is used."""
    problem = TimeoutError("the job took too long")
    parameters = {"user": "x" * 50_000_000} if step == "request" else {}  # more than the system's buffers
    accepted = []

    def accept() -> None:
        accepted.append(silent.accept()[0])
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGALRM)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        thread = threading.Thread(target=accept)
        thread.start()
        with Together(api_key=KEY, base_url=f"http://127.0.0.1:{silent.getsockname()[1]}") as client:
            with alarm(0, problem), pytest.raises(TimeoutError) as raised:
                client.chat.completions.create(**ASKED, **parameters)
        thread.join()
        accepted[0].close()
        assert raised.value is problem
        silent.settimeout(0.2)
        with pytest.raises(OSError):
            silent.accept()
