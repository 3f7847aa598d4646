"""A loopback server that sends a recorded stream with its recorded timing: a completion without a key or a network.

It never looks at what it is asked, and never listens on anything but 127.0.0.1.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ._recordings import RECORDINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["serve_recording"]


@contextmanager
def serve_recording(name: str) -> Generator[str]:
    """Serve one recording on 127.0.0.1 and give its base URL; raises KeyError for a name that there is not."""
    parts = RECORDINGS[name]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for pause, data in parts:
                time.sleep(pause / 1000)
                try:
                    self.wfile.write(data)
                except OSError:  # the client has had enough
                    return

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the terminal is the client's."""

    class Server(ThreadingHTTPServer):
        block_on_close = False  # a client that was interrupted may leave its connection open for good

        def run(self) -> None:
            with suppress(OSError, ValueError):  # closed before it began, where Ctrl-C came while the thread started
                self.serve_forever(poll_interval=0.02)

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()
