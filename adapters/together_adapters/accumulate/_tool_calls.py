"""Assembling the fragments of tool calls.

Servers identify the call of a fragment in different ways. Each rule is for fragments that servers do send:

- A fragment with an `index` continues the latest call with that index. Indexes may have gaps and come in any order.
- An id that differs from the id of the call starts a new call, also at the same index (Groq, Ollama). An id that was
  received before continues its call.
- Without an index, an id continues its call or starts a new one. Without either, a fragment continues the previous call
  (Gemini).
- A name that differs from the name of the call starts a new call, unless the ids are equal. So does the same name after
  complete arguments. Names and ids are not concatenated: a different name under the same id is listed as unmerged.
- An id or a name of `""` or `"null"` is treated as absent.
- The calls are sorted by index. A call without an index follows the calls before it.

Every fragment is accepted. Arguments are concatenated and not repaired: if text follows the end of their JSON document,
as when two calls cannot be distinguished, `issues()` reports it.
"""

from __future__ import annotations

import re

from .._types import CONCATENATE, KEEP_FIRST, check_nesting, document_at
from ._merging import MergedField, Text, Unmerged, keep_unknown, with_unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .._types import CustomToolCall, FunctionCall, ToolCalls

__all__ = ["ToolCallAccumulator"]

_CONTENT = {"function": "arguments", "custom": "input"}


def _nonempty(text: str | None) -> str | None:
    return text if text and text != "null" else None


class _Named:
    """An accumulator of an id or a name: the first value that is not empty, else the first."""

    def __init__(self) -> None:
        self.said: str | None = None
        self._raw: str | None = None
        self._all = MergedField(KEEP_FIRST)

    def add(self, text: str | None) -> None:
        if text is None or text == self.said:
            return
        self._raw = text if self._raw is None else self._raw
        self.said = self.said or _nonempty(text)
        self._all.add(_nonempty(text))

    def result(self, path: str, unmerged: list[Unmerged]) -> str | None:
        text: str | None = self._all.result(path, unmerged)
        return self._raw if text is None else text


_STRUCTURE = r'["\\{}\[\]]'  # compiled at the first use


class _Structure:
    """A check for whether a growing text is one complete JSON object; it scans each character once, for brackets."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._seen = 0
        self._depth = 0
        self._quoted = False
        self._escaped = -1  # the position of the character after a backslash
        self._ends = 0

    def is_whole(self) -> bool:
        rest, start = self._text.rest(self._seen), self._seen
        self._seen += len(rest)
        for match in re.finditer(_STRUCTURE, rest):
            self._take(match.group(), start + match.start())
        return self._ends == 1 and self._depth == 0

    def _take(self, character: str, position: int) -> None:
        if position == self._escaped:
            return
        if character == "\\":
            self._escaped = position + 1
        elif character == '"':
            self._quoted = not self._quoted
        elif not self._quoted:
            self._depth += 1 if character in "{[" else -1
            self._ends += self._depth == 0


class _Body:
    """An accumulator of the `function` or the `custom` of a call."""

    def __init__(self, content: str) -> None:
        self.content = content
        self.name = _Named()
        self.text = Text()
        self._last = ""  # the last character of the text that is not white space
        self._structure = _Structure(self.text)
        self._unknown: dict[str, MergedField] = {}

    def add(self, body: FunctionCall | CustomToolCall) -> None:
        self.name.add(body.name)
        text = vars(body).get(self.content)
        if text:
            self.text.write(text)
            self._last = text.rstrip()[-1:] or self._last
        if body.extra:
            keep_unknown(self._unknown, body, CONCATENATE)

    def begins_anew(self, text: str) -> bool:
        return self._last == "}" and text.lstrip()[:1] == "{" and self._structure.is_whole()

    def result(self, path: str, unmerged: list[Unmerged]) -> dict[str, Any]:
        name, text = self.name.result(f"{path}.name", unmerged), self.text.getvalue()
        problem = _trailing_text_problem(text) if self.content == "arguments" else None
        if problem is not None:
            unmerged.append(Unmerged(f"{path}.{self.content}", problem, text))
        data = {**({} if name is None else {"name": name}), self.content: text}
        return with_unknown(data, self._unknown, path, unmerged)


class _Call:
    def __init__(self, index: int, position: int) -> None:
        self.index = index
        self.position = position
        self.id = _Named()
        self.bodies: dict[str, _Body] = {}
        self._kind = MergedField(KEEP_FIRST)
        self._unknown: dict[str, MergedField] = {}

    def differs(self, id: str | None, fragment: ToolCalls) -> bool:
        """Return whether a fragment belongs to another call."""
        if id is not None and self.id.said is not None:
            return id != self.id.said
        for form, content in _CONTENT.items():
            body, known = vars(fragment).get(form), self.bodies.get(form)
            name = _nonempty(body.name) if body is not None else None
            if name is None:
                continue
            if known is None:
                return any([other.name.said is not None for other in self.bodies.values()])
            if known.name.said is not None:
                return name != known.name.said or known.begins_anew(vars(body).get(content) or "")
        return False

    def add(self, fragment: ToolCalls) -> None:
        self.id.add(fragment.id)
        self._kind.add(fragment.type)
        if fragment.extra:
            keep_unknown(self._unknown, fragment, CONCATENATE)
        for form, content in _CONTENT.items():
            body = vars(fragment).get(form)
            if body is not None:
                if form not in self.bodies:
                    self.bodies[form] = _Body(content)
                self.bodies[form].add(body)

    def result(self, path: str, unmerged: list[Unmerged]) -> dict[str, Any]:
        id, kind = self.id.result(f"{path}.id", unmerged), self._kind.result(f"{path}.type", unmerged)
        call: dict[str, Any] = {} if id is None else {"id": id}
        if kind is not None:
            call["type"] = kind
        if not self.bodies and "function" not in self._unknown:
            call["function"] = {"arguments": ""}
        for form, body in self.bodies.items():
            call[form] = body.result(f"{path}.{form}", unmerged)
        return with_unknown(call, self._unknown, path, unmerged)


class ToolCallAccumulator:
    """An accumulator of the tool calls of one choice."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}
        self._last: _Call | None = None
        self._next = 0  # greater than every index so far

    def add(self, fragments: Iterable[ToolCalls]) -> None:
        """Add the fragments of one delta."""
        for fragment in fragments:
            self._put(fragment)

    def place(self, fragment: ToolCalls) -> int:
        """Add one fragment and return the position of its call in the order of arrival, from 0."""
        return self._put(fragment).position

    def _put(self, fragment: ToolCalls) -> _Call:
        call = self._last = self._call_of(fragment)
        self._by_index[call.index] = call
        call.add(fragment)
        if call.id.said is not None:
            self._by_id.setdefault(call.id.said, call)
        return call

    def _call_of(self, fragment: ToolCalls) -> _Call:
        index, id = fragment.index, _nonempty(fragment.id)
        known = self._by_id.get(id) if id is not None else None
        if known is not None and index in (None, known.index):
            return known
        if index is not None:
            call = self._by_index.get(index)
        else:
            call = self._last if id is None else None
        if call is None or call.differs(id, fragment):
            call = _Call(self._next if index is None else index, len(self._calls))
            self._calls.append(call)
            self._next = max(self._next, call.index + 1)
        return call

    def result(self, path: str, unmerged: list[Unmerged]) -> list[dict[str, Any]]:
        """Return the calls so far as JSON, sorted by index; calls with the same index are in order of arrival."""
        calls = sorted(self._calls, key=lambda call: call.index)
        return [call.result(f"{path}[{position}]", unmerged) for position, call in enumerate(calls)]

    def single(self, path: str, unmerged: list[Unmerged]) -> dict[str, Any]:
        """Return the function of the first call, for `function_call`, and append the other calls to `unmerged`."""
        first, *others = self._calls
        problem = "a second function call, for which a message has no room"
        unmerged.extend([Unmerged(path, problem, call.result(path, unmerged)) for call in others])
        return first.bodies["function"].result(path, unmerged)


def _trailing_text_problem(text: str) -> str | None:
    """Return a description of the text that follows the JSON document of arguments; None if there is none."""
    try:
        check_nesting(text)
        _, end = document_at(text, len(text) - len(text.lstrip()))
    except (ValueError, RecursionError):
        return None
    rest = text[end:].lstrip()
    if not rest:
        return None
    if rest[0] == "{":
        return "one JSON object after another: perhaps of two calls that cannot be distinguished"
    return f"text after the end of a JSON document: {rest[:20]!r}"
