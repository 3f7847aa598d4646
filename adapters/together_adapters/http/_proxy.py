"""The proxy that the environment names for a URL, and what is said to it.

It never connects itself, and never shows a proxy's password. The only module that imports urllib.request.
"""

from __future__ import annotations

import os
import sys
from urllib.parse import unquote, urlsplit

from . import Headers
from ._http1 import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import Request
    from ._url import Endpoint

__all__ = ["Proxy", "Tunnel", "proxy_for", "request_bytes"]


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
    """A proxy's answer to the request for a tunnel, sans-IO: `take` what each read gives until it `stands`."""

    def __init__(self) -> None:
        self.stands: bool = False
        self._response = Response()

    def take(self, data: bytes) -> None:
        """What a read gave, b"" at the end; raises OSError, EOFError or ProtocolError where there will be no tunnel."""
        response = self._response
        response.feed(data) if data else response.end()
        if response.error is not None:
            raise response.error
        if response.status and not 200 <= response.status < 300:
            raise OSError(f"the proxy refused the connection with status {response.status}")
        self.stands = bool(response.status)


def request_bytes(request: Request) -> bytes:
    """The request as a new connection carries it: a proxy of plain http has to be told the whole URL."""
    proxy = proxy_for(request.endpoint) if request.endpoint.scheme == "http" else None
    return request.to_bytes(proxy.headers if proxy else None, absolute=proxy is not None)


def proxy_for(endpoint: Endpoint) -> Proxy | None:
    """The proxy of `HTTPS_PROXY`, `HTTP_PROXY` or the system's settings, unless `NO_PROXY` excepts the host.

    This machine is never reached through a proxy. Raises ValueError for a proxy that is not an HTTP proxy.
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
    proxy, problem = _read(url)
    if proxy is None:
        url, proxies = "", {}  # it may hold a password, and tracebacks may show variables
        raise ValueError(problem)
    return proxy


def _read(url: str) -> tuple[Proxy | None, str]:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None, "the proxy's address is not a URL"
    if parts.scheme != "http" or not host:
        return (
            None,
            f"a proxy with the scheme {parts.scheme!r}: only http:// proxies can be used; give transport= for others",
        )
    headers = Headers()
    if parts.username is not None:
        from base64 import b64encode

        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Proxy-Authorization"] = "Basic " + b64encode(credentials.encode("utf-8")).decode("ascii")
    return Proxy(host, port or 80, headers), ""
