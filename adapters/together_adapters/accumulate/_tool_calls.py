"""Assembling the fragments of tool calls.

Servers identify the call of a fragment in different ways. Each rule is for fragments that servers do send:

- An id that was received before continues its call. The index is then absent or that of the call.
- Otherwise a fragment belongs to the latest call with its `index`, or without an index to the call of the previous
  fragment (Gemini). Indexes may have gaps and come in any order.
- A fragment without a name continues that call. A different id is listed (poolside). If the arguments of the call are
  complete, a different id starts a call without a name, which is listed.
- A fragment with a name and a different id starts a call, also at the same index (Groq, Ollama).
- Without a different id, a different name starts a call if the arguments of the call are complete. If the fragment does
  not repeat the id, it also starts a call if the arguments are empty or belong to a custom tool. Otherwise the name is
  a fragment: it is appended and listed. The same name starts a call if it comes without an id, after complete
  arguments, and with the start of an object.
- Arguments `{}` are complete, but for a fragment without a name they are incomplete: the text that follows replaces
  them (see `_arguments`).
- An id or a name of `""` or `"null"` is treated as absent. A number as an id equals the text of its digits.
- The calls are sorted by index. A call without an index follows the calls before it.

Every fragment is accepted. Arguments are concatenated and not repaired. If text follows the end of their JSON document,
as when two calls cannot be distinguished, `issues()` reports it.
"""

from __future__ import annotations

from .._json_data import is_dict, is_list
from .._types import CONCATENATE
from ._arguments import Arguments, trailing_text_problem
from ._merging import ItemCount, MergedField, Text, Unmerged, index_key, keep_unknown, value_key, with_unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .._types import CustomToolCall, FunctionCall, ToolCalls

__all__ = ["ToolCallAccumulator"]

_SHOWN = 80  # characters of an id in the text of an issue
_CONTENT = {"function": "arguments", "custom": "input"}
_OTHER_NAME = "a different name for the same call, appended to its name"
_NO_NAME = "no name: the call started with a different id and without a name, after complete arguments"


def _nonempty(text: str | None) -> str | None:
    return text if text and text != "null" else None


def _names_in(fragment: ToolCalls) -> dict[str, str]:
    """Return the names in a fragment by form (`function` or `custom`)."""
    names: dict[str, str] = {}
    for form in _CONTENT:
        body = vars(fragment).get(form)
        name = None if body is None else _nonempty(body.name)
        if name is not None:
            names[form] = name
    return names


class _First:
    """An accumulator of an id or a type: the first text that is not empty is kept, and the others are listed."""

    __slots__ = ("_others", "_raw", "text")

    def __init__(self) -> None:
        self.text: str | None = None
        self._raw: Any = None  # as it was received: a number, or an empty text if there is no other
        self._others: dict[str, None] | None = None

    def add(self, text: str | None, raw: Any) -> None:
        if text is None or text == self.text:
            return
        if self.text is None:
            self.text = _nonempty(text)
            if self.text is not None or self._raw is None:
                self._raw = raw
        elif _nonempty(text) is not None:
            self._others = self._others or {}
            self._others[text] = None

    def result(self, path: str, unmerged: list[Unmerged]) -> Any:
        for other in self._others or ():
            problem = f"one fragment has {value_key(self.text)[:_SHOWN]}, another {value_key(other)[:_SHOWN]}"
            unmerged.append(Unmerged(path, problem, other))
        return self._raw


class _Name:
    """An accumulator of the name of one call, which may arrive in fragments."""

    __slots__ = ("_first", "_length", "_more")

    def __init__(self) -> None:
        self._first: str | None = None
        self._more: list[str] | None = None
        self._length = 0

    def __bool__(self) -> bool:
        return self._length > 0

    def equals(self, name: str) -> bool:
        """Return whether this is the name so far, in time proportional to `name`."""
        return len(name) == self._length and name == self._joined()

    def add(self, name: str | None) -> None:
        if _nonempty(name) is None:
            self._first = self._first or name
        elif name is not None and not self.equals(name):
            if not self._length:
                self._first = name
            else:
                self._more = self._more or []
                self._more.append(name)
            self._length += len(name)

    def result(self, path: str, unmerged: list[Unmerged]) -> str | None:
        unmerged.extend([Unmerged(path, _OTHER_NAME, fragment) for fragment in self._more or ()])
        return self._joined()

    def _joined(self) -> str | None:
        return "".join([self._first or "", *self._more]) if self._more else self._first


class _Body:
    """An accumulator of the `function` or the `custom` of a call."""

    __slots__ = ("_content", "_text", "_unknown", "arguments", "name")

    def __init__(self, content: str) -> None:
        self._content = content
        self.name = _Name()
        self.arguments = Arguments() if content == "arguments" else None
        self._text = self.arguments or Text()
        self._unknown: dict[str, MergedField] = {}

    def add(self, body: FunctionCall | CustomToolCall) -> None:
        self.name.add(body.name)
        text = vars(body).get(self._content)
        if text:
            self._text.write(text)
        if body.extra:
            keep_unknown(self._unknown, body, CONCATENATE)

    def is_ended_by(self, name: str, text: str, *, same_id: bool) -> bool:
        """Return whether a fragment with this name, and without a different id, starts another call."""
        if not self.name:
            return False
        if self.name.equals(name):
            starts = not same_id and text.lstrip()[:1] == "{"
            return starts and self.arguments is not None and self.arguments.is_complete()
        if self.arguments is None:
            return not same_id
        return self.arguments.is_complete() or (not same_id and self.arguments.is_blank())

    def result(self, path: str, unmerged: list[Unmerged]) -> dict[str, Any]:
        name = self.name.result(f"{path}.name", unmerged)
        text = self._text.getvalue()
        problem = trailing_text_problem(text) if self.arguments is not None else None
        if problem is not None:
            unmerged.append(Unmerged(f"{path}.{self._content}", problem, text))
        data = {**({} if name is None else {"name": name}), self._content: text}
        return with_unknown(data, self._unknown, path, unmerged)

    def equals(self, raw: object) -> bool:
        """Return whether raw JSON is this body, in time proportional to the raw JSON."""
        if not is_dict(raw) or not raw.keys() <= {"name", self._content}:
            return False
        name, text = raw.get("name") or "", raw.get(self._content) or ""
        if not isinstance(name, str) or not isinstance(text, str) or not self.name.equals(name):
            return False
        return self._text.equals(text)


class _Call:
    __slots__ = ("_follows_by_id", "_kind", "_unknown", "bodies", "id", "index", "position")

    def __init__(self, index: int, position: int) -> None:
        self.index = index
        self.position = position
        self.id = _First()
        self.bodies: dict[str, _Body] = {}
        self._kind = _First()
        self._unknown: dict[str, MergedField] = {}
        self._follows_by_id = False  # True if a fragment without a name started this call

    def is_ended_by(self, fragment: ToolCalls, id: str | None, *, same_id: bool) -> bool:
        """Return whether a fragment starts another call. `same_id` is whether `id` is an id of this call."""
        is_other = id is not None and self.id.text is not None and not same_id
        named = _names_in(fragment)
        if not named:
            return is_other and self._has_complete_arguments()
        if is_other:
            return True
        for form, name in named.items():
            known = self.bodies.get(form)
            if known is None:
                return not same_id and any([bool(other.name) for other in self.bodies.values()])
            if known.name:
                body: Any = getattr(fragment, form)
                text = getattr(body, _CONTENT[form]) or ""
                return known.is_ended_by(name, text, same_id=same_id)
        return False

    def _has_complete_arguments(self) -> bool:
        bodies = [body.arguments for body in self.bodies.values() if body.arguments is not None]
        return any([arguments.is_complete() and not arguments.is_empty_object() for arguments in bodies])

    def add(self, fragment: ToolCalls) -> None:
        self.id.add(fragment.id, fragment.extra.get("id", fragment.id) if "extra" in vars(fragment) else fragment.id)
        self._kind.add(fragment.type, fragment.type)
        if fragment.extra:
            keep_unknown(self._unknown, fragment, CONCATENATE)
        for form, content in _CONTENT.items():
            body = vars(fragment).get(form)
            if body is not None:
                if form not in self.bodies:
                    self.bodies[form] = _Body(content)
                self.bodies[form].add(body)

    def mark_as_nameless(self) -> None:
        """Note that a different id started this call and no name came with it."""
        self._follows_by_id = True

    def result(self, path: str, unmerged: list[Unmerged]) -> dict[str, Any]:
        id, kind = self.id.result(f"{path}.id", unmerged), self._kind.result(f"{path}.type", unmerged)
        call: dict[str, Any] = {} if id is None else {"id": id}
        if kind is not None:
            call["type"] = kind
        if not self.bodies and "function" not in self._unknown:
            call["function"] = {"arguments": ""}
        for form, body in self.bodies.items():
            call[form] = body.result(f"{path}.{form}", unmerged)
        if self._follows_by_id and not any([bool(body.name) for body in self.bodies.values()]):
            unmerged.append(Unmerged(f"{path}.{next(iter(self.bodies), 'function')}.name", _NO_NAME, id))
        return with_unknown(call, self._unknown, path, unmerged)

    def equals(self, raw: object) -> bool:
        """Return whether raw JSON is this call, in time proportional to the raw JSON."""
        if not is_dict(raw) or not raw.keys() <= {"id", "type", "index", "function", "custom"}:
            return False
        known = {form: raw.get(form) for form in _CONTENT if raw.get(form) is not None}
        return (
            (raw.get("id") or None) == self.id.text
            and known.keys() == self.bodies.keys()
            and all([self.bodies[form].equals(body) for form, body in known.items()])
        )


class ToolCallAccumulator:
    """An accumulator of the tool calls of one choice."""

    def __init__(self, items: ItemCount) -> None:
        self._items = items
        self._calls: list[_Call] = []
        self._by_index: dict[int | str, _Call] = {}
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
        id = _nonempty(fragment.id)
        call = self._last = self._call_of(fragment, id)
        self._by_index[index_key(call.index)] = call
        call.add(fragment)
        if id is not None:
            self._by_id[id] = call
        return call

    def _call_of(self, fragment: ToolCalls, id: str | None) -> _Call:
        index, of_id = fragment.index, None if id is None else self._by_id.get(id)
        if of_id is not None and index in (None, of_id.index):
            call: _Call | None = of_id
        else:
            call = self._last if index is None else self._by_index.get(index_key(index))
        if call is not None:
            same_id = call is of_id or (id is not None and id == call.id.text)
            if not call.is_ended_by(fragment, id, same_id=same_id):
                return call
        new = _Call(self._next if index is None else index, len(self._calls))
        if call is not None and not _names_in(fragment):
            new.mark_as_nameless()
        self._calls.append(new)
        self._items.total += 1
        self._next = max(self._next, new.index + 1)
        return new

    def result(self, path: str, unmerged: list[Unmerged]) -> list[dict[str, Any]]:
        """Return the calls so far as JSON, sorted by index. Calls with the same index are in order of arrival."""
        calls = sorted(self._calls, key=lambda call: call.index)
        return [call.result(f"{path}[{position}]", unmerged) for position, call in enumerate(calls)]

    def single(self, path: str, unmerged: list[Unmerged]) -> dict[str, Any]:
        """Return the function of the first call, for `function_call`, and append the other calls to `unmerged`."""
        first, *others = self._calls
        problem = "a second function call: a message can contain only one"
        unmerged.extend([Unmerged(path, problem, call.result(path, unmerged)) for call in others])
        return first.bodies["function"].result(path, unmerged)

    def equals(self, calls: object) -> bool:
        """Return whether raw JSON is the calls so far, in time proportional to the raw JSON."""
        if not is_list(calls) or len(calls) != len(self._calls):
            return False
        known = sorted(self._calls, key=lambda call: call.index)
        return all([call.equals(raw) for call, raw in zip(known, calls)])
