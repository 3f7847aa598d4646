from typing_extensions import Required, TypedDict

class ChatCompletionFunctionCallOptionParam(TypedDict, total=False):
    name: Required[str]
