"""Hypothesis strategies for JSON objects with the keys of the classes of together_types, and mostly of their shape."""

from __future__ import annotations

import types
import typing
from functools import cache

from corpus import TYPES
from hypothesis import strategies as st

from together_types._model import Value

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.integers().map(str)
    | st.integers(-9, 9).map(float)
    | st.sampled_from(["stop", "eos", "", "user", "chat.completion", "0", "-7", "1_0", "２"])
)


@cache
def json_objects(keys: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, object]]:
    """Return a strategy for JSON objects that use these keys at every depth."""
    values = st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
    )
    return st.dictionaries(keys, values, max_size=6)


KNOWN_KEYS = sorted({key for cls in TYPES for key in cls._schema.readers})
TRAPS = ["extra", "to_dict", "__class__", "__dict__", "issues", "_readers", "schema_", "type_", ""]


@cache
def keys_of(cls: type[Value]) -> st.SearchStrategy[str]:
    """Return a strategy for keys: those of this class, those of other classes, and names that are not fields."""
    return st.sampled_from(sorted(cls._schema.readers)) | st.sampled_from(KNOWN_KEYS) | st.sampled_from(TRAPS)


@cache
def shaped(cls: type[Value], depth: int = 3) -> st.SearchStrategy[dict[str, object]]:
    """Return a strategy for JSON objects that mostly have the shape of `cls`, so that nested values are read."""
    hints = typing.get_type_hints(cls)
    fields = {
        key: shaped_field(hints[name], depth) | json_objects(keys_of(cls)) | SCALARS
        for name, key in cls._schema.keys.items()
    }
    return st.fixed_dictionaries({}, optional=fields)


def shaped_field(hint: object, depth: int) -> st.SearchStrategy[object]:
    if isinstance(hint, type) and issubclass(hint, Value):
        return shaped(hint, depth - 1) if depth else st.just({})
    if typing.get_origin(hint) is tuple:
        return st.lists(shaped_field(typing.get_args(hint)[0], depth), max_size=3)
    if typing.get_origin(hint) in (typing.Union, getattr(types, "UnionType", None)):
        return st.one_of([shaped_field(arm, depth) for arm in typing.get_args(hint)])
    return SCALARS
