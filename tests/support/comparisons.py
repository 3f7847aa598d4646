"""Comparisons that tell apart what `==` does not: 1 from 1.0 and True, null from absent."""

from __future__ import annotations

import json

from together_types._model import Value


def same(left: object, right: object) -> bool:
    """Equal as JSON text is: 1 is not 1.0, NaN is NaN; the order of keys does not count."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def exactly(value: object) -> object:
    """A value as plain data that tells null from absent, 1 from 1.0 and True, a member from its string."""
    if isinstance(value, Value):
        return type(value), {key: exactly(item) for key, item in vars(value).items()}
    if isinstance(value, (tuple, list)):
        return type(value), [exactly(item) for item in value]
    if isinstance(value, dict):
        return type(value), {key: exactly(item) for key, item in value.items()}
    return type(value), repr(value)
