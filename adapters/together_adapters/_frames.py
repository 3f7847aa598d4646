"""What the data of one event says: JSON documents, `[DONE]`, an error in any of the forms that servers use."""

from __future__ import annotations

import json

from ._fold import is_items, is_members
from ._types import ChatCompletionChunk, TogetherErrorResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["DONE", "documents_in", "error_in", "message_of", "whole_as_chunk"]

DONE = "[DONE]"


def documents_in(text: str) -> tuple[list[dict[str, Any] | str], str]:
    """The JSON objects, alone or in arrays, and `[DONE]`s of a text, and the rest from where it is neither."""
    found: list[dict[str, Any] | str] = []
    decoder, end = json.JSONDecoder(), 0
    while True:
        while text[end : end + 1].isspace():
            end += 1
        start = end
        if text.startswith(DONE, start):
            found.append(DONE)
            end = start + len(DONE)
            continue
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            return found, text[start:]
        if is_members(value):
            found.append(value)
        elif is_items(value) and value and all([is_members(item) for item in value]):
            found.extend(value)  # Gemini's form of an error body
        else:
            return found, text[start:]


def error_in(name: str, chunk: ChatCompletionChunk) -> TogetherErrorResponse | None:
    """The error that a frame reports in any of the forms that servers use."""
    fields = vars(chunk)
    is_chunk = "choices" in fields
    if is_chunk and name != "error" and not ("error" in fields or "extra" in fields or fields.get("object") == "error"):
        return None
    error: Any = chunk.error if chunk.error is not None else chunk.extra.get("error")
    if error is not None and (error or not is_chunk):
        if isinstance(error, TogetherErrorResponse):
            return error
        return TogetherErrorResponse(message=error if isinstance(error, str) else json.dumps(error))
    said = isinstance(chunk.extra.get("message"), str) or "detail" in chunk.extra
    if name == "error" or str(chunk.object) == "error" or (said and not is_chunk and chunk.usage is None):
        return TogetherErrorResponse.from_dict(chunk.to_dict())
    return None


def message_of(error: TogetherErrorResponse) -> str:
    detail = error.extra.get("detail")
    return error.message or (detail if isinstance(detail, str) else error.to_json())


def whole_as_chunk(chunk: ChatCompletionChunk) -> ChatCompletionChunk:
    """An answer that was sent at once, with messages instead of deltas, as one chunk."""
    if not any(choice.delta is None and "message" in choice.extra for choice in chunk.choices or ()):
        return chunk
    data: Any = chunk.to_dict()
    for choice in data["choices"]:
        if choice.get("delta") is None and isinstance(choice.get("message"), dict):
            choice["delta"] = message = choice.pop("message")
            if isinstance(message.get("tool_calls"), list):
                message["tool_calls"] = [
                    {"index": index, **call} if isinstance(call, dict) else call
                    for index, call in enumerate(message["tool_calls"])
                ]
    return ChatCompletionChunk.from_dict({**data, "object": "chat.completion.chunk"})
