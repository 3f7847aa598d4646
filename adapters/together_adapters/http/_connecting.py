"""What both clients need before a connection is used: name resolution with a time limit, the proxy that the
environment names, and one TLS context per client.

- The system's resolver has no time limit and cannot be interrupted, so a name is resolved in a thread. Literal addresses
  and `localhost` need none.
- The proxy comes from `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` or the system's settings. Only this module imports
  urllib.request. A proxy's password never appears in an error.
- Python's default certificate checks are never weakened, and a context that was given is never changed.
"""

from __future__ import annotations

import os
import socket
import sys
from _thread import allocate_lock  # threading may be missing
from urllib.parse import unquote, urlsplit

from ._http1 import Response
from ._secrets import Headers, hide_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext
    from typing import Any

    from . import Request
    from ._timeouts import Deadline
    from ._url import Endpoint

__all__ = [
    "Addresses",
    "Proxy",
    "TLSSettings",
    "Tunnel",
    "proxy_for",
    "request_bytes",
    "resolve",
    "resolve_in_thread",
    "resolve_now",
]


class TLSSettings:
    """Certificates are checked against the system's CAs (`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured) or `cafile`'s.

    Making a context reads all CA certificates, 3 to 17 ms, so all connections of a client share one.
    """

    def __init__(self, cafile: str | None, context: SSLContext | None) -> None:
        if cafile is not None and context is not None:
            raise ValueError("give cafile or ssl_context, not both")
        self._cafile = cafile
        self._context = context
        self._lock = allocate_lock()

    def context(self) -> SSLContext:
        """The context; raises OSError where this Python has no TLS or the file cannot be read."""
        with self._lock:
            if self._context is None:
                try:
                    from ssl import create_default_context
                except ImportError:
                    raise OSError(
                        "this Python has no ssl module: give transport= to send requests in another way"
                    ) from None
                self._context = create_default_context(cafile=self._cafile)
                self._context.set_alpn_protocols(["http/1.1"])
            return self._context


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


def resolve(host: str, port: int, deadline: Deadline) -> Addresses:
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
        found = results.get(timeout=deadline.remaining())
    except Empty:
        raise deadline.timeout_error() from None
    if isinstance(found, OSError):
        raise found
    return found


class Proxy:
    """An HTTP proxy; the credentials of its URL are in `headers`."""

    def __init__(self, host: str, port: int, headers: Headers) -> None:
        self.host = host
        self.port = port
        self.headers = headers

    def connect_to(self, endpoint: Endpoint) -> bytes:
        """The request for a tunnel. It carries nothing that is meant for the server."""
        name = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        lines = [f"CONNECT {name}:{endpoint.port} HTTP/1.1", f"Host: {name}:{endpoint.port}"]
        lines += [f"{field}: {value}" for field, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


class Tunnel:
    """A proxy's answer to the request for a tunnel, sans-IO: `take` what each read gives until it is `established`."""

    def __init__(self) -> None:
        self.established: bool = False
        self._response = Response()

    def take(self, data: bytes) -> None:
        """What a read gave, b"" at the end; raises OSError, EOFError or ProtocolError where there will be no tunnel."""
        response = self._response
        response.feed(data) if data else response.end()
        if response.error is not None:
            raise response.error
        if response.status and not 200 <= response.status < 300:
            raise OSError(f"the proxy refused the connection with status {response.status}")
        self.established = bool(response.status)


def request_bytes(request: Request) -> bytes:
    """The request as a new connection carries it: a proxy of plain http has to be told the whole URL."""
    proxy = proxy_for(request.endpoint) if request.endpoint.scheme == "http" else None
    return request.to_bytes(proxy.headers if proxy else None, absolute=proxy is not None)


@hide_variables
def proxy_for(endpoint: Endpoint) -> Proxy | None:
    """Return the proxy of `HTTPS_PROXY`, `HTTP_PROXY` or the system's settings; None where `NO_PROXY` excepts the host.

    This machine is reached without a proxy. Raises ValueError for a proxy that is not an HTTP proxy.
    """
    # urllib.request takes 15 to 30 ms to import, which a host without a proxy need not spend.
    named = sys.platform in ("darwin", "win32") or any([name.lower().endswith("_proxy") for name in os.environ])
    if endpoint.is_loopback or not named:
        return None
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    url = proxies.get(endpoint.scheme) or proxies.get("all")
    if not url or proxy_bypass(f"{endpoint.host}:{endpoint.port}"):
        return None
    return _proxy_at(url)


def _proxy_at(url: str) -> Proxy:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("the proxy's address is not a URL") from None
    if parts.scheme != "http" or not host:
        raise ValueError(
            f"a proxy with the scheme {parts.scheme!r}: only http:// proxies can be used; give transport= for others"
        )
    headers = Headers()
    if parts.username is not None:
        from base64 import b64encode

        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Proxy-Authorization"] = "Basic " + b64encode(credentials.encode("utf-8")).decode("ascii")
    return Proxy(host, port or 80, headers)
