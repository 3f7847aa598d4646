"""An HTTP/1.1 server on a loopback address that sends prescribed responses, valid or not, over TCP or TLS."""

from __future__ import annotations

import json
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Union

RESET = "reset"  # close the connection with RST
CLOSE = "close"  # close the connection with FIN
Part = Union[bytes, float, str]  # a number is a pause in seconds, which ends when the client closes the connection
_CLOSED = getattr(select, "POLLRDHUP", 0)  # the client closed the connection, even if data was not read (only Linux)


class Received(NamedTuple):
    """A received request, with header names in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def reply(body: bytes, *headers: str, status: str = "200 OK", kind: str = "application/json") -> bytes:
    """Return a complete response with a Content-Length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def reply_json(value: object, *headers: str, status: str = "200 OK") -> bytes:
    return reply(json.dumps(value).encode(), *headers, status=status)


CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def in_chunks(*pieces: bytes, end: bool = True) -> bytes:
    """Return the pieces as chunks of the chunked coding, with the last chunk if `end`."""
    return b"".join([b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]) + (b"0\r\n\r\n" if end else b"")


class HTTPServer:
    """A server in threads, which sends the parts that `respond` returns for a request.

    `requests` contains the received requests. `connections` counts all connections, and `open` those that are open.
    """

    def __init__(self, respond: Callable[[Received], Iterable[Part]], context: ssl.SSLContext | None = None) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self.open = 0
        self.silence = 0.0  # seconds before the server sends anything, including the TLS handshake
        self.stop = threading.Event()
        self._respond = respond
        self._context = context
        self._lock = threading.Lock()
        self._accepting = threading.Thread(target=self._accept)
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        self.origin = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        self.base_url = self.origin + "/v1"

    def start(self) -> None:
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self.open += 1
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        self.stop.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()  # after this no thread is added and all threads are started
        for thread in self._threads:
            thread.join()

    def _serve(self, connection: socket.socket) -> None:
        # A short timeout, so that the server can stop while it waits for a client.
        connection.settimeout(0.05)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pause(connection, self.silence)
            if self._context is not None:
                connection.settimeout(5)
                connection = self._context.wrap_socket(connection, server_side=True)
                connection.settimeout(0.05)
            while (request := self._read(connection)) is not None:
                with self._lock:
                    self.requests.append(request)
                for part in self._respond(request):
                    if part == CLOSE or self.stop.is_set():
                        return
                    if part == RESET:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        return
                    if isinstance(part, bytes):
                        self._send(connection, part)
                    elif isinstance(part, float):
                        self._pause(connection, part)
        except OSError:
            return
        finally:
            with self._lock:
                self.open -= 1
            connection.close()

    def assert_open(self, number: int) -> None:
        """Check that the client closes its connections except for `number`, within 2 s."""
        if not _CLOSED:
            self.stop.set()  # or else a pause does not end
        for _ in range(100):
            if self.open <= number:
                return
            time.sleep(0.02)
        raise AssertionError(f"{self.open} connections are still open")

    def _pause(self, connection: socket.socket, seconds: float) -> None:
        if not _CLOSED:
            self.stop.wait(seconds)
            return
        end, closed = time.monotonic() + seconds, select.poll()
        closed.register(connection, _CLOSED)
        while (left := end - time.monotonic()) > 0 and not self.stop.is_set():
            if closed.poll(1000 * min(left, 0.02)):
                raise OSError("the client closed the connection")

    def _send(self, connection: socket.socket, data: bytes) -> None:
        view = memoryview(data)
        while view and not self.stop.is_set():
            try:
                view = view[connection.send(view) :]
            except (socket.timeout, ssl.SSLWantWriteError):
                continue

    def _read(self, connection: socket.socket) -> Received | None:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more(connection)
            if not data:
                return None
        head, _, body = data.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        while len(body) < int(headers.get("content-length", 0)):
            body += self._more(connection)
        return Received(line, headers, body)

    def _more(self, connection: socket.socket) -> bytes:
        while not self.stop.is_set():
            try:
                data = connection.recv(65536)
            except (socket.timeout, ssl.SSLWantReadError):
                continue
            if data:
                return data
            break
        raise OSError("the client closed the connection")


@contextmanager
def serving(
    respond: Callable[[Received], Iterable[Part]] | Iterable[Part], context: ssl.SSLContext | None = None
) -> Iterator[HTTPServer]:
    """Run a server within the block. Parts instead of a function are sent in response to every request."""
    parts = None if callable(respond) else list(respond)
    server = HTTPServer(respond if callable(respond) else lambda _: parts or [], context)
    server.start()
    try:
        yield server
    finally:
        server.close()


def contexts_of(authority: Any, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the TLS contexts of a server with these names, and of a client that trusts the authority."""
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert(*names).configure_cert(server)
    authority.configure_trust(client)
    return server, client
