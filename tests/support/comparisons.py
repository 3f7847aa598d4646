"""Comparisons that are stricter than `==`: 1 differs from 1.0 and True, and null from an absent key."""

from __future__ import annotations

import json

from together_types._model import Value


def same(left: object, right: object) -> bool:
    """Return whether two values have the same JSON text: 1 differs from 1.0, and NaN equals NaN.

    The order of keys is ignored.
    """
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def exactly(value: object) -> object:
    """Return a value as plain data for a strict comparison.

    In it null differs from an absent key, 1 from 1.0 and True, and a member of an enum from its string.
    """
    if isinstance(value, Value):
        return type(value), {key: exactly(item) for key, item in vars(value).items()}
    if isinstance(value, (tuple, list)):
        return type(value), [exactly(item) for item in value]
    if isinstance(value, dict):
        return type(value), {key: exactly(item) for key, item in value.items()}
    return type(value), repr(value)
