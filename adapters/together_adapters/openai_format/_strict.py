"""Converting a value to JSON that conforms to OpenAI's schema: only allowed keys and values, and all required keys.

Does not report the dropped data. `openai_format.to_openai_with_loss` lists it.
"""

from __future__ import annotations

from .._error_messages import message_in
from .._json_data import is_dict, is_list, objects_in, with_call_indexes
from .._types import ChatCompletionChunk, ChatCompletionRequest, ErrorData
from ._schema import CHUNK, ERROR, FINISH_REASONS, MOST_TOP_LOGPROBS, REQUEST, RESPONSE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["normalized", "to_strict"]

_AS_OPENAI = {
    "max_tokens": "length",
    "max_length": "length",
    "tool_use": "tool_calls",
    "tool_call": "tool_calls",
    "safety": "content_filter",
    "refusal": "content_filter",
}


def to_strict(value: object, data: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON of a value as OpenAI's schema allows it.

    `data` is the JSON of `value`, already converted to OpenAI's forms. It is changed.
    """
    fitted: dict[str, Any]
    if isinstance(value, ErrorData):
        fitted = ERROR(_error(data))
    elif isinstance(value, ChatCompletionRequest):
        fitted = REQUEST(_request(data))
    else:
        is_chunk = isinstance(value, ChatCompletionChunk)
        choices = objects_in(data.get("choices"))
        data["choices"] = [_choice(index, choice, is_chunk) for index, choice in enumerate(choices)]
        fitted = (CHUNK if is_chunk else RESPONSE)(data)
    return fitted


def normalized(value: Any) -> dict[str, Any]:
    """Return a value's JSON with the values of its fields instead of the JSON that the server sent.

    A count of 5.0 becomes 5, and an object of tool call arguments becomes text. (`to_dict` returns the server's JSON.)
    """
    members: dict[str, Any] = value.__dict__
    data = {key: _normalized_item(item) for key, item in members.items() if key != "extra"}
    for key, raw in value.extra.items():
        if key not in data or (isinstance(raw, int) and data[key] == raw):  # 1 was sent, and the field contains 1.0
            data[key] = raw
    return data


def _normalized_item(item: Any) -> Any:
    if hasattr(item, "to_dict"):
        return normalized(item)
    if item.__class__ in (tuple, list):
        return [_normalized_item(inner) for inner in item]
    return str.__str__(item) if isinstance(item, str) else item


def _choice(position: int, choice: dict[str, Any], is_chunk: bool) -> dict[str, Any]:
    key = "delta" if is_chunk else "message"
    message: Any = choice.get(key)
    if not is_dict(message):  # a legacy completion has text instead
        message = {"content": choice.get("text")}
    content = _text(message.get("content"))
    calls = objects_in(message.get("tool_calls"))
    if is_chunk:
        calls = with_call_indexes(calls)
    reason = choice.get("finish_reason") or None
    if reason is not None and reason not in FINISH_REASONS:
        reason = _AS_OPENAI.get(reason if isinstance(reason, str) else "", "stop")
    if reason is None and not is_chunk:
        reason = "tool_calls" if calls else "stop"
    index = position if choice.get("index") is None else choice["index"]
    return {
        **choice,
        "index": index,
        "finish_reason": reason,
        key: {**message, "content": content, "tool_calls": calls},
    }


def _text(content: object) -> object:
    """Return `content`, or the joined texts of its text parts if it is an array."""
    if not is_list(content):
        return content
    texts: list[object] = [part.get("text") for part in objects_in(content) if part.get("type") == "text"]
    return "".join([text for text in texts if isinstance(text, str)])


def _request(data: dict[str, Any]) -> dict[str, Any]:
    top = data.get("top_logprobs")
    if isinstance(top, int) and top > MOST_TOP_LOGPROBS:
        data["top_logprobs"] = MOST_TOP_LOGPROBS
    return data


def _as_text(message: Any) -> str:
    if message is None or isinstance(message, str):
        return message or ""
    return message_in({"error": message}) or repr(message)


def _error(data: dict[str, Any]) -> dict[str, Any]:
    """Return an error body in OpenAI's form. Servers send it in several other forms."""
    error: Any = data.get("error")
    if not is_dict(error):
        detail = error if error is not None else data.get("detail")
        error = {**data, "message": data["message"]} if "message" in data else {"message": detail}
    code: Any = error.get("code")
    return {
        "error": {
            **error,
            "message": _as_text(error.get("message")),
            "code": str(code) if isinstance(code, (str, int)) else None,
        }
    }
