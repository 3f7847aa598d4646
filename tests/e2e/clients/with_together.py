"""The together package, 1.x and 3.x. `reading` describes the names that this module defines."""

import asyncio
import importlib.metadata
from typing import Any

import together
from reading import async_objects_of, objects_of, of_completion, of_stream

VERSION = importlib.metadata.version("together")
IS_1 = VERSION.startswith("1.")
NAME = "together 1.x" if IS_1 else "together 3.x"
if IS_1:
    from together.error import TogetherException

    FAILURES: tuple[type[BaseException], ...] = (TogetherException,)
else:
    FAILURES = (together.APIError,)


def _options(base_url: str) -> dict[str, Any]:
    # The paths of 3.x include /v1.
    return {
        "base_url": base_url if IS_1 else base_url.removesuffix("/v1"),
        "api_key": "none",
        "max_retries": 0,
        "timeout": 20,
    }


def _asked(asked: dict[str, Any]) -> dict[str, Any]:
    asked = dict(asked)
    if "top_logprobs" in asked:  # Together's form of the parameter
        asked["logprobs"] = asked.pop("top_logprobs")
    if not IS_1 and "stream_options" in asked:
        asked["extra_body"] = {"stream_options": asked.pop("stream_options")}
    return asked


def _answers(base_url: str, asked: dict[str, Any]) -> list[Any]:
    return objects_of(together.Together(**_options(base_url)).chat.completions.create(**_asked(asked)), asked)


def _async_answers(base_url: str, asked: dict[str, Any]) -> list[Any]:
    async def ask() -> list[Any]:
        client = together.AsyncTogether(**_options(base_url))
        return await async_objects_of(client.chat.completions.create(**_asked(asked)), asked)

    return asyncio.run(ask())


MODES = {
    "create": of_completion(_answers),
    "stream=True": of_stream(_answers),
    "async create": of_completion(_async_answers),
    "async stream=True": of_stream(_async_answers),
}
