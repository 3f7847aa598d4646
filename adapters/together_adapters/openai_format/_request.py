"""Requests from Together's form to OpenAI's and back, as JSON. The dict that is given is changed, but nothing inside of it.

Together asks for log probabilities by a number, OpenAI by a bool with the number in `top_logprobs`. Together puts a
JSON Schema beside the type of the response format, OpenAI under `json_schema` with a name; the original of that
is kept as `native_response_format`.
"""

from __future__ import annotations

from ..accumulate._merging import is_dict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["request_from_openai", "request_to_openai"]


def request_to_openai(data: dict[str, Any]) -> dict[str, Any]:
    """Together's spellings become OpenAI's; all else stays."""
    count = data.get("logprobs")
    if isinstance(count, int) and not isinstance(count, bool):
        data["logprobs"] = True
        if data.get("top_logprobs") is None:
            data["top_logprobs"] = count
    converted = _with_json_schema(data.get("response_format"))
    if converted is not None:
        data["native_response_format"] = data["response_format"]
        data["response_format"] = converted
    return data


def request_from_openai(data: dict[str, Any]) -> dict[str, Any]:
    """The way back; a bool alone, without a number, stays."""
    count = data.get("top_logprobs")
    if data.get("logprobs") is True and isinstance(count, int) and not isinstance(count, bool):
        del data["top_logprobs"]
        data["logprobs"] = count
    native = data.get("native_response_format")
    if native is not None and _with_json_schema(native) == data.get("response_format"):
        data["response_format"] = data.pop("native_response_format")
    return data


def _with_json_schema(response_format: object) -> dict[str, Any] | None:
    """OpenAI's form of a response format that has its schema beside its type."""
    if not is_dict(response_format) or response_format.get("json_schema") is not None:
        return None
    schema: object = response_format.get("schema")
    if not is_dict(schema) or response_format.get("type") not in ("json_object", "json_schema"):
        return None
    return {"type": "json_schema", "json_schema": {"name": "response", "schema": schema}}
