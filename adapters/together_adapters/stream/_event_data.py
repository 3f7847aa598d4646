"""The data of one event: JSON documents, `[DONE]`, and errors in the forms that servers use.

Does no I/O, raises nothing, and does not change the state of the stream.
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
    """The rest of a text, from the first position that is not the start of a JSON object."""

    __slots__ = ()


def documents_in(text: str) -> Iterator[dict[str, Any] | str]:
    """Iterate over the JSON objects, alone or in arrays, and the `[DONE]`s of a text; any other text is an Unparsed."""
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
    """Return the error that an event reports, in any of the forms that servers use; None if it reports none."""
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
    """Return the message of an error; its JSON if it has no message."""
    if error.message:
        return error.message
    from .._error_messages import message_in

    data = error.to_dict()
    return message_in(data) or (error.to_json() if any(data.values()) else "an error that does not say what is wrong")


def completion_as_chunk(chunk: ChatCompletionChunk) -> ChatCompletionChunk:
    """Return a chunk with a delta added for each complete message, as a response without streaming has them."""
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
