"""The grammar of the names of HTTP fields, for the clients, the server and the responses of AWS Lambda.

At the top, because importing `http` loads much that AWS Lambda does not need. Does no I/O.
"""

from __future__ import annotations

__all__ = ["TOKEN", "is_token"]

TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""The characters of a token, which a field's name is (RFC 9110, 5.6.2)."""


def is_token(text: str) -> bool:
    """Check whether the text is a token."""
    return bool(text) and TOKEN.issuperset(text)
