"""The names that this package imports from together_types.

All other modules of this package import them from here, so that the command `vendor` changes only this file in a
copy.
"""

from together_types import (
    ChatCompletionChoicesChunk,
    ChatCompletionChoicesData,
    ChatCompletionChunk,
    ChatCompletionMessage,
    ChatCompletionRequest,
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
    __version__,
)
from together_types._json import (
    STACK_USED_UP,
    at,
    check_nesting,
    document_at,
    dumps,
    is_array,
    is_deeply_nested,
    is_object,
    loads,
    loads_finite,
    well_formed,
)
from together_types._merge_rules import (
    COLLECT,
    CONCATENATE,
    CUMULATIVE,
    CUSTOM,
    INCREASING,
    KEEP_FIRST,
    KEEP_LAST,
    PER_CHUNK,
)
from together_types._model import head_keys, merge_rules, reader_of
from together_types._open_enum import StringEnum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from together_types.wire import (
        ChatCompletionChunkDict as ChatCompletionChunkDict,
        ChatCompletionRequestDict as ChatCompletionRequestDict,
        ChatCompletionResponseDict as ChatCompletionResponseDict,
        ErrorDataDict as ErrorDataDict,
        OpenAIChatCompletion as OpenAIChatCompletion,
        OpenAIChatCompletionChunk as OpenAIChatCompletionChunk,
        OpenAIError as OpenAIError,
        OpenAIRequest as OpenAIRequest,
    )

__all__ = [
    "COLLECT",
    "CONCATENATE",
    "CUMULATIVE",
    "CUSTOM",
    "INCREASING",
    "KEEP_FIRST",
    "KEEP_LAST",
    "PER_CHUNK",
    "STACK_USED_UP",
    "ChatCompletionChoicesChunk",
    "ChatCompletionChoicesData",
    "ChatCompletionChunk",
    "ChatCompletionMessage",
    "ChatCompletionRequest",
    "ChatCompletionResponse",
    "CustomToolCall",
    "DeltaContent",
    "ErrorData",
    "FinishReason",
    "FunctionCall",
    "Issue",
    "LogprobsPart",
    "ParseError",
    "StringEnum",
    "TogetherErrorResponse",
    "ToolCalls",
    "UsageData",
    "__version__",
    "at",
    "check_nesting",
    "document_at",
    "dumps",
    "head_keys",
    "is_array",
    "is_deeply_nested",
    "is_object",
    "loads",
    "loads_finite",
    "merge_rules",
    "reader_of",
    "well_formed",
]
