"""Keeping credentials out of errors and logs.

An error report shows more than the message of the error. So secrets are removed from each part of it:

- Variables: error trackers, pytest and `traceback` with `capture_locals` show the variables of every frame of a
  traceback. A function with a secret in a variable is decorated with `hide_variables`, which removes its frames from
  its errors.
- Reprs: a secret that outlives a function is an attribute of a `Secret` or a value in `Headers`. Their reprs omit it.
- Causes: the cause of an error has its own message and frames. `without_frames` removes the frames, and `conceal` a
  cause whose message contains a secret.
- Error messages of a server: servers quote a key that they reject. `conceal` replaces it in the error.

`_redaction` is for text in which the secrets are not known. Does no I/O.
"""

from __future__ import annotations

import re
from functools import wraps
from urllib.parse import unquote_plus

from .._http_fields import is_token
from .._json_data import is_dict, is_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any, TypeVar

    ErrorT = TypeVar("ErrorT", bound=BaseException)
    FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

__all__ = [
    "Headers",
    "Secret",
    "conceal",
    "concealed",
    "credentials_in_query",
    "headers_of",
    "hide_variables",
    "without_frames",
]

# The client sets these itself, because they determine where a request goes and where it ends.
_OWN = ("host", "content-length", "transfer-encoding", "connection")
_TELLTALE = ("auth", "cookie", "key", "secret", "token")  # parts of the names of fields that contain credentials


def hide_variables(function: FunctionT) -> FunctionT:
    """Decorate a function whose variables contain secrets, so that its errors are raised without its frames.

    The traceback ends at the wrapper, whose own variables are deleted first.
    """

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            failure = without_frames(error)
        del args, kwargs
        raise failure

    decorated: Any = call
    return decorated  # type: ignore[no-any-return]


def without_frames(error: ErrorT) -> ErrorT:
    """Remove the tracebacks of an error and its causes, and every context that is not a cause, and return the error."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = link.__context__ = None
        link = link.__cause__
    return error


def conceal(error: ErrorT, secrets: list[str]) -> ErrorT:
    """Replace secrets in the texts of an error, drop a cause that contains a secret, and return the error."""
    cause = error.__cause__
    if cause is not None and concealed(str(cause), secrets) != str(cause):
        error.__cause__ = None
    error.args = tuple(concealed(list(error.args), secrets))
    for name, value in vars(error).items():
        setattr(error, name, concealed(value, secrets))
    return error


def concealed(value: Any, secrets: list[str]) -> Any:
    """Return a JSON value with every secret in its texts replaced by `***`, also if its characters are JSON escapes."""
    if isinstance(value, str):
        return re.sub("|".join([_pattern_of(secret) for secret in secrets]), "***", value) if secrets else value
    if is_list(value):
        return [concealed(item, secrets) for item in value]
    if is_dict(value):
        return {concealed(name, secrets): concealed(item, secrets) for name, item in value.items()}
    return value


def _pattern_of(secret: str) -> str:
    """Return a pattern for a secret, whose characters may be escaped as in JSON."""
    return "".join([rf"(?:\\?{re.escape(mark)}|(?i:\\u{ord(mark):04x}))" for mark in secret])


def credentials_in_query(target: str) -> list[str]:
    """Return the values in the query of a URL whose names indicate credentials, both encoded and decoded."""
    pairs = [part.partition("=") for part in target.partition("?")[2].split("&")]
    values = [value for name, _, value in pairs if _indicates_credentials(unquote_plus(name))]
    return [*values, *map(unquote_plus, values)]


def _indicates_credentials(name: str) -> bool:
    return any([word in name.lower() for word in _TELLTALE])


class Secret:
    """An API key, or a function that returns the key for each request. The repr shows neither.

    The function may be a coroutine function if the key is read with `awaited`.
    """

    def __init__(self, source: str | Callable[[], str | Awaitable[str]] | None) -> None:
        self._source = source

    @property
    def is_constant(self) -> bool:
        """True if the key is a constant and not a function."""
        return not callable(self._source)

    def __bool__(self) -> bool:
        return bool(self._source)

    def __repr__(self) -> str:
        return "<an API key>" if self else "<no API key>"

    def value(self) -> str:
        """Return the key.

        Raises ValueError unless it is printable ASCII without spaces, TypeError for a coroutine function, and any
        exception of the function.
        """
        return _checked_key(self._source() if callable(self._source) else self._source or "")

    async def awaited(self) -> str:
        """Return the key like `value`, and await it if the function is a coroutine function."""
        return _checked_key(await _result_of(self._source) if callable(self._source) else self._source or "")


async def _result_of(function: Callable[[], Any]) -> Any:
    result = function()
    return await result if hasattr(result, "__await__") else result


@hide_variables
def _checked_key(key: Any) -> str:
    if hasattr(key, "__await__"):
        if hasattr(key, "close"):
            key.close()  # Python warns about a coroutine that is neither awaited nor closed
        raise TypeError("api_key is a coroutine function, which only AsyncTogether accepts")
    if not (isinstance(key, str) and key.isascii() and key.isprintable() and " " not in key):
        raise ValueError("the API key must be printable ASCII text without spaces and line breaks")
    return key


class Headers(dict[str, str]):
    """Header fields to send. The repr omits the values, because some of them are secrets."""

    def __repr__(self) -> str:
        return f"<headers {', '.join(self)}>"

    def credentials(self) -> list[str]:
        """Return the values of the headers whose names indicate credentials."""
        return [self[name] for name in self if _indicates_credentials(name)]

    def check(self) -> None:
        """Raise ValueError for a field that cannot be sent or is set by the client itself."""
        for name in self:
            given: Any = name
            if not isinstance(given, str):
                raise ValueError(f"the name of a header must be a str, got {type(given).__name__}")
            if not is_token(name):
                raise ValueError(f"not a valid header name: {name!r}")
            if name.lower() in _OWN:
                raise ValueError(f"the header {name} is set by the client itself")
            value: Any = self[name]
            if not isinstance(value, str):
                raise ValueError(f"the header {name} must be a str, got {type(value).__name__}")
            if not _is_field_value(value):
                raise ValueError(f"the header {name} has characters that a header cannot contain, such as a line break")

    def merged(self, over: Mapping[str, str]) -> Headers:
        """Return these fields updated with those of `over`. Names are case-insensitive."""
        names = {name.lower() for name in over}
        return Headers({**{name: value for name, value in self.items() if name.lower() not in names}, **over})


@hide_variables
def headers_of(argument: str, fields: Mapping[str, str]) -> Headers:
    """Return the header fields of the argument with this name. If names differ only in case, the last one is kept.

    Raises ValueError if `fields` is not a mapping, and for a field that `check` refuses.
    """
    try:
        headers = Headers(fields)
    except (TypeError, ValueError):
        raise ValueError(f"{argument} must be a mapping, got {type(fields).__name__}") from None
    headers.check()
    return Headers({name.lower(): (name, value) for name, value in headers.items()}.values())


def _is_field_value(value: str) -> bool:
    return all([(" " <= mark <= "\xff" and not "\x7f" <= mark <= "\x9f") or mark == "\t" for mark in value])
