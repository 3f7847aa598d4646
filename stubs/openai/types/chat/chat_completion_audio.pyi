from openai._models import BaseModel

class ChatCompletionAudio(BaseModel):
    id: str
    data: str
    expires_at: int
    transcript: str
