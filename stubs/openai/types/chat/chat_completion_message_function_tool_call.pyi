from typing import Literal

from openai._models import BaseModel

class Function(BaseModel):
    arguments: str
    name: str

class ChatCompletionMessageFunctionToolCall(BaseModel):
    id: str
    function: Function
    type: Literal["function"]
