"""The litellm package, with its provider for OpenAI-compatible servers. `reading` describes the names defined here."""

import asyncio
import importlib.metadata
import os
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm
import openai
from reading import async_objects_of, objects_of, of_completion, of_stream

NAME, VERSION = "litellm", importlib.metadata.version("litellm")
_LOOP = asyncio.new_event_loop()  # the SDK keeps connections open, and they belong to one event loop
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


def _answers(base_url: str, asked: dict[str, Any]) -> list[Any]:
    return objects_of(litellm.completion(**_asked(base_url, asked)), asked)


def _async_answers(base_url: str, asked: dict[str, Any]) -> list[Any]:
    return _LOOP.run_until_complete(async_objects_of(litellm.acompletion(**_asked(base_url, asked)), asked))


MODES = {
    "completion": of_completion(_answers),
    "stream=True": of_stream(_answers),
    "acompletion": of_completion(_async_answers),
    "async stream=True": of_stream(_async_answers),
}
