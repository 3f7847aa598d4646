from typing import Literal

from typing_extensions import Required, TypedDict

class Custom(TypedDict, total=False):
    name: Required[str]

class ChatCompletionNamedToolChoiceCustomParam(TypedDict, total=False):
    custom: Required[Custom]
    type: Required[Literal["custom"]]
