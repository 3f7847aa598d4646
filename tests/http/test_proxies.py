"""HTTP_PROXY, HTTPS_PROXY and NO_PROXY, through a real proxy on loopback."""

from __future__ import annotations

import base64
import socket
import socketserver
import ssl
import threading
from contextlib import AbstractContextManager
from typing import Any

import pytest
from client_calls import BOTH, EACH, ask
from http_server import Part, Received, contexts_of, reply, serving
from loopback import running
from together_adapters import APIConnectionError, APITimeoutError

OK = reply(b'{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}')
FRAME = b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\n'


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Proxy(socketserver.ThreadingTCPServer):
    """A proxy that connects every CONNECT request to one local port. `heads` contains the requests."""

    def __init__(self, target: int, answer: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.heads: list[str] = []
        self.target = target
        self.answer = answer
        self.port = self.server_address[1]


class _Tunnel(socketserver.BaseRequestHandler):
    server: Proxy

    def handle(self) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.request.recv(1)
        self.server.heads.append(head.decode())
        self.request.sendall(self.server.answer)
        if not self.server.answer.startswith(b"HTTP/1.1 2"):
            return
        with socket.create_connection(("127.0.0.1", self.server.target)) as server:
            back = threading.Thread(target=_copy, args=(server, self.request))
            back.start()
            _copy(self.request, server)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


def tunnelling(
    port: int, answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n"
) -> AbstractContextManager[Proxy]:
    return running(Proxy(port, answer))


@pytest.fixture(scope="module")
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the TLS contexts of a server named api.example.com, and of a client that trusts it."""
    trustme = pytest.importorskip("trustme", reason="needs a package that this interpreter may not have")
    return contexts_of(trustme.CA(), "api.example.com")


@EACH
@pytest.mark.parametrize("stream", [False, True])
def test_https_request_through_proxy_uses_tunnel(
    kind: str, stream: bool, contexts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = reply(FRAME, kind="text/event-stream") if stream else OK
    with serving([answer], contexts[0]) as server, tunnelling(server.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://us%40er:p%3Ass@127.0.0.1:{proxy.port}")
        outcome = ask(kind, stream=stream, base_url="https://api.example.com/v1", ssl_context=contexts[1])
        assert outcome.texts == ["hi"]
    (head,) = proxy.heads
    if kind == "urllib":  # HTTP/1.0 before Python 3.12
        assert head.startswith("CONNECT api.example.com:443 HTTP/1.")
    else:
        assert head.startswith("CONNECT api.example.com:443 HTTP/1.1\r\nHost: api.example.com:443\r\n")
    assert base64.b64encode(b"us@er:p:ss").decode() in head and "sk-test-key" not in head
    assert server.requests[0].headers["authorization"] == "Bearer sk-test-key"
    assert "proxy-authorization" not in server.requests[0].headers


@BOTH
def test_proxy_that_refuses_tunnel_causes_connection_error(
    kind: str, contexts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for answer, says in (
        (b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", "status 407"),
        (b"HTTP/1.1 302 Moved\r\nLocation: http://127.0.0.1/\r\n\r\n", "status 302"),
        (b"nonsense", "not an HTTP/1.1 response"),
    ):
        with tunnelling(1, answer) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
            outcome = ask(kind, base_url="https://api.example.com/v1", ssl_context=contexts[1], max_retries=0)
        assert type(outcome.error) is APIConnectionError and says in str(outcome.error)


@BOTH
@pytest.mark.parametrize("status", [b"201 Created", b"204 No Content"])
def test_any_2xx_status_establishes_tunnel(
    kind: str, status: bytes, contexts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 9110, section 9.3.6."""
    with serving([OK], contexts[0]) as server, tunnelling(server.port, b"HTTP/1.1 " + status + b"\r\n\r\n") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        assert ask(kind, base_url="https://api.example.com/v1", ssl_context=contexts[1]).texts == ["hi"]


@EACH
@pytest.mark.parametrize("name", ["a" * 64, "a..b", ".a"])
def test_invalid_host_name_is_rejected(kind: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's codec for host names raises UnicodeError for these."""
    with pytest.raises(ValueError, match="^base_url has an invalid host name: "):
        ask(kind, base_url=f"https://{name}/v1")
    monkeypatch.setenv("HTTPS_PROXY", f"http://{name}:1")
    outcome = ask(kind, base_url="https://api.example.com/v1", max_retries=0)
    assert type(outcome.error) is APIConnectionError and "not a valid host name" in str(outcome.error)


@BOTH
def test_silent_proxy_causes_timeout(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{silent.getsockname()[1]}")
        outcome = ask(kind, base_url="https://api.example.com/v1", timeout=0.3, max_retries=0)
    assert type(outcome.error) is APITimeoutError and "no connection within 0.3 s" in str(outcome.error)


@EACH
def test_plain_http_request_through_proxy_has_absolute_target(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def respond(request: Received) -> list[Part]:
        return [OK]

    with serving(respond) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"user:pass@127.0.0.1:{proxy.port}")
        monkeypatch.delenv("REQUEST_METHOD", raising=False)
        asked = {"base_url": "http://api.example.com/v1", "insecure_http": True}
        monkeypatch.setenv("http_proxy", f"user:pass@127.0.0.1:{proxy.port}")
        assert ask(kind, **asked).texts == ["hi"]
        (request,) = proxy.requests
        assert request.line == "POST http://api.example.com/v1/chat/completions HTTP/1.1"
        assert request.headers["host"] == "api.example.com" and "proxy-authorization" in request.headers


@EACH
def test_loopback_and_no_proxy_hosts_are_reached_directly(
    kind: str, contexts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving([OK]) as server, tunnelling(1) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert ask(kind, base_url=server.base_url).texts == ["hi"]
        monkeypatch.setenv("no_proxy", "example.net,.invalid")
        outcome = ask(kind, base_url="https://no-such-host.invalid/v1", max_retries=0, timeout=5)
        assert outcome.error is not None and proxy.heads == []


@BOTH
@pytest.mark.parametrize("url", ["socks5://user:sk-secret@127.0.0.1:1", "https://127.0.0.1:1", "http://"])
def test_unsupported_proxy_raises_value_error(kind: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", url)
    outcome = ask(kind, base_url="https://api.example.com/v1")
    assert isinstance(outcome.error, ValueError) and "the proxy must be an http:// URL" in str(outcome.error)
    assert "sk-secret" not in str(outcome.error)
