"""The TypedDicts of `together_types.wire`: the JSON of our classes, OpenAI's schema, and what servers really sent."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import sdk_parity
from corpus import BODIES, STREAMS, label, objects
from together_adapters.openai_format import from_openai, to_openai

import together_types
from together_types import ChatCompletionRequest, ChatCompletionResponse, wire

ROOT = Path(__file__).parents[1]
WIRE = sdk_parity.of_source(Path(str(wire.__file__)))
LISTED = json.loads((ROOT / "tests" / "data" / "sdk_parity.json").read_text("utf-8"))
resolvable = pytest.mark.skipif(sys.version_info < (3, 11), reason="typing has NotRequired from Python 3.11 on")


def test_each_class_has_its_json() -> None:
    shape = sdk_parity.of_values("together_types")
    enums = {path.rpartition(".")[2] for path, kind in shape.items() if kind == "enum"}
    classes = {path.rpartition(".")[2] for path, kind in shape.items() if kind == "class"}

    def in_json(name: str) -> str:
        if name in enums:
            return "str"
        return f"{name}Dict" if name in classes else {"tuple": "list", "Mapping": "dict"}.get(name, name)

    expected = {}
    for path, text in sdk_parity.of_values("together_types", in_json).items():
        _, cls, *field = path.split(".")
        if cls in classes and field:
            text, _, key = text.partition(" as ")
            name = ast.literal_eval(key) if key else field[0]
            expected[f"{cls}Dict.{name}"] = text.partition(" = ")[0].replace(", ...]", "]") + f" = {sdk_parity.ABSENT}"
        elif cls in classes:
            expected[f"{cls}Dict"] = "dict"
    ours = {path: text for path, text in WIRE.items() if not path.startswith("OpenAI")}
    assert sdk_parity.differences(expected, ours) == {}


def test_openai_schema_is_that_of_the_stubs() -> None:
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
    """A type without what says whether the key may be absent or null: OpenAI's OpenAPI document and its SDK differ there."""
    return " | ".join(part for part in text.partition(" = ")[0].split(" | ") if part != "None")


@resolvable
@pytest.mark.parametrize("path", BODIES + STREAMS, ids=label)
def test_recordings_are_what_the_types_say(path: Path) -> None:
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


@resolvable
def test_requests_are_what_the_types_say() -> None:
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
def test_json_that_the_types_do_not_say_is_noticed(data: dict[str, object], paths: list[str]) -> None:
    from wiretypes import problems

    assert list(problems(data, wire.ChatCompletionResponseDict)) == paths


@resolvable
def test_a_required_key_that_is_missing_is_noticed() -> None:
    from wiretypes import problems

    data: Any = to_openai(ChatCompletionResponse(), only_openai=True)
    assert list(problems(data, wire.OpenAIChatCompletion)) == []
    del data["created"]
    assert list(problems(data, wire.OpenAIChatCompletion)) == ["created"]


def test_the_package_does_not_load_it() -> None:
    assert not hasattr(together_types, "UsageDataDict")
