"""The openai package."""

import asyncio
from typing import Any

import openai
import reading

NAME, VERSION = "openai", openai.__version__
FAILURES: tuple[type[BaseException], ...] = (openai.APIError,)


def _client(base_url: str) -> Any:
    return openai.OpenAI(base_url=base_url, api_key="none", max_retries=0, timeout=20)


def _async(base_url: str, asked: dict[str, Any]) -> list[Any]:
    async def ask() -> list[Any]:
        async with openai.AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0, timeout=20) as client:
            answer: Any = await client.chat.completions.create(**asked)
            return [chunk async for chunk in answer] if asked.get("stream") else [answer]

    return asyncio.run(ask())


def _helper(base_url: str, asked: dict[str, Any]) -> tuple[Any, list[Any]]:
    asked = {key: value for key, value in asked.items() if key != "stream"}
    with _client(base_url).chat.completions.stream(**asked) as stream:
        for _ in stream:
            pass
        final = stream.get_final_completion()
    return reading.whole(final), [final]


def _plain(base_url: str, asked: dict[str, Any]) -> tuple[Any, list[Any]]:
    answer = _client(base_url).chat.completions.create(**asked)
    return reading.whole(answer), [answer]


def _stream(base_url: str, asked: dict[str, Any]) -> tuple[Any, list[Any]]:
    chunks = list(_client(base_url).chat.completions.create(**asked))
    return reading.streamed(chunks), chunks


def _async_plain(base_url: str, asked: dict[str, Any]) -> tuple[Any, list[Any]]:
    answers = _async(base_url, asked)
    return reading.whole(answers[0]), answers


def _async_stream(base_url: str, asked: dict[str, Any]) -> tuple[Any, list[Any]]:
    chunks = _async(base_url, asked)
    return reading.streamed(chunks), chunks


MODES = {
    "create": _plain,
    "stream=True": _stream,
    "async create": _async_plain,
    "async stream=True": _async_stream,
    ".stream()": _helper,
}
