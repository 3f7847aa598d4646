"""The chunks of a stream, folded into one response. Sans-IO.

Each choice is gathered by its index in whatever order its chunks come. Text is joined; what
says the same in every chunk (id, model, role, seed) is taken once; of usage the last that is
not null counts, as servers send it cumulative or at the end. Tool calls follow their index;
a new id starts a new call, and without an index a fragment without an id continues the last.
"""

from __future__ import annotations

from ._types import ChatCompletionChunk, ChatCompletionResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

__all__ = ["Accumulator", "Completion", "accumulate"]


class Completion:
    """What a stream has given: the `response` so far, how it stands and whether `[DONE]` came.

    `state` is `open` while it goes on, `finished`, `cut_off`, `errored` or `cancelled`.
    """

    def __init__(self, response: ChatCompletionResponse, state: str, saw_done: bool) -> None:
        self.response = response
        self.state = state
        self.saw_done = saw_done

    def __repr__(self) -> str:
        return f"Completion({self.response!r}, state={self.state!r}, saw_done={self.saw_done!r})"


class _ToolCall:
    def __init__(self, index: int) -> None:
        self.index = index
        self.head: dict[str, Any] = {}
        self.name = ""
        self.arguments: list[str] = []

    def to_dict(self) -> dict[str, Any]:
        function = {"name": self.name, "arguments": "".join(self.arguments)}
        return {**self.head, "function": function}


class _Choice:
    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.message: dict[str, Any] = {}
        self.texts: dict[str, list[str]] = {}
        self.calls: list[_ToolCall] = []

    def add(self, choice: Any) -> None:
        for name in ("finish_reason", "seed"):
            if getattr(choice, name) is not None:
                self.fields[name] = getattr(choice, name)
        delta = choice.delta
        if delta is None:
            self._join("text", choice.text)
            return
        if delta.role is not None:
            self.message["role"] = delta.role
        self._join("content", delta.text if isinstance(delta.content, tuple) else delta.content)
        self._join("refusal", delta.refusal)
        # The same reasoning may come under both keys; the first one seen is the one that counts.
        if delta.reasoning is not None and "reasoning_content" not in self.texts:
            self._join("reasoning", delta.reasoning)
        elif "reasoning" not in self.texts:
            self._join("reasoning_content", delta.reasoning_content)
        for call in delta.tool_calls or ():
            self._add_call(call)

    def _join(self, name: str, text: str | None) -> None:
        if text is not None:
            self.texts.setdefault(name, []).append(text)

    def _add_call(self, fragment: Any) -> None:
        call = self._call_of(fragment)
        for name in ("id", "type"):
            if getattr(fragment, name) and name not in call.head:
                call.head[name] = getattr(fragment, name)
        if fragment.function is not None:
            call.name = call.name or fragment.function.name or ""
            call.arguments.append(fragment.function.arguments or "")

    def _call_of(self, fragment: Any) -> _ToolCall:
        candidates = [call for call in self.calls if fragment.index is None or call.index == fragment.index]
        for call in reversed(candidates):
            if not fragment.id or call.head.get("id", fragment.id) == fragment.id:
                return call
            break
        call = _ToolCall(len(self.calls) if fragment.index is None else fragment.index)
        self.calls.append(call)
        return call

    def to_dict(self, index: int) -> dict[str, Any]:
        texts = {name: "".join(parts) for name, parts in self.texts.items()}
        choice = {"index": index, **self.fields}
        if "text" in texts:
            choice["text"] = texts.pop("text")
        choice["message"] = {"role": "assistant", "content": None, **self.message, **texts}
        if self.calls:
            calls = sorted(self.calls, key=lambda call: call.index)
            choice["message"]["tool_calls"] = [call.to_dict() for call in calls]
        return choice


class Accumulator:
    """Takes chunks one by one; `completion()` gives what they amount to so far."""

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._choices: dict[int, _Choice] = {}
        self._usage: dict[str, Any] | None = None

    def add(self, chunk: ChatCompletionChunk) -> None:
        """Fold one more chunk in."""
        for name in ("id", "created", "model", "system_fingerprint"):
            if name not in self._head and getattr(chunk, name):
                self._head[name] = getattr(chunk, name)
        if chunk.usage is not None:
            self._usage = chunk.usage.to_dict()
        for choice in chunk.choices or ():
            self._choices.setdefault(choice.index or 0, _Choice()).add(choice)

    @property
    def finished(self) -> bool:
        """True when every choice seen has its finish reason, and there is one."""
        return bool(self._choices) and all(choice.fields.get("finish_reason") for choice in self._choices.values())

    def completion(self, state: str = "open", saw_done: bool = False) -> Completion:
        """The response so far; its cost is its own size."""
        choices = [self._choices[index].to_dict(index) for index in sorted(self._choices)]
        data = {**self._head, "object": "chat.completion", "choices": choices}
        if self._usage is not None:
            data["usage"] = self._usage
        return Completion(ChatCompletionResponse.from_dict(data), state, saw_done)


def accumulate(chunks: Iterable[ChatCompletionChunk]) -> Completion:
    """Fold all chunks; without a finish reason for every choice the completion is `cut_off`."""
    accumulator = Accumulator()
    for chunk in chunks:
        accumulator.add(chunk)
    return accumulator.completion("finished" if accumulator.finished else "cut_off")
