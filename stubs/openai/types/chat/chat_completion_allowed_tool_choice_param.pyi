from typing import Literal

from openai.types.chat.chat_completion_allowed_tools_param import ChatCompletionAllowedToolsParam
from typing_extensions import Required, TypedDict

class ChatCompletionAllowedToolChoiceParam(TypedDict, total=False):
    allowed_tools: Required[ChatCompletionAllowedToolsParam]
    type: Required[Literal["allowed_tools"]]
