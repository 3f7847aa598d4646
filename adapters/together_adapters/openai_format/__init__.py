"""Converting responses, chunks, requests and error bodies from Together's format to OpenAI's and back.

Data that is already in OpenAI's format is unchanged: `to_openai(from_openai(data)) == data`. Together's own forms are
converted, and the original is kept under an additional key, so that `from_openai(to_openai(value)) == value`:

- The `finish_reason` `eos` becomes `stop`, with the `native_finish_reason` `eos` (the name of the key is OpenRouter's).
- Log probabilities that are arrays or a number become `logprobs.content` (see `_logprob_forms`). The original is kept
  as `native_logprobs`.
- In a request, a number as `logprobs` becomes `logprobs: true` with the number as `top_logprobs`.
- In a request's `response_format`, a JSON Schema in `schema` moves to `json_schema.schema`, with the name
  `response`. The original is kept as `native_response_format`.
- Keys that only Together has (`seed`, `prompt`, `warnings`, `token_id` and others) are kept under the same names.

Two forms of OpenAI's own format are ambiguous, and `from_openai` reads them as Together's:

- a `finish_reason` `stop` with the `native_finish_reason` `eos`
- a request with both `logprobs: true` and `top_logprobs`

The function `to_openai_with_loss` lists each value that a round trip would change, including values in these forms.

The functions do not change their arguments, and drop data only with `only_openai` or `reasoning_key`.
"""

from __future__ import annotations

from .._json_data import is_dict, is_list, json_of, objects_in, raw_of
from .._logprob_forms import from_native_logprobs, with_openai_logprobs
from .._types import (
    ChatCompletionChunk,
    ChatCompletionRequest,
    ChatCompletionResponse,
    ErrorData,
    ParseError,
    TogetherErrorResponse,
)
from ._losses import Loss, diff
from ._strict import normalized, to_strict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal, TypeVar, Union, overload

    from .._types import (
        ChatCompletionChunkDict,
        ChatCompletionRequestDict,
        ChatCompletionResponseDict,
        ErrorDataDict,
        OpenAIChatCompletion,
        OpenAIChatCompletionChunk,
        OpenAIError,
        OpenAIRequest,
    )
    from ..protocols import JSON, SDKObject

    Convertible = Union[ChatCompletionChunk, ChatCompletionRequest, ChatCompletionResponse, ErrorData]
    AnyError = Union[ErrorData, TogetherErrorResponse]
    AnyConvertible = Union[Convertible, TogetherErrorResponse, Mapping[str, JSON]]
    Kind = TypeVar("Kind", ChatCompletionChunk, ChatCompletionRequest, ChatCompletionResponse, ErrorData)
    Source = Union[Mapping[str, JSON], SDKObject]

__all__ = ["Loss", "from_openai", "to_openai", "to_openai_with_loss"]

Loss.__module__ = __name__  # pickles refer to the class by its public module

_REASONING = ("reasoning", "reasoning_content")


if TYPE_CHECKING:

    @overload
    def to_openai(
        value: ChatCompletionResponse, *, only_openai: Literal[False] = False, reasoning_key: str | None = None
    ) -> ChatCompletionResponseDict: ...

    @overload
    def to_openai(
        value: ChatCompletionResponse, *, only_openai: Literal[True], reasoning_key: str | None = None
    ) -> OpenAIChatCompletion: ...

    @overload
    def to_openai(
        value: ChatCompletionChunk, *, only_openai: Literal[False] = False, reasoning_key: str | None = None
    ) -> ChatCompletionChunkDict: ...

    @overload
    def to_openai(
        value: ChatCompletionChunk, *, only_openai: Literal[True], reasoning_key: str | None = None
    ) -> OpenAIChatCompletionChunk: ...

    @overload
    def to_openai(
        value: ChatCompletionRequest, *, only_openai: Literal[False] = False, reasoning_key: str | None = None
    ) -> ChatCompletionRequestDict: ...

    @overload
    def to_openai(
        value: ChatCompletionRequest, *, only_openai: Literal[True], reasoning_key: str | None = None
    ) -> OpenAIRequest: ...

    @overload
    def to_openai(
        value: AnyError, *, only_openai: Literal[False] = False, reasoning_key: str | None = None
    ) -> ErrorDataDict: ...

    @overload
    def to_openai(value: AnyError, *, only_openai: Literal[True], reasoning_key: str | None = None) -> OpenAIError: ...

    @overload
    def to_openai(
        value: Mapping[str, JSON], *, only_openai: bool = False, reasoning_key: str | None = None
    ) -> dict[str, JSON]: ...

    @overload
    def to_openai(
        value: AnyConvertible, *, only_openai: bool = False, reasoning_key: str | None = None
    ) -> Mapping[str, JSON]: ...


def to_openai(
    value: AnyConvertible,
    *,
    only_openai: bool = False,
    reasoning_key: str | None = None,
) -> Any:
    """Return a value in OpenAI's format, as a new dict. The class of a mapping is detected as by `from_openai`.

    With `only_openai` the result conforms to OpenAI's schema: keys and values that the schema does not allow are
    dropped, missing required values become null or an empty value, and unknown finish reasons become `stop`.

    `reasoning_key` (`reasoning` or `reasoning_content`) is the key under which reasoning text is returned. By default
    it is returned under the key that the server used, and with `only_openai` it is dropped, because OpenAI's schema has
    neither key. If a message has both keys, the first text that is not empty is kept.

    Raises TypeError if the argument cannot be converted, and ParseError if it is nested too deeply.

    >>> from together_adapters.openai_format import to_openai
    >>> to_openai({"choices": [{"index": 0, "delta": {}, "finish_reason": "eos"}]})["choices"][0]["finish_reason"]
    'stop'
    """
    value = _value_of(value)
    if only_openai:
        return to_strict(value, _converted(value, normalized(value)))
    data = _converted(value, json_of(value))
    if reasoning_key is not None:
        _rename_reasoning(data, reasoning_key)
    return data


def to_openai_with_loss(
    value: AnyConvertible,
    *,
    only_openai: bool = False,
    reasoning_key: str | None = None,
) -> tuple[dict[str, JSON], list[Loss]]:
    """Return the result of `to_openai`, and a list of the data that a round trip through `from_openai` would lose.

    Raises the exceptions of `to_openai`.

    >>> from together_adapters.openai_format import to_openai_with_loss
    >>> to_openai_with_loss({"messages": [], "model": "m", "top_k": 40}, only_openai=True)
    ({'messages': [], 'model': 'm'}, [Loss(path='top_k', problem='left out', value=40)])
    """
    value = _value_of(value)
    data: dict[str, Any] = {**to_openai(value, only_openai=only_openai, reasoning_key=reasoning_key)}
    return data, diff(value, from_openai(data, value.__class__))


if TYPE_CHECKING:

    @overload
    def from_openai(source: Source, kind: None = None, *, reasoning_key: str | None = None) -> Convertible: ...

    @overload
    def from_openai(source: Source, kind: type[Kind], *, reasoning_key: str | None = None) -> Kind: ...


def from_openai(source: Source, kind: type[Any] | None = None, *, reasoning_key: str | None = None) -> Any:
    """Convert a JSON object in OpenAI's format to a response, a chunk, a request or an error body.

    `source` is a mapping, or an object of an SDK (anything with `to_dict` or `model_dump`). `kind` is the class of the
    result: ChatCompletionResponse, ChatCompletionChunk, ChatCompletionRequest or ErrorData.

    By default the class is detected from the keys. If the choices have neither a delta nor a message, the value of
    `object` determines whether the result is a chunk or a response. An unrelated object like `{"a": 1}` becomes a
    response without choices, whose keys are in `extra` and whose `issues()` is empty.

    `reasoning_key` (`reasoning` or `reasoning_content`) is the key under which the result contains reasoning text. By
    default the key is unchanged.

    Raises TypeError if `source` is not such an object or `kind` is not such a class, and ParseError if `source` is
    nested too deeply.

    >>> from together_adapters.openai_format import from_openai
    >>> from_openai({"a": 1})
    ChatCompletionResponse(extra={'a': 1})
    """
    data = _members_of(source)
    cls = _kind_of(data) if kind is None else kind
    if not hasattr(cls, "from_dict"):
        names = "ChatCompletionResponse, ChatCompletionChunk, ChatCompletionRequest or ErrorData"
        raise TypeError(f"kind must be {names}, got {kind!r}")
    if cls is ChatCompletionRequest:
        data = _request_from_openai(data)
    elif cls in (ChatCompletionResponse, ChatCompletionChunk):
        _each_choice(data, _choice_from_openai)
    if reasoning_key is not None:
        _rename_reasoning(data, reasoning_key)
    value: Convertible = cls.from_dict(data)
    return value


# ---- arguments


def _value_of(value: AnyConvertible) -> Convertible:
    if isinstance(value, TogetherErrorResponse):
        return ErrorData(error=value)
    if isinstance(value, (ChatCompletionResponse, ChatCompletionChunk, ChatCompletionRequest, ErrorData)):
        return value
    data = _members_of(value)
    read: Convertible = _kind_of(data).from_dict(data)
    return read


def _members_of(source: Any) -> dict[str, Any]:
    """Return a copy of the JSON object that a mapping or an SDK's object contains."""
    try:
        data: object = raw_of(source)
    except RecursionError:
        raise ParseError("", "nested too deeply") from None
    if not is_dict(data):
        raise TypeError(
            f"expected a mapping or an object whose to_dict or model_dump returns one, got {type(source).__name__}"
        )
    return data


def _kind_of(data: Mapping[str, Any]) -> Any:
    choices = data.get("choices")
    said = data.get("object")
    says_chunk = isinstance(said, str) and said.endswith("chunk")
    if "choices" not in data and not says_chunk:
        if is_list(data.get("messages")):
            return ChatCompletionRequest
        if data.get("error") is not None or said == "error" or "detail" in data:
            return ErrorData
    kinds = [key for choice in objects_in(choices) for key in ("delta", "message") if key in choice]
    if len({*kinds}) == 1:
        says_chunk = kinds[0] == "delta"
    return ChatCompletionChunk if says_chunk else ChatCompletionResponse


def _each_choice(data: dict[str, Any], convert: Any) -> None:
    """Replace each choice with the result of converting it."""
    choices: object = data.get("choices")
    if is_list(choices):
        data["choices"] = [convert(choice) if is_dict(choice) else choice for choice in choices]


# ---- to OpenAI's format, and back


def _converted(value: Convertible, data: dict[str, Any]) -> dict[str, Any]:
    if isinstance(value, ChatCompletionRequest):
        return _request_to_openai(data)
    if not isinstance(value, ErrorData):
        _each_choice(data, _choice_to_openai)
    return data


def _choice_to_openai(choice: dict[str, Any]) -> dict[str, Any]:
    choice = with_openai_logprobs(choice) or choice
    if choice.get("finish_reason") == "eos":
        choice = {**choice, "finish_reason": "stop", "native_finish_reason": "eos"}
    return choice


def _choice_from_openai(choice: dict[str, Any]) -> dict[str, Any]:
    choice = from_native_logprobs(choice) or choice
    if choice.get("finish_reason") == "stop" and choice.get("native_finish_reason") == "eos":
        choice = {key: value for key, value in choice.items() if key != "native_finish_reason"}
        choice["finish_reason"] = "eos"
    return choice


def _rename_reasoning(data: dict[str, Any], chosen: str) -> None:
    for choice in [data, *objects_in(data.get("choices"))]:
        inside = [choice.get("message"), choice.get("delta"), *objects_in(choice.get("messages"))]
        for message in inside:
            if is_dict(message):
                texts = [message.pop(key) for key in _REASONING if key in message]
                if texts:
                    message[chosen] = next((text for text in texts if text), texts[0])


def _request_to_openai(data: dict[str, Any]) -> dict[str, Any]:
    """Convert Together's forms in a request's JSON to OpenAI's, in place."""
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


def _request_from_openai(data: dict[str, Any]) -> dict[str, Any]:
    """Convert OpenAI's forms in a request's JSON to Together's, in place. Without a number, `logprobs` is unchanged."""
    count = data.get("top_logprobs")
    if data.get("logprobs") is True and isinstance(count, int) and not isinstance(count, bool):
        del data["top_logprobs"]
        data["logprobs"] = count
    native = data.get("native_response_format")
    if native is not None and _with_json_schema(native) == data.get("response_format"):
        data["response_format"] = data.pop("native_response_format")
    return data


def _with_json_schema(response_format: object) -> dict[str, Any] | None:
    """Return OpenAI's form of a `response_format` whose schema is a sibling of its type, or None for any other."""
    if not is_dict(response_format) or response_format.get("json_schema") is not None:
        return None
    schema: object = response_format.get("schema")
    if not is_dict(schema) or response_format.get("type") not in ("json_object", "json_schema"):
        return None
    return {"type": "json_schema", "json_schema": {"name": "response", "schema": schema}}
