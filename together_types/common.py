"""The types that responses and chunks share: enums, usage, log probabilities, tool calls, content parts and deltas.

Names and members are those of `together.types.common` in together-python 1.x. A few types that 1.x defines in
`chat_completions` are defined here, because deltas contain them too. Both modules export them. The docstring of a class
names the source of each field that 1.x lacks.
"""

from __future__ import annotations

from collections.abc import Mapping

from ._fast_chunks import use_delta_reader
from ._json import JSON, ParseError, is_object, loads
from ._merge_rules import CONCATENATE, CUSTOM, KEEP_FIRST
from ._model import ValueOf, dataclass
from ._open_enum import OpenEnum
from ._read import (
    ARGUMENTS,
    COUNT,
    EXTRA,
    FLAG,
    IDENTIFIER,
    INTEGER,
    INTEGERS,
    INTEGERS_OR_NULLS,
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
    """The reason why a choice ended.

    The reasons of Together are named members. The reasons of other servers (`content_filter`, `function_call`, `abort`,
    ...) are unnamed members with `.known == False`. `Null` is the empty string, which Together has sent. JSON's null
    reads as None.
    """

    Length = "length"
    """The text reached `max_tokens` or the model's context length."""
    StopSequence = "stop"
    """The model ended its text or wrote a stop sequence."""
    EOS = "eos"
    """The model wrote its end-of-sequence token. Other servers send `stop` for this."""
    ToolCalls = "tool_calls"
    """The model calls tools and waits for their results."""
    Error = "error"
    """Generating the text failed."""
    Null = ""
    """The choice has not ended."""


class ObjectType(OpenEnum):
    """The type of a JSON object, from its `object` key. Some gateways send `""` or another type."""

    TextCompletion = "text_completion"
    """A completion of a plain prompt (OpenAI)."""
    Completion = "text.completion"
    """A completion of a plain prompt (Together)."""
    CompletionChunk = "completion.chunk"
    """A chunk of a streamed completion of a plain prompt (Together)."""
    ChatCompletion = "chat.completion"
    """A chat completion."""
    ChatCompletionChunk = "chat.completion.chunk"
    """A chunk of a streamed chat completion."""
    Embedding = "embedding"
    """An embedding."""
    FinetuneEvent = "fine-tune-event"
    """An event of a fine-tuning job (Together)."""
    File = "file"
    """An uploaded file."""
    Model = "model"
    """The description of a model."""


class MessageRole(OpenEnum):
    """The author of a message."""

    ASSISTANT = "assistant"
    """The model."""
    SYSTEM = "system"
    """The application, with instructions for the whole conversation."""
    USER = "user"
    """The user of the model."""
    TOOL = "tool"
    """A tool, with its result. `tool_call_id` identifies the call."""


class ChatCompletionMessageContentType(OpenEnum):
    """The type of a content part. `thinking`, `refusal`, `input_audio` and others are unnamed members."""

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
    """The numbers of prompt tokens by kind (OpenAI, vLLM, llama-server, litellm).

    Only litellm sends `video_tokens`.
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
    """The numbers of completion tokens by kind (OpenAI, litellm, SGLang).

    Only litellm sends `image_tokens`.
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
    """The numbers of tokens that a request used. An absent or invalid count reads as 0, and `issues()` lists it.

    OpenAI sends the two objects with details. SGLang sends `reasoning_tokens` at this level.
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
    """One of the most likely tokens at a position, in OpenAI's form.

    `logprob` is a natural logarithm. `bytes` is the token's UTF-8 encoding, which may be only a part of a character.
    `id` is the token's number in the model's vocabulary (llama-server, litellm).
    """

    token: str | None = TEXT
    logprob: float | None = NUMBER
    bytes: tuple[int, ...] | None = INTEGERS
    id: int | None = INTEGER
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ChatCompletionTokenLogprob(ValueOf["ChatCompletionTokenLogprobDict"]):
    """A generated token with its log probability, in OpenAI's form.

    The fields are those of TopLogprob, including `id` (llama-server, litellm), and `top_logprobs`, the most likely
    tokens at the position.
    """

    token: str | None = TEXT
    logprob: float | None = NUMBER
    bytes: tuple[int, ...] | None = INTEGERS
    top_logprobs: tuple[TopLogprob, ...] | None = array_of(nested(TopLogprob))
    id: int | None = INTEGER
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class LogprobsPart(ValueOf["LogprobsPartDict"]):
    """The log probabilities (natural logarithms) of tokens, in Together's or OpenAI's form.

    Together's form is the parallel arrays `tokens`, `token_logprobs` and `token_ids`. The first log probability of a
    prompt is null. `top_logprobs` is one object (Together's OpenAPI), or an array with an object for each position
    (legacy completions, llama-cpp-python). Servers that send the array also send `text_offset`. OpenAI's form is
    `content` and `refusal`.
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
    """A prompt that `echo` returns, with the log probabilities of its tokens if `logprobs` is set."""

    text: str | None = TEXT
    logprobs: LogprobsPart | None = nested(LogprobsPart)
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class InferenceWarning(ValueOf["InferenceWarningDict"]):
    """A warning about a request that was nevertheless served (Together's OpenAPI). `message` is its text."""

    message: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class FunctionCall(ValueOf["FunctionCallDict"]):
    """The name of a called function, and its arguments as JSON text.

    In a stream, `arguments` is a fragment of the text. Arguments that are received as an object (TGI, llama.cpp) are
    converted to JSON text.
    """

    name: str | None = TEXT
    arguments: str | None = ARGUMENTS
    extra: Mapping[str, JSON] = EXTRA

    def parsed_arguments(self) -> dict[str, JSON]:
        """Return the arguments as a dict, which is empty if they are absent, null or blank text.

        Raises ParseError if they are not a JSON object. This is to be expected: models write invalid JSON, and a
        response that reaches `max_tokens` may end inside the arguments.

            >>> from together_types import FunctionCall
            >>> FunctionCall(name="get_weather", arguments='{"city": "Paris"}').parsed_arguments()
            {'city': 'Paris'}
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
    """A call of a custom tool (OpenAI): its name, and its input as plain text."""

    name: str | None = TEXT
    input: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ToolCalls(ValueOf["ToolCallsDict"]):
    """One tool call of a message, or a fragment of a tool call in a delta.

    In deltas, `index` identifies the call of a fragment, and the first fragment has `id` and `function.name`. Together
    sends `index` in whole messages too. `custom` is the call of a custom tool (OpenAI). If a server sends a number as
    the id, `id` is its text, and `extra` keeps the number.
    """

    id: str | None = IDENTIFIER
    type: str | None = TEXT
    function: FunctionCall | None = nested(FunctionCall)
    index: int | None = INTEGER
    custom: CustomToolCall | None = nested(CustomToolCall)
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ChatCompletionMessageContentImageURL(ValueOf["ChatCompletionMessageContentImageURLDict"]):
    """The URL of an image (http, https or data). `detail` (OpenAI) is the resolution that the model uses."""

    url: str | None = TEXT
    detail: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ChatCompletionMessageContentVideoURL(ValueOf["ChatCompletionMessageContentVideoURLDict"]):
    """The URL of a video (http, https or data)."""

    url: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ChatCompletionMessageContentAudioURL(ValueOf["ChatCompletionMessageContentAudioURLDict"]):
    """The URL of a recording (http, https or data)."""

    url: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class InputAudio(ValueOf["InputAudioDict"]):
    """An audio recording in a content part (OpenAI, Together).

    `data` is the recording in base64, and `format` is the audio format (`wav`, `mp3`).
    """

    data: str | None = TEXT
    format: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class FileFile(ValueOf["FileFileDict"]):
    """A file in a content part (the class name is OpenAI's).

    `file_id` refers to an uploaded file. `file_data` is the content of a file in base64.
    """

    file_id: str | None = TEXT
    file_data: str | None = TEXT
    filename: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ThinkingPart(ValueOf["ThinkingPartDict"]):
    """A piece of the reasoning in a `thinking` part (Magistral). `type` is `text`."""

    type: str | None = TEXT
    text: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ChatCompletionMessageContent(ValueOf["ChatCompletionMessageContentDict"]):
    """One part of a message whose content is a list of parts. `type` is the name of the field that is set.

    `thinking` is the reasoning of Magistral, as text or as parts. `refusal`, `input_audio` and `file` are OpenAI's.
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
    """Return the content of a message or a delta as text, or "" for None. The text parts of a list are joined."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join([part.text or "" for part in content])


def reasoning_of(value: _Reasoned) -> str:
    """Return the reasoning of a message or a delta, or "" without reasoning.

    It is `reasoning`, `reasoning_content`, or else the text of the content's `thinking` parts. Servers that send both
    `reasoning` and `reasoning_content` send the same text.
    """
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
    """The part of a choice's message that one chunk adds.

    together-python 1.x declares `content` only. `role` is in the first delta, in every delta (Together, mlx-lm), or in
    none. `token_id` is the token's number (Together). The reasoning is under `reasoning` (Together, vLLM, mlx-lm),
    under `reasoning_content` (DeepSeek, SGLang, llama-server, litellm), or in `thinking` parts (Magistral).
    `reasoning_text` reads all three. `function_call` is OpenAI's older form of a single tool call.
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
        """The content as text, or "" for a delta without content. The text parts of a list are joined."""
        return text_of(self.content)

    @property
    def reasoning_text(self) -> str:
        """The reasoning in any of its forms, or "" for a delta without reasoning."""
        return reasoning_of(self)


use_delta_reader(DeltaContent, ToolCalls, MessageRole)


@dataclass(frozen=True)
class TogetherRequest(ValueOf["TogetherRequestDict"]):
    """An HTTP request as together-python 1.x describes it. The repr omits the headers, which contain the API key."""

    method: str = TEXT.replace(default="", null=False)
    url: str = TEXT.replace(default="", null=False)
    headers: Mapping[str, str] | None = TEXTS_BY_NAME.replace(repr=False)
    params: Mapping[str, JSON] | None = OBJECT
    files: Mapping[str, JSON] | None = OBJECT
    allow_redirects: bool = FLAG.replace(default=True, null=False)
    override_headers: bool = FLAG.replace(default=False, null=False)
    extra: Mapping[str, JSON] = EXTRA
