"""Parsers of command-line arguments, used as the `type` of an argparse argument.

Each function raises ArgumentTypeError for invalid text, which argparse reports as a usage error.

Does no I/O.
"""

from __future__ import annotations

from argparse import ArgumentTypeError

__all__ = ["base_url", "finite", "port", "positive"]


def base_url(text: str) -> str:
    """Return the base URL of a server, which must be an http or https URL."""
    from ..http._url import endpoint_of

    try:
        endpoint_of(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    return text


def port(text: str) -> int:
    """Return the number of a port to listen on. 0 is any free port."""
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536):
        raise ArgumentTypeError(f"expected a number from 0 to 65535, got {text[:20]!r}")
    return int(text)


def positive(text: str) -> int:
    """Return a count of at least 1."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) > 0):
        raise ArgumentTypeError(f"expected an integer above 0, got {text[:20]!r}")
    return int(text)


def finite(text: str) -> float:
    """Return a finite number. JSON cannot represent infinities and NaN."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if value - value != 0:
        raise ArgumentTypeError(f"expected a finite number, got {text[:20]!r}")
    return value
