"""Tests of `NamedTuple`: the class at run time has the fields of the declaration that type checkers read."""

from __future__ import annotations

import ast
import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
import together_adapters
from together_adapters import Timeout
from together_adapters._named_tuple import NamedTuple
from together_adapters.accumulate import Unmerged
from together_adapters.aws_lambda import HttpEvent
from together_adapters.batch import BatchResult
from together_adapters.openai_format import Loss
from together_adapters.sse import ServerSentEvent

CLASSES: list[Any] = [BatchResult, HttpEvent, Loss, ServerSentEvent, Timeout, Unmerged]
SOURCES = [path.read_text("utf-8") for path in Path(str(together_adapters.__file__)).parent.rglob("*.py")]
DECLARED = {
    statement.name: [item.target.id for item in statement.body if isinstance(item, ast.AnnAssign)]  # type: ignore[union-attr]
    for source in SOURCES
    for statement in ast.walk(ast.parse(source))
    if isinstance(statement, ast.ClassDef) and "NamedTuple" in [ast.unparse(base) for base in statement.bases]
}


class Pair(NamedTuple):
    """Two values."""

    first: int
    second: str = "b"

    def __repr__(self) -> str:
        return f"<{super().__repr__()}>"


def test_class_statement_creates_a_named_tuple() -> None:
    pair = Pair(1)
    assert pair == (1, "b") == Pair(second="b", first=1) and pair._replace(first=2) == (2, "b")
    assert (
        repr(pair) == "<Pair(first=1, second='b')>" and Pair.__doc__ == "Two values." and not hasattr(pair, "__dict__")
    )
    assert pickle.loads(pickle.dumps(pair)) == copy.deepcopy(pair) == pair
    with pytest.raises(TypeError, match="first"):
        Pair()  # type: ignore[call-arg]


@pytest.mark.parametrize("cls", CLASSES)
def test_named_tuple_has_the_declared_fields(cls: Any) -> None:
    declared = DECLARED.get(cls.__name__) or DECLARED["_Fields"]
    assert [*cls._fields] == [*getattr(cls, "__match_args__", cls._fields)] == declared
    assert issubclass(cls, tuple) and cls.__slots__ == ()


def test_named_tuple_without_arguments_has_the_defaults() -> None:
    assert Timeout() == (10.0, 600.0, 300.0, None) and ServerSentEvent() == ("message", "", "", None)
    assert BatchResult._field_defaults == {"status": None, "request_id": None}


@pytest.mark.parametrize("cls", [BatchResult, Loss, Unmerged])
def test_asdict_of_invalid_json_values_is_json_serializable(cls: Any) -> None:
    record = cls(*["\ud800", (float("nan"), 1), {"n": {2}}])
    assert [*record._asdict().values()][:3] == ["\ufffd", [None, 1], {"n": [2]}]
