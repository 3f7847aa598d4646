"""Flattening of modules to a single file: the names that it chooses, and the source that it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from together_adapters.vendor._single_file import flatten

HEAD = "from __future__ import annotations\n\nTYPE_CHECKING = False\nif TYPE_CHECKING:\n    from typing import Any\n"


def flattened(*bodies: str) -> str:
    """Return modules `package.a`, `package.b` ... with these bodies as one module."""
    texts = {f"package.{name}": f'"""Module {name}."""\n\n{HEAD}{body}' for name, body in zip("abc", bodies)}
    return flatten({"package.__init__": '"""Package."""\n', **texts}, (), '"""Both."""', "1.0").text


def run(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(text, "single", "exec"), names)
    return names


COUNTER = """
__all__ = ["{name}"]
_count, _width = 0, 4
def {name}():
    global _count
    _count += 1
    return f"{{_count!r:>{{_width}}}}{{{{_count}}}}" "_count" f"{{_scaled(_count)}}"
def _scaled(number):
    return number * {factor}
"""


def test_equal_private_names_are_renamed_in_statements_and_f_strings() -> None:
    names = run(flattened(COUNTER.format(name="f", factor=10), COUNTER.format(name="g", factor=100)))
    assert [names["f"](), names["g"](), names["g"](), names["f"]()] == [
        "   1{_count}_count10",
        "   1{_count}_count100",
        "   2{_count}_count200",
        "   2{_count}_count20",
    ]
    assert {"_count", "_b_count", "_scaled", "_b_scaled"} <= names.keys()


def test_import_with_a_second_definition_is_renamed_in_place() -> None:
    body = """
__all__ = ["{name}"]
import sys
if sys.version_info >= ({version},):
    from string import capwords as _words, digits
else:
    def _words(text):
        return "older"
    digits = ""
def {name}(text):
    return _words(text) + digits
"""
    names = run(flattened(body.format(name="f", version=3), body.format(name="g", version=3)))
    assert names["f"]("a b") == names["g"]("a b") == "A B0123456789"
    assert {"_words", "_b_words", "digits", "_b_digits"} <= names.keys()
    names = run(flattened(body.format(name="f", version=3), body.format(name="g", version=99)))
    assert (names["f"]("a b"), names["g"]("a b")) == ("A B0123456789", "older")


def test_renamed_classes_and_decorated_functions_keep_their_behaviour() -> None:
    body = """
__all__ = ["{name}"]
def _twice(function):
    return lambda: function() * 2
class _Base:
    value = "{name}"
class _Derived(_Base):
    pass
@_twice
def _made():
    return _Derived.value
def {name}():
    return _made()
"""
    names = run(flattened(body.format(name="f"), body.format(name="g")))
    assert (names["f"](), names["g"]()) == ("ff", "gg")
    assert names["_b_Derived"].__bases__ == (names["_b_Base"],)


@pytest.mark.parametrize(
    ("bodies", "problem"),
    [
        (["import json\n", "from os import path as json\n"], r"^b: `from os import path as json` binds a name that"),
        (["_x = 1\n_b_x = 2\n", "_x = 3\n"], "^b: the names _x and _b_x are both taken$"),
        (
            ["import asyncio\nloop = asyncio.new_event_loop\n"],
            "^a, line 9: asyncio is slow to import: use it in functions only$",
        ),
    ],
    ids=["import", "prefix", "import time"],
)
def test_source_that_cannot_be_flattened_is_refused(bodies: list[str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        flattened(*bodies)
