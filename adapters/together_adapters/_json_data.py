"""What may leave this process: data that every JSON writer can write, and text without secrets. Nothing here sends
or changes what it is given.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from ._types import at, well_formed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from typing_extensions import TypeGuard

__all__ = ["is_mapping", "is_sequence", "plain", "redact", "sendable_fields"]

_MAX_DEPTH = 256
_SHORTEST_SECRET = 6
_SECRET_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIALS")
_HIDDEN = "[hidden]"

# Compiled at the first use, by `re`, which keeps it: importing is to take little time.
# The forms that keys have wherever they are issued: by a scheme of the Authorization header, by a prefix
# (OpenAI, Together, Groq, Hugging Face, xAI), AWS's key ids, 64 hexadecimal digits (Together's older keys),
# and the part of a URL before its host.
_SECRETS = (
    r"(?P<before>\b(?:bearer|basic)\s+)[^\s\"',;]+"
    r"|\b(?:sk|tgp_v1)[-_][A-Za-z0-9_-]{4,}"
    r"|\b(?:gsk|hf|xai)[-_][A-Za-z0-9]{16,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{12,}"
    r"|\b[0-9a-f]{64}\b"
    r"|(?<=://)[^/@\s]+(?=@)"
)


def redact(text: str, known: Iterable[str] = ()) -> str:
    """The text without what looks like a key, without the `known` secrets, and without those of the environment."""
    secrets = [value for name, value in os.environ.items() if name.upper().endswith(_SECRET_NAMES)]
    for secret in sorted([*secrets, *known], key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, _HIDDEN)
    return re.sub(_SECRETS, lambda found: (found["before"] or "") + _HIDDEN, text, flags=re.IGNORECASE)


def is_mapping(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, (dict, Mapping))


def is_sequence(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, (list, tuple))


def _is_set(value: Any) -> TypeGuard[Iterable[Any]]:
    return isinstance(value, (set, frozenset))


def plain(value: Any, path: str = "", level: int = 0) -> Any:
    """Any value as new dicts, lists, texts and numbers that every JSON writer can write.

    Values that have `to_dict` or `_asdict`, dataclasses, any mapping, tuples and sets are taken. Lone surrogates
    become U+FFFD; numbers that JSON cannot hold (NaN, infinities, thousands of digits) become None, a Decimal the
    nearest number. Raises TypeError for anything else, with its path, and ValueError below 256 levels.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return well_formed(str.__str__(value))
    if isinstance(value, (int, float)):
        return _number(value)
    if level >= _MAX_DEPTH:
        raise ValueError(f"nested deeper than {_MAX_DEPTH} levels: {path[:80]}...")
    as_dict = _as_dict(value)
    if as_dict is not None:
        return plain(as_dict(), path, level + 1)
    if is_mapping(value):
        return {_key(key, path): plain(item, at(path, str(key)), level + 1) for key, item in value.items()}
    if is_sequence(value) or _is_set(value):
        return [plain(item, at(path, index), level + 1) for index, item in enumerate(value)]
    if hasattr(value, "to_integral_value"):  # decimal.Decimal, which DynamoDB's client gives for every number
        return _number(_nearest(value))
    where = well_formed(f"{path}: " if path else "")
    raise TypeError(f"{where}{type(value).__name__} is no JSON value")


def sendable_fields(record: Any) -> Any:
    """The `_asdict` of a named tuple that may hold what a server sent: AWS Lambda's runtime client sends what it gives."""
    return plain(dict(zip(record._fields, record)))


def _as_dict(value: Any) -> Callable[[], Any] | None:
    """What gives an object's members, for one that has any."""
    if isinstance(value, type):
        return None
    fields: Iterable[str] | None = getattr(value, "__dataclass_fields__", None)
    by_field = None if fields is None else lambda: {name: getattr(value, name) for name in fields}
    return getattr(value, "to_dict", None) or getattr(value, "_asdict", None) or by_field


def _nearest(number: Any) -> float:
    if not number.is_finite():
        return float("nan")
    return int(number) if number == number.to_integral_value() and number.adjusted() < 18 else float(number)


def _number(value: Any) -> float | None:
    """The number as a plain int or float; None where JSON cannot hold it, or this interpreter not write it."""
    if isinstance(value, float):
        return float(value) if value - value == 0 else None
    number = int(value)
    try:
        str(number)
    except ValueError:
        return None
    return number


def _key(key: Any, path: str) -> str:
    if isinstance(key, str):
        return well_formed(str.__str__(key))
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    if isinstance(key, (int, float)):
        return repr(_number(key))
    raise TypeError(f"{path + ': ' if path else ''}a key that is {type(key).__name__} is no JSON key")
