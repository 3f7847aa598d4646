"""Rules that fit JSON to a schema: what fits is kept, what is not in the schema is left out, what is missing is filled in.
Rules never raise and never change what they are given, of which the result may hold parts.

A rule takes raw JSON and gives what it becomes, or `INVALID` where nothing of it can stand.
"""

from __future__ import annotations

from .._json_data import is_dict, is_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Rule = Callable[[Any], Any]

__all__ = [
    "INVALID",
    "array",
    "between",
    "either",
    "flag",
    "integer",
    "integer_map",
    "literal",
    "map_of",
    "nullable",
    "number",
    "object_of",
    "raw_object",
    "text",
]


class _Invalid:
    def __repr__(self) -> str:
        return "INVALID"


INVALID: Any = _Invalid()


def text(raw: Any) -> Any:
    """A string."""
    return raw if isinstance(raw, str) else INVALID


def flag(raw: Any) -> Any:
    """true or false."""
    return raw if isinstance(raw, bool) else INVALID


def integer(raw: Any) -> Any:
    """An integer; a number that says one in another way becomes it."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    return int(raw) if isinstance(raw, float) and raw.is_integer() else INVALID


def number(raw: Any) -> Any:
    """A finite number."""
    if isinstance(raw, (int, float)) and not isinstance(raw, bool) and raw - raw == 0:
        return raw
    return INVALID


def between(rule: Rule, low: float, high: float) -> Rule:
    """A number that is not under `low` and not over `high`."""

    def fit(raw: Any) -> Any:
        fitted = rule(raw)
        return fitted if fitted is not INVALID and low <= fitted <= high else INVALID

    return fit


def integer_map(raw: Any) -> Any:
    """An object whose values are integers; other numbers are rounded."""
    if not is_dict(raw):
        return INVALID
    return {name: round(value) for name, value in raw.items() if number(value) is not INVALID}


def raw_object(raw: Any) -> Any:
    """Any object, such as a JSON Schema."""
    return raw if is_dict(raw) else INVALID


def literal(*names: str) -> Rule:
    """One of some strings."""
    return lambda raw: raw if isinstance(raw, str) and raw in names else INVALID


def nullable(rule: Rule) -> Rule:
    """What the rule gives, or null."""

    def fit(raw: Any) -> Any:
        fitted = rule(raw)
        return None if fitted is INVALID else fitted

    return fit


def either(*rules: Rule) -> Rule:
    """The first rule that can keep anything."""
    return lambda raw: next((fitted for rule in rules if (fitted := rule(raw)) is not INVALID), INVALID)


def array(rule: Rule, least: int = 0, most: int | None = None) -> Rule:
    """The first `most` elements that fit; nothing at all where there are fewer than `least`."""

    def fit(raw: Any) -> Any:
        if not is_list(raw):
            return INVALID
        items = [fitted for item in raw if (fitted := rule(item)) is not INVALID]
        return items[:most] if len(items) >= least else INVALID

    return fit


def map_of(rule: Rule) -> Rule:
    """An object of any keys, without the values that do not fit."""

    def fit(raw: Any) -> Any:
        if not is_dict(raw):
            return INVALID
        return {name: fitted for name, value in raw.items() if (fitted := rule(value)) is not INVALID}

    return fit


def object_of(required: Mapping[str, tuple[Rule, Any]], optional: Mapping[str, Rule] | None = None) -> Rule:
    """An object of these keys only.

    A required key has its rule and what stands there where the rule cannot keep anything; where that is UNFIT, the
    whole object does not fit. An optional key that is null is left out, which every schema allows.
    """

    def fit(raw: Any) -> Any:
        if not is_dict(raw):
            return INVALID
        fitted: dict[str, Any] = {}
        for key, (rule, filler) in required.items():
            value = rule(raw.get(key))
            fitted[key] = filler if value is INVALID else value
            if fitted[key] is INVALID:
                return INVALID
        for key, rule in (optional or {}).items():
            value = rule(raw[key]) if raw.get(key) is not None else INVALID
            if value is not INVALID:
                fitted[key] = value
        return fitted

    return fit
