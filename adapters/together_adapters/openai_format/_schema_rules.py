"""Rules that make JSON conform to a schema.

A rule is a function from JSON to JSON. It keeps valid values, drops keys that are not in the schema, and adds required
values that are missing. It returns `INVALID` for a value that cannot be made to conform. Some functions of this module
are rules, and the others return rules. The result of a rule may share parts with its argument.

Does not raise exceptions or change arguments.
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
    """Accept a string."""
    return raw if isinstance(raw, str) else INVALID


def flag(raw: Any) -> Any:
    """Accept true or false."""
    return raw if isinstance(raw, bool) else INVALID


def integer(raw: Any) -> Any:
    """Accept an integer. A float without a fraction is converted: 5.0 becomes 5."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    return int(raw) if isinstance(raw, float) and raw.is_integer() else INVALID


def number(raw: Any) -> Any:
    """Accept a finite number."""
    if isinstance(raw, (int, float)) and not isinstance(raw, bool) and raw - raw == 0:
        return raw
    return INVALID


def between(rule: Rule, low: float, high: float) -> Rule:
    """Return the given rule with a limit: its numbers must be at least `low` and at most `high`."""

    def fit(raw: Any) -> Any:
        fitted = rule(raw)
        return fitted if fitted is not INVALID and low <= fitted <= high else INVALID

    return fit


def integer_map(raw: Any) -> Any:
    """Accept an object whose values are integers. Other numbers are rounded, and other values are dropped."""
    if not is_dict(raw):
        return INVALID
    return {name: round(value) for name, value in raw.items() if number(value) is not INVALID}


def raw_object(raw: Any) -> Any:
    """Accept any object, such as a JSON Schema."""
    return raw if is_dict(raw) else INVALID


def literal(*names: str) -> Rule:
    """Return a rule that accepts only the given strings."""
    return lambda raw: raw if isinstance(raw, str) and raw in names else INVALID


def nullable(rule: Rule) -> Rule:
    """Return a rule that returns null where the given rule returns INVALID."""

    def fit(raw: Any) -> Any:
        fitted = rule(raw)
        return None if fitted is INVALID else fitted

    return fit


def either(*rules: Rule) -> Rule:
    """Return a rule that applies the first of the given rules that does not return INVALID."""
    return lambda raw: next((fitted for rule in rules if (fitted := rule(raw)) is not INVALID), INVALID)


def array(rule: Rule, least: int = 0, most: int | None = None) -> Rule:
    """Return a rule that keeps the first `most` valid elements of an array. Fewer than `least` are INVALID."""

    def fit(raw: Any) -> Any:
        if not is_list(raw):
            return INVALID
        items = [fitted for item in raw if (fitted := rule(item)) is not INVALID]
        return items[:most] if len(items) >= least else INVALID

    return fit


def map_of(rule: Rule) -> Rule:
    """Return a rule that drops the invalid values of an object, and accepts any keys."""

    def fit(raw: Any) -> Any:
        if not is_dict(raw):
            return INVALID
        return {name: fitted for name, value in raw.items() if (fitted := rule(value)) is not INVALID}

    return fit


def object_of(required: Mapping[str, tuple[Rule, Any]], optional: Mapping[str, Rule] | None = None) -> Rule:
    """Return a rule that keeps only the given keys of an object.

    A required key has a rule, and a default that replaces an absent or invalid value. If the default is INVALID, such a
    value makes the whole object invalid. An optional key whose value is null or invalid is dropped.
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
