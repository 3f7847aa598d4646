"""What the data of one event says: JSON documents, `[DONE]`, an error in any of the forms that servers use.
What becomes of the stream is not decided here, and nothing raises.
"""

from __future__ import annotations

import json
import re

from .._json_data import is_dict, is_list
from .._types import ChatCompletionChunk, TogetherErrorResponse, check_nesting, document_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["DONE", "Unparsed", "completion_as_chunk", "documents_in", "find_error", "message_of"]

DONE = "[DONE]"
_DONE = r'"\[DONE\]"|\[DONE\]'
_SPACE = r"\s*"


class Unparsed(str):
    """The rest of a text from where it is no JSON object."""

    __slots__ = ()


def documents_in(text: str) -> Iterator[dict[str, Any] | str]:
    """The JSON objects, alone or in arrays, and `[DONE]`s of a text, one by one, and a Rest where it goes on otherwise."""
    try:
        check_nesting(text)
    except RecursionError:
        yield Unparsed(text)
        return
    end = 0
    while True:
        start = _end_of(_SPACE, text, end)
        if start == len(text):
            return
        end = _end_of(_DONE, text, start)
        if end > start:
            yield DONE
            continue
        try:
            value, end = document_at(text, start)
        except ValueError:
            value = None
        if is_dict(value):
            yield value
        elif is_list(value) and value and all([is_dict(item) for item in value]):
            yield from value  # Gemini's form of an error body
        else:
            yield Unparsed(text[start:])
            return


def _end_of(pattern: str, text: str, start: int) -> int:
    found = re.compile(pattern, re.IGNORECASE).match(text, start)
    return start if found is None else found.end()


def find_error(name: str, chunk: ChatCompletionChunk) -> TogetherErrorResponse | None:
    """The error that a frame reports in any of the forms that servers use."""
    fields = vars(chunk)
    is_chunk = "choices" in fields
    if is_chunk and name != "error" and not ("error" in fields or "extra" in fields or fields.get("object") == "error"):
        return None
    error: Any = chunk.error if chunk.error is not None else chunk.extra.get("error")
    if isinstance(error, TogetherErrorResponse):
        if error.to_dict() or not is_chunk:
            return error
    elif error is not None and (error or not is_chunk):
        return TogetherErrorResponse(message=error if isinstance(error, str) else _in_words(error))
    speaks = isinstance(chunk.extra.get("message"), str) or "detail" in chunk.extra
    loose = speaks and name in ("error", "message") and not is_chunk and chunk.usage is None
    if (name == "error" and not chunk.choices) or str(chunk.object) == "error" or loose:
        return TogetherErrorResponse.from_dict(chunk.to_dict())
    return None


def _in_words(error: Any) -> str:
    from .._error_messages import message_in

    return message_in({"error": error}) or json.dumps(error)


def message_of(error: TogetherErrorResponse) -> str:
    """What an error says, in words where it has any."""
    if error.message:
        return error.message
    from .._error_messages import message_in

    data = error.to_dict()
    return message_in(data) or (error.to_json() if any(data.values()) else "an error that does not say what is wrong")


def completion_as_chunk(chunk: ChatCompletionChunk) -> ChatCompletionChunk:
    """An answer that was sent at once, with messages instead of deltas, as one chunk; its messages stay beside the deltas."""
    if not any(choice.delta is None and "message" in choice.extra for choice in chunk.choices or ()):
        return chunk
    from .._json_data import message_as_delta

    data: Any = chunk.to_dict()
    for choice in data["choices"]:
        if choice.get("delta") is None and is_dict(choice.get("message")):
            choice["delta"] = message_as_delta(choice["message"])
    if data.get("object") == "chat.completion":
        data["object"] = "chat.completion.chunk"
    return ChatCompletionChunk.from_dict(data)
