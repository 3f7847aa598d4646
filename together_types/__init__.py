"""Typed, frozen values of Together's and OpenAI-format chat completions, on the standard library alone.

Every type reads JSON with `from_dict` and `from_json` and gives it back, to the letter, with `to_dict` and
`to_json`. Nothing a server sends is lost: what a field cannot hold truthfully is in `.extra` and listed by
`.issues()`.
"""

from ._model import Issue
from .chat_completions import (
    ChatCompletionChoicesChunk,
    ChatCompletionChoicesData,
    ChatCompletionChunk,
    ChatCompletionMessage,
    ChatCompletionRequest,
    ChatCompletionResponse,
    FunctionTool,
    FunctionToolChoice,
    ResponseFormat,
    ResponseFormatType,
    ToolChoice,
    ToolChoiceEnum,
    Tools,
)
from .common import (
    ChatCompletionMessageContent,
    ChatCompletionMessageContentAudioURL,
    ChatCompletionMessageContentImageURL,
    ChatCompletionMessageContentType,
    ChatCompletionMessageContentVideoURL,
    ChatCompletionTokenLogprob,
    CompletionTokensDetails,
    CustomToolCall,
    DeltaContent,
    FinishReason,
    FunctionCall,
    InferenceWarning,
    LogprobsPart,
    MessageRole,
    ObjectType,
    PromptPart,
    PromptTokensDetails,
    ThinkingPart,
    TogetherRequest,
    ToolCalls,
    TopLogprob,
    UsageData,
)
from .error import ErrorData, ParseError, TogetherErrorResponse

__version__ = "0.1.0"

__all__ = [
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
    "ChatCompletionTokenLogprob",
    "CompletionTokensDetails",
    "CustomToolCall",
    "DeltaContent",
    "ErrorData",
    "FinishReason",
    "FunctionCall",
    "FunctionTool",
    "FunctionToolChoice",
    "InferenceWarning",
    "Issue",
    "LogprobsPart",
    "MessageRole",
    "ObjectType",
    "ParseError",
    "PromptPart",
    "PromptTokensDetails",
    "ResponseFormat",
    "ResponseFormatType",
    "ThinkingPart",
    "TogetherErrorResponse",
    "TogetherRequest",
    "ToolCalls",
    "ToolChoice",
    "ToolChoiceEnum",
    "Tools",
    "TopLogprob",
    "UsageData",
    "__version__",
]
