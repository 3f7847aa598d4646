"""Typed, immutable values for the chat completions of Together and of OpenAI-compatible servers.

Every dataclass reads JSON with `from_dict` and `from_json`. `to_dict` and `to_json` return the same JSON, but its keys
may be in another order. Undeclared keys, and JSON of another type than its field's, are kept in `.extra`. `.issues()`
lists the JSON that cannot be converted to the type of its field, and the required keys that are absent.

    >>> from together_types import ChatCompletionResponse
    >>> response = ChatCompletionResponse.from_dict({"choices": [{"message": {"content": "Paris"}}], "new_key": 1})
    >>> response.text, response.extra["new_key"], response.issues()
    ('Paris', 1, [])

Does no I/O, changes no argument, and needs only the standard library.
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

# Pickles contain the name of the public module.
Issue.__module__ = ParseError.__module__ = FrozenDict.__module__ = FrozenList.__module__ = __name__
