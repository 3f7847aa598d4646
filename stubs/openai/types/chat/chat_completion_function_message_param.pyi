from typing import Literal

from typing_extensions import Required, TypedDict

class ChatCompletionFunctionMessageParam(TypedDict, total=False):
    content: Required[str | None]
    name: Required[str]
    role: Required[Literal["function"]]
