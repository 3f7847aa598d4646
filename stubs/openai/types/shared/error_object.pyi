from openai._models import BaseModel

class ErrorObject(BaseModel):
    code: str | None = None
    message: str
    param: str | None = None
    type: str
