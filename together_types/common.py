"""The parts that responses and chunks share: enums, usage, log probabilities, tool calls, content parts, deltas.
Values only: nothing here carries, joins or converts them.

Names and members are those of `together.types.common` of together-python 1.x; a few parts that 1.x
has in `chat_completions` are defined here, because deltas hold them too, and are found in both
modules. A field that 1.x does not have says in its class's text where it comes from.
"""

from __future__ import annotations

from collections.abc import Mapping

from ._fast_chunks import use_delta_reader
from ._json import JSON, ParseError, is_object, loads
from ._model import ValueOf, dataclass
from ._open_enum import OpenEnum
from ._read import (
    ARGUMENTS,
    CONCATENATE,
    COUNT,
    CUSTOM,
    EXTRA,
    FLAG,
    INTEGER,
    INTEGERS,
    INTEGERS_OR_NULLS,
    KEEP_FIRST,
    NUMBER,
    NUMBERS_OR_NULLS,
    OBJECT,
    TEXT,
    TEXTS_BY_NAME,
    TEXTS_OR_NULLS,
    TOP_LOGPROBS,
    TypeMismatch,
    array_of,
    enum_of,
    nested,
    union,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from .wire import (
        ChatCompletionMessageContentAudioURLDict,
        ChatCompletionMessageContentDict,
        ChatCompletionMessageContentImageURLDict,
        ChatCompletionMessageContentVideoURLDict,
        ChatCompletionTokenLogprobDict,
        CompletionTokensDetailsDict,
        CustomToolCallDict,
        DeltaContentDict,
        FileFileDict,
        FunctionCallDict,
        InferenceWarningDict,
        InputAudioDict,
        LogprobsPartDict,
        PromptPartDict,
        PromptTokensDetailsDict,
        ThinkingPartDict,
        TogetherRequestDict,
        ToolCallsDict,
        TopLogprobDict,
        UsageDataDict,
    )

    class _Reasoned(Protocol):
        """The fields of a message or a delta that may contain reasoning."""

        @property
        def reasoning(self) -> str | None: ...
        @property
        def reasoning_content(self) -> str | None: ...
        @property
        def content(self) -> str | tuple[ChatCompletionMessageContent, ...] | None: ...


__all__ = [
    "ChatCompletionMessageContent",
    "ChatCompletionMessageContentAudioURL",
    "ChatCompletionMessageContentImageURL",
    "ChatCompletionMessageContentType",
    "ChatCompletionMessageContentVideoURL",
    "ChatCompletionTokenLogprob",
    "CompletionTokensDetails",
    "CustomToolCall",
    "DeltaContent",
    "FileFile",
    "FinishReason",
    "FunctionCall",
    "InferenceWarning",
    "InputAudio",
    "LogprobsPart",
    "MessageRole",
    "ObjectType",
    "PromptPart",
    "PromptTokensDetails",
    "ThinkingPart",
    "TogetherRequest",
    "ToolCalls",
    "TopLogprob",
    "UsageData",
    "reasoning_of",
    "text_of",
]


class FinishReason(OpenEnum):
    """Why a choice ended.

    Together's own are named; other servers' (`content_filter`, `function_call`, `abort`, ...) are values
    with `.known == False`. `Null` is the empty string that Together has sent; JSON's null reads as None.
    """

    Length = "length"
    """Cut off at `max_tokens`, or at the model's context."""
    StopSequence = "stop"
    """The model was done, or wrote a stop sequence."""
    EOS = "eos"
    """The model wrote its end-of-sequence token; other servers call that `stop`."""
    ToolCalls = "tool_calls"
    """The model calls tools and waits for what they give."""
    Error = "error"
    """Something failed while the answer was made."""
    Null = ""
    """The empty string: the choice goes on."""


class ObjectType(OpenEnum):
    """The kind of an object, as its `object` key says; some gateways send `""` or another kind's name."""

    TextCompletion = "text_completion"
    """A completion of a plain prompt, as OpenAI names it."""
    Completion = "text.completion"
    """A completion of a plain prompt (Together)."""
    CompletionChunk = "completion.chunk"
    """A chunk of a streamed completion of a plain prompt (Together)."""
    ChatCompletion = "chat.completion"
    """A response."""
    ChatCompletionChunk = "chat.completion.chunk"
    """A chunk of a streamed response."""
    Embedding = "embedding"
    """An embedding."""
    FinetuneEvent = "fine-tune-event"
    """An event of a fine-tuning job (Together)."""
    File = "file"
    """A file that was uploaded."""
    Model = "model"
    """A model's description."""


class MessageRole(OpenEnum):
    """Who speaks in a message."""

    ASSISTANT = "assistant"
    """The model."""
    SYSTEM = "system"
    """Instructions for the whole conversation."""
    USER = "user"
    """Who asks."""
    TOOL = "tool"
    """What a tool gave; `tool_call_id` says for which call."""


class ChatCompletionMessageContentType(OpenEnum):
    """The kind of a content part; `thinking`, `refusal`, `input_audio`, ... are unnamed values."""

    TEXT = "text"
    """`text` is set."""
    IMAGE_URL = "image_url"
    """`image_url` is set."""
    VIDEO_URL = "video_url"
    """`video_url` is set (Together)."""
    AUDIO_URL = "audio_url"
    """`audio_url` is set (Together)."""


@dataclass(frozen=True)
class PromptTokensDetails(ValueOf["PromptTokensDetailsDict"]):
    """The kinds of the prompt's tokens (OpenAI, vLLM, llama-server, litellm); counts of tokens.

    `video_tokens` is sent by litellm only.
    """

    cached_tokens: int | None = INTEGER
    audio_tokens: int | None = INTEGER
    text_tokens: int | None = INTEGER
    image_tokens: int | None = INTEGER
    video_tokens: int | None = INTEGER
    cache_write_tokens: int | None = INTEGER
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class CompletionTokensDetails(ValueOf["CompletionTokensDetailsDict"]):
    """The kinds of the completion's tokens (OpenAI, litellm, SGLang); counts of tokens.

    `image_tokens` is sent by litellm only.
    """

    reasoning_tokens: int | None = INTEGER
    audio_tokens: int | None = INTEGER
    text_tokens: int | None = INTEGER
    image_tokens: int | None = INTEGER
    accepted_prediction_tokens: int | None = INTEGER
    rejected_prediction_tokens: int | None = INTEGER
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class UsageData(ValueOf["UsageDataDict"]):
    """Counts of tokens. An absent count reads as 0 and is an issue.

    The details are OpenAI's; `reasoning_tokens` at this level is SGLang's.
    """

    prompt_tokens: int = COUNT
    completion_tokens: int = COUNT
    total_tokens: int = COUNT
    prompt_tokens_details: PromptTokensDetails | None = nested(PromptTokensDetails)
    completion_tokens_details: CompletionTokensDetails | None = nested(CompletionTokensDetails)
    reasoning_tokens: int | None = INTEGER
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class TopLogprob(ValueOf["TopLogprobDict"]):
    """One of the likeliest tokens at a position (OpenAI's form).

    `logprob` is a natural logarithm, `bytes` the token's UTF-8 (a token may be part of a character),
    `id` the token's number (llama-server, litellm).
    """

    token: str | None = TEXT
    logprob: float | None = NUMBER
    bytes: tuple[int, ...] | None = INTEGERS
    id: int | None = INTEGER
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ChatCompletionTokenLogprob(ValueOf["ChatCompletionTokenLogprobDict"]):
    """A generated token with its log probability (OpenAI's form).

    The fields are those of TopLogprob, `id` (llama-server, litellm) included, and the likeliest tokens beside it.
    """

    token: str | None = TEXT
    logprob: float | None = NUMBER
    bytes: tuple[int, ...] | None = INTEGERS
    top_logprobs: tuple[TopLogprob, ...] | None = array_of(nested(TopLogprob))
    id: int | None = INTEGER
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class LogprobsPart(ValueOf["LogprobsPartDict"]):
    """Log probabilities (natural logarithms) of tokens, in Together's or in OpenAI's form.

    Together: the parallel arrays `tokens`, `token_logprobs` and `token_ids`; a prompt's first entry is null.
    `top_logprobs` is one object (Together's OpenAPI) or an array of one object for each position (legacy
    completions, llama-cpp-python), which also send `text_offset`. OpenAI: `content` and `refusal`.
    """

    tokens: tuple[str | None, ...] | None = TEXTS_OR_NULLS
    token_logprobs: tuple[float | None, ...] | None = NUMBERS_OR_NULLS
    token_ids: tuple[int | None, ...] | None = INTEGERS_OR_NULLS
    top_logprobs: Mapping[str, float] | tuple[Mapping[str, float] | None, ...] | None = TOP_LOGPROBS
    text_offset: tuple[int | None, ...] | None = INTEGERS_OR_NULLS
    content: tuple[ChatCompletionTokenLogprob, ...] | None = array_of(nested(ChatCompletionTokenLogprob))
    refusal: tuple[ChatCompletionTokenLogprob, ...] | None = array_of(nested(ChatCompletionTokenLogprob))
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class PromptPart(ValueOf["PromptPartDict"]):
    """A prompt as it was sent to the model, returned with `echo`; with `logprobs`, those of its tokens."""

    text: str | None = TEXT
    logprobs: LogprobsPart | None = nested(LogprobsPart)
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class InferenceWarning(ValueOf["InferenceWarningDict"]):
    """A warning about a request that was answered all the same: its `message` (Together's OpenAPI)."""

    message: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class FunctionCall(ValueOf["FunctionCallDict"]):
    """The function that a tool call names and its arguments as JSON text; in a stream, a fragment of the text.

    Arguments that came as an object (TGI, llama.cpp) are given as their JSON text.
    """

    name: str | None = TEXT
    arguments: str | None = ARGUMENTS
    extra: Mapping[str, JSON] = EXTRA

    def parsed_arguments(self) -> dict[str, JSON]:
        """The arguments as a dict; none, null and blank text are the empty dict.

        Raises ParseError, with the position in the text, where they are not a JSON object: models
        break JSON, and a reply cut off by `max_tokens` ends inside it.
        """
        if self.arguments is None or not self.arguments.strip():
            return {}
        try:
            arguments = loads(self.arguments)
        except ParseError as error:
            raise ParseError("arguments", error.problem) from None
        if arguments is None:
            return {}
        if not is_object(arguments):
            raise ParseError("arguments", TypeMismatch("object", arguments).problem)
        return dict(arguments)


@dataclass(frozen=True)
class CustomToolCall(ValueOf["CustomToolCallDict"]):
    """A call of a free-form tool (OpenAI): its name and its input as plain text."""

    name: str | None = TEXT
    input: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ToolCalls(ValueOf["ToolCallsDict"]):
    """One tool call of a message, or a fragment of one in a delta.

    In deltas `index` says which call a fragment belongs to; `id` and `function.name` come with its first
    fragment. Together sends `index` in whole messages too. `custom` is OpenAI's free-form tool.
    """

    id: str | None = TEXT
    type: str | None = TEXT
    function: FunctionCall | None = nested(FunctionCall)
    index: int | None = INTEGER
    custom: CustomToolCall | None = nested(CustomToolCall)
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ChatCompletionMessageContentImageURL(ValueOf["ChatCompletionMessageContentImageURLDict"]):
    """Where a picture is (http, https or data URL); `detail` (OpenAI) is how closely to look."""

    url: str | None = TEXT
    detail: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ChatCompletionMessageContentVideoURL(ValueOf["ChatCompletionMessageContentVideoURLDict"]):
    """Where a video is (http, https or data URL)."""

    url: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ChatCompletionMessageContentAudioURL(ValueOf["ChatCompletionMessageContentAudioURLDict"]):
    """Where a recording is (http, https or data URL)."""

    url: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class InputAudio(ValueOf["InputAudioDict"]):
    """A recording inside a part (OpenAI, Together): `data` is base64, `format` its encoding (`wav`, `mp3`)."""

    data: str | None = TEXT
    format: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class FileFile(ValueOf["FileFileDict"]):
    """A file inside a part, under its name in OpenAI's SDK: uploaded, as `file_id`, or as `file_data` in base64."""

    file_id: str | None = TEXT
    file_data: str | None = TEXT
    filename: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ThinkingPart(ValueOf["ThinkingPartDict"]):
    """A piece of the reasoning inside a `thinking` part (Magistral): its `text`; `type` is `text`."""

    type: str | None = TEXT
    text: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ChatCompletionMessageContent(ValueOf["ChatCompletionMessageContentDict"]):
    """One part of a message whose content is a list of parts; `type` says which field is set.

    `thinking` is Magistral's reasoning (text, or parts of text); `refusal`, `input_audio` and `file` are OpenAI's.
    """

    type: ChatCompletionMessageContentType | None = enum_of(ChatCompletionMessageContentType)
    text: str | None = TEXT
    image_url: ChatCompletionMessageContentImageURL | None = nested(ChatCompletionMessageContentImageURL)
    video_url: ChatCompletionMessageContentVideoURL | None = nested(ChatCompletionMessageContentVideoURL)
    audio_url: ChatCompletionMessageContentAudioURL | None = nested(ChatCompletionMessageContentAudioURL)
    thinking: str | tuple[ThinkingPart, ...] | None = union(TEXT, array_of(nested(ThinkingPart)))
    refusal: str | None = TEXT
    input_audio: InputAudio | None = nested(InputAudio)
    file: FileFile | None = nested(FileFile)
    extra: Mapping[str, JSON] = EXTRA


def text_of(content: str | tuple[ChatCompletionMessageContent, ...] | None) -> str:
    """The text of a message's or a delta's content: itself, or its text parts joined."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join([part.text or "" for part in content])


def reasoning_of(value: _Reasoned) -> str:
    """The reasoning under the first key that has any; where both have, they say the same."""
    if value.reasoning or value.reasoning_content:
        return value.reasoning or value.reasoning_content or ""
    if isinstance(value.content, tuple):
        return "".join([_thinking_of(part) for part in value.content])
    return ""


def _thinking_of(part: ChatCompletionMessageContent) -> str:
    if isinstance(part.thinking, tuple):
        return "".join([piece.text or "" for piece in part.thinking])
    return part.thinking or ""


@dataclass(frozen=True)
class DeltaContent(ValueOf["DeltaContentDict"]):
    """What one chunk adds to a choice's message.

    1.x declares `content` only. `role` comes in the first delta, or in each (Together, mlx-lm), or never;
    `token_id` is the token's number (Together). The reasoning stands under `reasoning` (Together, vLLM,
    mlx-lm) or `reasoning_content` (DeepSeek, SGLang, llama-server, litellm); `reasoning_text` reads both.
    `function_call` is OpenAI's older form of a single tool call.
    """

    content: str | tuple[ChatCompletionMessageContent, ...] | None = union(
        TEXT, array_of(nested(ChatCompletionMessageContent))
    ).replace(merge=CUSTOM)
    role: MessageRole | None = enum_of(MessageRole).replace(merge=KEEP_FIRST)
    tool_calls: tuple[ToolCalls, ...] | None = array_of(nested(ToolCalls)).replace(merge=CUSTOM)
    reasoning: str | None = TEXT.replace(merge=CONCATENATE)
    reasoning_content: str | None = TEXT.replace(merge=CONCATENATE)
    token_id: int | None = INTEGER.replace(merge=CUSTOM)
    refusal: str | None = TEXT.replace(merge=CONCATENATE)
    function_call: FunctionCall | None = nested(FunctionCall).replace(merge=CUSTOM)
    extra: Mapping[str, JSON] = EXTRA

    @property
    def text(self) -> str:
        """The content as text: "" where there is none, the text parts where it is a list of parts."""
        return text_of(self.content)

    @property
    def reasoning_text(self) -> str:
        """The reasoning, whichever key carried it; "" where there is none."""
        return reasoning_of(self)


use_delta_reader(DeltaContent, ToolCalls, MessageRole)


@dataclass(frozen=True)
class TogetherRequest(ValueOf["TogetherRequestDict"]):
    """An HTTP request as together-python 1.x describes it; headers, which hold the key, stay out of the repr."""

    method: str = TEXT.replace(default="", null=False)
    url: str = TEXT.replace(default="", null=False)
    headers: Mapping[str, str] | None = TEXTS_BY_NAME.replace(repr=False)
    params: Mapping[str, JSON] | None = OBJECT
    files: Mapping[str, JSON] | None = OBJECT
    allow_redirects: bool = FLAG.replace(default=True, null=False)
    override_headers: bool = FLAG.replace(default=False, null=False)
    extra: Mapping[str, JSON] = EXTRA
