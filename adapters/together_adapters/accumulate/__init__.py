"""Merging the chunks of a stream into one response.

Chunks are grouped by the index of the choice and may arrive in any order. The rules:

- Text (content, refusal, and reasoning under each of its keys) is concatenated. A content of parts is continued part by
  part (see `_message`).
- Fields that every chunk repeats (id, created, model, role) keep the first value. The other fields of a chunk or a
  choice, declared or not, keep the last value, unless a rule below applies. Different values in other chunks are listed
  as unmerged, except increasing values of `created`. `_merging` implements these rules. `object`, `obfuscation` and
  Mistral's `p` describe the chunk, so they are not merged.
- Each key of the usage keeps its last value that is not null, because servers send the usage at the end or
  cumulatively. If no chunk has a usage, that of `x_groq` (Groq) or of a choice (Moonshot) is used.
- Token ids and log probabilities (see `_logprobs`) are concatenated. Warnings and annotations are collected without
  duplicates. Fragments of tool calls are assembled (see `_tool_calls`), and so are the blocks of `reasoning_details`
  and `thinking_blocks` (see `_blocks`). The `top_logprobs` of a choice are concatenated if they are arrays. If they are
  objects, the last is kept.
- Undeclared keys of a delta are concatenated, because a delta contains fragments (see `_merging`).
- null is kept if no chunk has another value. A null usage is dropped, because it means that the usage follows later.
- A complete `message`, as in a response without streaming, is kept unchanged if no delta adds to it. If a
  message repeats the delta (Azure AI Foundry, Writer) or the message so far (Perplexity), it is not kept. Any other
  message is listed.

A value that cannot be merged is listed in `Completion.unmerged` and in `Completion.issues()`.

Does no I/O and changes no chunk.
"""

from __future__ import annotations

from .._json_data import is_dict, raw_of
from .._types import (
    COLLECT,
    CONCATENATE,
    CUMULATIVE,
    CUSTOM,
    KEEP_LAST,
    PER_CHUNK,
    ChatCompletionChunk,
    ChatCompletionResponse,
    Issue,
    StringEnum,
    merge_rules,
)
from ._choice import ChoiceAccumulator
from ._merging import ItemCount, MergedField, Unmerged, field_in, in_order, index_key, keep_unknown, with_unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

__all__ = ["Accumulator", "Completion", "CompletionState", "Unmerged", "accumulate"]

Unmerged.__module__ = __name__  # pickles contain the name of the public module


class CompletionState(StringEnum):
    """The state of a stream. Each member equals its string: `completion.state == "finished"`."""

    OPEN = "open"
    """More chunks may arrive."""
    FINISHED = "finished"
    """The response is complete."""
    CUT_OFF = "cut_off"
    """The stream ended before every choice had a finish reason, or the connection broke."""
    ERRORED = "errored"
    """The server reported an error, or its response is not a stream of chunks."""
    CANCELLED = "cancelled"
    """The reader closed the stream before its end."""


class Completion:
    """The content of a stream so far: the `response`, the `state`, and whether `[DONE]` was received (`saw_done`).

    `unmerged` lists the values in chunks that the response cannot contain. A completion cannot be changed.
    """

    __slots__ = ("response", "saw_done", "state", "unmerged")
    response: ChatCompletionResponse
    saw_done: bool
    state: CompletionState
    unmerged: tuple[Unmerged, ...]

    def __init__(
        self,
        response: ChatCompletionResponse,
        state: CompletionState | str,
        saw_done: bool = False,
        unmerged: tuple[Unmerged, ...] = (),
    ) -> None:
        for name, value in zip(self.__slots__, (response, saw_done, CompletionState(state), unmerged)):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"cannot assign to {name!r}: a completion cannot be changed")

    def issues(self) -> list[Issue]:
        """List the values that could not be merged, problems of the complete response, and the response's own issues.

        Tool calls without a name, and arguments that are not a JSON object, are issues only in a choice that has a
        finish reason other than `length`. A missing finish reason is an issue only if the stream ended with `[DONE]`.
        """
        from ._checks import call_issues, unfinished_choices

        found = [Issue(path, problem) for path, problem, _ in self.unmerged]
        paths = {issue.path for issue in found}
        found += [issue for issue in call_issues(self.response) if issue.path not in paths]
        if self.saw_done:
            found += unfinished_choices(self.response)
        return found + self.response.issues()

    def _asdict(self) -> dict[str, Any]:
        """Return the dict that AWS Lambda's runtime client sends for a completion returned by a handler."""
        return {"response": self.response, "state": self.state, "saw_done": self.saw_done}

    def _fields(self) -> tuple[ChatCompletionResponse, CompletionState, bool, tuple[Unmerged, ...]]:
        return self.response, self.state, self.saw_done, self.unmerged

    def __eq__(self, other: object) -> bool:
        return self._fields() == other._fields() if isinstance(other, Completion) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.response, self.state, self.saw_done))

    def __reduce__(self) -> tuple[object, ...]:
        return self.__class__, self._fields()

    def __repr__(self) -> str:
        response, state, saw_done, unmerged = self._fields()
        return f"Completion({response!r}, state={state.value!r}, saw_done={saw_done!r}, unmerged={unmerged!r})"


_RULES = merge_rules(ChatCompletionChunk)
_RESPONSE_KEYS = tuple(merge_rules(ChatCompletionResponse))
# `add` skips the fields of a chunk if they equal those of the previous chunk (see `_choice`). But values of the fields
# below must be added even if they are repeated, so the fields of the chunk after one that has such a value are not
# skipped.
_NEW_IN_EACH_CHUNK = ("extra", *[key for key, rule in _RULES.items() if rule in (COLLECT, CONCATENATE, CUMULATIVE)])


_PADDING = {"p": PER_CHUNK}  # Mistral's name of `obfuscation`
_NO_PADDING: dict[str, str] = {}


class Accumulator:
    """An accumulator of chunks. `completion()` returns the result so far.

    With `split_thinking=True`, the response has the text inside `<think>...</think>` under `reasoning` instead of
    `content`. A tag that is not closed remains text.

    `add` takes time proportional to the size of the chunk, and `completion` to the size of the result.
    """

    def __init__(self, *, split_thinking: bool = False) -> None:
        self.started: bool = False
        """True after the first choice. An attribute and not a property, because it is read once for each chunk."""
        self.items: ItemCount = ItemCount()
        self.count: int = 0
        """The number of choices."""
        self._split_thinking = split_thinking
        self._object: str | None = None
        self._fields: dict[str, MergedField] = {}
        self._before: dict[str, Any] = {}  # the fields of the previous chunk
        self._choices: dict[int | str, ChoiceAccumulator] = {}
        self._unknown: dict[str, MergedField] = {}

    def add(self, chunk: ChatCompletionChunk) -> None:
        """Merge one more chunk."""
        choices, before = chunk.choices, self._before
        before["choices"] = choices
        if chunk.__dict__ != before:
            self._add_fields(chunk)
        position = 0
        for choice in choices or ():
            index = position if choice.index is None else choice.index
            known = self._choices.get(index)  # not found for a large index, whose key is text
            if known is None:
                known = self._choice_of(index)
            known.add(choice)
            position += 1

    def _choice_of(self, index: int) -> ChoiceAccumulator:
        self.started = True
        key = index_key(index)
        if key not in self._choices:
            self._choices[key] = ChoiceAccumulator(index, self.items)
            self.count += 1
            self.items.total += 1
        return self._choices[key]

    def _add_fields(self, chunk: ChatCompletionChunk) -> None:
        fields = vars(chunk)
        self._before = {} if any([fields.get(name) for name in _NEW_IN_EACH_CHUNK]) else dict(fields)
        for name, value in fields.items():
            if name == "extra":
                has_padding = isinstance(chunk.extra.get("p"), str)
                keep_unknown(self._unknown, chunk, KEEP_LAST, _PADDING if has_padding else _NO_PADDING)
            elif name == "object":
                self._object = self._object or (value and str(value))
            elif _RULES.get(name) not in (CUSTOM, PER_CHUNK):
                field_in(self._fields, name, _RULES.get(name, KEEP_LAST)).add(raw_of(value))

    @property
    def finished(self) -> bool:
        """True if there is a choice, and every choice has a finish reason."""
        return bool(self._choices) and all([choice.finished for choice in self._choices.values()])

    def completion(self, state: CompletionState | str = CompletionState.OPEN, saw_done: bool = False) -> Completion:
        """Return a completion with the response so far and this state."""
        unmerged: list[Unmerged] = []
        data: dict[str, Any] = {
            name: field.result(name, unmerged) for name, field in self._fields.items() if name != "usage"
        }
        whole = bool(self._choices) and all([choice.whole is not None for choice in self._choices.values()])
        if self._object == "chat.completion.chunk" or (not self._object and not whole):
            data["object"] = "chat.completion"
        elif self._object is not None:
            data["object"] = self._object
        choices = sorted(self._choices.values(), key=lambda choice: choice.index)
        data["choices"] = [choice.result(f"choices[{position}]", unmerged) for position, choice in enumerate(choices)]
        if self._split_thinking:
            data["choices"] = [_with_split_message(choice) for choice in data["choices"]]
        usage = self._fields["usage"].result("usage", unmerged) if "usage" in self._fields else None
        if usage is not None or (whole and "usage" in self._fields):
            data["usage"] = usage  # in a stream null means that the usage is still to come
        with_unknown(data, self._unknown, "", unmerged)
        if usage is None:
            _use_other_usage(data)
        data = in_order(data, _RESPONSE_KEYS)
        return Completion(ChatCompletionResponse.from_dict(data), state, saw_done, tuple(unmerged))


def _with_split_message(choice: dict[str, Any]) -> dict[str, Any]:
    from ._thinking import split_message

    return {**choice, "message": split_message(choice["message"])} if is_dict(choice.get("message")) else choice


def _use_other_usage(data: dict[str, Any]) -> None:
    """Copy the usage from `x_groq` (Groq) or from the last choice that has one (Moonshot)."""
    for holder in [data.get("x_groq"), *reversed(data["choices"])]:
        if is_dict(holder) and is_dict(holder.get("usage")):
            data.setdefault("usage", holder["usage"])
            return


def accumulate(chunks: Iterable[ChatCompletionChunk], *, split_thinking: bool = False) -> Completion:
    """Merge all chunks and return the completion. For `split_thinking`, see Accumulator.

    Its state is `errored` if a chunk contains an error, `cut_off` if there is no choice or a choice has no finish
    reason, and otherwise `finished`.
    """
    accumulator = Accumulator(split_thinking=split_thinking)
    for chunk in chunks:
        accumulator.add(chunk)
    completion = accumulator.completion(CompletionState.FINISHED if accumulator.finished else CompletionState.CUT_OFF)
    if completion.response.error is None:
        return completion
    return Completion(completion.response, CompletionState.ERRORED, unmerged=completion.unmerged)
