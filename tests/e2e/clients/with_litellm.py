"""The litellm package, with its provider for servers of OpenAI's format."""

import asyncio
import importlib.metadata
import os
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm
import openai
import reading

NAME, VERSION = "litellm", importlib.metadata.version("litellm")
_LOOP = asyncio.new_event_loop()  # the SDK keeps connections, which belong to a loop
FAILURES: tuple[type[BaseException], ...] = (openai.APIError,)
litellm.telemetry = False
litellm.suppress_debug_info = True


def _asked(base_url: str, asked: dict[str, Any]) -> dict[str, Any]:
    return {
        **asked,
        "model": "openai/" + asked["model"],
        "api_base": base_url,
        "api_key": "none",
        "max_retries": 0,
        "timeout": 20,
    }


def _plain(base_url: str, asked: dict[str, Any]) -> tuple[Any, list[Any]]:
    answer = litellm.completion(**_asked(base_url, asked))
    return reading.whole(answer), [answer]


def _stream(base_url: str, asked: dict[str, Any]) -> tuple[Any, list[Any]]:
    chunks = list(litellm.completion(**_asked(base_url, asked)))
    return reading.streamed(chunks), chunks


def _async_plain(base_url: str, asked: dict[str, Any]) -> tuple[Any, list[Any]]:
    answer = _LOOP.run_until_complete(litellm.acompletion(**_asked(base_url, asked)))
    return reading.whole(answer), [answer]


def _async_stream(base_url: str, asked: dict[str, Any]) -> tuple[Any, list[Any]]:
    async def ask() -> list[Any]:
        return [chunk async for chunk in await litellm.acompletion(**_asked(base_url, asked))]

    chunks = _LOOP.run_until_complete(ask())
    return reading.streamed(chunks), chunks


MODES = {"completion": _plain, "stream=True": _stream, "acompletion": _async_plain, "async stream=True": _async_stream}
