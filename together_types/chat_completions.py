"""Chat completions: messages, requests, responses and the chunks of a stream.

Names and fields are those of `together.types.chat_completions` in together-python 1.x, with the fields that the current
SDK, Together's OpenAPI and servers of OpenAI's format add. The docstring of a class names the source of each field that
1.x lacks. A request is not checked against the limits of a server.
"""

from __future__ import annotations

from collections.abc import Mapping

from ._fast_chunks import use_choice_reader, use_chunk_reader
from ._json import JSON
from ._merge_rules import COLLECT, CONCATENATE, CUMULATIVE, CUSTOM, INCREASING, KEEP_FIRST, PER_CHUNK
from ._model import ValueOf, dataclass
from ._open_enum import OpenEnum
from ._read import (
    EXTRA,
    FLAG,
    INTEGER,
    INTEGER_OR_FLAG,
    INTEGERS,
    NUMBER,
    NUMBERS_BY_NAME,
    OBJECT,
    TEXT,
    TEXT_OR_INTEGER,
    TEXT_OR_OBJECT,
    TEXT_OR_TEXTS,
    TIMESTAMP,
    TOP_LOGPROBS,
    array_of,
    enum_of,
    nested,
    union,
)
from .common import (
    ChatCompletionMessageContent,
    ChatCompletionMessageContentAudioURL,
    ChatCompletionMessageContentImageURL,
    ChatCompletionMessageContentType,
    ChatCompletionMessageContentVideoURL,
    DeltaContent,
    FinishReason,
    FunctionCall,
    InferenceWarning,
    LogprobsPart,
    MessageRole,
    ObjectType,
    PromptPart,
    ToolCalls,
    UsageData,
    reasoning_of,
    text_of,
)
from .error import TogetherErrorResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import (
        AnnotationDict,
        AnnotationURLCitationDict,
        ChatCompletionAudioDict,
        ChatCompletionChoicesChunkDict,
        ChatCompletionChoicesDataDict,
        ChatCompletionChunkDict,
        ChatCompletionMessageDict,
        ChatCompletionRequestDict,
        ChatCompletionResponseDict,
        FunctionToolChoiceDict,
        FunctionToolDict,
        JSONSchemaDict,
        ReasoningDict,
        ResponseFormatDict,
        StreamOptionsDict,
        ToolChoiceDict,
        ToolsDict,
    )

__all__ = [
    "Annotation",
    "AnnotationURLCitation",
    "ChatCompletionAudio",
    "ChatCompletionChoicesChunk",
    "ChatCompletionChoicesData",
    "ChatCompletionChunk",
    "ChatCompletionMessage",
    "ChatCompletionMessageContent",
    "ChatCompletionMessageContentAudioURL",
    "ChatCompletionMessageContentImageURL",
    "ChatCompletionMessageContentType",
    "ChatCompletionMessageContentVideoURL",
    "ChatCompletionRequest",
    "ChatCompletionResponse",
    "DeltaContent",
    "FinishReason",
    "FunctionCall",
    "FunctionTool",
    "FunctionToolChoice",
    "JSONSchema",
    "LogprobsPart",
    "MessageRole",
    "ObjectType",
    "PromptPart",
    "Reasoning",
    "ResponseFormat",
    "ResponseFormatType",
    "StreamOptions",
    "ToolCalls",
    "ToolChoice",
    "ToolChoiceEnum",
    "Tools",
    "UsageData",
]


class ResponseFormatType(OpenEnum):
    """The format of a response. `text` (OpenAI) is an unnamed member."""

    JSON_OBJECT = "json_object"
    """Any JSON object. With Together, an object that matches `schema_`."""
    JSON_SCHEMA = "json_schema"
    """A JSON object that matches the JSON Schema in `json_schema`."""
    REGEX = "regex"
    """Text that `pattern` matches (Together)."""


class ToolChoiceEnum(OpenEnum):
    """The mode of tool calling. `none` (OpenAI) is an unnamed member."""

    Auto = "auto"
    """The model decides."""
    Required = "required"
    """The model must call at least one tool."""


@dataclass(frozen=True)
class AnnotationURLCitation(ValueOf["AnnotationURLCitationDict"]):
    """The web page that a part of the content cites (OpenAI).

    `start_index` and `end_index` are the positions of this part in the content, in characters.
    """

    start_index: int | None = INTEGER
    end_index: int | None = INTEGER
    title: str | None = TEXT
    url: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class Annotation(ValueOf["AnnotationDict"]):
    """A citation in a message (OpenAI). `type` is `url_citation`."""

    type: str | None = TEXT
    url_citation: AnnotationURLCitation | None = nested(AnnotationURLCitation)
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ChatCompletionAudio(ValueOf["ChatCompletionAudioDict"]):
    """An audio response (OpenAI). `data` is the recording in base64, `transcript` is its text.

    A later request can refer to it by its `id` until `expires_at`, which is in seconds since 1970.
    """

    id: str | None = TEXT
    data: str | None = TEXT
    expires_at: int | None = TIMESTAMP
    transcript: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ChatCompletionMessage(ValueOf["ChatCompletionMessageDict"]):
    """One message of a conversation, in a request or a response.

    together-python 1.x declares `role`, `content` and `tool_calls`. `tool_call_id` and `name` are for the result of a
    tool call. The reasoning is under `reasoning` (Together, vLLM, mlx-lm), under `reasoning_content` (DeepSeek, SGLang,
    llama-server, litellm), or in `thinking` parts (Magistral). `reasoning_text` reads all three. `refusal`,
    `annotations` and `audio` are OpenAI's, and so is `function_call`, an older form of a single tool call.
    """

    role: MessageRole | None = enum_of(MessageRole)
    content: str | tuple[ChatCompletionMessageContent, ...] | None = union(
        TEXT, array_of(nested(ChatCompletionMessageContent))
    )
    tool_calls: tuple[ToolCalls, ...] | None = array_of(nested(ToolCalls))
    reasoning: str | None = TEXT
    reasoning_content: str | None = TEXT
    name: str | None = TEXT
    tool_call_id: str | None = TEXT
    refusal: str | None = TEXT
    function_call: FunctionCall | None = nested(FunctionCall)
    annotations: tuple[Annotation, ...] | None = array_of(nested(Annotation))
    audio: ChatCompletionAudio | None = nested(ChatCompletionAudio)
    extra: Mapping[str, JSON] = EXTRA

    @property
    def text(self) -> str:
        """The content as text, or "" for a message without content. The text parts of a list are joined."""
        return text_of(self.content)

    @property
    def reasoning_text(self) -> str:
        """The reasoning in any of its forms, or "" for a message without reasoning."""
        return reasoning_of(self)


@dataclass(frozen=True)
class JSONSchema(ValueOf["JSONSchemaDict"]):
    """A JSON Schema with its name (OpenAI, Together).

    `schema_` has the key `schema`. `strict` makes the server enforce the schema.
    """

    name: str | None = TEXT
    description: str | None = TEXT
    schema_: Mapping[str, JSON] | None = OBJECT.replace(alias="schema")
    strict: bool | None = FLAG
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ResponseFormat(ValueOf["ResponseFormatDict"]):
    """The format of a response: any JSON object, one that matches a JSON Schema, or text that matches a regex.

    `schema_` has the key `schema` (Together). `json_schema` (OpenAI, and Together's current form) contains the schema
    and its name.
    """

    type: ResponseFormatType | None = enum_of(ResponseFormatType)
    schema_: Mapping[str, JSON] | None = OBJECT.replace(alias="schema")
    pattern: str | None = TEXT
    json_schema: JSONSchema | None = nested(JSONSchema)
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class FunctionTool(ValueOf["FunctionToolDict"]):
    """A function that the model may call.

    `parameters` is a JSON Schema. `strict` (OpenAI) makes the server enforce it.
    """

    description: str | None = TEXT
    name: str | None = TEXT
    parameters: Mapping[str, JSON] | None = OBJECT
    strict: bool | None = FLAG
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class FunctionToolChoice(ValueOf["FunctionToolChoiceDict"]):
    """The name of the function that the model must call."""

    name: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class Tools(ValueOf["ToolsDict"]):
    """A tool that the model may call. `type` is `function`."""

    type: str | None = TEXT
    function: FunctionTool | None = nested(FunctionTool)
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ToolChoice(ValueOf["ToolChoiceDict"]):
    """The tool that the model must call. `type` is `function`."""

    type: str | None = TEXT
    function: FunctionToolChoice | None = nested(FunctionToolChoice)
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class StreamOptions(ValueOf["StreamOptionsDict"]):
    """The options of a stream.

    `include_usage` requests a last chunk with the usage. `include_obfuscation` (OpenAI) pads chunks to hide their
    length from eavesdroppers. `continuous_usage_stats` (vLLM) adds the usage to every chunk.
    """

    include_usage: bool | None = FLAG
    include_obfuscation: bool | None = FLAG
    continuous_usage_stats: bool | None = FLAG
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class Reasoning(ValueOf["ReasoningDict"]):
    """The options of the model's reasoning. `enabled` (Together) switches it on or off.

    OpenRouter adds `effort` (`low`, `medium`, `high`), `max_tokens` for the reasoning, and `exclude`, which omits the
    reasoning from the response.
    """

    enabled: bool | None = FLAG
    effort: str | None = TEXT
    max_tokens: int | None = INTEGER
    exclude: bool | None = FLAG
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ChatCompletionRequest(ValueOf["ChatCompletionRequestDict"]):
    """A request for a chat completion. `messages` is required, and most servers also require `model`.

    together-python 1.x declares the fields up to `tool_choice`. `logprobs` is a number of tokens (Together), or a bool
    with the number in `top_logprobs` (OpenAI). Together's current SDK adds `reasoning`, `reasoning_effort`,
    `chat_template_kwargs`, `context_length_exceeded_behavior`, `compliance` and `function_call`. OpenAI adds
    `max_completion_tokens`, `stream_options`, `parallel_tool_calls`, `functions`, `metadata`, `service_tier` and
    `user`.
    """

    messages: tuple[ChatCompletionMessage, ...] | None = array_of(nested(ChatCompletionMessage))
    model: str | None = TEXT
    max_tokens: int | None = INTEGER
    stop: str | tuple[str, ...] | None = TEXT_OR_TEXTS
    temperature: float | None = NUMBER
    top_p: float | None = NUMBER
    top_k: int | None = INTEGER
    repetition_penalty: float | None = NUMBER
    presence_penalty: float | None = NUMBER
    frequency_penalty: float | None = NUMBER
    min_p: float | None = NUMBER
    logit_bias: Mapping[str, float] | None = NUMBERS_BY_NAME
    seed: int | None = INTEGER
    stream: bool = FLAG.replace(default=False, null=False)
    logprobs: int | bool | None = INTEGER_OR_FLAG
    echo: bool | None = FLAG
    n: int | None = INTEGER
    safety_model: str | None = TEXT
    response_format: ResponseFormat | None = nested(ResponseFormat)
    tools: tuple[Tools, ...] | None = array_of(nested(Tools))
    tool_choice: ToolChoice | ToolChoiceEnum | None = union(nested(ToolChoice), enum_of(ToolChoiceEnum))
    top_logprobs: int | None = INTEGER
    max_completion_tokens: int | None = INTEGER
    stream_options: StreamOptions | None = nested(StreamOptions)
    parallel_tool_calls: bool | None = FLAG
    reasoning: Reasoning | None = nested(Reasoning)
    reasoning_effort: str | None = TEXT
    chat_template_kwargs: Mapping[str, JSON] | None = OBJECT
    context_length_exceeded_behavior: str | None = TEXT
    compliance: str | None = TEXT
    functions: tuple[FunctionTool, ...] | None = array_of(nested(FunctionTool))
    function_call: str | Mapping[str, JSON] | None = TEXT_OR_OBJECT
    metadata: Mapping[str, JSON] | None = OBJECT
    service_tier: str | None = TEXT
    user: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ChatCompletionChoicesData(ValueOf["ChatCompletionChoicesDataDict"]):
    """One choice of a response.

    together-python 1.x declares the fields up to `message`. Together's current SDK adds `top_logprobs` and `text`. A
    legacy completion has `text` instead of `message`. `top_logprobs` is one object, or an array with an object for each
    position, as in LogprobsPart. vLLM sends `stop_reason` and `token_ids`, SGLang `matched_stop`, and OpenRouter
    `native_finish_reason`.
    """

    index: int | None = INTEGER
    logprobs: LogprobsPart | None = nested(LogprobsPart)
    seed: int | None = INTEGER
    finish_reason: FinishReason | None = enum_of(FinishReason)
    message: ChatCompletionMessage | None = nested(ChatCompletionMessage)
    text: str | None = TEXT
    top_logprobs: Mapping[str, float] | tuple[Mapping[str, float] | None, ...] | None = TOP_LOGPROBS
    stop_reason: str | int | None = TEXT_OR_INTEGER
    matched_stop: str | int | None = TEXT_OR_INTEGER
    token_ids: tuple[int, ...] | None = INTEGERS
    native_finish_reason: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ChatCompletionResponse(ValueOf["ChatCompletionResponseDict"]):
    """The response to a request without streaming.

    `created` is in seconds since 1970. together-python 1.x declares the fields up to `usage`. `warnings` is Together's.
    `system_fingerprint`, `service_tier`, `metadata` and `moderation` (the moderation results for the request and the
    response) are OpenAI's. Some gateways send `error` in a response with status 200.
    """

    id: str | None = TEXT
    object: ObjectType | None = enum_of(ObjectType)
    created: int | None = TIMESTAMP
    model: str | None = TEXT
    choices: tuple[ChatCompletionChoicesData, ...] | None = array_of(nested(ChatCompletionChoicesData))
    prompt: tuple[PromptPart | None, ...] | None = array_of(nested(PromptPart), nulls=True)
    usage: UsageData | None = nested(UsageData)
    warnings: tuple[InferenceWarning, ...] | None = array_of(nested(InferenceWarning))
    system_fingerprint: str | None = TEXT
    service_tier: str | None = TEXT
    metadata: Mapping[str, JSON] | None = OBJECT
    moderation: Mapping[str, JSON] | None = OBJECT
    error: str | TogetherErrorResponse | None = union(TEXT, nested(TogetherErrorResponse))
    extra: Mapping[str, JSON] = EXTRA

    @property
    def text(self) -> str:
        """The text of the first choice, or "" for a response without choices or text."""
        for choice in self.choices or ():
            return (choice.message.text if choice.message else "") or choice.text or ""
        return ""

    @property
    def reasoning_text(self) -> str:
        """The reasoning of the first choice in any of its forms, or "" for a response without reasoning."""
        for choice in self.choices or ():
            return choice.message.reasoning_text if choice.message else ""
        return ""


@dataclass(frozen=True)
class ChatCompletionChoicesChunk(ValueOf["ChatCompletionChoicesChunkDict"]):
    """The part of one choice that one chunk adds.

    `logprobs` is the log probability of the chunk's single token (Together), or an object in Together's or OpenAI's
    form. together-python 1.x declares the fields up to `delta`. Together also sends `text`, which repeats the content
    of the delta. ChatCompletionChoicesData lists the servers that send `top_logprobs`, `stop_reason`, `matched_stop`,
    `token_ids` and `native_finish_reason`.
    """

    index: int | None = INTEGER.replace(merge=CUSTOM)
    logprobs: float | LogprobsPart | None = union(NUMBER, nested(LogprobsPart)).replace(merge=CUSTOM)
    seed: int | None = INTEGER
    finish_reason: FinishReason | None = enum_of(FinishReason)
    delta: DeltaContent | None = nested(DeltaContent).replace(merge=CUSTOM)
    text: str | None = TEXT.replace(merge=CUSTOM)
    top_logprobs: Mapping[str, float] | tuple[Mapping[str, float] | None, ...] | None = TOP_LOGPROBS.replace(
        merge=CONCATENATE
    )
    stop_reason: str | int | None = TEXT_OR_INTEGER
    matched_stop: str | int | None = TEXT_OR_INTEGER
    token_ids: tuple[int, ...] | None = INTEGERS.replace(merge=CUSTOM)
    native_finish_reason: str | None = TEXT
    extra: Mapping[str, JSON] = EXTRA


use_choice_reader(ChatCompletionChoicesChunk, DeltaContent, FinishReason)


@dataclass(frozen=True)
class ChatCompletionChunk(ValueOf["ChatCompletionChunkDict"]):
    """One event of a streamed response. `choices` may be empty, for example in a last chunk that has only the usage.

    together-python 1.x declares the fields up to `usage`. `warnings` is Together's. `system_fingerprint`,
    `service_tier`, `obfuscation` (padding that hides the length from eavesdroppers) and `moderation` are OpenAI's.
    Gateways send `error` if the stream fails after its start.
    """

    id: str | None = TEXT.replace(merge=KEEP_FIRST, head=True)
    object: ObjectType | None = enum_of(ObjectType).replace(merge=CUSTOM, head=True)
    created: int | None = TIMESTAMP.replace(merge=INCREASING, head=True)
    model: str | None = TEXT.replace(merge=KEEP_FIRST, head=True)
    choices: tuple[ChatCompletionChoicesChunk, ...] | None = array_of(nested(ChatCompletionChoicesChunk)).replace(
        merge=CUSTOM
    )
    finish_reason: FinishReason | None = enum_of(FinishReason)
    usage: UsageData | None = nested(UsageData).replace(merge=CUMULATIVE)
    warnings: tuple[InferenceWarning, ...] | None = array_of(nested(InferenceWarning)).replace(merge=COLLECT)
    system_fingerprint: str | None = TEXT.replace(head=True)
    service_tier: str | None = TEXT.replace(head=True)
    obfuscation: str | None = TEXT.replace(merge=PER_CHUNK)
    moderation: Mapping[str, JSON] | None = OBJECT
    error: str | TogetherErrorResponse | None = union(TEXT, nested(TogetherErrorResponse))
    extra: Mapping[str, JSON] = EXTRA

    @property
    def text(self) -> str:
        """The text that the chunk adds to the choice with index 0 or without an index, or "" if it adds none."""
        for choice in self.choices or ():
            if not choice.index:
                return (choice.delta.text if choice.delta else "") or choice.text or ""
        return ""

    @property
    def reasoning_text(self) -> str:
        """The reasoning that the chunk adds to the choice with index 0 or without an index, or "" if it adds none."""
        for choice in self.choices or ():
            if not choice.index:
                return choice.delta.reasoning_text if choice.delta else ""
        return ""


use_chunk_reader(ChatCompletionChunk, ChatCompletionChoicesChunk, UsageData, ObjectType)
