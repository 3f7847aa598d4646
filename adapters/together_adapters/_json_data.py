"""JSON as Python data: what every package needs to look into it, and to make it from other values.

Changes no argument.
"""

from __future__ import annotations

from collections.abc import Mapping

from ._types import at, well_formed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, TypeVar

    from typing_extensions import TypeGuard

    NamedTupleType = TypeVar("NamedTupleType")

__all__ = [
    "by_index",
    "is_dict",
    "is_list",
    "is_mapping",
    "is_sequence",
    "json_of",
    "message_as_delta",
    "objects_in",
    "raw_of",
    "to_jsonable",
    "with_call_indexes",
    "with_jsonable_asdict",
]

_MAX_DEPTH = 256


def is_mapping(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, (dict, Mapping))


def is_sequence(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, (list, tuple))


def _is_set(value: Any) -> TypeGuard[Iterable[Any]]:
    return isinstance(value, (set, frozenset))


def to_jsonable(value: Any, path: str = "", level: int = 0) -> Any:
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
        return to_jsonable(as_dict(), path, level + 1)
    if is_mapping(value):
        return {_key(key, path): to_jsonable(item, at(path, str(key)), level + 1) for key, item in value.items()}
    if is_sequence(value) or _is_set(value):
        return [to_jsonable(item, at(path, index), level + 1) for index, item in enumerate(value)]
    if hasattr(value, "to_integral_value"):  # decimal.Decimal, which DynamoDB's client gives for every number
        return _number(_nearest(value))
    where = well_formed(f"{path}: " if path else "")
    raise TypeError(f"{where}{type(value).__name__} is no JSON value")


def with_jsonable_asdict(cls: type[NamedTupleType]) -> type[NamedTupleType]:
    """Give a named tuple an `_asdict` that converts its values with `to_jsonable`.

    AWS Lambda's runtime for Python sends the `_asdict` of a returned value, which may hold JSON of a server.
    """
    namespace: Any = cls
    namespace._asdict = _jsonable_asdict
    return cls


def _jsonable_asdict(record: Any) -> Any:
    return to_jsonable(dict(zip(record._fields, record)))


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


def is_dict(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether raw JSON is an object."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether raw JSON is an array."""
    return isinstance(value, list)


def objects_in(values: object) -> list[dict[str, Any]]:
    """The objects of raw JSON's array; none where it is no array."""
    return [value for value in values if is_dict(value)] if is_list(values) else []


def json_of(value: Any) -> dict[str, Any]:
    """A value's JSON to be taken apart: whatever the server sent, where `to_dict` promises what keeps to the format."""
    data: dict[str, Any] = value.to_dict()
    return data


def raw_of(value: Any) -> Any:
    """The raw JSON of what a field holds."""
    if isinstance(value, str):
        return str(value)  # an enum's member writes itself as its value
    if hasattr(value, "to_dict"):
        return json_of(value)
    if is_sequence(value):
        return [raw_of(item) for item in value]
    return {**value} if is_dict(value) else value


def by_index(choices: Iterable[Any] | None) -> list[tuple[int, Any]]:
    """Choices with their indexes, in the order of these; one that has none counts by its place."""
    places = enumerate(choices or ())
    indexed = [(place if choice.index is None else choice.index, choice) for place, choice in places]
    return sorted(indexed, key=lambda pair: pair[0])


def message_as_delta(message: Mapping[str, Any]) -> dict[str, Any]:
    """A whole message as one delta: its tool calls are numbered, so that they stay apart."""
    calls = message.get("tool_calls")
    return {**message, "tool_calls": with_call_indexes(calls)} if is_list(calls) else {**message}


def with_call_indexes(calls: Iterable[Any]) -> list[Any]:
    """Tool calls, as JSON, of which each that has no index has its place as one."""
    return [
        {**call, "index": place} if is_dict(call) and call.get("index") is None else call
        for place, call in enumerate(calls)
    ]
