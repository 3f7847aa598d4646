"""The output of `to_openai` is valid for the types of together 3.x in strict mode, except where the schemas differ.

Those types are generated from Together's OpenAPI document. It requires keys that OpenAI's schema lacks: `prompt`, the
`index` of a tool call, and in every delta the role and more. No other key may be missing or have another type.
"""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Any

import pytest

if os.environ.get("CLIENT") != "with_together" or not version("together").startswith("3."):
    pytest.skip("runs in the environment clients-together3", allow_module_level=True)

from corpus import BODIES, STREAMS, label, objects
from pydantic import TypeAdapter, ValidationError
from together.types.chat import ChatCompletion, ChatCompletionChunk
from together_adapters.openai_format import from_openai, to_openai

from together_types import ChatCompletionChunk as Chunk, ChatCompletionResponse as Response

TYPES: dict[Any, Any] = {Response: TypeAdapter(ChatCompletion), Chunk: TypeAdapter(ChatCompletionChunk)}
NOT_IN_OPENAIS = {
    ("prompt", "missing"),
    ("choices.#.message.tool_calls.#.index", "missing"),
    ("choices.#.delta.role", "missing"),
    ("choices.#.delta.tool_calls.#.id", "missing"),
    ("choices.#.delta.tool_calls.#.type", "missing"),
    ("choices.#.delta.tool_calls.#.function", "missing"),
    ("choices.#.delta.tool_calls.#.function.name", "missing"),
    ("choices.#.delta.tool_calls.#.function.arguments", "missing"),
    ("choices.#.logprobs", "float_type"),  # Together's type is a number, for the one token of a chunk
}


@pytest.mark.parametrize("path", BODIES + STREAMS, ids=label)
def test_recording_differs_from_togethers_types_only_as_declared(path: Any) -> None:
    for data in objects(path):
        value = from_openai(data)
        if type(value) in TYPES:
            try:
                TYPES[type(value)].validate_python(to_openai(value, only_openai=True), strict=True)
            except ValidationError as error:
                found = {
                    (".".join("#" if isinstance(step, int) else str(step) for step in item["loc"]), item["type"])
                    for item in error.errors()
                }
                assert found <= NOT_IN_OPENAIS
