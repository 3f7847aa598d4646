"""Names to addresses, within a limit of time: the system's resolver has none, and cannot be interrupted.

It never keeps an address, and never waits beyond its limit for a resolver that hangs, except where there is no threading.
"""

from __future__ import annotations

import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._timeouts import Until

__all__ = ["Addresses", "resolve", "resolve_in_thread", "resolve_now"]

Addresses = list["tuple[Any, ...]"]  # as of getaddrinfo


def resolve_now(host: str, port: int) -> Addresses | None:
    """The addresses of a literal address or of this machine, which need no server; else None."""
    if host == "localhost":
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (socket.gaierror, UnicodeError):  # a name; or what is none, which resolving it will say
        return None


def resolve_in_thread(host: str, port: int, deliver: Callable[[Addresses | OSError], object]) -> None:
    """Resolve a name; `deliver` is called from the thread with the addresses or what went wrong."""
    from threading import Thread

    def run() -> None:
        try:
            found: Addresses | OSError = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            found = error if isinstance(error, OSError) else OSError("not a host name")
        deliver(found)

    # A daemon, so that a resolver that hangs does not hold up the end of the process.
    Thread(target=run, name="resolve", daemon=True).start()


def resolve(host: str, port: int, until: Until) -> Addresses:
    """The addresses of a name; raises OSError where there are none and APITimeoutError where it takes too long."""
    at_once = resolve_now(host, port)
    if at_once is not None:
        return at_once
    try:
        from queue import Empty, SimpleQueue
    except ImportError:  # it needs threading
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    results: SimpleQueue[Addresses | OSError] = SimpleQueue()
    resolve_in_thread(host, port, results.put)
    try:
        found = results.get(timeout=until.left())
    except Empty:
        raise until.passed() from None
    if isinstance(found, OSError):
        raise found
    return found
