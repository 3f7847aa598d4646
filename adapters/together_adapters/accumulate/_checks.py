"""Finding problems of a complete response: unusable tool calls, and choices without a finish reason.

Changes no value.
"""

from __future__ import annotations

from .._types import FinishReason, Issue, ParseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._types import ChatCompletionResponse, FunctionCall, ToolCalls

__all__ = ["call_issues", "unfinished_choices"]

_NO_NAME = "a call without a name"
_NO_REASON = "missing, although the stream ended with [DONE]"


def call_issues(response: ChatCompletionResponse) -> Iterator[Issue]:
    """Yield an issue for each call without a name, and for arguments that are not a JSON object.

    Absent, null and empty arguments are read as an empty object. Choices without a finish reason, and those that
    reached the maximum length, are skipped, because their calls may be unfinished.
    """
    for position, choice in enumerate(response.choices or ()):
        message, path = choice.message, f"choices[{position}].message"
        if message is None or not choice.finish_reason or choice.finish_reason == FinishReason.Length:
            continue
        for number, call in enumerate(message.tool_calls or ()):
            yield from _issues_of(call, f"{path}.tool_calls[{number}]")
        if message.function_call is not None:
            yield from _issues_of_function(message.function_call, f"{path}.function_call")


def _issues_of(call: ToolCalls, path: str) -> Iterator[Issue]:
    if call.custom is None:
        yield from _issues_of_function(call.function, f"{path}.function")
    elif not call.custom.name:
        yield Issue(f"{path}.custom.name", _NO_NAME)


def _issues_of_function(function: FunctionCall | None, path: str) -> Iterator[Issue]:
    if function is None or not function.name:
        yield Issue(f"{path}.name", _NO_NAME)
    if function is not None:
        try:
            function.parsed_arguments()
        except ParseError as error:
            yield Issue(f"{path}.arguments", error.problem)


def unfinished_choices(response: ChatCompletionResponse) -> Iterator[Issue]:
    """Yield an issue for each choice without a finish reason, for a stream that ended with `[DONE]`."""
    for position, choice in enumerate(response.choices or ()):
        if not choice.finish_reason and "finish_reason" not in choice.extra:
            yield Issue(f"choices[{position}].finish_reason", _NO_REASON)
