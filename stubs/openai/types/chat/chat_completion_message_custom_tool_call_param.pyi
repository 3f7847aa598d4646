from typing import Literal

from typing_extensions import Required, TypedDict

class Custom(TypedDict, total=False):
    input: Required[str]
    name: Required[str]

class ChatCompletionMessageCustomToolCallParam(TypedDict, total=False):
    id: Required[str]
    custom: Required[Custom]
    type: Required[Literal["custom"]]
