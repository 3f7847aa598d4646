from collections.abc import Iterable
from typing import Literal

from typing_extensions import Required, TypedDict

class ChatCompletionAllowedToolsParam(TypedDict, total=False):
    mode: Required[Literal["auto", "required"]]
    tools: Required[Iterable[dict[str, object]]]
