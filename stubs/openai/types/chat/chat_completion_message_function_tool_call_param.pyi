from typing import Literal

from typing_extensions import Required, TypedDict

class Function(TypedDict, total=False):
    arguments: Required[str]
    name: Required[str]

class ChatCompletionMessageFunctionToolCallParam(TypedDict, total=False):
    id: Required[str]
    function: Required[Function]
    type: Required[Literal["function"]]
