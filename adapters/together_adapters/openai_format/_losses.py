"""The differences between two values of one class, by path. The comparison does not depend on any format."""

from __future__ import annotations

from .._json_data import is_dict, raw_of, with_jsonable_asdict
from .._named_tuple import NamedTuple
from .._types import at, is_array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ..protocols import JSON

__all__ = ["Loss", "diff"]

_SHOWN = 80


@with_jsonable_asdict
class Loss(NamedTuple):
    """A value that a conversion does not preserve.

    `path` is its position, like `choices[0].seed`, and `problem` describes the change, like `left out`. `value` is the
    original, or None for a value that the conversion adds.
    """

    path: str
    problem: str
    value: JSON


def diff(before: Any, after: Any) -> list[Loss]:
    """Return the differences between two values of one class, at most one for each path."""
    found: dict[str, Loss] = {}
    for loss in _between(before, after, ""):
        found.setdefault(loss.path, loss)
    return list(found.values())


def _between(before: Any, after: Any, path: str) -> Iterator[Loss]:
    if before is after:
        return
    if hasattr(before, "to_dict") and before.__class__ is after.__class__:
        yield from _between_values(before, after, path)
    elif is_dict(before) and is_dict(after):
        yield from _between_members(before, after, path)
    elif is_array(before) and before.__class__ is after.__class__ and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after)):
            yield from _between(one, other, at(path, index))
    elif before != after or (before.__class__ is bool) is not (after.__class__ is bool):  # True == 1
        yield Loss(path, _problem(before, after), raw_of(before))


def _between_values(before: Any, after: Any, path: str) -> Iterator[Loss]:
    differing: set[str] = set()
    for name in before.__match_args__:
        key = name.rstrip("_")
        if name != "extra":
            where, becomes = at(path, key), getattr(after, name)
            for loss in _between(getattr(before, name), becomes, where):
                differing.add(key)
                if loss.path == where and key in before.extra:  # the JSON that was received is in `extra`
                    raw = before.extra[key]
                    loss = Loss(where, _problem(raw, becomes), raw)
                yield loss
    yield from _between_members(before.extra, after.extra, path, differing)


def _between_members(before: Any, after: Any, path: str, known: Iterable[str] = ()) -> Iterator[Loss]:
    for key in [key for key in {**before, **after} if key not in known]:
        where = at(path, key)
        if key not in after:
            yield Loss(where, "left out", before[key])
        elif key not in before:
            yield Loss(where, f"becomes {_shown(after[key])}", None)
        else:
            yield from _between(before[key], after[key], where)


def _problem(before: Any, after: Any) -> str:
    if after is None:
        return "left out"
    return f"filled in with {_shown(after)}" if before is None else f"becomes {_shown(after)}"


def _shown(value: Any) -> str:
    text = repr(raw_of(value))
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
