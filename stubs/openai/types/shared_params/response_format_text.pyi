from typing import Literal

from typing_extensions import Required, TypedDict

class ResponseFormatText(TypedDict, total=False):
    type: Required[Literal["text"]]
