"""What arguments of the commands may be; argparse makes a usage error of each refusal. Nothing is opened, and no one asked."""

from __future__ import annotations

from argparse import ArgumentTypeError

__all__ = ["base_url", "finite", "port", "positive"]


def base_url(text: str) -> str:
    """The base URL of a server."""
    from ..http._url import endpoint_of

    try:
        endpoint_of(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    return text


def port(text: str) -> int:
    """A port to listen on."""
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536):
        raise ArgumentTypeError(f"expected a number from 0 to 65535, got {text[:20]!r}")
    return int(text)


def positive(text: str) -> int:
    """How many of something, at least one."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) > 0):
        raise ArgumentTypeError(f"expected a whole number above 0, got {text[:20]!r}")
    return int(text)


def finite(text: str) -> float:
    """A number that JSON can hold."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if value - value != 0:
        raise ArgumentTypeError(f"expected a number, got {text[:20]!r}")
    return value
