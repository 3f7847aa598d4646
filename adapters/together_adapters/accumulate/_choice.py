"""Merging the chunks of one choice. Changes no chunk."""

from __future__ import annotations

from .._json_data import is_dict, json_of, message_as_delta, raw_of
from .._types import (
    CONCATENATE,
    CUMULATIVE,
    CUSTOM,
    KEEP_LAST,
    PER_CHUNK,
    ChatCompletionChoicesChunk,
    ChatCompletionChoicesData,
    DeltaContent,
    LogprobsPart,
    merge_rules,
)
from ._merging import ItemCount, MergedField, Text, Unmerged, field_in, in_order, keep_unknown, with_unknown
from ._message import MessageAccumulator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._logprobs import LogprobsAccumulator

__all__ = ["ChoiceAccumulator"]

_RULES = merge_rules(ChatCompletionChoicesChunk)
_UNDECLARED = {"usage": CUMULATIVE}  # Moonshot
_UNDECLARED_WITH_MESSAGE = {**_UNDECLARED, "message": PER_CHUNK}
_CHOICE_KEYS = tuple(merge_rules(ChatCompletionChoicesData))
_OTHER_MESSAGE = "a complete message that differs from the message that is kept"
# Most chunks differ from the previous one only in a text and a token id. The other fields of the choice are therefore
# compared as one dict, which takes 0.27 of the time of `json.loads` instead of 1.85. Values of the fields below must be
# added even if they are repeated, so a choice that has one of them is not compared with the next.
_NEW_IN_EACH_CHOICE = ("extra", "logprobs", "token_ids", *[key for key, rule in _RULES.items() if rule == CONCATENATE])


class ChoiceAccumulator:
    """An accumulator of the chunks of one choice."""

    __slots__ = (
        "_before",
        "_fields",
        "_indexed",
        "_items",
        "_logprobs",
        "_message",
        "_messages",
        "_nulls",
        "_text",
        "_token_ids",
        "_unknown",
        "_whole_delta",
        "finished",
        "index",
        "whole",
    )

    def __init__(self, index: int, items: ItemCount) -> None:
        self.finished = False
        self._items = items
        self.index = index
        self.whole: dict[str, Any] | None = None  # the complete message, until a delta adds to it
        self._whole_delta: DeltaContent | None = None  # the delta that came with it
        self._messages: MergedField | None = None  # complete messages that differ from the deltas
        self._indexed = False  # True if the server sends the index
        self._fields: dict[str, MergedField] = {}
        self._nulls: dict[str, None] | None = None  # the fields that are null in a chunk
        self._message: MessageAccumulator | None = None
        self._text: Text | None = None
        self._logprobs: LogprobsAccumulator | None = None
        self._token_ids: list[int] = []
        self._unknown: dict[str, MergedField] = {}
        self._before: dict[str, Any] = {}  # the fields of the choice in the previous chunk

    def add(self, choice: ChatCompletionChoicesChunk) -> None:
        message: Any = None
        if "extra" in choice.__dict__:
            if "native_logprobs" in choice.extra:
                choice = _with_native_logprobs(choice)
            message = choice.extra.get("message")
            if not is_dict(message):
                message = None
        delta, text, before = choice.delta, choice.text, self._before
        before["delta"] = delta
        if text is not None:
            before["text"] = text
        if choice.__dict__ != before:
            self._add_fields(choice)
        if message is not None and self._starts_with(message, delta):
            self.whole, self._whole_delta = raw_of(message), delta
            delta = message = None
        if delta is not None:
            if self._message is None:
                self._message = self._new_message()
            self._message.add(delta)
        if text is not None and (delta is None or text != delta.content):
            self._add_text(text, delta)
        if message is not None:
            self._compare(message, delta)

    def _starts_with(self, message: dict[str, Any], delta: DeltaContent | None) -> bool:
        """Return whether a choice starts with a complete message, and its delta contains only values of the message.

        A response without streaming has the message, and for Perplexity also a delta without text.
        """
        if self._message is not None or self.whole is not None:
            return False
        known = message_as_delta(message)
        fields: dict[str, Any] = {} if delta is None else json_of(delta)
        return all([value in (None, "", [], {}) or value == known.get(key) for key, value in fields.items()])

    def _compare(self, message: dict[str, Any], delta: DeltaContent | None) -> None:
        """Record a complete message for `unmerged` if it differs from the message so far and from this delta."""
        is_known = message == self.whole if self._message is None else self._message.repeats(message, delta)
        if not is_known:
            self._messages = self._messages or MergedField(KEEP_LAST)
            self._messages.add_single(raw_of(message))

    def _new_message(self) -> MessageAccumulator:
        message = MessageAccumulator(self._token_ids, self._items)
        if self.whole is not None:
            whole, delta = self.whole, self._whole_delta
            known = DeltaContent.from_dict(message_as_delta(whole))
            self.whole = self._whole_delta = None
            message.add(known if delta is None else delta)
            if delta is not None and not message.repeats(whole, delta):
                self._messages = MergedField(KEEP_LAST)
                self._messages.add_single(whole)
        return message

    def _add_fields(self, choice: ChatCompletionChoicesChunk) -> None:
        fields = vars(choice)
        self._before = {} if any([fields.get(name) is not None for name in _NEW_IN_EACH_CHOICE]) else dict(fields)
        for name, value in fields.items():
            if name == "finish_reason" and value == "null":  # koboldcpp sends the text in every chunk
                value = None
            if name == "index":
                self._indexed = True
            elif name == "extra":
                has_message = is_dict(choice.extra.get("message"))
                keep_unknown(self._unknown, choice, KEEP_LAST, _UNDECLARED_WITH_MESSAGE if has_message else _UNDECLARED)
            elif name == "token_ids" and value is not None:
                self._token_ids.extend(value)
            elif name == "logprobs" and value is not None:
                self._add_logprobs(value, choice)
            elif name == "top_logprobs" and isinstance(choice.logprobs, (int, float)):
                continue  # merged together with the log probability
            elif name != "delta" and (value is None or _RULES.get(name) not in (CUSTOM, PER_CHUNK)):
                self.finished = self.finished or (name == "finish_reason" and bool(value))
                self._merge(name, value)

    def _merge(self, name: str, value: Any) -> None:
        if value is None:
            self._nulls = self._nulls or {}
            self._nulls[name] = None
            return
        field = field_in(self._fields, name, _RULES.get(name, KEEP_LAST))
        if isinstance(value, tuple):  # top_logprobs with an object for each position
            field.add(raw_of(value))
        else:
            field.add_single(raw_of(value))

    def _add_text(self, text: str, delta: DeltaContent | None) -> None:
        """Add the text of a legacy completion, but not Together's copy of the delta's text."""
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
            data["index"] = self.index
        data.update(self._nulls or {})
        for name, field in self._fields.items():
            data[name] = field.result(f"{path}.{name}", unmerged)
        if self._text is not None:
            data["text"] = self._text.getvalue()
        if self.whole is not None:
            data["message"] = self.whole
        elif self._message is not None or (self._text is None and "message" not in self._unknown):
            data["message"] = (self._message or self._new_message()).result(f"{path}.message", unmerged)
        if self._messages is not None:
            unmerged.extend([Unmerged(f"{path}.message", _OTHER_MESSAGE, value) for value in self._messages.values()])
        logprobs: dict[str, Any] = {}
        if self._logprobs is not None:
            data["logprobs"] = logprobs = self._logprobs.result(f"{path}.logprobs", unmerged)
        if self._token_ids and self._token_ids != logprobs.get("token_ids"):
            data["token_ids"] = list(self._token_ids)
        return in_order(with_unknown(data, self._unknown, path, unmerged), _CHOICE_KEYS)


def _with_native_logprobs(choice: ChatCompletionChoicesChunk) -> ChatCompletionChoicesChunk:
    """Return the choice with its original logprobs, if the encoder of `sse` converted them to OpenAI's form."""
    from .._logprob_forms import from_native_logprobs

    data = from_native_logprobs(choice.to_dict())
    return choice if data is None else ChatCompletionChoicesChunk.from_dict(data)
