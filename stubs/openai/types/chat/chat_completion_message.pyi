from typing import Literal

from openai._models import BaseModel
from openai.types.chat.chat_completion_audio import ChatCompletionAudio
from openai.types.chat.chat_completion_message_custom_tool_call import ChatCompletionMessageCustomToolCall
from openai.types.chat.chat_completion_message_function_tool_call import ChatCompletionMessageFunctionToolCall

class AnnotationURLCitation(BaseModel):
    end_index: int
    start_index: int
    title: str
    url: str

class Annotation(BaseModel):
    type: Literal["url_citation"]
    url_citation: AnnotationURLCitation

class FunctionCall(BaseModel):
    arguments: str
    name: str

class ChatCompletionMessage(BaseModel):
    content: str | None = None
    refusal: str | None = None
    role: Literal["assistant"]
    annotations: list[Annotation] | None = None
    audio: ChatCompletionAudio | None = None
    function_call: FunctionCall | None = None
    tool_calls: list[ChatCompletionMessageFunctionToolCall | ChatCompletionMessageCustomToolCall] | None = None
