"""The seam: the only module that imports `together_types`. Who vendors both packages edits this import."""

from together_types import (
    ChatCompletionChunk,
    ChatCompletionResponse,
    ErrorData,
    Issue,
    ParseError,
    TogetherErrorResponse,
    UsageData,
)

__all__ = [
    "ChatCompletionChunk",
    "ChatCompletionResponse",
    "ErrorData",
    "Issue",
    "ParseError",
    "TogetherErrorResponse",
    "UsageData",
]
