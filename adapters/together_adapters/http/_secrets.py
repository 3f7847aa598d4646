"""The one place that keeps credentials out of errors and logs.

A report of an error shows more than its message, so a secret is hidden wherever it could appear:

- Variables. Error trackers, pytest and `traceback` with `capture_locals` show the variables of every frame of a traceback.
  A function with a secret in a variable is decorated with `hide_variables`, which removes its frames from its errors.
- Reprs. A secret that outlives a function is an attribute of a `Secret`, or a value in `Headers`; both have a repr without it.
- Causes. The error that another one replaces has a message and frames of its own; `without_frames` removes what must not stay.
- Texts of a server. Servers repeat the key that they refuse; `conceal` replaces it in an error.

`_redaction` is for text in which the secrets are not known. Does no I/O.
"""

from __future__ import annotations

from functools import wraps

from .._http_fields import is_token
from .._json_data import is_dict, is_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    ErrorT = TypeVar("ErrorT", bound=BaseException)
    FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

__all__ = ["Headers", "Secret", "conceal", "hide_variables", "without_frames"]

_OWN = ("host", "content-length", "transfer-encoding", "connection")  # they decide where a request ends
_TELLTALE = ("auth", "cookie", "key", "secret", "token")  # in the names of headers that carry credentials


def hide_variables(function: FunctionT) -> FunctionT:
    """Decorate a function that has secrets among its variables: its errors are raised without its frames.

    The traceback then ends at the wrapper, whose own variables are deleted first.
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
    """Remove the tracebacks of an error and of its causes, and every context that is not a cause; returns the error."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = link.__context__ = None
        link = link.__cause__
    return error


def conceal(error: ErrorT, secrets: list[str]) -> ErrorT:
    """Replace secrets in the texts of an error, and drop a cause that contains one; returns the error."""
    cause = error.__cause__
    if cause is not None and _concealed(str(cause), secrets) != str(cause):
        error.__cause__ = None
    error.args = tuple(_concealed(list(error.args), secrets))
    for name, value in vars(error).items():
        setattr(error, name, _concealed(value, secrets))
    return error


def _concealed(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "***")
        return value
    if is_list(value):
        return [_concealed(item, secrets) for item in value]
    if is_dict(value):
        return {_concealed(name, secrets): _concealed(item, secrets) for name, item in value.items()}
    return value


class Secret:
    """An API key, or a function that returns the key for each request; the repr shows neither."""

    def __init__(self, source: str | Callable[[], str] | None) -> None:
        self._source = source

    @property
    def is_constant(self) -> bool:
        """Whether the key is known, and no function is called for it."""
        return not callable(self._source)

    def __bool__(self) -> bool:
        return bool(self._source)

    def __repr__(self) -> str:
        return "<an API key>" if self else "<no API key>"

    def value(self) -> str:
        """Return the key; raises ValueError for a key that a header cannot contain, and what the function raises."""
        return _checked_key(self._source() if callable(self._source) else self._source or "")


@hide_variables
def _checked_key(key: object) -> str:
    if not (isinstance(key, str) and key.isascii() and key.isprintable() and " " not in key):
        raise ValueError("the API key has characters that a header cannot hold, such as a line end")
    return key


class Headers(dict[str, str]):
    """Header fields to send; the repr has no values, because some of them are secrets."""

    def __repr__(self) -> str:
        return f"<headers {', '.join(self)}>"

    def credentials(self) -> list[str]:
        """Return the values of the headers whose names look like those of credentials."""
        return [self[name] for name in self if any([word in name.lower() for word in _TELLTALE])]

    def check(self) -> None:
        """Raise ValueError for a field that cannot be sent or is set by the client itself."""
        for name in self:
            if not is_token(name):
                raise ValueError(f"not the name of a header: {name!r}")
            if name.lower() in _OWN:
                raise ValueError(f"the header {name} is the client's own")
            if not _is_field_value(self[name]):
                raise ValueError(f"the header {name} has characters that a header cannot hold, such as a line end")

    def merged(self, over: Mapping[str, str]) -> Headers:
        """Return these fields, with those of `over` in place of the fields of the same name."""
        names = {name.lower() for name in over}
        return Headers({**{name: value for name, value in self.items() if name.lower() not in names}, **over})


def _is_field_value(value: object) -> bool:
    return isinstance(value, str) and all(
        [(" " <= mark <= "\xff" and not "\x7f" <= mark <= "\x9f") or mark == "\t" for mark in value]
    )
