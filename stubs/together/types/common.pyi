from enum import Enum
from typing import Any

from together.types.abstract import BaseModel

class CallbackIOWrapper: ...  # tqdm's

class FinishReason(str, Enum):
    Length = "length"
    StopSequence = "stop"
    EOS = "eos"
    ToolCalls = "tool_calls"
    Error = "error"
    Null = ""

class ObjectType(str, Enum):
    TextCompletion = "text_completion"
    Completion = "text.completion"
    CompletionChunk = "completion.chunk"
    ChatCompletion = "chat.completion"
    ChatCompletionChunk = "chat.completion.chunk"
    Embedding = "embedding"
    FinetuneEvent = "fine-tune-event"
    File = "file"
    Model = "model"

class UsageData(BaseModel):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int

class LogprobsPart(BaseModel):
    tokens: list[str | None] | None = None
    token_logprobs: list[float | None] | None = None

class PromptPart(BaseModel):
    text: str | None = None
    logprobs: LogprobsPart | None = None

class DeltaContent(BaseModel):
    content: str | None = None

class TogetherRequest(BaseModel):
    method: str
    url: str
    headers: dict[str, str] | None = None
    params: dict[str, Any] | CallbackIOWrapper | None = None
    files: dict[str, Any] | None = None
    allow_redirects: bool = True
    override_headers: bool = False
