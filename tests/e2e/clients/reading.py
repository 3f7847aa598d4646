"""The data that the user of an SDK receives, in one form, so that clients can be compared. Does not correct the data.

The module of a client (with_openai and others) defines these names for test_clients:

- `NAME` and `VERSION`: those of the SDK.
- `FAILURES`: the exceptions that the SDK raises.
- `MODES`: a `Mode` for each way to send a request. It returns the received data in this form, and the SDK's own objects
  if `from_openai` should read them too.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

# A function that sends a request with an SDK. The arguments are the base URL and the parameters of the request, the
# result is a list of the SDK's own objects.
Ask = Callable[[str, dict[str, Any]], list[Any]]
# The same, with a result that is a tuple of the received data and the objects.
Mode = Callable[[str, dict[str, Any]], tuple[dict[str, Any], list[Any]]]


def of_completion(ask: Ask) -> Mode:
    """Return the mode of an SDK's function that returns a completion."""

    def mode(base_url: str, asked: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        objects = ask(base_url, asked)
        return whole(objects[0]), objects

    return mode


def of_stream(ask: Ask) -> Mode:
    """Return the mode of an SDK's function that returns the chunks of a stream."""

    def mode(base_url: str, asked: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        objects = ask(base_url, asked)
        return streamed(objects), objects

    return mode


def objects_of(answer: Any, asked: dict[str, Any]) -> list[Any]:
    """Return the objects in the result of a call: its chunks if a stream was requested, otherwise the result itself."""
    return list(answer) if asked.get("stream") else [answer]


async def async_objects_of(call: Awaitable[Any], asked: dict[str, Any]) -> list[Any]:
    """Return the objects in the result of an asynchronous call."""
    answer = await call
    return [chunk async for chunk in answer] if asked.get("stream") else [answer]


def dumped(value: Any) -> Any:
    """Return an SDK's object as plain JSON, which the SDK itself writes."""
    dump = getattr(value, "model_dump", None)
    return dump(mode="json", warnings=False) if dump is not None else value


def whole(value: Any) -> dict[str, Any]:
    """Return the data in a completion that was not streamed."""
    data = dumped(value)
    found = [
        _choice(choice["index"], choice["message"], choice, choice["message"].get("tool_calls"))
        for choice in data["choices"]
    ]
    return {"choices": found, "usage": _usage(data.get("usage"))}


def streamed(chunks: Iterable[Any]) -> dict[str, Any]:
    """Return the data in the chunks of a stream, accumulated as a user of the SDK would do it."""
    choices: dict[int, dict[str, Any]] = {}
    usage = None
    for chunk in chunks:
        data = dumped(chunk)
        usage = _usage(data.get("usage")) or usage
        for choice in data.get("choices") or ():
            into = choices.setdefault(
                choice["index"], {"delta": {}, "calls": {}, "logprobs": [], "finish_reason": None}
            )
            delta = choice.get("delta") or {}
            for key in ("content", "reasoning", "reasoning_content"):
                if delta.get(key) is not None:
                    into["delta"][key] = into["delta"].get(key, "") + delta[key]
            for fragment in delta.get("tool_calls") or ():
                call = into["calls"].setdefault(
                    int(fragment["index"]), {"id": "", "function": {"name": "", "arguments": ""}}
                )
                call["id"] += fragment.get("id") or ""  # joined, as by a client that relies on the format
                for key in ("name", "arguments"):
                    call["function"][key] += (fragment.get("function") or {}).get(key) or ""
            into["logprobs"] += _logprobs(choice)
            into["finish_reason"] = choice.get("finish_reason") or into["finish_reason"]
    found = []
    for index, choice in sorted(choices.items()):
        calls = [call for _, call in sorted(choice["calls"].items())]
        found.append({**_choice(index, choice["delta"], choice, calls), "logprobs": choice["logprobs"]})
    return {"choices": found, "usage": usage}


def _choice(index: int, message: dict[str, Any], choice: dict[str, Any], calls: Any) -> dict[str, Any]:
    return {
        "index": index,
        "content": message.get("content") or "",
        "reasoning": message.get("reasoning") or message.get("reasoning_content") or "",
        "finish_reason": choice["finish_reason"],
        "calls": [
            (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls or ()
        ],
        "logprobs": _logprobs(choice),
    }


def _logprobs(choice: dict[str, Any]) -> list[tuple[str, float]]:
    logprobs = choice.get("logprobs")
    entries = logprobs.get("content") if isinstance(logprobs, dict) else None
    return [(entry["token"], entry["logprob"]) for entry in entries or ()]


def _usage(usage: Any) -> tuple[int, int, int] | None:
    return (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) if usage else None
