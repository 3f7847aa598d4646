"""Merging the deltas of one choice into its message.

The content may be a list of parts. The first part of a delta continues the previous part if it has text, the previous
part has text under the same keys, and all their other members are equal. Every other part is a new part, so two parts
of one delta, or two equal images, remain two parts.

`reasoning_details` and `thinking_blocks` are assembled block by block (see `_blocks`). Equal `annotations` are kept
once, because servers repeat them.
"""

from __future__ import annotations

from .._json_data import is_dict, is_list, json_of, raw_of
from .._types import (
    COLLECT,
    CONCATENATE,
    CUSTOM,
    KEEP_LAST,
    PER_CHUNK,
    ChatCompletionMessage,
    DeltaContent,
    ToolCalls,
    merge_rules,
)
from ._merging import ItemCount, MergedField, Text, Unmerged, field_in, in_order, keep_unknown, with_unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ._blocks import BlockAccumulator
    from ._tool_calls import ToolCallAccumulator

__all__ = ["ContentParts", "MessageAccumulator"]

_RULES = merge_rules(DeltaContent)
_MESSAGE_KEYS = tuple(merge_rules(ChatCompletionMessage))
_BLOCKS = ("reasoning_details", "thinking_blocks")
_UNDECLARED = {"annotations": COLLECT, **dict.fromkeys(_BLOCKS, PER_CHUNK)}
_PART_TEXTS = ("text", "thinking", "refusal")
# Values of these fields must be added even if they are repeated: see `_choice`. `content` and `token_id`, for which the
# same is true, are read separately.
_NEW_IN_EACH_DELTA = (
    "extra",
    *[key for key, rule in _RULES.items() if rule in (CONCATENATE, CUSTOM) and key not in ("content", "token_id")],
)


class MessageAccumulator:
    """An accumulator of the deltas of one choice. It appends their token ids to `token_ids`."""

    __slots__ = (
        "_before",
        "_blocks",
        "_calls",
        "_content",
        "_fields",
        "_function_call",
        "_items",
        "_nulls",
        "_parts",
        "_texts",
        "_token_ids",
        "_unknown",
    )

    def __init__(self, token_ids: list[int], items: ItemCount) -> None:
        self._token_ids = token_ids
        self._items = items
        self._content: Text | None = None
        self._parts: ContentParts | None = None
        self._texts: dict[str, Text] = {}
        self._calls: ToolCallAccumulator | None = None
        self._function_call: ToolCallAccumulator | None = None
        self._fields: dict[str, MergedField] = {}
        self._blocks: dict[str, BlockAccumulator] = {}
        self._nulls: dict[str, None] = {}
        self._unknown: dict[str, MergedField] = {}
        self._before: dict[str, Any] = {}  # the fields of the previous delta

    def add(self, delta: DeltaContent) -> None:
        """Merge one more delta."""
        content, token_id, before = delta.content, delta.token_id, self._before
        if content is not None:
            before["content"] = content
            if self._content is not None and type(content) is str:
                self._content.write(content)
            else:
                self._add_content(content)
        if token_id is not None:
            before["token_id"] = token_id
            self._token_ids.append(token_id)
        if delta.__dict__ != before:
            self._add_fields(delta)

    def _add_fields(self, delta: DeltaContent) -> None:
        fields = vars(delta)
        self._before = {} if any([fields.get(name) is not None for name in _NEW_IN_EACH_DELTA]) else dict(fields)
        for name, value in fields.items():
            if value is None:
                self._nulls[name] = None
            elif name == "tool_calls":
                self._calls = self._calls or _new_calls(self._items)
                self._calls.add(value)
            elif name == "function_call":
                self._function_call = self._function_call or _new_calls(self._items)
                self._function_call.add([ToolCalls(function=value)])
            elif name == "extra":
                keep_unknown(self._unknown, delta, CONCATENATE, _UNDECLARED)
                self._add_blocks(delta.extra)
            elif type(value) is str and _RULES.get(name) == CONCATENATE:
                if name not in self._texts:
                    self._texts[name] = Text()
                self._texts[name].write(value)
            elif _RULES.get(name) not in (CUSTOM, PER_CHUNK):
                field_in(self._fields, name, _RULES.get(name, KEEP_LAST)).add(raw_of(value))

    def _add_blocks(self, extra: Mapping[str, Any]) -> None:
        for key in _BLOCKS:
            raw: Any = extra.get(key)
            if is_list(raw) and all([is_dict(item) for item in raw]):
                if key not in self._blocks:
                    self._blocks[key] = _new_blocks(self._items)
                self._blocks[key].add(raw)
            elif key in extra:
                field_in(self._unknown, key, CONCATENATE).add(raw)

    def repeats(self, message: Mapping[str, Any], delta: DeltaContent | None) -> bool:
        """Return whether a complete message contains only values of this delta or of the deltas so far.

        Takes time proportional to the message and the delta.
        """
        fields: dict[str, Any] = {} if delta is None else json_of(delta)
        return all(
            [
                value in (None, "", [], {}) or value == fields.get(key) or self._has(key, value)
                for key, value in message.items()
            ]
        )

    def _has(self, key: str, value: Any) -> bool:
        """Return whether the message so far has this value."""
        if key == "role":
            role = self._fields.get("role")
            return bool(value == ("assistant" if role is None else role.last))
        if key == "tool_calls":
            return self._calls is not None and self._calls.equals(value)
        text = self._content if key == "content" else self._texts.get(key)
        return text is not None and isinstance(value, str) and text.equals(value)

    def _add_content(self, content: Any) -> None:
        if self._parts is None and isinstance(content, str):
            self._content = Text()
            self._content.write(content)
            return
        if self._parts is None:
            self._parts = ContentParts()
            if self._content is not None and self._content.getvalue():
                self._parts.add([{"type": "text", "text": self._content.getvalue()}])
            self._content = None
        if not isinstance(content, str):
            self._parts.add([json_of(part) for part in content])
        elif content:
            self._parts.add([{"type": "text", "text": content}])

    def result(self, path: str, unmerged: list[Unmerged]) -> dict[str, Any]:
        """Return the message so far, as JSON."""
        nulls = [name for name in self._nulls if name != "token_id"]
        message: dict[str, Any] = {"content": None, **dict.fromkeys(nulls)}
        message.update({name: field.result(f"{path}.{name}", unmerged) for name, field in self._fields.items()})
        if not message.get("role") and "role" not in self._unknown:
            message["role"] = "assistant"
        if self._parts is not None or self._content is not None:
            message["content"] = self._parts.result() if self._parts else self._content and self._content.getvalue()
        message.update({name: text.getvalue() for name, text in self._texts.items()})
        if self._calls is not None:
            message["tool_calls"] = self._calls.result(f"{path}.tool_calls", unmerged)
        if self._function_call is not None:
            message["function_call"] = self._function_call.single(f"{path}.function_call", unmerged)
        for key, blocks in self._blocks.items():
            message[key] = blocks.result(f"{path}.{key}", unmerged)
        return in_order(with_unknown(message, self._unknown, path, unmerged), _MESSAGE_KEYS)


def _new_calls(items: ItemCount) -> ToolCallAccumulator:
    from ._tool_calls import ToolCallAccumulator

    return ToolCallAccumulator(items)


def _new_blocks(items: ItemCount) -> BlockAccumulator:
    from ._blocks import BlockAccumulator

    return BlockAccumulator(items)


class ContentParts:
    """An accumulator of the parts of a message's content."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []

    def add(self, parts: Iterable[Mapping[str, Any]]) -> None:
        """Add the parts of one delta, as JSON."""
        last = self._parts[-1] if self._parts else None
        for part in parts:
            texts = {key: value for key, value in part.items() if _is_text(key, value)}
            rest = {key: value for key, value in part.items() if key not in texts}
            if last is None or not last.continues(texts, rest):
                self._parts.append(_Part(rest))
            self._parts[-1].add(texts)
            last = None

    def result(self) -> list[dict[str, Any]]:
        """Return the parts so far, as JSON."""
        return [part.result() for part in self._parts]


def _is_text(key: str, value: Any) -> bool:
    """Return whether a member of a part is text or, under `thinking`, a list of parts. Only these are continued."""
    if key == "thinking" and is_list(value):
        return all([is_dict(piece) for piece in value])
    return key in _PART_TEXTS and isinstance(value, str)


class _Part:
    __slots__ = ("_pieces", "_rest", "_texts")

    def __init__(self, rest: dict[str, Any]) -> None:
        self._rest = rest
        self._texts: dict[str, Text] = {}
        self._pieces: dict[str, ContentParts] = {}

    def continues(self, texts: Mapping[str, Any], rest: dict[str, Any]) -> bool:
        known = [key in (self._texts if isinstance(value, str) else self._pieces) for key, value in texts.items()]
        return bool(known) and all(known) and rest == self._rest

    def add(self, texts: Mapping[str, Any]) -> None:
        for key, value in texts.items():
            if isinstance(value, str):
                if key not in self._texts:
                    self._texts[key] = Text()
                self._texts[key].write(value)
            else:
                if key not in self._pieces:
                    self._pieces[key] = ContentParts()
                self._pieces[key].add(value)

    def result(self) -> dict[str, Any]:
        texts = {key: text.getvalue() for key, text in self._texts.items()}
        pieces = {key: parts.result() for key, parts in self._pieces.items()}
        return {**self._rest, **texts, **pieces}
