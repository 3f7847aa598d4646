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

from .._json_data import is_dict, json_of, raw_of
from .._types import (
    ChatCompletionChoicesChunk,
    ChatCompletionChunk,
    ChatCompletionResponse,
    DeltaContent,
    Issue,
    LogprobsPart,
    StringEnum,
)
from ._merging import (
    CONCATENATE,
    CUMULATIVE,
    KEEP_FIRST,
    KEEP_LAST,
    MergedField,
    Text,
    Unmerged,
    keep_unknown,
    with_unknown,
)
from ._message import TEXTS, MessageAccumulator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ._logprobs import LogprobsAccumulator
    from ._message import Write as Write

    _Fields = dict[str, Any]
    Repetition = tuple[_Fields, _Fields, _Fields, str, bool, Write, Write]

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


# Most chunks repeat the one before but for a text and a token id, which comparing dicts finds out: of a whole chunk
# where there is one choice (see `Accumulator.add`: 0.16 of the time of `json.loads`), else of each of its parts (0.27).
# Fields that count anew when they come again keep a chunk from that.
_NEW_IN_EACH_CHUNK = ("usage", "warnings", "error", "extra")
_NEW_IN_EACH_CHOICE = ("logprobs", "top_logprobs", "token_ids", "extra")
_OF_THE_CHUNK = ("choices", "object", "obfuscation")
_SAID_FIRST = ("id", "created", "model")


class _Choice:
    """One choice of the response."""

    def __init__(self, index: int) -> None:
        self.finished = False
        self.whole: dict[str, Any] | None = None  # its message, as long as that is all
        self._index = index
        self._indexed = False  # whether the server says so itself
        self._fields: dict[str, MergedField] = {}
        self._message: MessageAccumulator | None = None
        self._text: Text | None = None
        self._logprobs: LogprobsAccumulator | None = None
        self._token_ids: list[int] = []
        self._unknown: dict[str, MergedField] = {}
        self._before: dict[str, Any] = {}  # the fields of the choice before this

    def add(self, choice: ChatCompletionChoicesChunk) -> None:
        if "extra" in choice.__dict__:
            if "native_logprobs" in choice.extra:
                choice = _with_native_logprobs(choice)
            if "message" in choice.extra:
                choice = self._without_whole(choice)
        delta, text, before = choice.delta, choice.text, self._before
        before["delta"] = delta
        if text is not None:
            before["text"] = text
        if choice.__dict__ != before:
            self._add_fields(choice)
        if delta is not None:
            if self._message is None:
                self._message = self._new_message()
            self._message.add(delta)
        if text is not None and (delta is None or text != delta.content):
            self._add_text(text, delta)

    def writers(self, choice: ChatCompletionChoicesChunk, text: str) -> tuple[Write, Write] | None:
        """See Accumulator.writers."""
        fields, delta = vars(choice), choice.delta
        if (
            delta is None
            or self._message is None
            or any([fields.get(name) is not None for name in _NEW_IN_EACH_CHOICE])
        ):
            return None
        return self._message.writers(delta, text)

    def _without_whole(self, choice: ChatCompletionChoicesChunk) -> ChatCompletionChoicesChunk:
        """Keep a whole message that comes before any delta; a delta beside it that says the same is no other."""
        message: Any = choice.extra["message"]
        if self._message is not None or self.whole is not None or not is_dict(message):
            return choice
        from .._json_data import message_as_delta

        data = json_of(choice)
        if data.get("delta") not in (None, message_as_delta(message)):
            return choice
        data.pop("delta", None)
        self.whole = data.pop("message")
        return ChatCompletionChoicesChunk.from_dict(data)

    def _new_message(self) -> MessageAccumulator:
        message = MessageAccumulator(self._token_ids)
        if self.whole is not None:
            from .._json_data import message_as_delta

            message.add(DeltaContent.from_dict(message_as_delta(self.whole)))
            self.whole = None
        return message

    def _add_fields(self, choice: ChatCompletionChoicesChunk) -> None:
        fields = vars(choice)
        self._before = {} if any([fields.get(name) is not None for name in _NEW_IN_EACH_CHOICE]) else dict(fields)
        for name, value in fields.items():
            if name == "index":
                self._indexed = True
            elif name == "extra":
                keep_unknown(self._unknown, choice, KEEP_LAST)
            elif name == "token_ids" and value is not None:
                self._token_ids.extend(value)
            elif name == "logprobs" and value is not None:
                self._add_logprobs(value, choice)
            elif name == "finish_reason" and value:
                self.finished = True
                self._merge(name, value)
            elif name == "top_logprobs" and isinstance(choice.logprobs, (int, float)):
                continue  # taken with the number
            elif name != "delta" and (name != "text" or value is None):
                self._merge(name, value)

    def _merge(self, name: str, value: Any) -> None:
        field = self._fields.get(name)
        if field is None:
            field = self._fields[name] = MergedField(CONCATENATE if name == "top_logprobs" else KEEP_LAST)
        if value.__class__ is tuple:  # top_logprobs, an object for each position
            field.add(raw_of(value))
        elif value is not None:
            field.add_single(raw_of(value))

    def _add_text(self, text: str, delta: DeltaContent | None) -> None:
        """The text of a legacy completion; Together repeats there what the delta has."""
        if delta is None or (text and text != delta.text):
            self._text = self._text or Text()
            self._text.write(text)

    def _add_logprobs(self, logprobs: float | LogprobsPart, choice: ChatCompletionChoicesChunk) -> None:
        if self._logprobs is None:
            from ._logprobs import LogprobsAccumulator

            self._logprobs = LogprobsAccumulator()
        if isinstance(logprobs, LogprobsPart):
            self._logprobs.add_object(logprobs)
            return
        delta = choice.delta or DeltaContent()
        token = delta.text or delta.reasoning_text or choice.text or (None if delta.content is None else "")
        self._logprobs.add_number(logprobs, token, delta.token_id, choice.top_logprobs)

    def result(self, path: str, unmerged: list[Unmerged]) -> dict[str, Any]:
        data: dict[str, Any] = {} if self.whole is not None else {"finish_reason": None}
        if self.whole is None or self._indexed:
            data["index"] = self._index
        for name, field in self._fields.items():
            data[name] = field.result(f"{path}.{name}", unmerged)
        if self._text is not None:
            data["text"] = self._text.getvalue()
        if self.whole is not None:
            data["message"] = self.whole
        elif self._message is not None or (self._text is None and "message" not in self._unknown):
            data["message"] = (self._message or self._new_message()).result(f"{path}.message", unmerged)
        logprobs: dict[str, Any] = {}
        if self._logprobs is not None:
            data["logprobs"] = logprobs = self._logprobs.result(f"{path}.logprobs", unmerged)
        if self._token_ids and self._token_ids != logprobs.get("token_ids"):
            data["token_ids"] = list(self._token_ids)
        return with_unknown(data, self._unknown, path, unmerged)


def _with_native_logprobs(choice: ChatCompletionChoicesChunk) -> ChatCompletionChoicesChunk:
    """Log probabilities that were converted to OpenAI's form for the stream are taken as they were before."""
    from .._logprob_forms import from_native_logprobs

    data = from_native_logprobs(choice.to_dict())
    return choice if data is None else ChatCompletionChoicesChunk.from_dict(data)


class Accumulator:
    """Takes chunks one by one; `completion()` gives what they amount to so far.

    Adding costs the size of the chunk, a completion its own size.
    """

    def __init__(self) -> None:
        self._object: str | None = None
        self._fields: dict[str, MergedField] = {}
        self._before: dict[str, Any] = {}  # the fields of the chunk before this
        self._choices: dict[int, _Choice] = {}
        self._usage = MergedField(CUMULATIVE)
        self._usage_said = False
        self._warnings: dict[str, Any] | None = None  # each once, by its JSON
        self._unknown: dict[str, MergedField] = {}
        self._added = 0
        self._repeated: Repetition | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_repeated": None}  # a deep copy would have the methods of these texts, not of its own

    def add(self, chunk: ChatCompletionChunk) -> None:
        """Fold one more chunk in."""
        if self._repeated is not None:
            before, choice_before, delta_before, key, mirrored, write_text, write_number = self._repeated
            try:
                fields = chunk.__dict__
                (choice,) = before["choices"] = fields["choices"]
                of_choice = choice.__dict__
                delta = choice_before["delta"] = of_choice["delta"]
                of_delta = delta.__dict__
                text = delta_before[key] = of_delta[key]
                number = None
                if "token_id" in delta_before:
                    number = delta_before["token_id"] = of_delta["token_id"]
                if mirrored:
                    choice_before["text"] = text
                if fields == before and of_choice == choice_before and of_delta == delta_before and type(text) is str:
                    write_text(text)
                    if number is not None:
                        write_number(number)
                    return
            except (AttributeError, KeyError, TypeError, ValueError):  # another number of choices, no delta, other keys
                pass
        self._add(chunk)

    def _add(self, chunk: ChatCompletionChunk) -> None:
        choices, before = chunk.choices, self._before
        before["choices"] = choices
        if chunk.__dict__ != before:
            self._add_fields(chunk)
        position = 0
        for choice in choices or ():
            index = position if choice.index is None else choice.index
            known = self._choices.get(index)
            if known is None:
                known = self._choices[index] = _Choice(index)
            known.add(choice)
            position += 1
        self._added += 1
        # After 1, 2, 4 chunks and so on since there was one, so that what never repeats costs no more.
        self._repeated = None if self._added & (self._added - 1) else self._repetition(chunk)
        if self._repeated is not None:
            self._added = 0

    def _add_fields(self, chunk: ChatCompletionChunk) -> None:
        fields = vars(chunk)
        self._before = {} if any([fields.get(name) for name in _NEW_IN_EACH_CHUNK]) else dict(fields)
        for name, value in fields.items():
            if name == "extra":
                keep_unknown(self._unknown, chunk, KEEP_LAST)
            elif name == "usage":
                self._usage_said = True
                self._usage.add(value and json_of(value))
            elif name == "warnings" and value is not None:
                self._warnings = {} if self._warnings is None else self._warnings
                for warning in value:
                    self._warnings[warning.to_json()] = json_of(warning)
            elif name == "object":
                self._object = self._object or (value and str(value))
            elif name not in _OF_THE_CHUNK:
                self._merge(name, value)

    def _merge(self, name: str, value: Any) -> None:
        field = self._fields.get(name)
        if field is None:
            field = self._fields[name] = MergedField(KEEP_FIRST if name in _SAID_FIRST else KEEP_LAST)
        field.add(raw_of(value))

    def writers(self, chunk: ChatCompletionChunk, text: str) -> tuple[Write, Write] | None:
        """What takes the text and the token's number of chunks that repeat the last but for those: 0.05 instead of 0.2.

        `chunk` is the last that was added, of one choice; `text` names the field of its delta, which the choice's text
        repeats. None where a chunk says anything else that counts anew each time. Valid until another is added.
        """
        fields = vars(chunk)
        if any([fields.get(name) for name in _NEW_IN_EACH_CHUNK]):
            return None
        (choice,) = fields["choices"]
        return self._choices[choice.index or 0].writers(choice, text)

    def _repetition(self, chunk: ChatCompletionChunk) -> Repetition | None:
        """What `add` compares the chunks that follow with, and then only writes on."""
        choices = chunk.choices or ()
        if len(choices) != 1 or choices[0].delta is None:
            return None
        (choice,) = choices
        for key in TEXTS:
            text = getattr(choice.delta, key)
            if text is not None and (choice.text is None or (key == "content" and choice.text == text)):
                writers = self.writers(chunk, key)
                if writers is None:
                    return None
                of_chunk, of_choice, of_delta = [dict(vars(value)) for value in (chunk, choice, choice.delta)]
                return of_chunk, of_choice, of_delta, key, choice.text is not None, *writers
        return None

    @property
    def started(self) -> bool:
        """True when any choice was seen."""
        return bool(self._choices)

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
        if self._warnings is not None:
            data["warnings"] = list(self._warnings.values())
        usage = self._usage.result("usage", unmerged)
        if usage is not None or (whole and self._usage_said):
            data["usage"] = usage
        with_unknown(data, self._unknown, "", unmerged)
        if usage is None:
            _use_usage_of_groq(data)
        return Completion(ChatCompletionResponse.from_dict(data), state, saw_done, tuple(unmerged))


def _use_usage_of_groq(data: dict[str, Any]) -> None:
    """Groq has sent a stream's usage under a key of its own."""
    groq: Any = data.get("x_groq")
    if is_dict(groq) and is_dict(groq.get("usage")):
        data.setdefault("usage", groq["usage"])


def accumulate(chunks: Iterable[ChatCompletionChunk]) -> Completion:
    """Fold all chunks; the completion is `cut_off` where a choice has no finish reason, `errored` where a chunk says so."""
    accumulator = Accumulator()
    for chunk in chunks:
        accumulator.add(chunk)
    completion = accumulator.completion(CompletionState.FINISHED if accumulator.finished else CompletionState.CUT_OFF)
    if completion.response.error is None:
        return completion
    return Completion(completion.response, CompletionState.ERRORED, unmerged=completion.unmerged)
