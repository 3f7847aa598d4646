from typing import Literal

from openai.types.shared_params.function_definition import FunctionDefinition
from typing_extensions import Required, TypedDict

class ChatCompletionFunctionToolParam(TypedDict, total=False):
    function: Required[FunctionDefinition]
    type: Required[Literal["function"]]
