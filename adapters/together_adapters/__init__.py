"""Clients, event streams, chunks and completions of Together and of OpenAI-compatible servers.

This module exports the clients, `Timeout` and the exceptions. The clients are imported when they are first used.
Therefore importing this package, or a module of it that does not use the network, loads neither sockets nor asyncio.

Needs only the standard library.
"""

from __future__ import annotations

from .errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    IncompleteStreamError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    StreamError,
    StreamTimeoutError,
    UnprocessableEntityError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .aio import AsyncTogether
    from .client import Together
    from .http import Timeout

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncTogether",
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "IncompleteStreamError",
    "InternalServerError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "StreamError",
    "StreamTimeoutError",
    "Timeout",
    "Together",
    "UnprocessableEntityError",
]


def __getattr__(name: str) -> object:
    # Tools that pack or freeze programs find modules by their import statements, so importlib is not used here.
    found: object
    try:
        if name == "Together":
            from .client import Together

            found = Together
        elif name == "AsyncTogether":
            from .aio import AsyncTogether

            found = AsyncTogether
        elif name == "Timeout":
            from .http import Timeout

            found = Timeout
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    except ImportError as error:
        raise ImportError(
            f"{name} cannot be imported: {error}. If this is a vendored copy of only some parts,"
            " copy it again with `--only client` added to the options of `vendor`"
        ) from error
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
