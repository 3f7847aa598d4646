from typing import Annotated

from together.types.abstract import BaseModel

class TogetherErrorResponse(BaseModel):
    message: str | None = None
    type_: Annotated[str | None, "type"] = None
    param: str | None = None
    code: str | None = None
