"""A real server on loopback that answers each request with given bytes, and what runs any server of socketserver.

It never looks at what is asked (`http_server` does), and needs no ssl, so that its tests run where there is none.
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
    """Serve in a thread; at the end of the block the thread has ended and the server is closed."""
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
    """Send `parts` as one body and close; a number is a pause in seconds. Gives the base URL; adds request bodies to `seen`."""
    head = b"HTTP/1.1 " + status + b"\r\nContent-Type: " + kind + b"\r\nConnection: close\r\n\r\n"
    with serve_raw(head, *parts, seen=seen) as url:
        yield url + "/v1"


@contextmanager
def serve_raw(*parts: bytes | float, seen: list[bytes] | None = None) -> Iterator[str]:
    """Answer with exactly these bytes, head included, and close; a number is a pause in seconds. Gives the URL."""
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
