# Everything above the line "written by hand" is generated from the value classes: `python tests/support/generate_wire.py`
"""The JSON of Together and of OpenAI as TypedDicts, for type checkers.

`XDict` is the type of `X.to_dict()` for JSON that matches its declaration. Any key may be absent (use `get`). A server
may send undeclared keys, or values of another type than declared. A TypedDict does not detect that at run time.
`from_dict` does, and `value.issues()` lists the values of the wrong type.

`OpenAI...` is the type of `to_openai(value, only_openai=True)`: exactly OpenAI's schema, with every required key.

Not imported at run time.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from ._json import JSON

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import NotRequired

# ---- the format of Together, with the fields that other servers of OpenAI's format add


class PromptTokensDetailsDict(TypedDict, total=False):
    """The numbers of prompt tokens by kind (OpenAI, vLLM, llama-server, litellm)."""

    cached_tokens: int | None
    audio_tokens: int | None
    text_tokens: int | None
    image_tokens: int | None
    video_tokens: int | None
    cache_write_tokens: int | None


class CompletionTokensDetailsDict(TypedDict, total=False):
    """The numbers of completion tokens by kind (OpenAI, litellm, SGLang)."""

    reasoning_tokens: int | None
    audio_tokens: int | None
    text_tokens: int | None
    image_tokens: int | None
    accepted_prediction_tokens: int | None
    rejected_prediction_tokens: int | None


class UsageDataDict(TypedDict, total=False):
    """The numbers of tokens that a request used."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetailsDict | None
    completion_tokens_details: CompletionTokensDetailsDict | None
    reasoning_tokens: int | None


class TopLogprobDict(TypedDict, total=False):
    """One of the most likely tokens at a position, in OpenAI's form."""

    token: str | None
    logprob: float | None
    bytes: list[int] | None
    id: int | None


class ChatCompletionTokenLogprobDict(TypedDict, total=False):
    """A generated token with its log probability, in OpenAI's form."""

    token: str | None
    logprob: float | None
    bytes: list[int] | None
    top_logprobs: list[TopLogprobDict] | None
    id: int | None


class LogprobsPartDict(TypedDict, total=False):
    """The log probabilities (natural logarithms) of tokens, in Together's or OpenAI's form."""

    tokens: list[str | None] | None
    token_logprobs: list[float | None] | None
    token_ids: list[int | None] | None
    top_logprobs: dict[str, float] | list[dict[str, float] | None] | None
    text_offset: list[int | None] | None
    content: list[ChatCompletionTokenLogprobDict] | None
    refusal: list[ChatCompletionTokenLogprobDict] | None


class PromptPartDict(TypedDict, total=False):
    """A prompt that `echo` returns, with the log probabilities of its tokens if `logprobs` is set."""

    text: str | None
    logprobs: LogprobsPartDict | None


class InferenceWarningDict(TypedDict, total=False):
    """A warning about a request that was nevertheless served (Together's OpenAPI)."""

    message: str | None


class FunctionCallDict(TypedDict, total=False):
    """The name of a called function, and its arguments as JSON text."""

    name: str | None
    arguments: str | None


class CustomToolCallDict(TypedDict, total=False):
    """A call of a custom tool (OpenAI): its name, and its input as plain text."""

    name: str | None
    input: str | None


class ToolCallsDict(TypedDict, total=False):
    """One tool call of a message, or a fragment of a tool call in a delta."""

    id: str | None
    type: str | None
    function: FunctionCallDict | None
    index: int | None
    custom: CustomToolCallDict | None


class ChatCompletionMessageContentImageURLDict(TypedDict, total=False):
    """The URL of an image (http, https or data)."""

    url: str | None
    detail: str | None


class ChatCompletionMessageContentVideoURLDict(TypedDict, total=False):
    """The URL of a video (http, https or data)."""

    url: str | None


class ChatCompletionMessageContentAudioURLDict(TypedDict, total=False):
    """The URL of a recording (http, https or data)."""

    url: str | None


class InputAudioDict(TypedDict, total=False):
    """An audio recording in a content part (OpenAI, Together)."""

    data: str | None
    format: str | None


class FileFileDict(TypedDict, total=False):
    """A file in a content part (the class name is OpenAI's)."""

    file_id: str | None
    file_data: str | None
    filename: str | None


class ThinkingPartDict(TypedDict, total=False):
    """A piece of the reasoning in a `thinking` part (Magistral)."""

    type: str | None
    text: str | None


class ChatCompletionMessageContentDict(TypedDict, total=False):
    """One part of a message whose content is a list of parts."""

    type: str | None
    text: str | None
    image_url: ChatCompletionMessageContentImageURLDict | None
    video_url: ChatCompletionMessageContentVideoURLDict | None
    audio_url: ChatCompletionMessageContentAudioURLDict | None
    thinking: str | list[ThinkingPartDict] | None
    refusal: str | None
    input_audio: InputAudioDict | None
    file: FileFileDict | None


class DeltaContentDict(TypedDict, total=False):
    """The part of a choice's message that one chunk adds."""

    content: str | list[ChatCompletionMessageContentDict] | None
    role: str | None
    tool_calls: list[ToolCallsDict] | None
    reasoning: str | None
    reasoning_content: str | None
    token_id: int | None
    refusal: str | None
    function_call: FunctionCallDict | None


class TogetherRequestDict(TypedDict, total=False):
    """An HTTP request as together-python 1.x describes it."""

    method: str
    url: str
    headers: dict[str, str] | None
    params: dict[str, JSON] | None
    files: dict[str, JSON] | None
    allow_redirects: bool
    override_headers: bool


class TogetherErrorResponseDict(TypedDict, total=False):
    """An error reported by a server."""

    message: str | None
    type: str | None
    param: str | None
    code: str | int | None


class ErrorDataDict(TypedDict, total=False):
    """The body of an error response."""

    error: str | TogetherErrorResponseDict | None


class AnnotationURLCitationDict(TypedDict, total=False):
    """The web page that a part of the content cites (OpenAI)."""

    start_index: int | None
    end_index: int | None
    title: str | None
    url: str | None


class AnnotationDict(TypedDict, total=False):
    """A citation in a message (OpenAI)."""

    type: str | None
    url_citation: AnnotationURLCitationDict | None


class ChatCompletionAudioDict(TypedDict, total=False):
    """An audio response (OpenAI)."""

    id: str | None
    data: str | None
    expires_at: int | None
    transcript: str | None


class ChatCompletionMessageDict(TypedDict, total=False):
    """One message of a conversation, in a request or a response."""

    role: str | None
    content: str | list[ChatCompletionMessageContentDict] | None
    tool_calls: list[ToolCallsDict] | None
    reasoning: str | None
    reasoning_content: str | None
    name: str | None
    tool_call_id: str | None
    refusal: str | None
    function_call: FunctionCallDict | None
    annotations: list[AnnotationDict] | None
    audio: ChatCompletionAudioDict | None


class JSONSchemaDict(TypedDict, total=False):
    """A JSON Schema with its name (OpenAI, Together)."""

    name: str | None
    description: str | None
    schema: dict[str, JSON] | None
    strict: bool | None


class ResponseFormatDict(TypedDict, total=False):
    """The format of a response: any JSON object, one that matches a JSON Schema, or text that matches a regex."""

    type: str | None
    schema: dict[str, JSON] | None
    pattern: str | None
    json_schema: JSONSchemaDict | None


class FunctionToolDict(TypedDict, total=False):
    """A function that the model may call."""

    description: str | None
    name: str | None
    parameters: dict[str, JSON] | None
    strict: bool | None


class FunctionToolChoiceDict(TypedDict, total=False):
    """The name of the function that the model must call."""

    name: str | None


class ToolsDict(TypedDict, total=False):
    """A tool that the model may call."""

    type: str | None
    function: FunctionToolDict | None


class ToolChoiceDict(TypedDict, total=False):
    """The tool that the model must call."""

    type: str | None
    function: FunctionToolChoiceDict | None


class StreamOptionsDict(TypedDict, total=False):
    """The options of a stream."""

    include_usage: bool | None
    include_obfuscation: bool | None
    continuous_usage_stats: bool | None


class ReasoningDict(TypedDict, total=False):
    """The options of the model's reasoning."""

    enabled: bool | None
    effort: str | None
    max_tokens: int | None
    exclude: bool | None


class ChatCompletionRequestDict(TypedDict, total=False):
    """A request for a chat completion."""

    messages: list[ChatCompletionMessageDict] | None
    model: str | None
    max_tokens: int | None
    stop: str | list[str] | None
    temperature: float | None
    top_p: float | None
    top_k: int | None
    repetition_penalty: float | None
    presence_penalty: float | None
    frequency_penalty: float | None
    min_p: float | None
    logit_bias: dict[str, float] | None
    seed: int | None
    stream: bool
    logprobs: int | bool | None
    echo: bool | None
    n: int | None
    safety_model: str | None
    response_format: ResponseFormatDict | None
    tools: list[ToolsDict] | None
    tool_choice: ToolChoiceDict | str | None
    top_logprobs: int | None
    max_completion_tokens: int | None
    stream_options: StreamOptionsDict | None
    parallel_tool_calls: bool | None
    reasoning: ReasoningDict | None
    reasoning_effort: str | None
    chat_template_kwargs: dict[str, JSON] | None
    context_length_exceeded_behavior: str | None
    compliance: str | None
    functions: list[FunctionToolDict] | None
    function_call: str | dict[str, JSON] | None
    metadata: dict[str, JSON] | None
    service_tier: str | None
    user: str | None


class ChatCompletionChoicesDataDict(TypedDict, total=False):
    """One choice of a response."""

    index: int | None
    logprobs: LogprobsPartDict | None
    seed: int | None
    finish_reason: str | None
    message: ChatCompletionMessageDict | None
    text: str | None
    top_logprobs: dict[str, float] | list[dict[str, float] | None] | None
    stop_reason: str | int | None
    matched_stop: str | int | None
    token_ids: list[int] | None
    native_finish_reason: str | None


class ChatCompletionResponseDict(TypedDict, total=False):
    """The response to a request without streaming."""

    id: str | None
    object: str | None
    created: int | None
    model: str | None
    choices: list[ChatCompletionChoicesDataDict] | None
    prompt: list[PromptPartDict | None] | None
    usage: UsageDataDict | None
    warnings: list[InferenceWarningDict] | None
    system_fingerprint: str | None
    service_tier: str | None
    metadata: dict[str, JSON] | None
    moderation: dict[str, JSON] | None
    error: str | TogetherErrorResponseDict | None


class ChatCompletionChoicesChunkDict(TypedDict, total=False):
    """The part of one choice that one chunk adds."""

    index: int | None
    logprobs: float | LogprobsPartDict | None
    seed: int | None
    finish_reason: str | None
    delta: DeltaContentDict | None
    text: str | None
    top_logprobs: dict[str, float] | list[dict[str, float] | None] | None
    stop_reason: str | int | None
    matched_stop: str | int | None
    token_ids: list[int] | None
    native_finish_reason: str | None


class ChatCompletionChunkDict(TypedDict, total=False):
    """One event of a streamed response."""

    id: str | None
    object: str | None
    created: int | None
    model: str | None
    choices: list[ChatCompletionChoicesChunkDict] | None
    finish_reason: str | None
    usage: UsageDataDict | None
    warnings: list[InferenceWarningDict] | None
    system_fingerprint: str | None
    service_tier: str | None
    obfuscation: str | None
    moderation: dict[str, JSON] | None
    error: str | TogetherErrorResponseDict | None


# ---- the schema of OpenAI: written by hand


class OpenAIPromptTokensDetails(TypedDict, total=False):
    """The numbers of prompt tokens by kind, in OpenAI's schema."""

    audio_tokens: int
    cached_tokens: int


class OpenAICompletionTokensDetails(TypedDict, total=False):
    """The numbers of completion tokens by kind, in OpenAI's schema."""

    accepted_prediction_tokens: int
    audio_tokens: int
    reasoning_tokens: int
    rejected_prediction_tokens: int


class OpenAIUsage(TypedDict):
    """The numbers of tokens that a request used, in OpenAI's schema."""

    completion_tokens: int
    prompt_tokens: int
    total_tokens: int
    completion_tokens_details: NotRequired[OpenAICompletionTokensDetails]
    prompt_tokens_details: NotRequired[OpenAIPromptTokensDetails]


class OpenAITopLogprob(TypedDict):
    """One of the most likely tokens at a position, in OpenAI's schema. An unknown `logprob` is -9999.0."""

    token: str
    bytes: list[int] | None
    logprob: float


class OpenAITokenLogprob(TypedDict):
    """A generated token with its log probability, in OpenAI's schema. An unknown `logprob` is -9999.0."""

    token: str
    bytes: list[int] | None
    logprob: float
    top_logprobs: list[OpenAITopLogprob]


class OpenAILogprobs(TypedDict):
    """The log probabilities of a choice, in OpenAI's schema."""

    content: list[OpenAITokenLogprob] | None
    refusal: list[OpenAITokenLogprob] | None


class OpenAIFunction(TypedDict):
    """The name of a called function, and its arguments as JSON text, in OpenAI's schema."""

    arguments: str
    name: str


class OpenAICustom(TypedDict):
    """The name of a called custom tool, and its input as plain text, in OpenAI's schema."""

    input: str
    name: str


class OpenAIFunctionToolCall(TypedDict):
    """A call of a function, in OpenAI's schema."""

    id: str
    function: OpenAIFunction
    type: Literal["function"]


class OpenAICustomToolCall(TypedDict):
    """A call of a custom tool, in OpenAI's schema."""

    id: str
    custom: OpenAICustom
    type: Literal["custom"]


class OpenAIURLCitation(TypedDict):
    """The web page that a part of the content cites, in OpenAI's schema. The indexes count characters of the content."""

    end_index: int
    start_index: int
    title: str
    url: str


class OpenAIAnnotation(TypedDict):
    """A citation, in OpenAI's schema."""

    type: Literal["url_citation"]
    url_citation: OpenAIURLCitation


class OpenAIAudio(TypedDict):
    """An audio response, in OpenAI's schema. `data` is base64, and `expires_at` is in seconds since 1970."""

    id: str
    data: str
    expires_at: int
    transcript: str


class OpenAIMessage(TypedDict):
    """The message of a response, in OpenAI's schema."""

    content: str | None
    refusal: str | None
    role: Literal["assistant"]
    annotations: NotRequired[list[OpenAIAnnotation]]
    audio: NotRequired[OpenAIAudio]
    function_call: NotRequired[OpenAIFunction]
    tool_calls: NotRequired[list[OpenAIFunctionToolCall | OpenAICustomToolCall]]


class OpenAIChoice(TypedDict):
    """One choice of a response, in OpenAI's schema."""

    finish_reason: Literal["stop", "length", "tool_calls", "content_filter", "function_call"]
    index: int
    logprobs: OpenAILogprobs | None
    message: OpenAIMessage


class OpenAIChatCompletion(TypedDict):
    """A response, in OpenAI's schema."""

    id: str
    choices: list[OpenAIChoice]
    created: int
    model: str
    object: Literal["chat.completion"]
    metadata: NotRequired[dict[str, str]]
    service_tier: NotRequired[Literal["auto", "default", "flex", "scale", "priority"]]
    system_fingerprint: NotRequired[str]
    usage: NotRequired[OpenAIUsage]


class OpenAIFunctionDelta(TypedDict, total=False):
    """A fragment of a called function's name and arguments, in OpenAI's schema."""

    arguments: str
    name: str


class OpenAIToolCallDelta(TypedDict):
    """A fragment of a tool call, in OpenAI's schema."""

    index: int
    id: NotRequired[str]
    function: NotRequired[OpenAIFunctionDelta]
    type: NotRequired[Literal["function"]]


class OpenAIDelta(TypedDict, total=False):
    """The part of a message that one chunk adds, in OpenAI's schema."""

    content: str
    function_call: OpenAIFunctionDelta
    refusal: str
    role: Literal["developer", "system", "user", "assistant", "tool"]
    tool_calls: list[OpenAIToolCallDelta]


class OpenAIChunkChoice(TypedDict):
    """The part of a choice that one chunk adds, in OpenAI's schema."""

    delta: OpenAIDelta
    index: int
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter", "function_call"] | None
    logprobs: NotRequired[OpenAILogprobs]


class OpenAIChatCompletionChunk(TypedDict):
    """A chunk of a stream, in OpenAI's schema."""

    id: str
    choices: list[OpenAIChunkChoice]
    created: int
    model: str
    object: Literal["chat.completion.chunk"]
    obfuscation: NotRequired[str]
    service_tier: NotRequired[Literal["auto", "default", "flex", "scale", "priority"]]
    system_fingerprint: NotRequired[str]
    usage: NotRequired[OpenAIUsage]


class OpenAIErrorObject(TypedDict):
    """An error reported by a server, in OpenAI's schema."""

    code: str | None
    message: str
    param: str | None
    type: str


class OpenAIError(TypedDict):
    """The body of an error response, in OpenAI's schema."""

    error: OpenAIErrorObject


# ---- requests in the schema of OpenAI


class OpenAITextPart(TypedDict):
    """A content part with text, in OpenAI's schema."""

    text: str
    type: Literal["text"]


class OpenAIRefusalPart(TypedDict):
    """A content part with a refusal, in OpenAI's schema."""

    refusal: str
    type: Literal["refusal"]


class OpenAIImageURL(TypedDict):
    """The URL of an image, in OpenAI's schema."""

    url: str
    detail: NotRequired[Literal["auto", "low", "high"]]


class OpenAIImagePart(TypedDict):
    """A content part with an image, in OpenAI's schema."""

    image_url: OpenAIImageURL
    type: Literal["image_url"]


class OpenAIInputAudio(TypedDict):
    """An audio recording in base64, in OpenAI's schema."""

    data: str
    format: Literal["wav", "mp3"]


class OpenAIInputAudioPart(TypedDict):
    """A content part with an audio recording, in OpenAI's schema."""

    input_audio: OpenAIInputAudio
    type: Literal["input_audio"]


class OpenAIFile(TypedDict, total=False):
    """A file, in base64 or by its id, in OpenAI's schema."""

    file_data: str
    file_id: str
    filename: str


class OpenAIFilePart(TypedDict):
    """A content part with a file, in OpenAI's schema."""

    file: OpenAIFile
    type: Literal["file"]


class OpenAIDeveloperMessage(TypedDict):
    """A developer message, in OpenAI's schema."""

    content: str | list[OpenAITextPart]
    role: Literal["developer"]
    name: NotRequired[str]


class OpenAISystemMessage(TypedDict):
    """A system message, in OpenAI's schema."""

    content: str | list[OpenAITextPart]
    role: Literal["system"]
    name: NotRequired[str]


class OpenAIUserMessage(TypedDict):
    """A user message, in OpenAI's schema."""

    content: str | list[OpenAITextPart | OpenAIImagePart | OpenAIInputAudioPart | OpenAIFilePart]
    role: Literal["user"]
    name: NotRequired[str]


class OpenAIAudioID(TypedDict):
    """The id of an earlier audio response, in OpenAI's schema."""

    id: str


class OpenAIAssistantMessage(TypedDict):
    """An assistant message of an earlier turn, in OpenAI's schema."""

    role: Literal["assistant"]
    audio: NotRequired[OpenAIAudioID]
    content: NotRequired[str | list[OpenAITextPart | OpenAIRefusalPart]]
    function_call: NotRequired[OpenAIFunction]
    name: NotRequired[str]
    refusal: NotRequired[str]
    tool_calls: NotRequired[list[OpenAIFunctionToolCall | OpenAICustomToolCall]]


class OpenAIToolMessage(TypedDict):
    """The result of a tool call, in OpenAI's schema."""

    content: str | list[OpenAITextPart]
    role: Literal["tool"]
    tool_call_id: str


class OpenAIFunctionMessage(TypedDict):
    """The result of a function call, in the older form of OpenAI's schema."""

    content: str | None
    name: str
    role: Literal["function"]


class OpenAIRequest(TypedDict):
    """A request, in OpenAI's schema. Nested objects other than messages are declared as plain dicts."""

    messages: list[
        OpenAIDeveloperMessage
        | OpenAISystemMessage
        | OpenAIUserMessage
        | OpenAIAssistantMessage
        | OpenAIToolMessage
        | OpenAIFunctionMessage
    ]
    model: str
    audio: NotRequired[dict[str, JSON]]
    frequency_penalty: NotRequired[float]
    function_call: NotRequired[str | dict[str, JSON]]
    functions: NotRequired[list[dict[str, JSON]]]
    logit_bias: NotRequired[dict[str, int]]
    logprobs: NotRequired[bool]
    max_completion_tokens: NotRequired[int]
    max_tokens: NotRequired[int]
    metadata: NotRequired[dict[str, str]]
    modalities: NotRequired[list[Literal["text", "audio"]]]
    n: NotRequired[int]
    parallel_tool_calls: NotRequired[bool]
    prediction: NotRequired[dict[str, JSON]]
    presence_penalty: NotRequired[float]
    prompt_cache_key: NotRequired[str]
    prompt_cache_retention: NotRequired[Literal["in_memory", "24h"]]
    reasoning_effort: NotRequired[Literal["none", "minimal", "low", "medium", "high", "xhigh"]]
    response_format: NotRequired[dict[str, JSON]]
    safety_identifier: NotRequired[str]
    seed: NotRequired[int]
    service_tier: NotRequired[Literal["auto", "default", "flex", "scale", "priority"]]
    stop: NotRequired[str | list[str]]
    store: NotRequired[bool]
    stream: NotRequired[bool]
    stream_options: NotRequired[dict[str, JSON]]
    temperature: NotRequired[float]
    tool_choice: NotRequired[str | dict[str, JSON]]
    tools: NotRequired[list[dict[str, JSON]]]
    top_logprobs: NotRequired[int]
    top_p: NotRequired[float]
    user: NotRequired[str]
    verbosity: NotRequired[Literal["low", "medium", "high"]]
    web_search_options: NotRequired[dict[str, JSON]]
