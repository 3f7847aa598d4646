"""Typed, frozen values of Together's and OpenAI-format chat completions, on the standard library alone.
Nothing here reads a file, opens a socket or changes what it is given.

Every type reads JSON with `from_dict` and `from_json` and gives it back, to the letter, with `to_dict` and
`to_json`. Nothing a server sends is lost: what a field cannot hold truthfully is in `.extra` and listed by
`.issues()`.
"""

from ._json import FrozenDict, FrozenList
from ._model import Issue, dataclass
from .chat_completions import (
    Annotation,
    AnnotationURLCitation,
    ChatCompletionAudio,
    ChatCompletionChoicesChunk,
    ChatCompletionChoicesData,
    ChatCompletionChunk,
    ChatCompletionMessage,
    ChatCompletionRequest,
    ChatCompletionResponse,
    FunctionTool,
    FunctionToolChoice,
    JSONSchema,
    Reasoning,
    ResponseFormat,
    ResponseFormatType,
    StreamOptions,
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
    FileFile,
    FinishReason,
    FunctionCall,
    InferenceWarning,
    InputAudio,
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
    "ChatCompletionTokenLogprob",
    "CompletionTokensDetails",
    "CustomToolCall",
    "DeltaContent",
    "ErrorData",
    "FileFile",
    "FinishReason",
    "FunctionCall",
    "FunctionTool",
    "FunctionToolChoice",
    "InferenceWarning",
    "InputAudio",
    "Issue",
    "JSONSchema",
    "LogprobsPart",
    "MessageRole",
    "ObjectType",
    "ParseError",
    "PromptPart",
    "PromptTokensDetails",
    "Reasoning",
    "ResponseFormat",
    "ResponseFormatType",
    "StreamOptions",
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
    "dataclass",
]

# The public module, which pickles contain.
Issue.__module__ = ParseError.__module__ = FrozenDict.__module__ = FrozenList.__module__ = __name__
