"""The data of one event: JSON documents, `[DONE]`, and errors in the forms that servers use.

Does no I/O, and does not change the state of the stream.
"""

from __future__ import annotations

import json
import re

from .._json_data import is_dict, is_list
from .._types import ChatCompletionChunk, ParseError, TogetherErrorResponse, check_nesting, document_at, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = [
    "DONE",
    "LARGE_EVENT",
    "Unparsed",
    "after_done",
    "completion_as_chunk",
    "documents_in",
    "find_error",
    "is_done",
    "message_of",
]

DONE = "[DONE]"
LARGE_EVENT = 16384  # bytes. The memory of smaller events is not checked.
_FLAT_KEYS = ("detail", "errors", "error_msg")  # FastAPI, JSON:API, Baidu
_DONE = r'(?i:"\[DONE\]"|\[DONE\])'
_SPACE = r"\s*(?:data:\s*)*"  # some gateways add a second `data:` to the events of their upstream


class Unparsed(str):
    """The rest of a text, from the first position that is not the start of a JSON object."""

    __slots__ = ()


def documents_in(text: str) -> Iterator[dict[str, Any] | str]:
    """Yield the JSON objects of a text, including those in arrays, and its `[DONE]`.

    null and empty arrays are skipped. If anything else follows, including a `[DONE]` with text after it, the rest of
    the text is yielded as an Unparsed. Raises ValueError for a document that takes too much memory.
    """
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
        if _end_of(_DONE, text, start) > start:
            yield DONE if is_done(text, start) else Unparsed(text[start:])
            return
        try:
            value, end = document_at(text, start)
        except ValueError:
            value = text
        else:
            if end - start > LARGE_EVENT and not isinstance(value, str):
                _check_weight(value, end - start)
        if is_dict(value):
            yield value
        elif is_list(value) and all([is_dict(item) for item in value]):
            yield from value  # Gemini's form of an error body
        elif value is not None:
            yield Unparsed(text[start:])
            return


def read_chunk(text: str) -> ChatCompletionChunk:
    """Read a text that is one JSON object.

    Raises ParseError for other text, and ValueError for JSON that takes too much memory.
    """
    if len(text) <= LARGE_EVENT:
        return ChatCompletionChunk.from_json(text)
    if not text.startswith("{"):
        raise ParseError("", "expected an object")
    data: Any = loads(text)
    _check_weight(data, len(text))
    return ChatCompletionChunk.from_dict(data)


def _check_weight(data: Any, size: int) -> None:
    from ._weight import check_weight  # few streams have a large event

    check_weight(data, size)


def is_done(text: str, start: int = 0) -> bool:
    """Return whether the text from `start` on is `[DONE]`, once or several times."""
    # An unlimited repetition of a group takes 55 bytes of memory for each byte of the text.
    some, end = re.compile(rf"(?:{_SPACE}{_DONE}){{1,1000}}"), start
    while (found := some.match(text, end)) is not None:
        end = found.end()
    return end > start and not text[end:].strip()


def after_done(text: str) -> str:
    """Return the text after a `[DONE]` at its beginning, or "" if it does not begin with `[DONE]`."""
    end = _end_of(_DONE, text, 0)
    return text[end:] if end else ""


def _end_of(pattern: str, text: str, start: int) -> int:
    found = re.compile(pattern).match(text, start)
    return start if found is None else found.end()


def find_error(name: str, chunk: ChatCompletionChunk) -> TogetherErrorResponse | None:
    """Return the error that an event reports in any of the forms that servers use, or None."""
    fields = vars(chunk)
    is_chunk = "choices" in fields
    if name != "error" and is_chunk and not _may_report_error(chunk):
        return None
    error: Any = chunk.error if chunk.error is not None else chunk.extra.get("error")
    if isinstance(error, TogetherErrorResponse):
        if _is_error(error.to_dict()) or not is_chunk:
            return error
    elif error is not None and (_is_error(error) or not is_chunk):
        return _as_error(error)
    error = _nested_error(chunk)
    if error is not None:
        return _as_error(error)
    is_flat = isinstance(chunk.extra.get("message"), str) or any([chunk.extra.get(key) for key in _FLAT_KEYS])
    is_flat = is_flat and name in ("error", "message") and not is_chunk and chunk.usage is None
    if (name == "error" and not chunk.choices) or str(chunk.object) == "error" or is_flat:
        return TogetherErrorResponse.from_dict(chunk.to_dict())
    return None


def _may_report_error(chunk: ChatCompletionChunk) -> bool:
    fields = vars(chunk)
    return (
        "error" in fields
        or "extra" in fields
        or fields.get("object") == "error"
        or any(["extra" in vars(choice) for choice in chunk.choices or ()])
    )


def _nested_error(chunk: ChatCompletionChunk) -> Any:
    """Return the error in a choice (OpenRouter, genkit), `x_groq.error` (Groq) or `base_resp` (MiniMax), if any."""
    for choice in chunk.choices or ():
        error: Any = choice.extra.get("error")
        if _is_error(error):
            return error
    groq: Any = chunk.extra.get("x_groq")
    if is_dict(groq) and _is_error(groq.get("error")):
        return groq["error"]
    status: Any = chunk.extra.get("base_resp")
    if is_dict(status) and status.get("status_code") not in (None, 0, "0"):  # 0 is success
        return {"message": status.get("status_msg"), "code": status["status_code"]}
    return None


def _is_error(value: Any) -> bool:
    """Return whether the value of a key such as `error` reports an error. An object of nulls reports none."""
    return any([item is not None for item in value.values()]) if is_dict(value) else bool(value)


def _as_error(error: Any) -> TogetherErrorResponse:
    if is_dict(error):
        return TogetherErrorResponse.from_dict(error)
    return TogetherErrorResponse(message=error if isinstance(error, str) else _text_of(error))


def _text_of(error: Any) -> str:
    from .._error_messages import message_in

    return message_in({"error": error}) or json.dumps(error)


def message_of(error: TogetherErrorResponse) -> str:
    """Return the message of an error, or its JSON if it has no message."""
    if error.message:
        return error.message
    from .._error_messages import message_in

    data = error.to_dict()
    return message_in(data) or (error.to_json() if any(data.values()) else "an error without a message")


def completion_as_chunk(chunk: ChatCompletionChunk) -> ChatCompletionChunk:
    """Return a completion without streaming as a chunk, with a delta for each message, and other chunks unchanged."""
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
