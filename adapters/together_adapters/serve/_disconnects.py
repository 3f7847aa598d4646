"""The caller at the other end of a connection of `serve`: whether it is still there while an upstream works for it.

It never reads what the caller has sent, only looks. A caller that has ended its side of the connection may still wait for
its answer, which only sending something tells: before the answer an interim one (100 Continue), in an event stream a
comment; readers pass over both.
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
_LOOK = 0.2  # seconds between two looks


class DisconnectWatcher:
    """One connection.

    `sending` is held while something is sent to it. `keepalive_probe` is what may be sent at this moment only to see whether it is
    there; empty where that is nothing.
    """

    def __init__(self, connection: socket.socket, closing: Event) -> None:
        self.sending: Lock = Lock()
        self.keepalive_probe = b""
        self._connection = connection
        self._closing = closing
        self._looks = 0  # since it has ended its side

    @contextmanager
    def waiting_for(self, call: Call) -> Generator[None]:
        """Cancel the call when the caller has gone, or the server closes."""
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
                if gone:  # said again until the call is over, because a client may try once more
                    call.cancel()

    def _has_gone(self, ready: int) -> bool:
        try:
            if not ready & selectors.EVENT_READ or self._connection.recv(1, socket.MSG_PEEK):
                return False
            if self._connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):  # it has refused what was sent to it
                return True
            self._looks += 1
            # Asked after 1, 2, 4 looks and so on, because clients pass over a few interim answers only.
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
            return not self.keepalive_probe  # HTTP/1.0 has nothing that could be sent before the answer
        finally:
            self.sending.release()
