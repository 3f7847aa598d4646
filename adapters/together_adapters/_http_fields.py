"""The grammar of HTTP field names, for the clients, the server and the responses of AWS Lambda.

This module is not part of the package `http`, because importing `http` loads modules that AWS Lambda does not need.

Does no I/O.
"""

from __future__ import annotations

__all__ = ["TOKEN", "is_token"]

TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""The characters of a token (RFC 9110, section 5.6.2). A field name is a token (section 5.1)."""


def is_token(text: str) -> bool:
    """Return whether the text is a token."""
    return bool(text) and TOKEN.issuperset(text)
