"""The langchain-openai package. `reading` describes the names that this module defines."""

import asyncio
import importlib.metadata
import os
from typing import Any

os.environ["LANGCHAIN_TRACING_V2"] = "false"

import openai
from langchain_openai import ChatOpenAI

NAME, VERSION = "langchain-openai", importlib.metadata.version("langchain-openai")
_LOOP = asyncio.new_event_loop()  # the SDK keeps connections open, and they belong to one event loop
FAILURES: tuple[type[BaseException], ...] = (openai.APIError,)


def _model(base_url: str, asked: dict[str, Any]) -> tuple[Any, Any]:
    asked = dict(asked)
    messages, tools = asked.pop("messages"), asked.pop("tools", None)
    asked.pop("stream", None)
    if asked.pop("stream_options", None):
        asked["stream_usage"] = True
    model: Any = ChatOpenAI(base_url=base_url, api_key="none", max_retries=0, timeout=20, **asked)  # type: ignore[arg-type]
    return model.bind_tools(tools) if tools else model, messages


def _read(message: Any) -> tuple[Any, list[Any]]:
    """Return the data in an AIMessage, which may be the sum of the messages of a stream."""
    about, usage = message.response_metadata, message.usage_metadata
    entries = (about.get("logprobs") or {}).get("content") or ()
    choice = {
        "index": 0,
        "content": message.content,
        "reasoning": message.additional_kwargs.get("reasoning_content") or "",
        "finish_reason": about.get("finish_reason"),
        "calls": [(call["id"], call["name"], call["args"]) for call in message.tool_calls],
        "logprobs": [(entry["token"], entry["logprob"]) for entry in entries],
    }
    counts = (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) if usage else None
    return {"choices": [choice], "usage": counts}, []


def _sum(messages: list[Any]) -> Any:
    total = messages[0]
    for message in messages[1:]:
        total += message
    return total


def _plain(base_url: str, asked: dict[str, Any]) -> tuple[Any, list[Any]]:
    model, messages = _model(base_url, asked)
    return _read(model.invoke(messages))


def _stream(base_url: str, asked: dict[str, Any]) -> tuple[Any, list[Any]]:
    model, messages = _model(base_url, asked)
    return _read(_sum(list(model.stream(messages))))


def _async_plain(base_url: str, asked: dict[str, Any]) -> tuple[Any, list[Any]]:
    model, messages = _model(base_url, asked)
    return _read(_LOOP.run_until_complete(model.ainvoke(messages)))


def _async_stream(base_url: str, asked: dict[str, Any]) -> tuple[Any, list[Any]]:
    model, messages = _model(base_url, asked)

    async def ask() -> list[Any]:
        return [message async for message in model.astream(messages)]

    return _read(_sum(_LOOP.run_until_complete(ask())))


MODES = {"invoke": _plain, "stream": _stream, "ainvoke": _async_plain, "astream": _async_stream}
