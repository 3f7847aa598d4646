"""A server on a loopback address that responds to each request with given bytes, and a runner for socketserver classes.

Unlike `http_server`, it ignores the content of requests and does not need ssl, so its tests run on a Python without ssl.
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

Server = TypeVar("Server", bound=socketserver.BaseServer)


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Run a server in a thread. At the end of the block, wait for the thread and close the server."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def serve(
    *parts: bytes | float,
    status: bytes = b"200 OK",
    kind: bytes = b"text/event-stream",
    seen: list[bytes] | None = None,
) -> Iterator[str]:
    """Serve `parts` as one body, close the connection after it, and yield the base URL.

    A number in `parts` is a pause in seconds. Bodies of requests are appended to `seen`.
    """
    head = b"HTTP/1.1 " + status + b"\r\nContent-Type: " + kind + b"\r\nConnection: close\r\n\r\n"
    with serve_raw(head, *parts, seen=seen) as url:
        yield url + "/v1"


@contextmanager
def serve_raw(*parts: bytes | float, seen: list[bytes] | None = None) -> Iterator[str]:
    """Run a server as `serve` does, but with the head of the response in `parts`. Yield its URL."""
    released = threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length = 0
            while (line := self.rfile.readline()).strip():
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            body = self.rfile.read(length)
            if seen is not None:
                seen.append(body)
            try:
                for part in parts:
                    if isinstance(part, bytes):
                        self.wfile.write(part)
                    else:
                        released.wait(part)
            except OSError:
                return

    with running(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as server:
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            released.set()
