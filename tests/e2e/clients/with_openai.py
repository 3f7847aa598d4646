"""The openai package. `reading` describes the names that this module defines."""

import asyncio
from typing import Any

import openai
from reading import async_objects_of, objects_of, of_completion, of_stream

NAME, VERSION = "openai", openai.__version__
FAILURES: tuple[type[BaseException], ...] = (openai.APIError,)


def _client(base_url: str) -> Any:
    return openai.OpenAI(base_url=base_url, api_key="none", max_retries=0, timeout=20)


def _answers(base_url: str, asked: dict[str, Any]) -> list[Any]:
    return objects_of(_client(base_url).chat.completions.create(**asked), asked)


def _async_answers(base_url: str, asked: dict[str, Any]) -> list[Any]:
    async def ask() -> list[Any]:
        async with openai.AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0, timeout=20) as client:
            return await async_objects_of(client.chat.completions.create(**asked), asked)

    return asyncio.run(ask())


def _helper(base_url: str, asked: dict[str, Any]) -> list[Any]:
    asked = {key: value for key, value in asked.items() if key != "stream"}
    with _client(base_url).chat.completions.stream(**asked) as stream:
        for _ in stream:
            pass
        return [stream.get_final_completion()]


MODES = {
    "create": of_completion(_answers),
    "stream=True": of_stream(_answers),
    "async create": of_completion(_async_answers),
    "async stream=True": of_stream(_async_answers),
    ".stream()": of_completion(_helper),
}
