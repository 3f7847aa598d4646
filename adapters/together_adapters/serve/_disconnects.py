"""Detecting that a caller of `serve` has disconnected while the upstream works on its request.

A caller that has closed its sending side has either disconnected, or still waits for the response. The two cases can be
distinguished only by sending data that clients ignore. Before the response, this data is an interim response, 100
(Continue). Within an event stream, it is a comment.

Does not consume the bytes that the caller has sent: `recv` is called with MSG_PEEK.
"""

from __future__ import annotations

import selectors
import socket
from contextlib import contextmanager
from threading import Event, Lock, Thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from ._backends import Call

__all__ = ["COMMENT", "INTERIM", "DisconnectWatcher"]

INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
COMMENT = b":\n\n"
_LOOK = 0.2  # seconds between two checks


class DisconnectWatcher:
    """A watcher of one caller's connection.

    `sending` is a lock that is held while data is sent to the caller. `keepalive_probe` is the data that may be sent at
    this moment to find out whether the caller is still connected. It is empty when no such data may be sent.
    """

    def __init__(self, connection: socket.socket, closing: Event) -> None:
        self.sending: Lock = Lock()
        self.keepalive_probe = b""
        self._connection = connection
        self._closing = closing
        self._looks = 0  # the checks since the caller closed its sending side

    @contextmanager
    def waiting_for(self, call: Call) -> Generator[None]:
        """Return a context manager that cancels the call if the caller disconnects or the server closes."""
        over = Event()
        watcher = Thread(target=self._watch, args=(call, over), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()

    def _watch(self, call: Call, over: Event) -> None:
        gone = False
        with selectors.DefaultSelector() as selector:
            selector.register(self._connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while not over.wait(_LOOK):
                ready = sum([events for _, events in selector.select(0)])
                gone = gone or self._closing.is_set() or self._has_gone(ready)
                if gone:  # repeated until the call ends, because the call may open another connection
                    call.cancel()

    def _has_gone(self, ready: int) -> bool:
        try:
            if not ready & selectors.EVENT_READ or self._connection.recv(1, socket.MSG_PEEK):
                return False
            if self._connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):  # a reset: the caller refused data
                return True
            self._looks += 1
            # Probe at checks 1, 2, 4, 8 and so on: clients accept only a limited number of interim responses.
            if self._looks & (self._looks - 1) or not ready & selectors.EVENT_WRITE:
                return False
            return self._refuses_probe()
        except OSError:
            return True

    def _refuses_probe(self) -> bool:
        if not self.sending.acquire(blocking=False):
            return False
        try:
            self._connection.sendall(self.keepalive_probe)
            return not self.keepalive_probe  # HTTP/1.0 lacks interim responses: the caller counts as gone
        finally:
            self.sending.release()
