"""Fragments of tool calls, put together.

Servers differ in what says where a fragment belongs. The rules, each for something that is sent:

- With an `index` a fragment continues the call of that index; gaps and any order are fine.
- An id that differs from the call's own starts a new call, also at the same index (Groq, Ollama).
- Without an index an id continues its own call or starts one; without both, a fragment continues
  the call before it (Gemini).
- A name that differs from the call's own starts a new call, and so does the same name again after
  whole arguments, where no id says otherwise: names and ids are never joined.
- `""` and the text `"null"` say nothing as an id or a name.

Arguments are joined as they come. Two whole documents in one call's arguments cannot be told apart
any more: they stay joined, and `issues()` says so.
"""

from __future__ import annotations

import json

from ._fold import Folded, Text, Unmerged, keep_unknown, with_unknown
from ._nesting import check_nesting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ._types import CustomToolCall, FunctionCall, ToolCalls

__all__ = ["ToolCallAccumulator"]


def _said(text: str | None) -> str | None:
    return text if text and text != "null" else None


class _Call:
    def __init__(self, index: int, position: int) -> None:
        self.index = index
        self.position = position
        self.id: str | None = None
        self.name: str | None = None
        self.kind: str | None = None
        self.raw: dict[str, str] = {}  # an id or a name that says nothing, for where no other comes
        self.form = "function"
        self.text = Text()
        self.last = ""  # the last character of the arguments that is not a space
        self.unknown: dict[str, Folded] = {}
        self.unknown_inside: dict[str, Folded] = {}

    def differs(self, id: str | None, name: str | None, content: str) -> bool:
        """Whether a fragment cannot be a part of this call."""
        if id is not None and self.id is not None:
            return id != self.id
        if name is None or self.name is None:
            return False
        begins_anew = self.last == "}" and content.lstrip()[:1] == "{"
        return name != self.name or (begins_anew and _documents(self.text.getvalue()) == 1)

    def add(self, fragment: ToolCalls) -> None:
        self.id = self.id or _said(fragment.id)
        self.kind = self.kind or fragment.type
        if fragment.id is not None:
            self.raw.setdefault("id", fragment.id)
        if fragment.extra:
            keep_unknown(self.unknown, fragment, True)
        if fragment.custom is not None:
            self.form = "custom"
        for body in (fragment.function, fragment.custom):
            if body is not None:
                self._add_body(body)

    def _add_body(self, body: FunctionCall | CustomToolCall) -> None:
        self.name = self.name or _said(body.name)
        if body.name is not None:
            self.raw.setdefault("name", body.name)
        text = _content(body)
        if text:
            self.text.write(text)
            self.last = text.rstrip()[-1:] or self.last
        if body.extra:
            keep_unknown(self.unknown_inside, body, True)

    def result(self, path: str, left: list[Unmerged]) -> dict[str, Any]:
        id, name = self.id or self.raw.get("id"), self.name or self.raw.get("name")
        content = "arguments" if self.form == "function" else "input"
        body = {**({} if name is None else {"name": name}), content: self.text.getvalue()}
        call: dict[str, Any] = {} if id is None else {"id": id}
        if self.kind is not None:
            call["type"] = self.kind
        call[self.form] = with_unknown(body, self.unknown_inside, f"{path}.{self.form}", left)
        return with_unknown(call, self.unknown, path, left)


def _content(body: FunctionCall | CustomToolCall | None) -> str:
    return vars(body).get("arguments") or vars(body).get("input") or "" if body is not None else ""


class ToolCallAccumulator:
    """The tool calls of one choice."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}
        self._last: _Call | None = None

    def add(self, fragments: Iterable[ToolCalls]) -> None:
        """Take the fragments of one delta."""
        for fragment in fragments:
            self._put(fragment)

    def place(self, fragment: ToolCalls) -> int:
        """Take one fragment and say which call it belongs to, the calls counted from 0 as they began."""
        return self._put(fragment).position

    def _put(self, fragment: ToolCalls) -> _Call:
        call = self._last = self._call_of(fragment)
        call.add(fragment)
        if call.id is not None:
            self._by_id.setdefault(call.id, call)
        return call

    def _call_of(self, fragment: ToolCalls) -> _Call:
        index, id = fragment.index, _said(fragment.id)
        known = self._by_id.get(id) if id is not None else None
        if known is not None and index in (None, known.index):
            return known
        if index is not None:
            call = self._by_index.get(index)
        else:
            call = self._last if id is None else None
        body = fragment.function or fragment.custom
        if call is None or call.differs(id, _said(body.name) if body else None, _content(body)):
            call = _Call(len(self._calls) if index is None else index, len(self._calls))
            self._calls.append(call)
            self._by_index[call.index] = call
        return call

    def result(self, path: str, left: list[Unmerged]) -> list[dict[str, Any]]:
        """The calls so far as JSON, in the order of their indexes and at the same index in the order they came."""
        return [call.result(f"{path}[{position}]", left) for position, call in enumerate(self._in_order())]

    def _in_order(self) -> list[_Call]:
        return sorted(self._calls, key=lambda call: call.index)

    def fused(self) -> list[int]:
        """The positions of the calls whose arguments hold more than one document."""
        return [
            position
            for position, call in enumerate(self._in_order())
            if call.form == "function" and _documents(call.text.getvalue()) > 1
        ]


def _documents(text: str) -> int:
    """How many JSON documents the text holds, counted up to 2; 0 where it does not begin with a whole one."""
    decoder, end = json.JSONDecoder(), 0
    for found in range(2):
        start = len(text) - len(text[end:].lstrip())
        try:
            check_nesting(text)
            _, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            return 2 if found and start < len(text) else found  # `{}{` holds a part of another
    return 2
