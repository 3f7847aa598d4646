"""The seam between the two packages: the only module here that imports together_types."""

from together_types import (
    ChatCompletionChoicesChunk,
    ChatCompletionChoicesData,
    ChatCompletionChunk,
    ChatCompletionMessage,
    ChatCompletionResponse,
    CustomToolCall,
    DeltaContent,
    ErrorData,
    FinishReason,
    FunctionCall,
    Issue,
    LogprobsPart,
    ParseError,
    TogetherErrorResponse,
    ToolCalls,
    UsageData,
)

__all__ = [
    "ChatCompletionChoicesChunk",
    "ChatCompletionChoicesData",
    "ChatCompletionChunk",
    "ChatCompletionMessage",
    "ChatCompletionResponse",
    "CustomToolCall",
    "DeltaContent",
    "ErrorData",
    "FinishReason",
    "FunctionCall",
    "Issue",
    "LogprobsPart",
    "ParseError",
    "TogetherErrorResponse",
    "ToolCalls",
    "UsageData",
]
