"""The endpoint that requests are sent to, and the checks of the base URL that it comes from. Does no I/O."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

__all__ = ["Endpoint", "endpoint_of"]

_PORTS = {"http": 80, "https": 443}
_LONGEST_LABEL = 63  # characters between two dots of a name (RFC 1035): for more, Python's codecs raise a UnicodeError
_SAFE = "!$%&'()*+,-./:;=?@_~[]"  # not encoded in a path and a query: `%` is safe, so that nothing is encoded twice


class Endpoint:
    """The URL that requests are sent to, and its parts. `origin` consists of the scheme, the host and the port."""

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


def endpoint_of(base_url: str, path: str = "") -> Endpoint:
    """Return the endpoint at `path` below a base URL. A query of the base URL is kept after the path.

    Raises ValueError if the base URL is not a valid http or https URL, or has a user name, a password or a fragment.
    The message omits the parts of the URL that may be secrets.
    """
    # The part before an @ or after a ? may be a secret.
    shown = repr(base_url.partition("?")[0]) if "@" not in base_url else "(not shown, because it contains @)"
    try:
        parts = urlsplit(base_url)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except ValueError:
        raise ValueError("base_url is not a valid URL") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("base_url must not contain a user name or a password: send them in a header instead")
    if scheme not in _PORTS or not host:
        raise ValueError(f"base_url is not an http or https URL: {shown}")
    labels = host[:-1].split(".") if host.endswith(".") else host.split(".")
    if any([not 0 < len(label) <= _LONGEST_LABEL for label in labels]):
        raise ValueError(f"base_url has an invalid host name: {shown}")
    if not (base_url.isprintable() and " " not in base_url) or any([mark in host for mark in "\\/@%<>\"'`"]):
        raise ValueError(f"base_url has characters that a URL cannot contain: {shown}")
    if parts.fragment:
        raise ValueError(f"base_url must not contain a fragment, which is not sent to a server: {shown}")
    target = quote(parts.path.rstrip("/") + path, safe=_SAFE)
    if parts.query:
        target += "?" + quote(parts.query, safe=_SAFE)
    return Endpoint(scheme, host, _PORTS[scheme] if port is None else port, target)
