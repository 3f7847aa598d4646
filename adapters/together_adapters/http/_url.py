"""The endpoint that requests are sent to, and the checks of the base URL that it comes from. Does no I/O."""

from __future__ import annotations

from urllib.parse import quote, unquote_plus, urlsplit

from ._secrets import hide_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

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

    @hide_variables
    def with_query(self, query: Mapping[str, object]) -> Endpoint:
        """Return this endpoint with parameters added to its query. They replace existing ones of the same name.

        Raises ValueError for parameters that a query cannot represent.
        """
        if not hasattr(query, "keys"):
            raise ValueError(f"extra_query must be a mapping, got {type(query).__name__}")
        try:
            added = [f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in _query_fields(query)]
        except UnicodeEncodeError:
            raise ValueError("extra_query has a character that UTF-8 cannot encode") from None
        path, _, present = self.target.partition("?")
        kept = [part for part in present.split("&") if part and unquote_plus(part.partition("=")[0]) not in query]
        target = "?".join(filter(None, [path, "&".join(kept + added)]))
        return Endpoint(self.scheme, self.host, self.port, target)


def _query_fields(query: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield names and values as text. A list becomes several fields, and None none."""
    fields: dict[Any, Any] = dict(query)
    for name, value in fields.items():
        if not isinstance(name, str):
            raise ValueError(f"a name in extra_query must be a str, got {type(name).__name__}")
        items: list[object] = [*value] if type(value) in (list, tuple) else [] if value is None else [value]
        for item in items:
            if not isinstance(item, (str, int, float)):
                expected = "a str, number, bool or list of them"
                raise ValueError(f"extra_query[{name!r}] must be {expected}, got {type(item).__name__}")
            yield name, str(item).lower() if isinstance(item, bool) else item if isinstance(item, str) else str(item)


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
