from typing import Literal

from typing_extensions import Required, TypedDict

class ChatCompletionContentPartTextParam(TypedDict, total=False):
    text: Required[str]
    type: Required[Literal["text"]]
