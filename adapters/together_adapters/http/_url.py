"""Where requests go: a base URL, checked once.

It never connects or resolves anything, and shows nothing of a URL that may be a secret.
"""

from __future__ import annotations

from urllib.parse import quote, urlsplit

__all__ = ["BaseURL", "Endpoint"]

_PORTS = {"http": 80, "https": 443}
_LONGEST_LABEL = 63  # characters between two dots of a name (RFC 1035); the codecs raise errors of their own for others
_SAFE = "!$%&'()*+,-./:;=?@_~[]"  # of a path and a query; what is percent-encoded stays so


class Endpoint:
    """The URL that requests are posted to, in its parts; `origin` is scheme, host and port."""

    def __init__(self, scheme: str, host: str, port: int, target: str) -> None:
        self.scheme = scheme
        self.host = host
        self.port = port
        self.target = target
        literal = f"[{host}]" if ":" in host else host
        self.authority: str = literal if port == _PORTS[scheme] else f"{literal}:{port}"
        self.origin: str = f"{scheme}://{self.authority}"
        self.url: str = self.origin + target

    @property
    def is_loopback(self) -> bool:
        parts = self.host.split(".")
        in_127 = len(parts) == 4 and parts[0] == "127" and all([part.isdigit() for part in parts])
        return in_127 or self.host in ("localhost", "::1")

    def __repr__(self) -> str:
        return f"<{self.origin}>"


class BaseURL:
    """A base URL as it was given. It may hold a password, so neither its repr nor a variable of a traceback shows it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "<a base URL>"

    def endpoint(self, path: str) -> Endpoint:
        """The endpoint `path` below it; a query stays behind the path.

        Raises ValueError for what is not an http or https URL, or has a user and a password in it.
        """
        endpoint, problem = _read(self._text, path)
        if endpoint is None:
            raise ValueError(problem)
        return endpoint


def _read(base_url: str, path: str) -> tuple[Endpoint | None, str]:
    # What is before an @ or behind a ? may be a secret.
    shown = repr(base_url.partition("?")[0]) if "@" not in base_url else "it has an @ in it"
    try:
        parts = urlsplit(base_url)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except ValueError:
        return None, "base_url is not a URL"
    if parts.username is not None or parts.password is not None:
        return None, "base_url has a user name or a password in it: give them as a header instead"
    if scheme not in _PORTS or not host:
        return None, f"not an http or https URL: {shown}"
    labels = host[:-1].split(".") if host.endswith(".") else host.split(".")
    if any([not 0 < len(label) <= _LONGEST_LABEL for label in labels]):
        return None, f"not a host name: {shown}"
    if not (base_url.isprintable() and " " not in base_url) or any([mark in host for mark in "\\/@%<>\"'`"]):
        return None, f"not a URL: {shown}"
    if parts.fragment:
        return None, f"a fragment is not sent to a server: {shown}"
    target = quote(parts.path.rstrip("/") + path, safe=_SAFE)
    if parts.query:
        target += "?" + quote(parts.query, safe=_SAFE)
    return Endpoint(scheme, host, _PORTS[scheme] if port is None else port, target), ""
