"""The TypedDicts of `together_types.wire`, compared with our classes, with OpenAI's schema and with recorded JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import generate_wire
import pytest
import sdk_parity
from corpus import BODIES, STREAMS, TYPES, label, objects
from together_adapters.openai_format import _schema, from_openai, to_openai

import together_types
from together_types import ChatCompletionRequest, ChatCompletionResponse, wire

ROOT = Path(__file__).parents[2]
WIRE = sdk_parity.of_source(Path(str(wire.__file__)))
LISTED = json.loads((ROOT / "tests" / "data" / "sdk_parity.json").read_text("utf-8"))
resolvable = pytest.mark.skipif(sys.version_info < (3, 11), reason="typing has NotRequired from Python 3.11 on")


def test_generated_part_of_wire_is_up_to_date() -> None:
    text, marker, _ = Path(str(wire.__file__)).read_text("utf-8").partition(generate_wire.MARKER)
    assert marker and text == generate_wire.generated(), "run `python tests/support/generate_wire.py`"


def test_check_of_an_outdated_file_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path(str(wire.__file__)).read_text("utf-8")
    current = generate_wire.generated() + text[text.index(generate_wire.MARKER) :]
    path = tmp_path / "wire.py"
    path.write_text(current.replace("    total_tokens: int\n", "", 1), "utf-8")
    monkeypatch.setattr(generate_wire, "WIRE", path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert generate_wire.main(["--check"]) == 1
    assert "run `python tests/support/generate_wire.py`" in capsys.readouterr().err
    assert generate_wire.main([]) == 0
    assert path.read_text("utf-8") == current
    assert generate_wire.main(["--check"]) == 0


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("int", "int"),
        ("bool | None", "bool | None"),
        ("FinishReason | None", "str | None"),
        ("UsageData | None", "UsageDataDict | None"),
        ("tuple[int, ...]", "list[int]"),
        ("tuple[UsageData | None, ...] | None", "list[UsageDataDict | None] | None"),
        ("str | tuple[FinishReason, ...] | None", "str | list[str] | None"),
        ("Mapping[str, JSON] | None", "dict[str, JSON] | None"),
        ("tuple[Mapping[str, float], ...]", "list[dict[str, float]]"),
    ],
)
def test_annotation_is_translated_to_its_json_type(annotation: str, expected: str) -> None:
    names = {"FinishReason": "str", "UsageData": "UsageDataDict", "Mapping": "dict"}
    assert generate_wire.json_type(annotation, lambda name: names.get(name, name)) == expected


# JSON of every kind, for every field.
SAMPLES: list[Any] = [
    None, True, 0, -1.5, "", "auto", [], [1], [0.5], ["a"], [True], [None], [1, None], ["a", None], [[]], [{}],
    [{"a": 0.5}, None], [{"a": "b"}], {}, {"a": 0.5}, {"a": "b"}, {"a": None}, {"a": []},
]  # fmt: skip


@resolvable
@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)
def test_field_accepts_exactly_the_json_of_its_declared_type(cls: Any) -> None:
    """The annotation of a field and its reader are written separately, so they can differ."""
    from wiretypes import problems

    declared = getattr(wire, f"{cls.__name__}Dict")
    for key in declared.__annotations__:
        for sample in SAMPLES:
            value = cls.from_dict({key: sample})
            refused = any("is missing" not in issue.problem for issue in value.issues())
            converted = key in value.extra and not refused
            if list(problems({key: sample}, declared)):
                assert refused or converted, f"the reader of {key} accepts {sample!r}, its annotation does not"
            else:
                assert not refused, f"the annotation of {key} accepts {sample!r}, its reader does not"


def test_openai_schema_matches_the_stubs() -> None:
    stubs = sdk_parity.of_stubs(ROOT / "stubs", "openai.types", in_wire_terms(LISTED["wire_pairs"]))
    compared = 0
    for path, text in stubs.items():
        cls, _, key = path.rpartition(".")
        mine = LISTED["wire_pairs"].get(cls, "")
        if mine not in WIRE:
            continue
        compared += 1
        wanted = LISTED["wire_differences"].get(path, bare(text))
        assert WIRE.get(f"{mine}.{key}") is None if wanted is None else bare(WIRE[f"{mine}.{key}"]) == wanted, path
    assert compared > 100


def in_wire_terms(pairs: dict[str, str]) -> sdk_parity.Names:
    lists = {"Iterable": "list", "Sequence": "list", "object": "JSON", "Any": "JSON"}
    return lambda name: lists.get(name) or pairs.get(name) or name


def bare(text: str) -> str:
    """Return a type without its default and without None, in which OpenAI's OpenAPI document and its SDK differ."""
    return " | ".join(part for part in text.partition(" = ")[0].split(" | ") if part != "None")


@resolvable
@pytest.mark.parametrize("path", BODIES + STREAMS, ids=label)
def test_recorded_json_matches_the_declared_types(path: Path) -> None:
    from wiretypes import problems

    for data in objects(path):
        cls = type(from_openai(data))
        value = cls.from_dict(data)
        found = list(problems(value.to_dict(), getattr(wire, f"{cls.__name__}Dict")))
        assert found == [issue.path for issue in value.issues()]
        assert list(problems(to_openai(value, only_openai=True), STRICT[cls.__name__])) == []


STRICT: dict[str, Any] = {
    "ChatCompletionResponse": wire.OpenAIChatCompletion,
    "ChatCompletionChunk": wire.OpenAIChatCompletionChunk,
    "ChatCompletionRequest": wire.OpenAIRequest,
    "ErrorData": wire.OpenAIError,
}

REQUEST = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": [{"type": "text", "text": "t"}, {"type": "image_url", "image_url": {"url": "u"}}]},
        {
            "role": "assistant",
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "1", "content": "r"},
    ],
    "logprobs": 3,
    "stop": ["\n"],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    "response_format": {"type": "json_object", "schema": {"type": "object"}},
    "top_k": 40,
}


RULES = {
    "ChatCompletionResponse": _schema.RESPONSE,
    "ChatCompletionChunk": _schema.CHUNK,
    "ChatCompletionRequest": _schema.REQUEST,
    "ErrorData": _schema.ERROR,
}


@resolvable
@pytest.mark.parametrize("name", RULES)
def test_openai_schema_rule_keeps_exactly_the_keys_of_its_type(name: str) -> None:
    from wiretypes import examples

    strict, ours = STRICT[name], getattr(wire, f"{name}Dict")
    for data in examples(strict):
        assert RULES[name](data) == data
    for key in set(ours.__annotations__) - set(strict.__annotations__):
        for sample in SAMPLES:
            assert key not in RULES[name]({key: sample}), f"OpenAI's schema has no {key}"


@resolvable
def test_request_matches_the_declared_types() -> None:
    from wiretypes import problems

    value = ChatCompletionRequest.from_dict(REQUEST)
    assert list(problems(value.to_dict(), wire.ChatCompletionRequestDict)) == []
    assert list(problems(to_openai(value, only_openai=True), wire.OpenAIRequest)) == []


@resolvable
@pytest.mark.parametrize(
    ("data", "paths"),
    [
        ({"id": 7}, ["id"]),
        ({"choices": [{"message": {"content": "a"}}, {"message": {"content": 1.5}}]}, ["choices[1].message.content"]),
        ({"choices": {"0": {}}}, ["choices"]),
        ({"usage": {"prompt_tokens": None}}, ["usage.prompt_tokens"]),
        ({"choices": [{"logprobs": {"tokens": ["a", None, 3]}}]}, ["choices[0].logprobs.tokens[2]"]),
        ({"created": True, "unknown": object}, ["created"]),
    ],
)
def test_json_that_does_not_match_the_types_is_reported(data: dict[str, object], paths: list[str]) -> None:
    from wiretypes import problems

    assert list(problems(data, wire.ChatCompletionResponseDict)) == paths


@resolvable
def test_missing_required_key_is_reported() -> None:
    from wiretypes import problems

    data: Any = to_openai(ChatCompletionResponse(), only_openai=True)
    assert list(problems(data, wire.OpenAIChatCompletion)) == []
    del data["created"]
    assert list(problems(data, wire.OpenAIChatCompletion)) == ["created"]


def test_package_does_not_export_typed_dicts() -> None:
    assert not hasattr(together_types, "UsageDataDict")
