"""`urllib_request` with `urlopen`, and what `urllib_transport` does that a client's own connections do not."""

from __future__ import annotations

import http.cookiejar
import io
import os
import signal
import threading
import time
import urllib.error
import urllib.request
import urllib.response
from collections.abc import Iterable, Iterator
from email.message import Message
from typing import Any

import pytest
from client_calls import ASKED, KEY, assert_no_secret, no_leaks
from http_server import CHUNKED, CLOSE, Part, Received, in_chunks, reply, serving
from together_adapters import APIConnectionError, APIStatusError, AuthenticationError, StreamError, Together
from together_adapters.http import urllib_request, urllib_transport
from together_adapters.http._client_base import CALL_OPTIONS, NOT_SENT
from together_adapters.stream import iter_chunks

FRAME = b'data: {"choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":%s}]}\n\n'
OF_REQUESTS = {"api_key", "base_url", "insecure_http", "supplied_headers"}
COMPLETION = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}'
OK = reply(COMPLETION)
STREAM = CHUNKED + in_chunks(FRAME % (b"a", b"null"), FRAME % (b"b", b'"stop"'), b"data: [DONE]\n\n")


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    with no_leaks():
        yield


# ---- urllib_request


@pytest.mark.parametrize("stream", [False, True])
def test_request_equals_that_of_the_client(stream: bool) -> None:
    parameters: dict[str, Any] = {**ASKED, "stream": stream, "top_k": 5, "temperature": None, "anything": [1]}
    options: dict[str, Any] = {"api_key": KEY, "supplied_headers": {"X-Team": "a", "user-agent": "mine"}}
    with serving([STREAM if stream else OK]) as server:
        options["base_url"] = server.base_url + "?v=2"
        with Together(**options) as client:
            client.chat.completions.create(**parameters)
        with urllib.request.urlopen(urllib_request(**options, **parameters), timeout=10) as answer:
            assert answer.read(1)
    ours, theirs = server.requests
    for received in server.requests:
        for name in ("connection", "accept-encoding"):  # urllib sets them itself
            received.headers.pop(name, None)
    assert theirs == ours


def test_chunks_of_a_stream_from_urlopen_are_read() -> None:
    with serving([STREAM]) as server:
        request = urllib_request(**ASKED, stream=True, api_key="", base_url=server.base_url)
        with urllib.request.urlopen(request) as answer:
            assert [chunk.text for chunk in iter_chunks(answer)] == ["a", "b"]


def test_request_without_arguments_uses_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOGETHER_API_KEY", KEY)
    monkeypatch.setenv("TOGETHER_BASE_URL", "https://gateway.example/v1/")
    request = urllib_request(**ASKED)
    assert request.full_url == "https://gateway.example/v1/chat/completions" and request.get_method() == "POST"
    assert request.get_header("Authorization") == f"Bearer {KEY}" and KEY not in repr(request)
    monkeypatch.delenv("TOGETHER_API_KEY")
    monkeypatch.delenv("TOGETHER_BASE_URL")
    assert urllib_request(**ASKED, api_key=lambda: "k").host == "api.together.xyz"
    with pytest.raises(ValueError, match="TOGETHER_API_KEY"):
        urllib_request(**ASKED)


def test_request_with_a_key_over_plain_http_is_rejected() -> None:
    for url in ("http://example.com/v1", "file:///etc/passwd", "http://127.0.0.1.example.com/v1"):
        with pytest.raises(ValueError) as refused:
            urllib_request(**ASKED, api_key=KEY, base_url=url)
        assert_no_secret(refused.value)
    assert urllib_request(**ASKED, api_key=KEY, base_url="http://example.com/v1", insecure_http=True).type == "http"


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"timeout": 5}, "timeout is not a parameter of a request: pass it to urlopen"),
        ({"deadline": 5}, "pass it to Together"),
        ({"max_retries": 5}, "pass it to Together"),
        ({"split_thinking": True}, "pass it to iter_chunks"),
        ({"extra_headers": {"X-Api-Key": KEY}}, "use supplied_headers"),
        ({"extra_query": {"key": KEY}}, "add it to base_url"),
        ({"extra_body": {"key": KEY}}, "pass its items as parameters"),
        ({"headers": {"X-Api-Key": KEY}}, "use supplied_headers"),
        ({"top_p": {1}}, "set"),
    ],
    ids=str,
)
def test_request_with_a_parameter_that_is_not_sent_raises_type_error(parameters: Any, reason: str) -> None:
    with pytest.raises(TypeError, match=reason) as refused:
        urllib_request(**ASKED, api_key=KEY, **parameters)
    assert_no_secret(refused.value)


@pytest.mark.parametrize("name", sorted({*NOT_SENT, *CALL_OPTIONS} - OF_REQUESTS))
def test_parameter_that_create_does_not_send_is_not_sent(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name} is not a parameter of a request"):
        urllib_request(**ASKED, api_key="", base_url="https://example.com", **{name: None})


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key", "Cookie"])
def test_redirect_of_urlopen_does_not_send_credentials(name: str) -> None:
    with serving([OK]) as other, serving([reply(b"", f"Location: {other.base_url}", status="302 Found")]) as server:
        options: dict[str, Any] = {"api_key": "", "supplied_headers": {name: KEY, "X-Team": "a"}}
        with urllib.request.urlopen(urllib_request(**ASKED, **options, base_url=server.base_url)):
            pass
        assert server.requests[0].headers[name.lower()] == KEY
        assert KEY not in str(other.requests) and other.requests[0].headers["x-team"] == "a"


# ---- urllib_transport


def client_over(opener: urllib.request.OpenerDirector | None, url: str, **options: Any) -> Together:
    return Together(**{"api_key": KEY, "base_url": url, "transport": urllib_transport(opener), **options})


def test_each_call_opens_a_connection_and_closes_it() -> None:
    with serving([OK]) as server, client_over(None, server.base_url) as client:
        assert [client.chat.completions.create(**ASKED).text for _ in range(3)] == ["hi"] * 3
        assert server.connections == 3
        server.assert_open(0)


def test_stream_that_is_closed_before_its_first_read_closes_the_connection() -> None:
    with serving([CHUNKED, 60.0]) as server, client_over(None, server.base_url) as client:
        client.chat.completions.create(**ASKED, stream=True).close()
        server.assert_open(0)


def test_cookies_of_the_opener_are_sent() -> None:
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    with serving([reply(COMPLETION, "Set-Cookie: session=1")]) as server:
        for _ in range(2):
            with client_over(opener, server.base_url) as client:
                client.chat.completions.create(**ASKED)
    assert [request.headers.get("cookie") for request in server.requests] == [None, "session=1"]


def test_authentication_handler_of_the_opener_responds_to_401() -> None:
    def respond(request: Received) -> Iterable[Part]:
        if request.headers.get("authorization", "").startswith("Basic "):
            return [OK]
        return [reply(b"", 'WWW-Authenticate: Basic realm="r"', status="401 No")]

    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(passwords))
    with serving(respond) as server:
        passwords.add_password(None, server.origin, "user", "password")
        with client_over(opener, server.base_url, api_key="") as client:
            assert client.chat.completions.create(**ASKED).text == "hi"
        assert len(server.requests) == 2


def test_error_status_has_the_body_and_the_request_id() -> None:
    body = b'{"error":{"message":"wrong key %s"}}' % KEY.encode()
    with serving([reply(body, "X-Request-Id: r1", status="401 No")]) as server:
        with client_over(None, server.base_url) as client, pytest.raises(AuthenticationError) as refused:
            client.chat.completions.create(**ASKED)
        server.assert_open(0)
    assert (refused.value.message.partition(": ")[2], refused.value.request_id) == ("wrong key ***", "r1")
    assert_no_secret(refused.value)


def test_redirect_is_refused_only_for_requests_of_the_transport() -> None:
    opener = urllib.request.build_opener()
    with serving([OK]) as other, serving([reply(b"", f"Location: {other.base_url}", status="302 Found")]) as server:
        for _ in range(2):
            with client_over(opener, server.base_url) as client, pytest.raises(APIStatusError, match="not followed"):
                client.chat.completions.create(**ASKED)
        assert other.requests == []
        with opener.open(server.base_url) as answer:
            assert answer.read() == COMPLETION
    handlers: Any = vars(opener)["handlers"]
    assert len([handler for handler in handlers if "Redirect" in type(handler).__name__]) == 2


def test_opener_of_another_type_raises_type_error() -> None:
    opener: Any = urllib.request.urlopen
    with pytest.raises(TypeError, match="must be a urllib.request.OpenerDirector, got function"):
        urllib_transport(opener)


def test_opener_without_handlers_causes_a_connection_error() -> None:
    client = client_over(urllib.request.OpenerDirector(), "https://api.example.com/v1", max_retries=0)
    with pytest.raises(APIConnectionError, match="the opener has no handler for this URL"):
        client.chat.completions.create(**ASKED)


class Recorded(urllib.request.BaseHandler):
    """A handler that responds without a network, as recorders do."""

    handler_order = 100

    def __init__(self, result: bytes | Exception) -> None:
        self.result = result

    def https_open(self, request: urllib.request.Request) -> Any:
        if isinstance(self.result, Exception):
            raise self.result
        headers = Message()
        headers["Content-Encoding"] = "gzip"  # of the recorded response, whose body was decoded
        answer: Any = urllib.response.addinfourl(io.BytesIO(self.result), headers, request.full_url, 200)
        answer.msg = "OK"
        return answer


def test_response_of_a_handler_is_read() -> None:
    opener = urllib.request.build_opener(Recorded(COMPLETION))
    assert client_over(opener, "https://api.example.com/v1").chat.completions.create(**ASKED).text == "hi"


@pytest.mark.parametrize("problem", [RuntimeError("no tape"), KeyError("tape")], ids=repr)
def test_other_exception_of_a_handler_is_raised_unchanged_without_the_key(problem: Exception) -> None:
    client = client_over(urllib.request.build_opener(Recorded(problem)), "https://api.example.com/v1")
    with pytest.raises(type(problem)) as raised:
        client.chat.completions.create(**ASKED)
    assert raised.value is problem
    assert_no_secret(problem)


def test_malformed_response_is_not_requested_again_and_its_error_has_no_key() -> None:
    with serving([b"HTTP/1.1 OK %s\r\n\r\n" % KEY.encode(), CLOSE]) as server:
        with client_over(None, server.base_url) as client, pytest.raises(APIConnectionError) as broken:
            client.chat.completions.create(**ASKED)
    assert "http.client raised BadStatusLine: 'HTTP/1.1 OK ***" in broken.value.message
    assert len(server.requests) == 1
    assert_no_secret(broken.value)


def test_close_in_another_thread_does_not_interrupt_the_read_and_closes_the_connection_after_it() -> None:
    pieces = [
        CHUNKED + in_chunks(FRAME % (b"a", b"null"), end=False),
        0.6,
        in_chunks(FRAME % (b"b", b"null"), end=False),
        60.0,
    ]
    with serving(pieces) as server, client_over(None, server.base_url) as client:
        stream = client.chat.completions.create(**ASKED, stream=True)
        assert next(stream).text == "a"
        rest: list[object] = []
        thread = threading.Thread(target=lambda: rest.append([chunk.text for chunk in stream]))
        thread.start()
        time.sleep(0.2)
        started = time.monotonic()
        stream.close()
        assert time.monotonic() - started < 0.2 and stream.completion.state == "cancelled"
        thread.join(5)
        assert rest == [[]]
        server.assert_open(0)


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
@pytest.mark.parametrize("parts", [[60.0], [CHUNKED, 60.0]], ids=["before the response", "in the body"])
def test_exception_of_a_signal_handler_is_raised_unchanged(parts: list[Part]) -> None:
    problem = TimeoutError("a limit of the program")

    def interrupt(*_: object) -> None:
        raise problem

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with serving(parts) as server, client_over(None, server.base_url, timeout=10) as client:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(TimeoutError) as raised:
                client.chat.completions.create(**ASKED)
            assert len(server.requests) == 1
            server.assert_open(0)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert raised.value is problem
    assert_no_secret(problem)


def test_loopback_address_is_reached_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with serving([OK]) as server, client_over(None, server.base_url) as client:
        assert client.chat.completions.create(**ASKED).text == "hi"


def test_stream_with_an_error_page_is_a_stream_error() -> None:
    with serving([reply(b"<html>", kind="text/html")]) as server, client_over(None, server.base_url) as client:
        with client.chat.completions.create(**ASKED, stream=True) as stream, pytest.raises(StreamError, match="<html>"):
            next(stream)
