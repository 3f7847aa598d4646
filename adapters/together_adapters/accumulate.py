"""The chunks of a stream, folded into one response. Sans-IO.

Everything is gathered by the choice's index, in whatever order the chunks come:

- Text (content, reasoning under each of its keys, refusal) is joined; a content of parts goes on part by part.
- What says the same in every chunk (id, model, role) is taken once. A chunk that says otherwise is listed.
- Of usage the last that is not null counts, key by key, because servers send it at the end, or cumulative.
- Token ids, warnings and log probabilities (see `_logprobs`) are chained, tool calls put together (see `_tool_calls`).
- Undeclared keys: of a chunk and of a choice the last value that is not null stands, and objects are merged
  key by key; in a delta, which holds fragments, strings are joined and arrays chained unless all are equal.

Nothing is lost: what cannot be merged honestly is in `Completion.unmerged`, and in its `issues()`.
"""

from __future__ import annotations

from ._fold import Folded, Parts, Text, Unmerged, is_members, keep_unknown, with_unknown
from ._logprobs import LogprobsAccumulator
from ._openai_logprobs import from_native_logprobs
from ._tool_calls import ToolCallAccumulator
from ._types import (
    ChatCompletionChoicesChunk,
    ChatCompletionChunk,
    ChatCompletionResponse,
    DeltaContent,
    FinishReason,
    Issue,
    LogprobsPart,
    ToolCalls,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Repeat = list[tuple[Callable[[Any], object], str]]

__all__ = ["Accumulator", "Completion", "Unmerged", "accumulate"]


class Completion:
    """What a stream has given: the `response` so far, how it stands and whether `[DONE]` came.

    `state` is `open` while it goes on, `finished`, `cut_off` (it ended without a finish reason for every
    choice, or the connection broke), `errored` (the server said so, or sent what is no stream) or `cancelled`
    (closed by its reader). `unmerged` has what the response cannot show.
    """

    __slots__ = ("response", "saw_done", "state", "unmerged")

    def __init__(
        self, response: ChatCompletionResponse, state: str, saw_done: bool = False, unmerged: tuple[Unmerged, ...] = ()
    ) -> None:
        self.response = response
        self.state = state
        self.saw_done = saw_done
        self.unmerged = unmerged

    def issues(self) -> list[Issue]:
        """What could not be merged, and what of the response's JSON its fields could not hold."""
        return [Issue(path, problem) for path, problem, _ in self.unmerged] + self.response.issues()

    def _asdict(self) -> dict[str, Any]:
        """What AWS Lambda's runtime client sends for a completion that a handler returns."""
        return {"response": self.response, "state": self.state, "saw_done": self.saw_done}

    def _fields(self) -> tuple[ChatCompletionResponse, str, bool, tuple[Unmerged, ...]]:
        return self.response, self.state, self.saw_done, self.unmerged

    def __eq__(self, other: object) -> bool:
        return self._fields() == other._fields() if isinstance(other, Completion) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.response, self.state, self.saw_done))

    def __reduce__(self) -> tuple[object, ...]:
        return self.__class__, self._fields()

    def __repr__(self) -> str:
        response, state, saw_done, unmerged = self._fields()
        return f"Completion({response!r}, state={state!r}, saw_done={saw_done!r}, unmerged={unmerged!r})"


_JOINED = ("reasoning", "reasoning_content", "refusal")

# Most chunks repeat the one before but for a text and a token id, which one comparison of dicts finds out: 0.25
# instead of 0.35 of the time of `json.loads`. Fields that count anew when they come again keep a chunk from that.
_NEW_IN_EACH_CHUNK = ("usage", "warnings", "error", "extra")
_NEW_IN_EACH_CHOICE = ("logprobs", "top_logprobs", "token_ids", "extra")
_NEW_IN_EACH_DELTA = (*_JOINED, "tool_calls", "function_call", "extra")
_REPEATED_IN_DELTA = frozenset(["content", "role", "token_id", *_JOINED])


class _Notes:
    """What could not be merged: the first time at each path."""

    def __init__(self) -> None:
        self._found: dict[str, Unmerged] = {}

    def same(self, into: dict[str, Any], key: str, value: Any, path: str, *, last: bool = False) -> None:
        """Keep what should be the same in every chunk: the first that says anything, or the `last`."""
        known = into.get(key)
        if not known or known == value:
            into[key] = value
            return
        old, new = str(known)[:80], str(value)[:80]
        self.add(path, f"one chunk says {old!r}, another {new!r}", known if last else value)
        if last:
            into[key] = value

    def add(self, path: str, problem: str, value: Any) -> None:
        self._found.setdefault(path, Unmerged(path, problem, value))

    def with_left(self, left: list[Unmerged]) -> tuple[Unmerged, ...]:
        """All of it, with what did not fit beside what other chunks had."""
        return (*self._found.values(), *left)


class _Message:
    """The deltas of one choice."""

    def __init__(self, notes: _Notes, path: str) -> None:
        self._notes = notes
        self._path = path
        self._role: dict[str, Any] = {}
        self.token_ids: list[int] = []
        self._content: Text | None = None
        self._parts: Parts | None = None
        self._texts: dict[str, Text] = {}
        self._calls: ToolCallAccumulator | None = None
        self._function_call: ToolCallAccumulator | None = None
        self._unknown: dict[str, Folded] = {}
        self._before: dict[str, Any] = {}  # the fields of the delta before this

    def add(self, delta: DeltaContent) -> None:
        content, token_id, before = delta.content, delta.token_id, self._before
        if content is not None:
            before["content"] = content
            if self._content is not None and type(content) is str:
                self._content.write(content)
            else:
                self._add_content(content)
        if token_id is not None:
            before["token_id"] = token_id
            self.token_ids.append(token_id)
        if delta.__dict__ != before:
            self._add_fields(delta)

    def _add_fields(self, delta: DeltaContent) -> None:
        fields = vars(delta)
        said = {name: value for name, value in fields.items() if value is not None}
        self._before = {} if any([name in said for name in _NEW_IN_EACH_DELTA]) else dict(fields)
        for name, value in said.items():
            if name in _JOINED:
                if name not in self._texts:
                    self._texts[name] = Text()
                self._texts[name].write(value)
            elif name == "role":
                if value:
                    self._notes.same(self._role, "role", value, f"{self._path}.role")
            elif name == "tool_calls":
                self._calls = self._calls or ToolCallAccumulator()
                self._calls.add(value)
            elif name == "function_call":
                self._function_call = self._function_call or ToolCallAccumulator()
                self._function_call.add([ToolCalls(function=value)])
            elif name == "extra":
                keep_unknown(self._unknown, delta, True)

    def repeating(self, delta: DeltaContent) -> Repeat | None:
        """See Accumulator.repeating."""
        said = [name for name, value in vars(delta).items() if value is not None]
        if self._parts is not None or not _REPEATED_IN_DELTA.issuperset(said):
            return None
        repeat: Repeat = [(self._texts[name].write, name) for name in _JOINED if name in said]
        if self._content is not None and "content" in said:
            repeat.append((self._content.write, "content"))
        if "token_id" in vars(delta):  # null where several tokens came together
            repeat.append((self.token_ids.append, "token_id"))
        return repeat

    def _add_content(self, content: Any) -> None:
        if self._parts is None and isinstance(content, str):
            if self._content is None:
                self._content = Text()
            self._content.write(content)
            return
        if self._parts is None:
            self._parts = Parts()
            if self._content is not None and self._content.getvalue():
                self._parts.add({"type": "text", "text": self._content.getvalue()})
            self._content = None
        if isinstance(content, str):
            self._parts.add({"type": "text", "text": content})
        else:
            for part in content:
                self._parts.add(part.to_dict())

    def result(self, path: str, left: list[Unmerged]) -> dict[str, Any]:
        content = self._content.getvalue() if self._content is not None else None
        message: dict[str, Any] = {**self._role, "content": self._parts.result() if self._parts else content}
        message.update({name: text.getvalue() for name, text in self._texts.items()})
        if self._calls is not None:
            message["tool_calls"] = self._calls.result(f"{path}.tool_calls", left)
            for position in self._calls.fused():
                where = f"{path}.tool_calls[{position}].function.arguments"
                arguments = message["tool_calls"][position]["function"]["arguments"]
                left.append(Unmerged(where, "more than one JSON document: calls that nothing told apart", arguments))
        if self._function_call is not None:
            first, *others = self._function_call.result(f"{path}.function_call", left)
            message["function_call"] = first["function"]
            problem = "a second function call, for which a message has no room"
            left.extend([Unmerged(f"{path}.function_call", problem, call) for call in others])
        return {"role": "assistant", **with_unknown(message, self._unknown, path, left)}


class _Choice:
    """One choice of the response."""

    def __init__(self, notes: _Notes, path: str) -> None:
        self.fields: dict[str, Any] = {"finish_reason": None}
        self._notes = notes
        self._path = path
        self._message: _Message | None = None
        self._text: Text | None = None
        self._logprobs: LogprobsAccumulator | None = None
        self._token_ids: list[int] = []
        self._unknown: dict[str, Folded] = {}
        self._before: dict[str, Any] = {}  # the fields of the choice before this

    def add(self, choice: ChatCompletionChoicesChunk) -> None:
        if "extra" in choice.__dict__ and "native_logprobs" in choice.extra:
            choice = _with_native_logprobs(choice)
        delta, text, before = choice.delta, choice.text, self._before
        before["delta"] = delta
        if text is not None:
            before["text"] = text
        if choice.__dict__ != before:
            self._add_fields(choice)
        if delta is not None:
            if self._message is None:
                self._message = _Message(self._notes, f"{self._path}.message")
            self._message.add(delta)
        if text is not None and (delta is None or text != delta.content):
            self._add_text(text, delta)

    def repeating(self, choice: ChatCompletionChoicesChunk) -> Repeat | None:
        """See Accumulator.repeating."""
        delta, fields = choice.delta, vars(choice)
        if delta is None or self._message is None or any([fields.get(name) is not None for name in _NEW_IN_EACH_CHOICE]):
            return None
        return self._message.repeating(delta) if not choice.text or choice.text == delta.content else None

    def _add_fields(self, choice: ChatCompletionChoicesChunk) -> None:
        fields = vars(choice)
        said = {name: value for name, value in fields.items() if value is not None}
        self._before = {} if any([name in said for name in _NEW_IN_EACH_CHOICE]) else dict(fields)
        for name, value in said.items():
            if name == "finish_reason":
                self._add_finish_reason(value)
            elif name == "logprobs":
                self._add_logprobs(value, choice)
            elif name == "top_logprobs":
                if choice.logprobs is None or isinstance(choice.logprobs, LogprobsPart):
                    self._notes.same(self.fields, name, value, f"{self._path}.{name}", last=True)
            elif name == "token_ids":
                self._token_ids.extend(value)
            elif name == "extra":
                keep_unknown(self._unknown, choice, False)
            elif name not in ("index", "delta", "text"):
                self.fields[name] = value

    def _add_finish_reason(self, reason: FinishReason) -> None:
        """The empty reason, which Together has sent, does not end a choice."""
        if reason or self.fields["finish_reason"] is None:
            self._notes.same(self.fields, "finish_reason", reason, f"{self._path}.finish_reason", last=True)

    def _add_text(self, text: str, delta: DeltaContent | None) -> None:
        """The text of a legacy completion; Together repeats there what the delta has."""
        if delta is None or (text and text != delta.text):
            self._text = self._text or Text()
            self._text.write(text)

    def _add_logprobs(self, logprobs: float | LogprobsPart, choice: ChatCompletionChoicesChunk) -> None:
        self._logprobs = self._logprobs or LogprobsAccumulator()
        if isinstance(logprobs, LogprobsPart):
            self._logprobs.add_object(logprobs)
            return
        delta = choice.delta or DeltaContent()
        token = delta.text or delta.reasoning_text or choice.text or (None if delta.content is None else "")
        self._logprobs.add_number(logprobs, token, delta.token_id, choice.top_logprobs)

    def result(self, index: int, path: str, left: list[Unmerged]) -> dict[str, Any]:
        data: dict[str, Any] = {"index": index, **self.fields}
        if self._text is not None:
            data["text"] = self._text.getvalue()
        if self._message is not None or self._text is None:
            message = self._message or _Message(self._notes, path)
            data["message"] = message.result(f"{path}.message", left)
        if self._logprobs is not None:
            data["logprobs"] = self._logprobs.result(f"{path}.logprobs", left)
        ids = self._token_ids or (self._message.token_ids if self._message is not None else ())
        if ids and ids != data.get("logprobs", {}).get("token_ids"):
            data["token_ids"] = list(ids)
        return with_unknown(data, self._unknown, path, left)


def _with_native_logprobs(choice: ChatCompletionChoicesChunk) -> ChatCompletionChoicesChunk:
    """Log probabilities that were converted to OpenAI's form for the stream are taken as they were before."""
    data = from_native_logprobs(choice.to_dict())
    return choice if data is None else ChatCompletionChoicesChunk.from_dict(data)


class Accumulator:
    """Takes chunks one by one; `completion()` gives what they amount to so far.

    Adding costs the size of the chunk, a completion its own size.
    """

    def __init__(self) -> None:
        self._notes = _Notes()
        self._head: dict[str, Any] = {}
        self._before: dict[str, Any] = {}  # the fields of the chunk before this
        self._choices: dict[int, _Choice] = {}
        self._usage = Folded(False)
        self._warnings: list[Any] = []
        self._unknown: dict[str, Folded] = {}

    def add(self, chunk: ChatCompletionChunk) -> None:
        """Fold one more chunk in."""
        choices, before = chunk.choices, self._before
        before["choices"] = choices
        if chunk.__dict__ != before:
            self._add_fields(chunk)
        position = 0
        for choice in choices or ():
            index = position if choice.index is None else choice.index
            known = self._choices.get(index)
            if known is None:
                known = self._choices[index] = _Choice(self._notes, f"choices[{index}]")
            known.add(choice)
            position += 1

    def _add_fields(self, chunk: ChatCompletionChunk) -> None:
        head, fields = self._head, vars(chunk)
        said = {name: value for name, value in fields.items() if value}
        self._before = {} if any([name in said for name in _NEW_IN_EACH_CHUNK]) else dict(fields)
        for name, value in said.items():
            if head.get(name) == value or name in ("choices", "obfuscation"):
                continue  # obfuscation is padding, another one in each chunk
            if name in ("id", "model"):
                self._notes.same(head, name, value, name)
            elif name == "usage":
                self._usage.add(value.to_dict())
            elif name == "warnings":
                self._warnings.extend([warning for warning in value if warning not in self._warnings])
            elif name == "extra":
                keep_unknown(self._unknown, chunk, False)
            elif name in ("object", "created"):
                head.setdefault(name, value)
            else:
                head[name] = value

    def repeating(self, chunk: ChatCompletionChunk) -> Repeat | None:
        """What folds in the chunks that follow the last, `chunk`, as long as they repeat it but for texts and token id.

        For each field of their deltas that counts, what takes its value, if it is not null: 0.05 instead of 0.2 of the
        time of `json.loads`. None where a chunk says anything else that counts anew each time. Valid until another
        chunk is added.
        """
        choices, fields = chunk.choices or (), vars(chunk)
        if len(choices) != 1 or any([fields.get(name) for name in _NEW_IN_EACH_CHUNK]):
            return None
        return self._choices[choices[0].index or 0].repeating(choices[0])

    @property
    def started(self) -> bool:
        """True when any choice was seen."""
        return bool(self._choices)

    @property
    def finished(self) -> bool:
        """True when every choice seen has its finish reason, and there is one."""
        return bool(self._choices) and all([choice.fields["finish_reason"] for choice in self._choices.values()])

    def completion(self, state: str = "open", saw_done: bool = False) -> Completion:
        """The response so far."""
        left: list[Unmerged] = []
        data = {**self._head}
        if data.get("object", "") in ("", "chat.completion.chunk"):
            data["object"] = "chat.completion"
        data["choices"] = [
            self._choices[index].result(index, f"choices[{position}]", left)
            for position, index in enumerate(sorted(self._choices))
        ]
        if self._warnings:
            data["warnings"] = list(self._warnings)
        data["usage"] = self._usage.result()
        with_unknown(data, self._unknown, "", left)
        if data["usage"] is None:
            del data["usage"]
            _use_usage_of_groq(data)
        return Completion(ChatCompletionResponse.from_dict(data), state, saw_done, self._notes.with_left(left))


def _use_usage_of_groq(data: dict[str, Any]) -> None:
    """Groq has sent a stream's usage under a key of its own."""
    groq: Any = data.get("x_groq")
    if is_members(groq):
        data["usage"] = groq.get("usage")


def accumulate(chunks: Iterable[ChatCompletionChunk]) -> Completion:
    """Fold all chunks; the completion is `cut_off` where a choice has no finish reason, `errored` where a chunk says so."""
    accumulator = Accumulator()
    for chunk in chunks:
        accumulator.add(chunk)
    completion = accumulator.completion("finished" if accumulator.finished else "cut_off")
    if completion.response.error is not None:
        completion.state = "errored"
    return completion
