"""Preparing a connection, for both clients: name resolution with a time limit, proxies, and TLS.

- The system's resolver cannot be interrupted or given a time limit, so a name is resolved in a thread. Literal
  addresses and `localhost` do not need a thread.
- The proxy is configured by `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, or by the system's settings. This
  module imports urllib.request only if a proxy is configured. Errors do not contain the password of a proxy.
- Each client has one TLS context. Python's default certificate checks are not weakened, and the caller's context is not
  changed.
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
    """The TLS context of a client, which trusts the system's CAs or those in `cafile`.

    `SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured. Creating a context reads all CA certificates, which takes 3 to 17
    ms. The context is therefore created at the first use and shared by all connections of the client.
    """

    def __init__(self, cafile: str | None, context: SSLContext | None) -> None:
        if cafile is not None and context is not None:
            raise ValueError("give cafile or ssl_context, not both")
        self._cafile = cafile
        self._context = context
        self._lock = allocate_lock()

    def context(self) -> SSLContext:
        """Return the context. Raises OSError if the ssl module is missing or the file cannot be read."""
        with self._lock:
            if self._context is None:
                try:
                    from ssl import create_default_context
                except ImportError:
                    raise OSError(
                        "the ssl module is missing from this Python: give transport= to send requests in another way"
                    ) from None
                self._context = create_default_context(cafile=self._cafile)
                self._context.set_alpn_protocols(["http/1.1"])
            return self._context


Addresses = list["tuple[Any, ...]"]  # as returned by getaddrinfo


def resolve_now(host: str, port: int) -> Addresses | None:
    """Return the addresses of a literal address or of `localhost`, or None for a name that must be resolved."""
    if host == "localhost":
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (socket.gaierror, UnicodeError):  # a name, or an invalid one, which fails when it is resolved
        return None


def resolve_in_thread(host: str, port: int, deliver: Callable[[Addresses | OSError], object]) -> None:
    """Resolve a name in a thread, which calls `deliver` with the addresses or the error."""
    from threading import Thread

    def run() -> None:
        try:
            found: Addresses | OSError = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            found = error if isinstance(error, OSError) else OSError("not a valid host name")
        deliver(found)

    # A daemon thread, so that a hanging resolver does not keep the process from exiting.
    Thread(target=run, name="resolve", daemon=True).start()


def resolve(host: str, port: int, deadline: Deadline) -> Addresses:
    """Return the addresses of a name. Raises OSError if the lookup fails, and APITimeoutError after the deadline."""
    at_once = resolve_now(host, port)
    if at_once is not None:
        return at_once
    try:
        from queue import Empty, SimpleQueue
    except ImportError:  # `queue` needs threading
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
    """An HTTP proxy. `headers` contain the credentials from its URL."""

    def __init__(self, host: str, port: int, headers: Headers) -> None:
        self.host = host
        self.port = port
        self.headers = headers

    def connect_to(self, endpoint: Endpoint) -> bytes:
        """Return the CONNECT request for a tunnel (RFC 9110, section 9.3.6), with no credentials except the proxy's."""
        name = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        lines = [f"CONNECT {name}:{endpoint.port} HTTP/1.1", f"Host: {name}:{endpoint.port}"]
        lines += [f"{field}: {value}" for field, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


class Tunnel:
    """A sans-IO parser of the response to a CONNECT request: call `take` with each read until `established`."""

    def __init__(self) -> None:
        self.established: bool = False
        self._response = Response()

    def take(self, data: bytes) -> None:
        """Take the result of a read, b"" at the end. Raises OSError, EOFError or ProtocolError if the tunnel fails."""
        response = self._response
        response.feed(data) if data else response.end()
        if response.error is not None:
            raise response.error
        if response.status and not 200 <= response.status < 300:
            raise OSError(f"the proxy refused the connection with status {response.status}")
        self.established = bool(response.status)


def request_bytes(request: Request) -> bytes:
    """Return the bytes of a request. If a proxy forwards it, they contain the full URL (RFC 9112, section 3.2.2)."""
    proxy = proxy_for(request.endpoint) if request.endpoint.scheme == "http" else None
    return request.to_bytes(proxy.headers if proxy else None, absolute=proxy is not None)


@hide_variables
def proxy_for(endpoint: Endpoint) -> Proxy | None:
    """Return the proxy from the environment or the system's settings, or None.

    Loopback addresses and the hosts in `NO_PROXY` are reached without a proxy. Raises ValueError if the proxy is not an
    HTTP proxy.
    """
    # Importing urllib.request takes 15 to 30 ms, which is avoided if no proxy is configured.
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
        raise ValueError("the URL of the proxy is not valid") from None
    if parts.scheme != "http" or not host:
        raise ValueError(
            f"the proxy must be an http:// URL with a host, got the scheme {parts.scheme!r}: give transport= to use"
            " another proxy"
        )
    headers = Headers()
    if parts.username is not None:
        from base64 import b64encode

        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Proxy-Authorization"] = "Basic " + b64encode(credentials.encode("utf-8")).decode("ascii")
    return Proxy(host, port or 80, headers)
