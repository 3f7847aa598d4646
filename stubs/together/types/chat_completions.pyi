from enum import Enum
from typing import Any

from together.types.abstract import BaseModel
from together.types.common import DeltaContent, FinishReason, LogprobsPart, ObjectType, PromptPart, UsageData

class MessageRole(str, Enum):
    ASSISTANT = "assistant"
    SYSTEM = "system"
    USER = "user"
    TOOL = "tool"

class ResponseFormatType(str, Enum):
    JSON_OBJECT = "json_object"
    JSON_SCHEMA = "json_schema"
    REGEX = "regex"

class ChatCompletionMessageContentType(str, Enum):
    TEXT = "text"
    IMAGE_URL = "image_url"
    VIDEO_URL = "video_url"
    AUDIO_URL = "audio_url"

class ToolChoiceEnum(str, Enum):
    Auto = "auto"
    Required = "required"

class FunctionCall(BaseModel):
    name: str | None = None
    arguments: str | None = None

class ToolCalls(BaseModel):
    id: str | None = None
    type: str | None = None
    function: FunctionCall | None = None

class ChatCompletionMessageContentImageURL(BaseModel):
    url: str

class ChatCompletionMessageContentVideoURL(BaseModel):
    url: str

class ChatCompletionMessageContentAudioURL(BaseModel):
    url: str

class ChatCompletionMessageContent(BaseModel):
    type: ChatCompletionMessageContentType
    text: str | None = None
    image_url: ChatCompletionMessageContentImageURL | None = None
    video_url: ChatCompletionMessageContentVideoURL | None = None
    audio_url: ChatCompletionMessageContentAudioURL | None = None

class ChatCompletionMessage(BaseModel):
    role: MessageRole
    content: str | list[ChatCompletionMessageContent] | None = None
    tool_calls: list[ToolCalls] | None = None

class ResponseFormat(BaseModel):
    type: ResponseFormatType
    schema_: dict[str, Any] | None = None
    pattern: str | None = None
    def to_dict(self) -> dict[str, Any]: ...

class FunctionTool(BaseModel):
    description: str | None = None
    name: str
    parameters: dict[str, Any] | None = None

class FunctionToolChoice(BaseModel):
    name: str

class Tools(BaseModel):
    type: str
    function: FunctionTool

class ToolChoice(BaseModel):
    type: str
    function: FunctionToolChoice

class ChatCompletionRequest(BaseModel):
    messages: list[ChatCompletionMessage]
    model: str
    max_tokens: int | None = None
    stop: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repetition_penalty: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    min_p: float | None = None
    logit_bias: dict[str, float] | None = None
    seed: int | None = None
    stream: bool = False
    logprobs: int | None = None
    echo: bool | None = None
    n: int | None = None
    safety_model: str | None = None
    response_format: ResponseFormat | None = None
    tools: list[Tools] | None = None
    tool_choice: ToolChoice | ToolChoiceEnum | None = None

class ChatCompletionChoicesData(BaseModel):
    index: int | None = None
    logprobs: LogprobsPart | None = None
    seed: int | None = None
    finish_reason: FinishReason | None = None
    message: ChatCompletionMessage | None = None

class ChatCompletionResponse(BaseModel):
    id: str | None = None
    object: ObjectType | None = None
    created: int | None = None
    model: str | None = None
    choices: list[ChatCompletionChoicesData] | None = None
    prompt: list[PromptPart] | list[None] | None = None
    usage: UsageData | None = None

class ChatCompletionChoicesChunk(BaseModel):
    index: int | None = None
    logprobs: float | None = None
    seed: int | None = None
    finish_reason: FinishReason | None = None
    delta: DeltaContent | None = None

class ChatCompletionChunk(BaseModel):
    id: str | None = None
    object: ObjectType | None = None
    created: int | None = None
    model: str | None = None
    choices: list[ChatCompletionChoicesChunk] | None = None
    finish_reason: FinishReason | None = None
    usage: UsageData | None = None
