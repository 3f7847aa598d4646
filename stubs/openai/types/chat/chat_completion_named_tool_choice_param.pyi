from typing import Literal

from typing_extensions import Required, TypedDict

class Function(TypedDict, total=False):
    name: Required[str]

class ChatCompletionNamedToolChoiceParam(TypedDict, total=False):
    function: Required[Function]
    type: Required[Literal["function"]]
