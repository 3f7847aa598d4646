"""The chunks of a stream, merged into one response. Sans-IO: the chunks are the caller's, and never changed.

Everything is gathered by the choice's index, in whatever order the chunks come:

- Text (content, reasoning under each of its keys, refusal) is joined; a content of parts goes on part by part (see `_parts`).
- Of what says the same in every chunk (id, created, model, role) the first stands, of what else a chunk or a choice says
  the last, declared or not; `_merge` has these rules. A chunk that says otherwise is listed. `object` and `obfuscation`
  tell of the chunk, not of the response.
- Of usage the last that is not null counts, key by key, because servers send it at the end, or cumulative.
- Token ids and log probabilities (see `_logprobs`) are chained, warnings too, each once, tool calls put together (see
  `_tool_calls`). A choice's own `top_logprobs` are chained where they are arrays; of objects the last stands.
- Undeclared keys of a delta, which holds fragments, are joined (see `_merge`).
- null stays where chunks said nothing else, but for usage, whose null says that it is still to come.
- A whole `message`, as in an answer sent at once, stays as it came, if it is all that its choice has.

Nothing is lost: what cannot be merged honestly is in `Completion.unmerged`, and in its `issues()`.
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
from ._merging import MergedField, Unmerged, keep_unknown, with_unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

__all__ = ["Accumulator", "Completion", "CompletionState", "Unmerged", "accumulate"]

Unmerged.__module__ = __name__  # the public module, which pickles name


class CompletionState(StringEnum):
    """How a stream stands. Each member equals its string: `completion.state == "finished"`."""

    OPEN = "open"
    """More may arrive."""
    FINISHED = "finished"
    """The answer is complete."""
    CUT_OFF = "cut_off"
    """The stream ended without a finish reason for every choice, or the connection broke."""
    ERRORED = "errored"
    """The server reported an error, or sent something that is not a stream of chunks."""
    CANCELLED = "cancelled"
    """The reader closed the stream before its end."""


class Completion:
    """What has arrived of a stream: the `response` so far, its `state`, and whether `[DONE]` was received (`saw_done`).

    `unmerged` lists what chunks contained and the response cannot show.
    """

    __slots__ = ("response", "saw_done", "state", "unmerged")

    def __init__(
        self,
        response: ChatCompletionResponse,
        state: CompletionState | str,
        saw_done: bool = False,
        unmerged: tuple[Unmerged, ...] = (),
    ) -> None:
        self.response: ChatCompletionResponse = response
        self.state: CompletionState = CompletionState(state)
        self.saw_done: bool = saw_done
        self.unmerged: tuple[Unmerged, ...] = unmerged

    def issues(self) -> list[Issue]:
        """What could not be merged, and what of the response's JSON its fields could not hold."""
        return [Issue(path, problem) for path, problem, _ in self.unmerged] + self.response.issues()

    def _asdict(self) -> dict[str, Any]:
        """What AWS Lambda's runtime client sends for a completion that a handler returns."""
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
# See `_choice`: these fields count anew in each chunk, so a chunk that has one is not compared with the one before it.
_NEW_IN_EACH_CHUNK = ("extra", *[key for key, rule in _RULES.items() if rule in (COLLECT, CONCATENATE, CUMULATIVE)])


class Accumulator:
    """Takes chunks one by one; `completion()` gives what they amount to so far.

    Adding costs the size of the chunk, a completion its own size.
    """

    def __init__(self) -> None:
        self.started: bool = False
        """Whether any choice was seen."""
        self._object: str | None = None
        self._fields: dict[str, MergedField] = {}
        self._before: dict[str, Any] = {}  # the fields of the chunk before this
        self._choices: dict[int, ChoiceAccumulator] = {}
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
            known = self._choices.get(index)
            if known is None:
                known = self._choices[index] = ChoiceAccumulator(index)
                self.started = True
            known.add(choice)
            position += 1

    def _add_fields(self, chunk: ChatCompletionChunk) -> None:
        fields = vars(chunk)
        self._before = {} if any([fields.get(name) for name in _NEW_IN_EACH_CHUNK]) else dict(fields)
        for name, value in fields.items():
            if name == "extra":
                keep_unknown(self._unknown, chunk, KEEP_LAST)
            elif name == "object":
                self._object = self._object or (value and str(value))
            elif _RULES.get(name) not in (CUSTOM, PER_CHUNK):
                self._merge(name, value)

    def _merge(self, name: str, value: Any) -> None:
        field = self._fields.get(name)
        if field is None:
            field = self._fields[name] = MergedField(_RULES.get(name, KEEP_LAST))
        field.add(raw_of(value))

    @property
    def finished(self) -> bool:
        """True when every choice seen has its finish reason, and there is one."""
        return bool(self._choices) and all([choice.finished for choice in self._choices.values()])

    def completion(self, state: CompletionState | str = CompletionState.OPEN, saw_done: bool = False) -> Completion:
        """The response so far."""
        unmerged: list[Unmerged] = []
        data: dict[str, Any] = {name: field.result(name, unmerged) for name, field in self._fields.items()}
        whole = bool(self._choices) and all([choice.whole is not None for choice in self._choices.values()])
        if self._object == "chat.completion.chunk" or (not self._object and not whole):
            data["object"] = "chat.completion"
        elif self._object is not None:
            data["object"] = self._object
        data["choices"] = [
            self._choices[index].result(f"choices[{position}]", unmerged)
            for position, index in enumerate(sorted(self._choices))
        ]
        if data.get("usage") is None and not whole:
            data.pop("usage", None)  # null means that the usage is still to come
        with_unknown(data, self._unknown, "", unmerged)
        if data.get("usage") is None:
            _use_usage_of_groq(data)
        return Completion(ChatCompletionResponse.from_dict(data), state, saw_done, tuple(unmerged))


def _use_usage_of_groq(data: dict[str, Any]) -> None:
    """Groq has sent a stream's usage under a key of its own."""
    groq: Any = data.get("x_groq")
    if is_dict(groq) and is_dict(groq.get("usage")):
        data.setdefault("usage", groq["usage"])


def accumulate(chunks: Iterable[ChatCompletionChunk]) -> Completion:
    """Merge all chunks; the completion is `cut_off` where a choice has no finish reason, `errored` where a chunk says so."""
    accumulator = Accumulator()
    for chunk in chunks:
        accumulator.add(chunk)
    completion = accumulator.completion(CompletionState.FINISHED if accumulator.finished else CompletionState.CUT_OFF)
    if completion.response.error is None:
        return completion
    return Completion(completion.response, CompletionState.ERRORED, unmerged=completion.unmerged)
