from typing import Literal

from openai._models import BaseModel

class Custom(BaseModel):
    input: str
    name: str

class ChatCompletionMessageCustomToolCall(BaseModel):
    id: str
    custom: Custom
    type: Literal["custom"]
