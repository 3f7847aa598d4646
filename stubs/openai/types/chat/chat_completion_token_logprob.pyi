from openai._models import BaseModel

class TopLogprob(BaseModel):
    token: str
    bytes: list[int] | None = None
    logprob: float

class ChatCompletionTokenLogprob(BaseModel):
    token: str
    bytes: list[int] | None = None
    logprob: float
    top_logprobs: list[TopLogprob]
