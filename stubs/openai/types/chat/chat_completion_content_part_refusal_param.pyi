from typing import Literal

from typing_extensions import Required, TypedDict

class ChatCompletionContentPartRefusalParam(TypedDict, total=False):
    refusal: Required[str]
    type: Required[Literal["refusal"]]
