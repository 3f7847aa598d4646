"""Fields that a program declares in its own subclass of a value class, with either decorator."""

from __future__ import annotations

import copy
import dataclasses
import enum
import functools
import inspect
import json
import pickle
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, ClassVar, Optional, Union

import pytest
from comparisons import same
from hypothesis import given, strategies as st
from strategies import SCALARS, json_objects

import together_types
from together_types import (
    ChatCompletionChoicesData,
    ChatCompletionResponse,
    FinishReason,
    ParseError,
    ResponseFormat,
    UsageData,
)
from together_types._annotations import _with_unions
from together_types._json import FrozenList
from together_types._model import Value


class Mood(str, enum.Enum):
    """A closed enum of a program."""

    SUNNY = "sunny"
    DARK = "dark"


@together_types.dataclass(frozen=True)
class Answer(ChatCompletionResponse):
    """A class with every kind of annotation."""

    KIND: ClassVar[str] = "answer"
    mood: str | None = None
    count: int = 7
    score: float = 0
    flag: Optional[bool] = None  # noqa: UP045 - programs write it
    level: int | str | None = "low"
    closed: Mood | None = None
    open: FinishReason | None = None
    tags: tuple[str, ...] = ()
    gaps: tuple[int | None, ...] | None = None
    prices: Mapping[str, float] | None = None
    parts: Mapping[str, Part] | None = None
    anything: Any = None
    blobs: tuple[Any, ...] | None = None
    details: Mapping[str, Any] | None = None
    tree: Part | None = None
    choices: tuple[Choice, ...] | None = None


@dataclasses.dataclass(frozen=True)
class StandardAnswer(ChatCompletionResponse):
    """A class with the same annotations, by the decorator of the standard library."""

    KIND: ClassVar[str] = "answer"
    mood: str | None = None
    count: int = 7
    score: float = 0
    flag: Optional[bool] = None  # noqa: UP045 - programs write it
    level: int | str | None = "low"
    closed: Mood | None = None
    open: FinishReason | None = None
    tags: tuple[str, ...] = ()
    gaps: tuple[int | None, ...] | None = None
    prices: Mapping[str, float] | None = None
    parts: Mapping[str, Part] | None = None
    anything: Any = None
    blobs: tuple[Any, ...] | None = None
    details: Mapping[str, Any] | None = None
    tree: Part | None = None
    choices: tuple[Choice, ...] | None = None


# These are defined after the classes whose annotations refer to them.
@together_types.dataclass(frozen=True)
class Choice(ChatCompletionChoicesData):
    """A subclass of the class of a nested value."""

    safety: str | None = None


@dataclasses.dataclass(frozen=True)
class Part(UsageData):
    """A class whose values contain values of the same class."""

    parts: tuple[Part, ...] | None = None
    parent: Part | None = None


BOTH = pytest.mark.parametrize("cls", [Answer, StandardAnswer])
DATA = {
    "id": "o1",
    "mood": "calm",
    "count": "5",
    "score": 0.5,
    "flag": True,
    "level": None,
    "closed": "sunny",
    "open": "abort",
    "tags": ["a", "b"],
    "gaps": [1, None],
    "prices": {"eur": 1.0},
    "parts": {"x": {"total_tokens": 1}},
    "anything": {"a": [1, {"b": []}]},
    "blobs": [1, {"a": [1]}],
    "details": {"a": [{}]},
    "tree": {"total_tokens": 3, "parts": [{"parent": {}}]},
    "choices": [{"index": 0, "safety": "safe", "message": {"content": "hi"}}],
    "undeclared": [1, {"a": [2]}],
}


@BOTH
def test_field_with_any_supported_annotation_is_read(cls: Any) -> None:
    value = cls.from_dict(DATA)
    assert (value.mood, value.count, value.score, value.flag, value.level) == ("calm", 5, 0.5, True, None)
    assert value.closed is Mood.SUNNY and value.open == FinishReason("abort")
    assert (value.tags, value.gaps, value.prices) == (("a", "b"), (1, None), {"eur": 1.0})
    assert isinstance(value.parts["x"], Part) and isinstance(value.tree.parts[0].parent, Part)
    assert (value.anything, value.blobs, value.details) == (DATA["anything"], (1, {"a": [1]}), {"a": [{}]})
    assert isinstance(value.choices[0], Choice) and value.choices[0].safety == "safe" and value.text == "hi"
    assert value.extra == {"count": "5", "undeclared": [1, {"a": [2]}]}
    assert cls.KIND == "answer" and "KIND" not in value.to_dict()
    assert same(value.to_dict(), DATA) and json.loads(value.to_json()) == DATA


FIELDS = sorted({"mood", "count", "score", "flag", "level", "closed", "open", "tags", "gaps", "prices", "parts"})
KEYS = st.sampled_from([*FIELDS, "anything", "blobs", "details", "tree", "choices", "id", "x", "parent", "extra"])
LIKELY = st.fixed_dictionaries(
    {},
    optional={
        "mood": SCALARS,
        "count": SCALARS,
        "score": SCALARS,
        "level": SCALARS,
        "closed": st.sampled_from(["sunny", "dark", "grey", None]),
        "tags": st.lists(st.text(max_size=2) | SCALARS, max_size=3),
        "gaps": st.lists(st.integers() | st.none() | SCALARS, max_size=3),
        "prices": st.dictionaries(st.text(max_size=2), st.floats() | SCALARS, max_size=3),
        "blobs": st.lists(json_objects(KEYS), max_size=2),
        "tree": st.recursive(
            st.just({"total_tokens": 1}),
            lambda tree: st.fixed_dictionaries({"parent": tree, "parts": st.lists(tree, max_size=2)}),
            max_leaves=4,
        ),
    },
)


@BOTH
@given(st.data())
def test_any_json_is_read_with_the_annotated_types_and_without_loss(cls: Any, data: st.DataObject) -> None:
    raw = data.draw(LIKELY | json_objects(KEYS))
    value = cls.from_dict(raw)
    assert same(value.to_dict(), raw)
    assert value.mood is None or type(value.mood) is str
    assert type(value.count) is int and type(value.score) is float and type(value.level) in (int, str, type(None))
    assert value.closed is None or type(value.closed) is Mood
    assert all(type(tag) is str for tag in value.tags)
    assert all(type(gap) in (int, type(None)) for gap in value.gaps or ())
    assert all(type(price) is float for price in (value.prices or {}).values())
    assert all(type(part) is Part for part in (value.parts or {}).values())
    assert value.tree is None or type(value.tree) is Part
    for twin in (pickle.loads(pickle.dumps(value)), copy.deepcopy(value)):
        assert same(twin.to_dict(), raw) and repr(twin) == repr(value)
        assert hash(twin) == hash(value) or twin != value  # NaN is not equal to itself
    issues = value.issues()
    if issues:
        with pytest.raises(ParseError) as caught:
            cls.from_dict(raw, strict=True)
        assert (caught.value.path, caught.value.problem) == issues[0]


@BOTH
def test_issue_contains_the_path_and_the_problem(cls: Any) -> None:
    issues = cls.from_dict(
        {
            "mood": 7,
            "closed": "grey",
            "tags": ["a", 1],
            "prices": {"eur": "x"},
            "parts": {"a key": {"prompt_tokens": 1, "completion_tokens": "x", "total_tokens": 3}},
            "count": None,
        }
    ).issues()
    assert [tuple(issue) for issue in issues] == [
        ("mood", "expected string, got number 7"),
        ("count", "expected integer, got null"),
        ("closed", 'expected one of "sunny", "dark", got string "grey"'),
        ("tags[1]", "expected string, got number 1"),
        ("prices.eur", 'expected number, got string "x"'),
        ('parts["a key"].completion_tokens', 'expected integer, got string "x"'),
    ]


@BOTH
def test_declared_field_is_supported_by_dataclass_protocols(cls: Any) -> None:
    value = cls.from_dict(DATA)
    names = [field.name for field in dataclasses.fields(cls)]
    inherited = [field.name for field in dataclasses.fields(ChatCompletionResponse)]
    assert names[: len(inherited)] == inherited and names[len(inherited)] == "mood"
    assert list(inspect.signature(cls).parameters) == names
    assert dataclasses.replace(value, mood="new").mood == "new"
    assert dataclasses.replace(value, mood="new").level is None  # a null that is not the default
    assert dataclasses.replace(value, count=8).to_dict()["count"] == 8
    assert json.loads(json.dumps(dataclasses.asdict(value)))["blobs"] == [1, {"a": [1]}]
    assert value == cls.from_dict(DATA) and value != cls.from_dict({**DATA, "mood": "x"})
    assert "mood='calm'" in repr(value) and "tree=Part(" in repr(value)
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.mood = "x"
    assert cls.__match_args__ == tuple(names) or sys.version_info < (3, 10)


@BOTH
def test_constructor_accepts_declared_fields_and_applies_defaults(cls: Any) -> None:
    value = cls(mood="calm", tags=["a"], tree={"total_tokens": 1}, score=1)
    assert (value.tags, value.tree.total_tokens, type(value.score)) == (("a",), 1, float)
    assert cls.from_dict({}) == cls() and (cls().count, cls().level, cls().tags, cls(level=None).level) == (
        7,
        "low",
        (),
        None,
    )
    with pytest.raises(TypeError, match=f"{cls.__name__}.mood: expected string, got number 5"):
        cls(mood=5)
    with pytest.raises(TypeError, match="no field 'moods'"):
        cls(moods=5)
    position = cls.__match_args__.index("mood") if sys.version_info >= (3, 10) else 14
    assert cls(*[None] * position, "calm").mood == "calm"


@pytest.mark.skipif(sys.version_info < (3, 10), reason="the match statement is new in 3.10")
def test_declared_field_matches_in_a_match_statement() -> None:
    names: dict[str, Any] = {"Answer": Answer, "value": Answer.from_dict(DATA)}
    exec("match value:\n    case Answer(mood=str(mood), tree=tree): found = mood, tree.total_tokens", names)
    assert names["found"] == ("calm", 3)


def test_overridden_field_keeps_its_alias() -> None:
    @together_types.dataclass(frozen=True)
    class Format(ResponseFormat):
        schema_: Mapping[str, int] | None = None

    assert Format.from_dict({"schema": {"a": 1}}).schema_ == {"a": 1}
    assert Format(schema_={"a": 2}).to_dict() == {"schema": {"a": 2}}


def test_subclass_of_a_subclass_inherits_declared_fields() -> None:
    @together_types.dataclass(frozen=True)
    class Second(StandardAnswer):
        second: int | None = None

    class Third(Second):
        """A subclass that does not declare fields."""

    assert Third.from_dict({"second": 2.0, "mood": "x", "choices": [{"safety": "s"}]}).second == 2
    assert type(Third.from_dict({})) is Third and Third(mood="x").mood == "x"
    assert [field.name for field in dataclasses.fields(Second)][-1] == "second"


def test_missing_field_with_a_default_factory_has_its_value() -> None:
    for decorator in (dataclasses.dataclass, together_types.dataclass):

        @decorator(frozen=True)
        class Tagged(UsageData):
            tags: Mapping[str, str] = dataclasses.field(default_factory=lambda: {"a": "b"})

        assert Tagged.from_dict({}).tags == {"a": "b"} == Tagged().tags
        assert hash(Tagged()) == hash(Tagged.from_dict({}))


def declared(annotation: object, default: object = None) -> Any:
    members = {"__annotations__": {"x": annotation}, "x": default, "__module__": __name__, "__doc__": "One field."}
    return together_types.dataclass(frozen=True)(type("Odd", (UsageData,), members))


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        ("Missing", "NameError"),
        ("str |", "SyntaxError"),
        ("list[str]", "tuple"),
        ("set", "use str, int"),
        ("tuple[int, str]", "use str, int"),
        ("Mapping[int, str]", "use str, int"),
        ("None", "use str, int"),
        ("Choice | Part", "at most one value class"),
        ("tuple[object | Missing, ...]", "NameError"),
        (set, "use str, int"),
        (bytes, "use str, int"),
    ],
)
def test_unreadable_annotation_raises_an_error_that_names_it(annotation: object, reason: str) -> None:
    cls = declared(annotation)
    shown = annotation if isinstance(annotation, str) else annotation.__qualname__  # type: ignore[attr-defined]
    for use in (lambda: cls.from_dict({}), cls, lambda: cls.from_json("{}"), lambda: dataclasses.fields(cls)):
        with pytest.raises(TypeError) as caught:
            use()
        message = str(caught.value)
        assert message.startswith("Odd.x: cannot read") and shown in message and reason in message


def test_array_of_objects_with_a_null_is_a_mismatch() -> None:
    rows = declared("tuple[Mapping[str, Any], ...] | None")
    assert rows.from_dict({"x": [{"a": [1]}, {}]}).x == ({"a": [1]}, {})
    value = rows.from_dict({"x": [{}, None]})
    assert value.x is None and value.extra == {"x": [{}, None]}
    assert ("x[1]", "expected object, got null") in value.issues()
    assert declared("tuple[Mapping[str, Any] | None, ...] | None").from_dict({"x": [{}, None]}).x == ({}, None)


@pytest.mark.parametrize(
    ("raw", "expected", "kept"),
    [
        ([1], (1,), False),
        (["a"], ("a",), False),
        (["1"], ("1",), False),
        ([1.0], (1,), True),
        ([1, "a"], None, True),
        ({"a": 1}, None, True),
    ],
)
def test_union_uses_the_first_type_that_the_json_already_has(raw: object, expected: object, kept: bool) -> None:
    value = declared("tuple[int, ...] | tuple[str, ...] | None").from_dict({"x": raw})
    assert value.x == expected and all(type(item) in (int, str) for item in value.x or ())
    assert ("x" in value.extra) == kept


def test_field_with_a_dict_as_default_has_a_default_factory() -> None:
    cls = declared("Mapping[str, int]", {"a": 1})
    [field] = [field for field in dataclasses.fields(cls) if field.name == "x"]
    assert field.default is dataclasses.MISSING and field.default_factory() == {"a": 1}
    assert inspect.signature(cls).parameters["x"].default == {"a": 1} == cls().x


def test_union_is_rewritten_for_python_without_union_types() -> None:
    """Python 3.9 evaluates every annotation that is a string in this form."""
    for text, expected in (
        ("int | None", Optional[int]),
        (
            " tuple[int | str, ...] | Mapping[str, float | None]",
            Union[tuple[Union[int, str], ...], Mapping[str, Optional[float]]],
        ),
        ("Any", Any),
    ):
        assert eval(_with_unions(text), globals()) == expected
    for text in ("1 + 2", "3 & 1"):  # other operators are unchanged
        assert eval(_with_unions(text)) == eval(text)
    with pytest.raises(SyntaxError):
        _with_unions("int |")


def test_default_of_another_type_raises_type_error() -> None:
    with pytest.raises(TypeError, match="Odd.x: invalid default: expected string, got null"):
        declared("str").from_dict({})
    with pytest.raises(TypeError, match="Odd.x: invalid default: expected integer, got string"):
        declared(int, "many").from_dict({})


def test_invalid_declaration_of_a_class_raises_type_error() -> None:
    with pytest.raises(TypeError, match="needs a default"):
        together_types.dataclass(frozen=True)(type("Bare", (UsageData,), {"__annotations__": {"x": "int"}}))
    with pytest.raises(TypeError, match="frozen=True"):
        together_types.dataclass(frozen=False)(type("Thawed", (UsageData,), {}))
    with pytest.raises(TypeError, match=r"use dataclasses\.dataclass"):
        together_types.dataclass(frozen=True)(type("Other", (), {}))


@pytest.mark.skipif(sys.version_info < (3, 10), reason="kw_only and slots are new in 3.10")
def test_unsupported_settings_of_the_standard_decorator_raise_type_error() -> None:
    settings: Any
    for settings, reason in (({"kw_only": True}, "needs a default"), ({"slots": True}, "slots=True")):
        members = {"__annotations__": {"x": "int"}, "__module__": __name__, "__doc__": "One field."}
        members |= {"x": 1} if "slots" in settings else {}
        cls: Any = dataclasses.dataclass(frozen=True, **settings)(type("Odd", (UsageData,), members))
        with pytest.raises(TypeError, match=f"Odd.x: .*{reason}"):
            cls.from_dict({})


def test_recursive_class_with_json_deeper_than_200_levels_raises_parse_error() -> None:
    tree: dict[str, Any] = {}
    for _ in range(198):
        tree = {"parent": tree}
    assert Answer.from_dict({"tree": tree}).to_dict() == {"tree": tree}
    with pytest.raises(ParseError, match="nested deeper than 200 levels"):
        Answer.from_dict({"tree": {"parent": {"parent": tree}}})


def test_plain_subclass_ignores_its_annotations() -> None:
    class Plain(UsageData):
        note: str = "x"

    assert Plain.from_dict({"note": "y"}).extra == {"note": "y"}


def test_two_subclasses_with_the_same_field_name_read_it_independently() -> None:
    first, second = declared("str | None"), declared("int | None")
    assert (first.from_dict({"x": "1"}).x, second.from_dict({"x": "1"}).x) == ("1", 1)
    assert "x" in UsageData.from_dict({"x": "1"}).extra
    assert issubclass(first, Value) and type(first.from_dict({})) is first


UNPICKLING = """
import pickle, sys
sys.path[:0] = {path!r}
from test_subclasses import Answer
value = pickle.loads(bytes.fromhex({pickled!r}))
try:
    value.details["a"].append(1)
except TypeError:
    print("read-only")
"""


def test_unpickled_value_in_a_new_process_is_read_only() -> None:
    code = UNPICKLING.format(path=sys.path, pickled=pickle.dumps(Answer.from_dict(DATA)).hex())
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "read-only\n"


@dataclasses.dataclass(frozen=True)
class Tagged:
    """A dataclass that is not a value class."""

    tag: str | None = None


@pytest.mark.parametrize("bases", [(Tagged, ChatCompletionResponse), (ChatCompletionResponse, Tagged)])
def test_base_that_is_a_plain_dataclass_raises_an_error_that_names_it(bases: tuple[type, ...]) -> None:
    """Without this error, the fields of this base would be attributes that reading does not set."""
    cls: Any = type("Mixed", bases, {"__annotations__": {"mood": "str | None"}, "mood": None})
    with pytest.raises(TypeError, match=r"Mixed: its base Tagged is a dataclass but not a value class"):
        # The decorator is inside the block, because on Python 3.9 it already needs the fields.
        dataclasses.dataclass(frozen=True)(cls).from_dict({"tag": "x"})


def test_field_with_repr_false_is_not_in_the_repr() -> None:
    @dataclasses.dataclass(frozen=True)
    class Secretive(ChatCompletionResponse):
        key: str | None = dataclasses.field(default=None, repr=False)

    value = Secretive.from_dict({"key": "secret", "id": "o1"})
    assert value.key == "secret" and "secret" not in repr(value) and "o1" in repr(value)


@pytest.mark.parametrize("option", ["init", "compare"])
def test_unsupported_field_option_raises_an_error_that_names_it(option: str) -> None:
    options: Any = {option: False}
    cls: Any = type(
        "Odd",
        (ChatCompletionResponse,),
        {"__annotations__": {"mood": "str | None"}, "mood": dataclasses.field(default=None, **options)},
    )
    with pytest.raises(TypeError, match=f"Odd.mood: .*{option}=False"):
        dataclasses.dataclass(frozen=True)(cls).from_dict({})


def test_cached_property_is_not_in_the_json() -> None:
    class Counted(ChatCompletionResponse):
        @functools.cached_property
        def words(self) -> int:
            return len(self.text.split())

    value = Counted.from_dict({"id": "o1", "words": "sent"})
    assert value.words == 0 and value.to_dict() == {"id": "o1", "words": "sent"}


def test_generated_constructor_of_the_standard_decorator_converts_its_arguments() -> None:
    """The decorator generates a constructor if a base class has its own."""

    class Logged(ResponseFormat):
        def __init__(self, *args: Any, **values: Any) -> None:
            super().__init__(*args, **values)

    @dataclasses.dataclass(frozen=True)
    class Named(Logged):
        label: str | None = None

    value = Named(schema_={"a": [1]}, type="json_object", label="x")  # type: ignore[arg-type]
    assert value.to_dict() == {"schema": {"a": [1]}, "type": "json_object", "label": "x"}
    assert value == Named.from_dict(value.to_dict()) and type(value.schema_["a"]) is FrozenList  # type: ignore[index]
    with pytest.raises(TypeError, match="Named.label: expected string, got number 5"):
        Named(label=5)  # type: ignore[arg-type]
