"""Errors of a client contain no key, password or secret URL: their frames, causes and messages are searched."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from client_calls import BOTH, EACH, KEY, ask, assert_no_secret
from loopback import serve_raw
from together_adapters import AsyncTogether, Together
from together_adapters.http import endpoint_at, urllib_request
from together_adapters.http._secrets import hide_variables
from together_adapters.serve._backends import Upstream

CLIENTS = pytest.mark.parametrize("client", [Together, AsyncTogether])
request = partial(urllib_request, model="m", messages=[])
SENDERS = pytest.mark.parametrize("client", [Together, AsyncTogether, request], ids=["sync", "async", "request"])
WRONG_KEYS: list[Any] = [f"{KEY}\n", f"{KEY} {KEY}", f"{KEY}\u20ac", f"{KEY}\x00", KEY.encode(), [KEY], {KEY: KEY}]
WRONG_URLS = [
    f"https://user:{KEY}@example.com/v1",
    f"https://{KEY}@example.com/v1",
    f"https://{KEY}@[::1/v1",
    f"https://user:{KEY}@example.com:port/",
    f"https://example.com:99999/?key={KEY}",
    f"https://[::1/?key={KEY}",
    f"https://exa mple.com/?key={KEY}",
    f"https://a..b/?key={KEY}",
    f"https://{'a' * 64}.example/?key={KEY}",
    f"https://user:{KEY}@ex\u2100mple.com/",
    f"https://example.com/?key={KEY}#part",
    f"ftp://example.com/?key={KEY}",
    f"http://example.com/?key={KEY}",
    f"?key={KEY}",
]
WRONG_HEADERS: list[Any] = [
    {"Authorization": f"Bearer {KEY}\r\nX: y"},
    {"X-Api-Key": KEY, "X": "\u20ac"},
    {"X-Api-Key": KEY, "": "a"},
    {"X-Api-Key": KEY, "Host": "example.com"},
    {"X-Api-Key": KEY.encode()},
    {"X-Api-Key": KEY, 5: "a"},
    [("X-Api-Key", KEY, "c")],
    KEY,
]
WRONG_PROXIES = [
    f"socks5://user:{KEY}@127.0.0.1:1",
    f"https://user:{KEY}@127.0.0.1:1",
    f"http://user:{KEY}@",
    f"http://user:{KEY}@[::1",
    f"http://user:{KEY}@127.0.0.1:port",
    f"http://user:{KEY}@127.0.0.1:99999",
    f"http://user:{KEY}@ex\u2100mple.com:1",
]


def refused(call: Callable[[], object]) -> Exception:
    """Return the error of a call, after a search of its frames, which error trackers display."""
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    assert_no_secret(caught.value)
    return caught.value


@SENDERS
@pytest.mark.parametrize("key", WRONG_KEYS, ids=ascii)
def test_invalid_key_is_not_shown(client: Any, key: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(lambda: client(api_key=key))
    if isinstance(key, str) and "\0" not in key:
        monkeypatch.setenv("TOGETHER_API_KEY", key)
        refused(lambda: client())


@SENDERS
@pytest.mark.parametrize("url", WRONG_URLS)
def test_invalid_url_is_not_shown(client: Any, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(lambda: client(api_key="sk-another-key", base_url=url))
    refused(lambda: endpoint_at(url, insecure_http=False, with_credentials=True))
    monkeypatch.setenv("TOGETHER_BASE_URL", url)
    refused(lambda: client(api_key="sk-another-key"))


@SENDERS
@pytest.mark.parametrize("headers", WRONG_HEADERS, ids=ascii)
def test_invalid_header_is_not_shown(client: Any, headers: Any) -> None:
    refused(lambda: client(api_key="", base_url="https://example.com", supplied_headers=headers))


@CLIENTS
@pytest.mark.parametrize(
    "other", [{"timeout": -1}, {"timeout": "x"}, {"no_such_argument": 1}, {"max_retries": 0, "base_url": "x"}], ids=str
)
def test_key_is_not_shown_if_another_argument_is_invalid(client: Any, other: dict[str, Any]) -> None:
    refused(lambda: client(api_key=KEY, supplied_headers={"X-Api-Key": KEY}, **other))


@EACH
@pytest.mark.parametrize("url", WRONG_PROXIES)
def test_invalid_proxy_is_not_shown(kind: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", url)
    outcome = ask(
        kind, base_url="https://api.example.com/v1", api_key=KEY, supplied_headers={"Cookie": KEY}, max_retries=0
    )
    assert outcome.error is not None
    assert_no_secret(outcome.error)


@EACH
@pytest.mark.parametrize("key", WRONG_KEYS, ids=ascii)
def test_invalid_key_from_a_function_is_not_shown(kind: str, key: Any) -> None:
    assert_no_secret(ask(kind, api_key=lambda: key).error)


@EACH
def test_request_that_cannot_be_sent_does_not_show_the_key(kind: str) -> None:
    outcome = ask(kind, api_key=KEY, supplied_headers={"Cookie": KEY}, parameters={"top_p": float("nan")})
    assert isinstance(outcome.error, ValueError)
    assert_no_secret(outcome.error)


@EACH
def test_error_of_a_key_function_keeps_its_traceback(kind: str) -> None:
    def read_key() -> str:
        raise ValueError("no credentials file")

    error = ask(kind, api_key=read_key).error
    assert error is not None and "read_key" in [frame.name for frame in traceback.extract_tb(error.__traceback__)]


@pytest.mark.parametrize("url", WRONG_URLS)
def test_upstream_of_serve_shows_neither_key_nor_url(url: str) -> None:
    refused(lambda: Upstream(url, KEY))
    refused(lambda: Upstream("https://example.com", "").call(KEY + "\n"))


def test_hide_variables_keeps_the_error_and_its_cause_without_frames() -> None:
    @hide_variables
    def fail(secret: str) -> None:
        """Fail."""
        try:
            raise KeyError("cause")
        except KeyError as cause:
            raise ValueError("message") from cause

    with pytest.raises(ValueError, match="message") as caught:
        fail(KEY)
    error = caught.value
    assert isinstance(error.__cause__, KeyError) and error.__cause__.__traceback__ is None
    assert "fail" not in [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    assert fail.__name__ == "fail" and fail.__doc__ == "Fail."


REPEATED = "nvapi-0123456789abcdefghij0123456789abcdef"  # a form that `redact` does not know
ESCAPED = "".join([f"\\u{ord(mark):04x}" for mark in REPEATED])
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
FRAME = b'data: {"choices":[{"index":0,"delta":{"content":"a %b"}}]}\n\n' % REPEATED.encode()


def lengthy(before: int, text: str = REPEATED) -> bytes:
    """Return a text in which the key is at the place where messages are shortened."""
    return b"x" * before + text.encode()


ANSWERS: dict[str, Callable[[bytes], bytes]] = {
    "event cut off": lambda text: OK + b"Connection: close\r\n\n" + FRAME + b"data: {" + text,
    "event is not JSON": lambda text: OK + b"Connection: close\r\n\n" + FRAME + b"data: {" + text + b"\n\n",
    "line outside of events": lambda text: OK + b"Connection: close\r\n\n" + FRAME + text + b"\n\n",
    "type of an event": lambda text: OK + b"Connection: close\r\n\n" + b"event: " + text + b"\ndata: {}\n\ndata: [DONE]\n\n",
    "not an event stream": lambda text: OK + b"Connection: close\r\n\n" + text,
    "detail": lambda text: OK + b"Connection: close\r\n\n" + FRAME + b'data: {"detail":"' + text + b'"}\n\n',
    "many times": lambda text: OK + b"Connection: close\r\n\n" + FRAME + b"error: " + text * 300 + b"\n\n",
    "body cut off": lambda text: OK + b"Content-Length: 9999\r\n\r\n" + FRAME + text,
    "length": lambda text: OK + b"Content-Length: " + text + b"\r\n\r\n",
    "transfer coding": lambda text: OK + b"Transfer-Encoding: " + text + b"\r\n\r\n",
    "chunk size": lambda text: OK + b"Transfer-Encoding: chunked\r\n\r\n" + text + b"\r\n",
    "content coding": lambda text: OK + b"Content-Encoding: " + text + b"\r\n\r\nx",
    "header line": lambda text: OK + text + b"\r\n\r\n",
    "status line": lambda text: b"HTTP/1.1 " + text + b"\r\n\r\n",
    "not HTTP": lambda text: text + b"\r\n\r\n",
    "error page": lambda text: b"HTTP/1.1 401 No\r\nConnection: close\r\n\r\n" + text,
    "error": lambda text: b'HTTP/1.1 401 No\r\nConnection: close\r\n\r\n{"error":{"message":"' + text + b'"}}',
    "error that is not JSON": lambda text: b'HTTP/1.1 401 No\r\nConnection: close\r\n\r\n{"x":"' + text + b'"',
    "error of status 200": lambda text: OK + b'Connection: close\r\n\r\n{"error":{"message":"' + text + b'","code":"' + text + b'"}}',
}  # fmt: skip


def assert_repeated_key_is_not_shown(kind: str, stream: bool, answer: bytes) -> None:
    with serve_raw(answer) as url:
        error = ask(kind, stream=stream, base_url=url, api_key=REPEATED, max_retries=0, timeout=10).error
    assert error is not None
    parts = [REPEATED[start : start + 13] for start in range(len(REPEATED) - 12)]
    assert_no_secret(error, *parts, ESCAPED[:60], ESCAPED[:60].replace("\\", "\\\\"))


@BOTH
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("before", [30, 480])
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("text", [REPEATED, ESCAPED], ids=["plain", "escaped"])
def test_key_that_the_server_repeats_is_not_shown(kind: str, stream: bool, before: int, answer: str, text: str) -> None:
    assert_repeated_key_is_not_shown(kind, stream, ANSWERS[answer](lengthy(before, text)))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("before", [30, 480])
def test_key_that_the_server_repeats_is_not_shown_over_urllib(stream: bool, before: int) -> None:
    for answer in ANSWERS.values():
        assert_repeated_key_is_not_shown("urllib", stream, answer(lengthy(before)))
