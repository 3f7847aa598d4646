from together.types.chat_completions import (
    ChatCompletionChunk as ChatCompletionChunk,
    ChatCompletionRequest as ChatCompletionRequest,
    ChatCompletionResponse as ChatCompletionResponse,
)
from together.types.common import TogetherRequest as TogetherRequest
