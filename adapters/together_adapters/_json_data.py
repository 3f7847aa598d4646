"""JSON as Python data: inspecting it, and converting values to it by one of three policies.

- copy (`json_of`, `raw_of`): lossless, for values that are converted further.
- jsonable (`to_jsonable`): lossy, for sending. Numbers and characters that JSON cannot represent are replaced.
- strict (`request_json`): for requests. A part that JSON cannot represent is an error.

Changes no argument.
"""

from __future__ import annotations

import json

from ._types import at, is_array, is_object, well_formed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, TypeVar

    from typing_extensions import TypeGuard

    NamedTupleType = TypeVar("NamedTupleType")

__all__ = [
    "by_index",
    "is_dict",
    "is_list",
    "json_of",
    "message_as_delta",
    "objects_in",
    "raw_of",
    "request_json",
    "to_jsonable",
    "with_call_indexes",
    "with_jsonable_asdict",
]

_MAX_DEPTH = 256


def is_dict(value: Any) -> TypeGuard[dict[str, Any]]:
    """Return whether raw JSON is an object."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Return whether raw JSON is an array."""
    return isinstance(value, list)


def objects_in(values: object) -> list[dict[str, Any]]:
    """Return the objects in an array of raw JSON, or an empty list if `values` is not an array."""
    return [value for value in values if is_dict(value)] if is_list(values) else []


# ---- copy: lossless


def json_of(value: Any) -> dict[str, Any]:
    """Return a value of together_types as a new dict by the copy policy, with everything that the server sent.

    The declared type of the result is a plain dict, unlike that of `to_dict`, which is a TypedDict.
    """
    data: dict[str, Any] = value.to_dict()
    return data


def raw_of(value: Any) -> Any:
    """Return raw JSON as new dicts and lists by the copy policy.

    A member of a string enum becomes its value. A mapping, a value of together_types and a model of an SDK (an object
    with `to_dict` or `model_dump`) become a dict, and a tuple becomes a list. Any other object is returned unchanged.
    """
    if isinstance(value, str):
        return str.__str__(value)
    if is_array(value):
        return [raw_of(item) for item in value]
    if hasattr(value, "keys") and hasattr(value, "__getitem__"):
        return {str(raw_of(key)): raw_of(item) for key, item in dict(value).items()}
    if hasattr(value, "to_dict"):
        return raw_of(value.to_dict())
    return raw_of(_dump_model(value)) if hasattr(value, "model_dump") else value


def _dump_model(model: Any) -> Any:
    """Return the result of a model's `model_dump`.

    Pydantic's options omit the fields that were not set. Models of other libraries may not accept these options.
    """
    try:
        return model.model_dump(by_alias=True, exclude_unset=True)
    except TypeError:
        return model.model_dump()


# ---- strict: for requests


def request_json(parameters: Mapping[str, Any]) -> str:
    """Write the parameters of a request as ASCII JSON by the strict policy.

    Values of together_types and mappings are accepted as objects at any depth. Raises TypeError or ValueError for a
    part that JSON cannot represent.
    """
    return json.dumps(parameters, allow_nan=False, separators=(",", ":"), default=_as_object)


def _as_object(value: Any) -> Any:
    to_dict = getattr(value, "to_dict", None)
    if to_dict is not None:
        return to_dict()
    if hasattr(value, "keys"):
        return dict(value)
    raise TypeError(f"cannot send {type(value).__name__} in a request: use JSON values or together_types values")


# ---- jsonable: lossy, for sending


def to_jsonable(value: Any, path: str = "", level: int = 0) -> Any:
    """Return a value as new JSON data that every JSON writer accepts, by the jsonable policy.

    Accepts values with `to_dict` or `_asdict`, dataclasses, mappings, lists, tuples and sets. A lone surrogate becomes
    U+FFFD. A number that JSON cannot represent (NaN, infinities, thousands of digits) becomes None, and a Decimal
    becomes the nearest int or float. Raises TypeError, with the path, for any other object, and ValueError for JSON
    that is nested deeper than 256 levels.
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
    if is_object(value):
        return {_key(key, path): to_jsonable(item, at(path, str(key)), level + 1) for key, item in value.items()}
    if is_array(value) or _is_set(value):
        return [to_jsonable(item, at(path, index), level + 1) for index, item in enumerate(value)]
    if hasattr(value, "to_integral_value"):  # decimal.Decimal, which DynamoDB's client returns for every number
        return _number(_nearest(value))
    where = well_formed(f"{path}: " if path else "")
    raise TypeError(f"{where}{type(value).__name__} is not JSON serializable")


def with_jsonable_asdict(cls: type[NamedTupleType]) -> type[NamedTupleType]:
    """Replace the `_asdict` of a named tuple with one that converts its values by `to_jsonable`, and return the class.

    AWS Lambda's runtime for Python sends the result of `_asdict`, but cannot send all raw JSON of servers.
    """
    namespace: Any = cls
    namespace._asdict = _jsonable_asdict
    return cls


def _jsonable_asdict(record: Any) -> Any:
    return to_jsonable(dict(zip(record._fields, record)))


def _is_set(value: Any) -> TypeGuard[Iterable[Any]]:
    return isinstance(value, (set, frozenset))


def _as_dict(value: Any) -> Callable[[], Any] | None:
    """Return the function that returns the object as a dict, or None if it is not convertible to a dict."""
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
    """Return the number as a plain int or float, or None if JSON cannot represent it or the interpreter cannot write it."""
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
        number = _number(key)
        return "null" if number is None else repr(number)
    raise TypeError(f"{path + ': ' if path else ''}a key of type {type(key).__name__} is not a JSON key: use str")


# ---- choices and tool calls


def by_index(choices: Iterable[Any] | None) -> list[tuple[int, Any]]:
    """Return choices with their indexes, sorted by index. A choice without an index gets its position as index."""
    places = enumerate(choices or ())
    indexed = [(place if choice.index is None else choice.index, choice) for place, choice in places]
    return sorted(indexed, key=lambda pair: pair[0])


def message_as_delta(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a complete message as one delta. Its tool calls get indexes, which distinguish them."""
    calls = message.get("tool_calls")
    return {**message, "tool_calls": with_call_indexes(calls)} if is_list(calls) else {**message}


def with_call_indexes(calls: Iterable[Any]) -> list[Any]:
    """Return tool calls, as JSON, with an index each. A call without an index gets its position as index."""
    return [
        {**call, "index": place} if is_dict(call) and call.get("index") is None else call
        for place, call in enumerate(calls)
    ]
