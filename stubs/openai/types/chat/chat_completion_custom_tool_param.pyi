from typing import Literal

from typing_extensions import Required, TypedDict

class CustomFormatText(TypedDict, total=False):
    type: Required[Literal["text"]]

class CustomFormatGrammarGrammar(TypedDict, total=False):
    definition: Required[str]
    syntax: Required[Literal["lark", "regex"]]

class CustomFormatGrammar(TypedDict, total=False):
    grammar: Required[CustomFormatGrammarGrammar]
    type: Required[Literal["grammar"]]

class Custom(TypedDict, total=False):
    name: Required[str]
    description: str
    format: CustomFormatText | CustomFormatGrammar

class ChatCompletionCustomToolParam(TypedDict, total=False):
    custom: Required[Custom]
    type: Required[Literal["custom"]]
