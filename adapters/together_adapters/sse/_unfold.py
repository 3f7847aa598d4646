"""A response as the chunks of a stream: what `accumulate` puts together, taken apart. Texts are not cut into
pieces, and nothing is made up but a role where there is none.
"""

from __future__ import annotations

from .._types import ChatCompletionChunk
from ..accumulate._merging import by_index, json_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .._types import ChatCompletionChoicesData, ChatCompletionMessage, ChatCompletionResponse

__all__ = ["response_to_chunks"]

# What stands in every chunk of a stream; the rest of a response is in the first.
_HEAD = ("id", "object", "created", "model", "system_fingerprint", "service_tier")
_TEXTS = ("reasoning", "reasoning_content", "content", "refusal")


def response_to_chunks(response: ChatCompletionResponse) -> Iterator[ChatCompletionChunk]:
    """The chunks of a response; see `sse.response_to_chunks`."""
    data = json_of(response)
    data.pop("choices", None)
    usage = data.pop("usage", None)
    head: dict[str, Any] = {key: data.pop(key) for key in _HEAD if key in data}
    if head.get("object") in (None, "", "chat.completion"):
        head["object"] = "chat.completion.chunk"
    choices = by_index(response.choices)
    opening = [{"index": index, **_opening(choice.message)} for index, choice in choices if choice.message is not None]
    if data and not opening:
        yield ChatCompletionChunk.from_dict({**head, "choices": [], **data})
    for number, choice in enumerate(opening):
        yield ChatCompletionChunk.from_dict({**head, "choices": [choice], **({} if number else data)})
    for index, value in choices:
        for part in _parts(value):
            yield ChatCompletionChunk.from_dict({**head, "choices": [{"index": index, **part}]})
    if usage is not None:
        yield ChatCompletionChunk.from_dict({**head, "choices": [], "usage": usage})


def _opening(message: ChatCompletionMessage) -> dict[str, Any]:
    delta: dict[str, Any] = {"role": message.role or "assistant"}
    if isinstance(message.content, str):
        delta["content"] = ""
    return {"delta": delta, "finish_reason": None}


def _parts(choice: ChatCompletionChoicesData) -> Iterator[dict[str, Any]]:
    """What the chunks of one choice say after its opening; the last has the finish reason."""
    data = json_of(choice)
    data.pop("index", None)
    if choice.message is None:
        yield data if "text" in data else {**data, "delta": {}}
        return
    message: dict[str, Any] = data.pop("message")
    message.pop("role", None)
    for key in _TEXTS:
        text = message.pop(key, None)
        if text is not None:
            part: dict[str, Any] = {"delta": {key: text}, "finish_reason": None}
            if key == "content" and "logprobs" in data:
                part["logprobs"] = data.pop("logprobs")
            yield part
    if choice.message.tool_calls is not None:
        calls: list[dict[str, Any]] = message.pop("tool_calls")
        yield {
            "delta": {"tool_calls": [{**call, "index": index} for index, call in enumerate(calls)]},
            "finish_reason": None,
        }
    yield {"finish_reason": None, **data, "delta": message}
