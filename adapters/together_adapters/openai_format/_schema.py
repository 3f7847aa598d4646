"""OpenAI's schema of chat completions as rules, for responses, chunks, errors and requests.

The source is OpenAI's OpenAPI document of May 2026. A key that the schema requires and Together does not send becomes
null if the schema allows null. Otherwise it becomes a default, such as an empty text, 0 or `stop`. Without a default,
its object is invalid.

Contains rules only. `openai_format` converts Together's forms to OpenAI's.
"""

from __future__ import annotations

from .._logprob_forms import NO_LOGPROB
from ._schema_rules import (
    INVALID,
    array,
    between,
    either,
    flag,
    integer,
    integer_map,
    literal,
    map_of,
    nullable,
    number,
    object_of,
    raw_object,
    text,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["CHUNK", "ERROR", "FINISH_REASONS", "MOST_TOP_LOGPROBS", "REQUEST", "RESPONSE"]

MOST_TOP_LOGPROBS = 20
FINISH_REASONS = ("stop", "length", "tool_calls", "content_filter", "function_call")
_SERVICE_TIERS = literal("auto", "default", "flex", "scale", "priority")


def _tagged(kind: str, rule: Any) -> Any:
    """Return the rule of an object whose `type` is the name of the key that contains its value."""
    return object_of({"type": (literal(kind), INVALID), kind: (rule, INVALID)})


# ---- shared by responses and chunks

_TOKEN: dict[str, Any] = {
    "token": (text, ""),
    "logprob": (number, NO_LOGPROB),
    "bytes": (nullable(array(integer)), None),
}
_TOKEN_LOGPROB = object_of({**_TOKEN, "top_logprobs": (array(object_of(_TOKEN)), [])})
_LOGPROBS = object_of(
    {"content": (nullable(array(_TOKEN_LOGPROB)), None), "refusal": (nullable(array(_TOKEN_LOGPROB)), None)}
)
_USAGE = object_of(
    {"prompt_tokens": (integer, 0), "completion_tokens": (integer, 0), "total_tokens": (integer, 0)},
    {
        "prompt_tokens_details": object_of({}, {"audio_tokens": integer, "cached_tokens": integer}),
        "completion_tokens_details": object_of(
            {},
            {
                "accepted_prediction_tokens": integer,
                "audio_tokens": integer,
                "reasoning_tokens": integer,
                "rejected_prediction_tokens": integer,
            },
        ),
    },
)
_FUNCTION_CALL = object_of({"name": (text, ""), "arguments": (text, "")})
_CALLS = array(
    either(
        object_of(
            {
                "type": (literal("custom"), INVALID),
                "id": (text, ""),
                "custom": (object_of({"name": (text, ""), "input": (text, "")}), INVALID),
            }
        ),
        object_of({"function": (_FUNCTION_CALL, INVALID), "id": (text, ""), "type": (literal("function"), "function")}),
    ),
    least=1,
)

# ---- responses

_CITATION = object_of({"end_index": (integer, 0), "start_index": (integer, 0), "title": (text, ""), "url": (text, "")})
_MESSAGE = object_of(
    {"role": (literal("assistant"), "assistant"), "content": (nullable(text), None), "refusal": (nullable(text), None)},
    {
        "tool_calls": _CALLS,
        "function_call": _FUNCTION_CALL,
        "annotations": array(_tagged("url_citation", _CITATION)),
        "audio": object_of(
            {"id": (text, ""), "data": (text, ""), "expires_at": (integer, 0), "transcript": (text, "")}
        ),
    },
)
_HEAD: dict[str, Any] = {"id": (text, ""), "created": (integer, 0), "model": (text, "")}
_REST: dict[str, Any] = {"service_tier": _SERVICE_TIERS, "system_fingerprint": text, "usage": _USAGE}
RESPONSE = object_of(
    {
        **_HEAD,
        "object": (literal("chat.completion"), "chat.completion"),
        "choices": (
            array(
                object_of(
                    {
                        "index": (integer, 0),
                        "finish_reason": (literal(*FINISH_REASONS), "stop"),
                        "logprobs": (nullable(_LOGPROBS), None),
                        "message": (_MESSAGE, _MESSAGE({})),
                    }
                )
            ),
            [],
        ),
    },
    {**_REST, "metadata": map_of(text)},
)

# ---- chunks

_FUNCTION_DELTA = object_of({}, {"name": text, "arguments": text})
_CALL_DELTA = object_of({"index": (integer, 0)}, {"id": text, "type": literal("function"), "function": _FUNCTION_DELTA})
_DELTA = object_of(
    {},
    {
        "role": literal("developer", "system", "user", "assistant", "tool"),
        "content": text,
        "refusal": text,
        "tool_calls": array(_CALL_DELTA, least=1),
        "function_call": _FUNCTION_DELTA,
    },
)
CHUNK = object_of(
    {
        **_HEAD,
        "object": (literal("chat.completion.chunk"), "chat.completion.chunk"),
        "choices": (
            array(
                object_of(
                    {
                        "index": (integer, 0),
                        "delta": (_DELTA, {}),
                        "finish_reason": (nullable(literal(*FINISH_REASONS)), None),
                    },
                    {"logprobs": _LOGPROBS},
                )
            ),
            [],
        ),
    },
    {**_REST, "obfuscation": text},
)

# ---- errors

ERROR = object_of(
    {
        "error": (
            object_of(
                {
                    "message": (text, ""),
                    "type": (text, "server_error"),
                    "param": (nullable(text), None),
                    "code": (nullable(text), None),
                }
            ),
            INVALID,
        )
    }
)

# ---- requests

_TEXT_PART = _tagged("text", text)
_REFUSAL_PART = _tagged("refusal", text)
_USER_PART = either(
    _TEXT_PART,
    _tagged("image_url", object_of({"url": (text, INVALID)}, {"detail": literal("auto", "low", "high")})),
    _tagged("input_audio", object_of({"data": (text, INVALID), "format": (literal("wav", "mp3"), INVALID)})),
    _tagged("file", object_of({}, {"file_data": text, "file_id": text, "filename": text})),
)
_TEXT_OR_PARTS = either(text, array(_TEXT_PART, least=1))
_TEXT_OR_USER_PARTS = either(text, array(_USER_PART, least=1))


def _asked_by(role: str, content: Any) -> Any:
    return object_of({"role": (literal(role), INVALID), "content": (content, "")}, {"name": text})


_ASSISTANT = object_of(
    {"role": (literal("assistant"), INVALID)},
    {
        "content": either(text, array(either(_TEXT_PART, _REFUSAL_PART), least=1)),
        "refusal": text,
        "name": text,
        "audio": object_of({"id": (text, INVALID)}),
        "tool_calls": _CALLS,
        "function_call": _FUNCTION_CALL,
    },
)
_ASKED = either(
    _asked_by("system", _TEXT_OR_PARTS),
    _asked_by("developer", _TEXT_OR_PARTS),
    _asked_by("user", _TEXT_OR_USER_PARTS),
    _ASSISTANT,
    object_of({"role": (literal("tool"), INVALID), "content": (_TEXT_OR_PARTS, ""), "tool_call_id": (text, "")}),
    object_of({"role": (literal("function"), INVALID), "content": (nullable(text), None), "name": (text, "")}),
    # The schema does not allow other roles. The role of such a message becomes `user`.
    object_of({"role": (literal(), "user"), "content": (_TEXT_OR_USER_PARTS, "")}, {"name": text}),
)
_FUNCTION = object_of({"name": (text, "")}, {"description": text, "parameters": raw_object, "strict": flag})
_CUSTOM_FORMAT = either(
    object_of({"type": (literal("text"), INVALID)}),
    _tagged("grammar", object_of({"definition": (text, INVALID), "syntax": (literal("lark", "regex"), INVALID)})),
)
_TOOL = either(
    _tagged("custom", object_of({"name": (text, "")}, {"description": text, "format": _CUSTOM_FORMAT})),
    object_of({"function": (_FUNCTION, INVALID), "type": (literal("function"), "function")}),
)
_NAMED = object_of({"name": (text, INVALID)})
_ALLOWED_TOOLS = object_of({"mode": (literal("auto", "required"), INVALID), "tools": (array(raw_object), [])})
_TOOL_CHOICE = either(
    literal("none", "auto", "required"),
    _tagged("custom", _NAMED),
    _tagged("allowed_tools", _ALLOWED_TOOLS),
    object_of({"function": (_NAMED, INVALID), "type": (literal("function"), "function")}),
)
_JSON_SCHEMA = object_of({"name": (text, "response")}, {"description": text, "schema": raw_object, "strict": flag})
_RESPONSE_FORMAT = either(
    _tagged("json_schema", _JSON_SCHEMA),
    object_of({"type": (literal("text", "json_object"), INVALID)}),
)
_VOICE = either(text, object_of({"id": (text, INVALID)}))
_PLACE = object_of({}, {"city": text, "country": text, "region": text, "timezone": text})
REQUEST = object_of(
    {"messages": (array(_ASKED), []), "model": (text, "")},
    {
        "audio": object_of(
            {"format": (literal("wav", "aac", "mp3", "flac", "opus", "pcm16"), INVALID), "voice": (_VOICE, INVALID)}
        ),
        "frequency_penalty": between(number, -2, 2),
        "function_call": either(literal("none", "auto"), _NAMED),
        "functions": array(object_of({"name": (text, "")}, {"description": text, "parameters": raw_object}), least=1),
        "logit_bias": integer_map,
        "logprobs": flag,
        "max_completion_tokens": integer,
        "max_tokens": integer,
        "metadata": map_of(text),
        "modalities": array(literal("text", "audio")),
        "n": between(integer, 1, 128),
        "parallel_tool_calls": flag,
        "prediction": _tagged("content", _TEXT_OR_PARTS),
        "presence_penalty": between(number, -2, 2),
        "prompt_cache_key": text,
        "prompt_cache_retention": literal("in_memory", "24h"),
        "reasoning_effort": literal("none", "minimal", "low", "medium", "high", "xhigh"),
        "response_format": _RESPONSE_FORMAT,
        "safety_identifier": text,
        "seed": between(integer, -(2**63), 2**63 - 1),
        "service_tier": _SERVICE_TIERS,
        "stop": either(text, array(text, least=1, most=4)),
        "store": flag,
        "stream": flag,
        "stream_options": object_of({}, {"include_obfuscation": flag, "include_usage": flag}),
        "temperature": between(number, 0, 2),
        "tool_choice": _TOOL_CHOICE,
        "tools": array(_TOOL, least=1),
        "top_logprobs": between(integer, 0, MOST_TOP_LOGPROBS),
        "top_p": between(number, 0, 1),
        "user": text,
        "verbosity": literal("low", "medium", "high"),
        "web_search_options": object_of(
            {},
            {
                "search_context_size": literal("low", "medium", "high"),
                "user_location": _tagged("approximate", _PLACE),
            },
        ),
    },
)
