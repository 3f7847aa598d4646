"""The declared types of values, of their JSON and of OpenAI's schema. Only type checkers read this file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Union

import openai.types.chat as of_openai
import together.types as of_together
from together_adapters.accumulate import Completion, accumulate
from together_adapters.openai_format import from_openai, to_openai
from together_adapters.stream import ChunkStream
from typing_extensions import assert_never, assert_type

import together_types
from together_types import (
    ChatCompletionChoicesData,
    ChatCompletionChunk,
    ChatCompletionMessageContent,
    ChatCompletionRequest,
    ChatCompletionResponse,
    ErrorData,
    FinishReason,
    Issue,
    LogprobsPart,
    MessageRole,
    TogetherErrorResponse,
    UsageData,
)
from together_types.wire import (
    ChatCompletionResponseDict,
    OpenAIChatCompletion,
    OpenAIChatCompletionChunk,
    OpenAIError,
    OpenAIRequest,
    UsageDataDict,
)


class Mine(UsageData):
    """A subclass of a value class."""


@together_types.dataclass(frozen=True)
class MyChoice(ChatCompletionChoicesData):
    """A subclass that declares a field."""

    safety: str | None = None


@dataclasses.dataclass(frozen=True)
class Answer(ChatCompletionResponse):
    """A subclass that declares fields with the standard decorator, one of which overrides an inherited field."""

    mood: str | None = None
    scores: Mapping[str, float] | None = None
    choices: tuple[MyChoice, ...] | None = None


def reading(data: dict[str, Any], body: bytes) -> None:
    assert_type(ChatCompletionResponse.from_dict(data), ChatCompletionResponse)
    assert_type(ChatCompletionChunk.from_json(body, strict=True), ChatCompletionChunk)
    assert_type(Mine.from_dict(data), Mine)
    ChatCompletionResponse.from_json(data)  # type: ignore[arg-type]
    ChatCompletionResponse.from_dict(body)  # type: ignore[arg-type]


def declared_fields(body: bytes) -> None:
    answer = Answer.from_json(body)
    assert_type(answer, Answer)
    assert_type(answer.mood, Union[str, None])
    assert_type(answer.choices, Union[tuple[MyChoice, ...], None])
    assert_type(dataclasses.replace(answer, mood="calm"), Answer)
    for choice in answer.choices or ():
        assert_type(choice.safety, Union[str, None])
    Answer(id="o1", mood="calm")
    Answer(mood=7)  # type: ignore[arg-type]
    MyChoice(index=0, safety=7)  # type: ignore[arg-type]
    answer.mood = "x"  # type: ignore[misc]


def fields(response: ChatCompletionResponse, chunk: ChatCompletionChunk, usage: UsageData) -> None:
    assert_type(response.created, Union[int, None])
    assert_type(response.choices, Union[tuple[ChatCompletionChoicesData, ...], None])
    assert_type(usage.total_tokens, int)
    assert_type(response.text, str)
    assert_type(response.issues(), list[Issue])
    assert_type(response.extra, Mapping[str, Any])
    assert_type(dataclasses.replace(usage, total_tokens=3), UsageData)
    for choice in chunk.choices or ():
        assert_type(choice.logprobs, Union[float, LogprobsPart, None])
        assert_type(choice.finish_reason, Union[FinishReason, None])
    response.created = 5  # type: ignore[misc]
    response.choices[0]  # type: ignore[index]
    UsageData(total_tokens="3")  # type: ignore[arg-type]


def content(parts: str | tuple[ChatCompletionMessageContent, ...] | None) -> str:
    if parts is None:
        return ""
    if isinstance(parts, str):
        return parts
    if isinstance(parts, tuple):  # pyright: ignore[reportUnnecessaryIsInstance]
        return "".join(part.text or "" for part in parts)
    assert_never(parts)


def role(member: MessageRole) -> str:
    if member == MessageRole("developer"):  # an unnamed member
        return "ours"
    return "model" if member == MessageRole.ASSISTANT else str(member)


def in_json(response: ChatCompletionResponse, usage: UsageData) -> None:
    assert_type(response.to_dict(), ChatCompletionResponseDict)
    assert_type(usage.to_dict(), UsageDataDict)
    assert_type(usage.to_dict().get("prompt_tokens"), Union[int, None])
    usage.to_dict()["promt_tokens"]  # type: ignore[typeddict-item]
    ChatCompletionResponse.from_dict(response.to_dict())
    assert_type(response.to_json(), str)


def converting(
    response: ChatCompletionResponse,
    chunk: ChatCompletionChunk,
    request: ChatCompletionRequest,
    error: TogetherErrorResponse,
    flag: bool,
) -> None:
    assert_type(to_openai(response), ChatCompletionResponseDict)
    exactly = to_openai(response, only_openai=True)
    assert_type(exactly, OpenAIChatCompletion)
    assert_type(exactly["choices"][0]["message"]["content"], Union[str, None])
    assert_type(to_openai(chunk, only_openai=True), OpenAIChatCompletionChunk)
    assert_type(to_openai(request, only_openai=True), OpenAIRequest)
    assert_type(to_openai(error, only_openai=True), OpenAIError)
    assert_type(to_openai(chunk, only_openai=flag), Mapping[str, Any])
    to_openai(7)  # type: ignore[call-overload]


def from_sdks(
    completion: of_openai.ChatCompletion,
    chunk: of_openai.ChatCompletionChunk,
    of_v1: of_together.ChatCompletionResponse,
) -> None:
    value = from_openai(completion)
    assert_type(value, Union[ChatCompletionChunk, ChatCompletionRequest, ChatCompletionResponse, ErrorData])
    assert_type(from_openai(chunk, ChatCompletionChunk), ChatCompletionChunk)
    assert_type(from_openai(of_v1, ChatCompletionResponse), ChatCompletionResponse)
    assert_type(from_openai({"choices": []}, ChatCompletionResponse), ChatCompletionResponse)
    from_openai("{}")  # type: ignore[call-overload]
    from_openai(completion, UsageData)  # type: ignore[type-var]


def folding(stream: ChunkStream) -> None:
    with stream as chunks:
        assert_type(accumulate(chunks), Completion)
    assert_type(stream.completion.response, ChatCompletionResponse)
