"""A local server that sends a recorded stream with its recorded timing, so that no API key or network is needed.

Ignores the content of requests. Listens on 127.0.0.1 only.
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
    """Serve a recording on 127.0.0.1 and return the base URL of the server. Raises KeyError for an unknown name.

    The names are `plain`, `thinking`, `tools` and `unicode`. The server stops at the end of the `with` block.

    >>> from together_adapters import Together
    >>> from together_adapters.replay import serve_recording
    >>> with serve_recording("plain") as base_url, Together(api_key="", base_url=base_url) as client:
    ...     stream = client.chat.completions.create(model="recorded", messages=[], stream=True)
    ...     print("".join([chunk.text for chunk in stream]))
    Hello! The capital of France is Paris. It lies on the river Seine.
    """
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
                except OSError:  # the client has closed the connection
                    return

        def log_message(self, format: str, *args: object) -> None:
            """Do nothing, because the client prints to the terminal."""

    class Server(ThreadingHTTPServer):
        block_on_close = False  # an interrupted client may never close its connection

        def run(self) -> None:
            with suppress(OSError, ValueError):  # Ctrl-C closed the server while the thread started
                self.serve_forever(poll_interval=0.02)

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()
