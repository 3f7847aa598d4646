"""The seam between the two packages: the only module here that imports together_types."""

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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from together_types.wire import (
        ChatCompletionChunkDict as ChatCompletionChunkDict,
    )
    from together_types.wire import (
        ChatCompletionRequestDict as ChatCompletionRequestDict,
    )
    from together_types.wire import (
        ChatCompletionResponseDict as ChatCompletionResponseDict,
    )
    from together_types.wire import (
        ErrorDataDict as ErrorDataDict,
    )
    from together_types.wire import (
        OpenAIChatCompletion as OpenAIChatCompletion,
    )
    from together_types.wire import (
        OpenAIChatCompletionChunk as OpenAIChatCompletionChunk,
    )
    from together_types.wire import (
        OpenAIError as OpenAIError,
    )
    from together_types.wire import (
        OpenAIRequest as OpenAIRequest,
    )

__all__ = [
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
    "TogetherErrorResponse",
    "ToolCalls",
    "UsageData",
    "__version__",
]
