"""The steps to a connection, on loopback addresses: name resolution, several addresses, TLS, and an end on the way."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from client_calls import ASKED, BOTH, alarm, ask, no_leaks, seconds_to_cancel
from http_server import HTTPServer, contexts_of, reply, serving
from together_adapters import APIConnectionError, APITimeoutError, AsyncTogether, Timeout, Together

OK = reply(b'{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}')
NAMED: dict[str, Any] = {"base_url": "http://model.test/v1", "insecure_http": True, "max_retries": 0}
ONLY_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the system queues connections in another way")
Address = tuple[str, int]


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    with no_leaks():
        yield


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def resolve_names(monkeypatch: pytest.MonkeyPatch, addresses: Callable[[], list[Address]]) -> None:
    """Replace the system's resolver for names. Literal addresses are still resolved by the system."""
    system = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *args: Any, flags: int = 0, **options: Any) -> Any:
        if flags:
            return system(host, port, *args, flags=flags, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", address) for address in addresses()]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@contextmanager
def unresponsive() -> Iterator[Address]:
    """Yield an address that does not respond to a connection attempt, because its queue of connections is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(address)
        try:
            time.sleep(0.05)
            yield address
        finally:
            for sock in waiting:
                sock.close()


def closed_port() -> Address:
    """Return an address that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address: Address = free.getsockname()
        return address


# ---- names and addresses


@BOTH
def test_host_name_is_connected_to_its_resolved_address(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving([OK]) as server:
        resolve_names(monkeypatch, lambda: [("127.0.0.1", server.port)])
        assert ask(kind, **NAMED).texts == ["hi"]
        assert server.requests[0].headers["host"] == "model.test"


@BOTH
def test_failed_resolution_is_connection_error(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> list[Address]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    resolve_names(monkeypatch, fail)
    error = ask(kind, **NAMED).error
    assert type(error) is APIConnectionError and str(error) == "cannot reach model.test: Name or service not known"
    resolve_names(monkeypatch, list)
    assert "no address was found" in str(ask(kind, **NAMED).error)


def test_name_is_resolved_without_the_queue_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """`queue` needs `threading`, which some hosts lack."""
    monkeypatch.setitem(sys.modules, "queue", None)
    with serving([OK]) as server:
        resolve_names(monkeypatch, lambda: [("127.0.0.1", server.port)])
        assert ask("sync", **NAMED).texts == ["hi"]


@BOTH
def test_resolver_that_hangs_causes_timeout(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hang() -> list[Address]:
        released.wait(30)
        return [closed_port()]

    resolve_names(monkeypatch, hang)
    started = time.monotonic()
    error = ask(kind, timeout=Timeout(connect=0.3), **NAMED).error
    assert type(error) is APITimeoutError and "no connection within 0.3 s" in str(error)
    assert time.monotonic() - started < 2
    released.set()  # the thread then finds the caller gone, and for asyncio also its loop closed


def test_late_result_of_resolver_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    released, problems = threading.Event(), []

    def hang() -> list[Address]:
        released.wait(30)
        return [closed_port()]

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        async with AsyncTogether(api_key="", timeout=Timeout(connect=0.1), **NAMED) as client:
            with pytest.raises(APITimeoutError):
                await client.chat.completions.create(**ASKED)
            released.set()
            await asyncio.sleep(0.1)

    resolve_names(monkeypatch, hang)
    asyncio.run(run())
    assert problems == []


@BOTH
def test_next_address_is_used_if_connection_is_refused(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving([OK]) as server:
        resolve_names(monkeypatch, lambda: [closed_port(), ("127.0.0.1", server.port)])
        assert ask(kind, **NAMED).texts == ["hi"]
    resolve_names(monkeypatch, lambda: [closed_port(), closed_port()])
    assert "Connection refused" in str(ask(kind, **NAMED).error)


@ONLY_LINUX
@BOTH
def test_address_that_does_not_respond_leaves_time_for_the_next(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving([OK]) as server, unresponsive() as silent:
        resolve_names(monkeypatch, lambda: [silent, ("127.0.0.1", server.port)])
        started = time.monotonic()
        assert ask(kind, timeout=Timeout(connect=0.8), **NAMED).texts == ["hi"]
        assert time.monotonic() - started > 0.3, "half of the time is for the first address"
        resolve_names(monkeypatch, lambda: [silent])
        error = ask(kind, timeout=Timeout(connect=0.2), **NAMED).error
    assert type(error) is APITimeoutError and "no connection within 0.2 s" in str(error)


# ---- the end of a call before its connection is established


@ONLY_LINUX
def test_cancelled_connection_attempt_ends_immediately() -> None:
    async def run(base_url: str) -> None:
        async with AsyncTogether(api_key="", base_url=base_url) as client:
            assert await seconds_to_cancel(client.chat.completions.create(**ASKED)) < 0.05

    with unresponsive() as (host, port):
        asyncio.run(run(f"http://{host}:{port}"))


@ONLY_LINUX
def test_interrupted_connection_attempt_closes_its_socket() -> None:
    with unresponsive() as (host, port), Together(api_key="", base_url=f"http://{host}:{port}") as client:
        timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            client.chat.completions.create(**ASKED)
        timer.join()


@ONLY_LINUX
def test_timeout_error_of_a_signal_handler_ends_a_connection_attempt_without_a_retry() -> None:
    problem = TimeoutError("the job took too long")
    with unresponsive() as (host, port), Together(api_key="", base_url=f"http://{host}:{port}") as client:
        with alarm(0.2, problem), pytest.raises(TimeoutError) as raised:
            client.chat.completions.create(**ASKED)
    assert raised.value is problem


@BOTH
@pytest.mark.parametrize("step", ["handshake", "tunnel"])
def test_failed_connection_is_closed_before_the_client(kind: str, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {"api_key": "", "max_retries": 0, "timeout": Timeout(connect=0.2)}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(5)
        options["base_url"] = f"https://127.0.0.1:{silent.getsockname()[1]}"
        if step == "tunnel":
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{silent.getsockname()[1]}")
            options["base_url"] = "https://api.example.com"

        def read_all() -> bytes:
            connection, _ = silent.accept()
            with connection:
                connection.settimeout(5)
                return b"".join(iter(lambda: connection.recv(65536), b""))

        async def run() -> bytes:
            async with AsyncTogether(**options) as client:
                with pytest.raises(APITimeoutError):
                    await client.chat.completions.create(**ASKED)
                return await asyncio.get_running_loop().run_in_executor(None, read_all)

        if kind == "async":
            received = asyncio.run(run())
        else:
            with Together(**options) as client:
                with pytest.raises(APITimeoutError):
                    client.chat.completions.create(**ASKED)
                received = read_all()
    assert received.startswith(b"CONNECT api.example.com:443 " if step == "tunnel" else b"\x16\x03")


def close_while_connecting(kind: str, **options: Any) -> APIConnectionError:
    """Close a client 0.3 s after the start of a call and return the error of the call."""

    async def run() -> None:
        async with AsyncTogether(api_key="", **options) as client:
            call = asyncio.ensure_future(client.chat.completions.create(**ASKED))
            await asyncio.sleep(0.3)
            await client.close()
            await call

    with pytest.raises(APIConnectionError) as caught:
        if kind == "async":
            asyncio.run(run())
        else:
            with Together(api_key="", **options) as client:
                timer = threading.Timer(0.3, client.close)
                timer.start()
                client.chat.completions.create(**ASKED)
    return caught.value


@BOTH
def test_close_during_tls_handshake_ends_call(kind: str) -> None:
    with serving([OK], ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as server:
        server.silence = 60.0
        started = time.monotonic()
        error = close_while_connecting(kind, base_url=server.base_url)
        assert "the client was closed" in str(error) and time.monotonic() - started < 2
        assert server.connections == 1, "a call that the client ended itself must not be retried"


@BOTH
def test_close_during_setup_of_tunnel_ends_call(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()
        error = close_while_connecting(kind, base_url="https://api.example.com/v1")
        assert "the client was closed" in str(error) and time.monotonic() - started < 2


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_call_cancelled_at_any_step_leaves_no_connection(scheme: str) -> None:
    context = client_context = None
    if scheme == "https":
        trustme = pytest.importorskip("trustme", reason="needs a package that this interpreter may not have")
        context, client_context = contexts_of(trustme.CA(), "127.0.0.1")

    async def run(server: HTTPServer) -> None:
        async with AsyncTogether(api_key="", base_url=server.base_url, ssl_context=client_context) as client:
            for steps in range(30):
                call = asyncio.ensure_future(client.chat.completions.create(**ASKED))
                for _ in range(steps):
                    await asyncio.sleep(0 if scheme == "http" else 0.0005)
                if not call.cancel():
                    assert (await call).text == "hi"
                    break
                with pytest.raises(asyncio.CancelledError):
                    await call
            assert (await client.chat.completions.create(**ASKED)).text == "hi"
            assert asyncio.all_tasks() == {asyncio.current_task()}
            await asyncio.sleep(0)  # in which the loop closes the sockets
            server.assert_open(1)

    with serving([OK], context) as server:
        asyncio.run(run(server))
        server.assert_open(0)


# ---- TLS


@BOTH
def test_missing_ssl_module_is_connection_error(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving([OK]) as server:
        monkeypatch.setitem(sys.modules, "ssl", None)
        error = ask(kind, base_url=server.base_url.replace("http:", "https:"), max_retries=0).error
        assert type(error) is APIConnectionError and "the ssl module is missing" in str(error)
        assert ask(kind, base_url=server.base_url).texts == ["hi"]


@BOTH
def test_missing_cafile_is_connection_error(kind: str, tmp_path: Any) -> None:
    with serving([OK], ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as server:
        error = ask(kind, base_url=server.base_url, cafile=str(tmp_path / "none.pem"), max_retries=0).error
    assert type(error) is APIConnectionError and "No such file" in str(error)
