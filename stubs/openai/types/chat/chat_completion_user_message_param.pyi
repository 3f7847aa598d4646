from collections.abc import Iterable
from typing import Literal

from openai.types.chat.chat_completion_content_part_image_param import ChatCompletionContentPartImageParam
from openai.types.chat.chat_completion_content_part_input_audio_param import ChatCompletionContentPartInputAudioParam
from openai.types.chat.chat_completion_content_part_param import File
from openai.types.chat.chat_completion_content_part_text_param import ChatCompletionContentPartTextParam
from typing_extensions import Required, TypedDict

class ChatCompletionUserMessageParam(TypedDict, total=False):
    content: Required[
        str
        | Iterable[
            ChatCompletionContentPartTextParam
            | ChatCompletionContentPartImageParam
            | ChatCompletionContentPartInputAudioParam
            | File
        ]
    ]
    role: Required[Literal["user"]]
    name: str
