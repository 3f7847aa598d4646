"""The together package, 1.x and 3.x."""

import asyncio
import importlib.metadata
from typing import Any

import reading
import together

VERSION = importlib.metadata.version("together")
IS_1 = VERSION.startswith("1.")
NAME = "together 1.x" if IS_1 else "together 3.x"
if IS_1:
    from together.error import TogetherException

    FAILURES: tuple[type[BaseException], ...] = (TogetherException,)
else:
    FAILURES = (together.APIError,)


def _options(base_url: str) -> dict[str, Any]:
    # The paths of 3.x begin with /v1 themselves.
    return {
        "base_url": base_url if IS_1 else base_url.removesuffix("/v1"),
        "api_key": "none",
        "max_retries": 0,
        "timeout": 20,
    }


def _asked(asked: dict[str, Any]) -> dict[str, Any]:
    asked = dict(asked)
    if "top_logprobs" in asked:  # Together's way to ask for them
        asked["logprobs"] = asked.pop("top_logprobs")
    if not IS_1 and "stream_options" in asked:
        asked["extra_body"] = {"stream_options": asked.pop("stream_options")}
    return asked


def _answers(base_url: str, asked: dict[str, Any]) -> list[Any]:
    answer: Any = together.Together(**_options(base_url)).chat.completions.create(**_asked(asked))
    return list(answer) if asked.get("stream") else [answer]


def _async_answers(base_url: str, asked: dict[str, Any]) -> list[Any]:
    async def ask() -> list[Any]:
        answer: Any = await together.AsyncTogether(**_options(base_url)).chat.completions.create(**_asked(asked))
        return [chunk async for chunk in answer] if asked.get("stream") else [answer]

    return asyncio.run(ask())


def _plain(base_url: str, asked: dict[str, Any]) -> tuple[Any, list[Any]]:
    answers = _answers(base_url, asked)
    return reading.whole(answers[0]), answers


def _stream(base_url: str, asked: dict[str, Any]) -> tuple[Any, list[Any]]:
    chunks = _answers(base_url, asked)
    return reading.streamed(chunks), chunks


def _async_plain(base_url: str, asked: dict[str, Any]) -> tuple[Any, list[Any]]:
    answers = _async_answers(base_url, asked)
    return reading.whole(answers[0]), answers


def _async_stream(base_url: str, asked: dict[str, Any]) -> tuple[Any, list[Any]]:
    chunks = _async_answers(base_url, asked)
    return reading.streamed(chunks), chunks


MODES = {"create": _plain, "stream=True": _stream, "async create": _async_plain, "async stream=True": _async_stream}
