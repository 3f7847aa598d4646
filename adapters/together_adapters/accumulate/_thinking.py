"""Moving `<think>...</think>` inside the text to the reasoning.

Some servers send the reasoning of a model inside its text, between these tags. `TagScanner` finds the tags in a text
that arrives in fragments: each character is text, reasoning, or a part of a tag, which is dropped. A tag that is not
closed is text, and so is everything after it. Blocks do not nest, and may be anywhere in the text.

`split_text` splits a complete text. `ThinkingSplitter` splits the deltas of a stream. Because an unclosed tag is text,
a chunk inside a block is held back until the block is closed or the stream ends, with the chunks that follow it.

Does no I/O and changes no chunk.
"""

from __future__ import annotations

from collections import deque

from .._json_data import is_dict, json_of
from .._types import ChatCompletionChunk, ChatCompletionResponse
from ._merging import index_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .._types import ChatCompletionChoicesChunk

__all__ = ["ThinkingSplitter", "split_message", "split_response", "split_text"]

_OPEN, _CLOSE = "<think>", "</think>"
_TEXT, _REASONING, _TAG = "text", "reasoning", "tag"


class TagScanner:
    """A scanner of one text with blocks.

    `feed` takes the text in fragments. `take` returns the text outside of the blocks and the reasoning inside of them.
    """

    def __init__(self) -> None:
        self.known = 0
        """The number of characters that are classified as text, reasoning or tag and were not taken yet."""
        self._runs: deque[tuple[str, int]] = deque()  # the kind and the length of each run of these characters
        self._inside = 0  # characters since an opening tag, including the tag itself, or 0 outside of a block
        self._tail = ""  # the last characters, which may be the start of a tag

    def feed(self, text: str) -> None:
        """Take the next characters, in time proportional to their number."""
        window = self._tail + text
        start = 0
        while True:
            tag = _CLOSE if self._inside else _OPEN
            found = window.find(tag, start)
            if found < 0:
                break
            self._pass(found - start)
            if self._inside:
                self._add(_TAG, len(_OPEN))
                self._add(_REASONING, self._inside - len(_OPEN))
                self._add(_TAG, len(_CLOSE))
                self._inside = 0
            else:
                self._inside = len(_OPEN)
            start = found + len(tag)
        end = _start_of_tag(window, start, tag)
        self._pass(end - start)
        self._tail = window[end:]

    def finish(self) -> None:
        """Note that the text has ended. Characters that are not classified yet become text."""
        self._add(_TEXT, self._inside + len(self._tail))
        self._inside, self._tail = 0, ""

    def take(self, text: str) -> tuple[str, str]:
        """Return the text and the reasoning in `text`, which must be the next classified characters."""
        parts: dict[str, list[str]] = {_TEXT: [], _REASONING: [], _TAG: []}
        start = 0
        while start < len(text):
            kind, length = self._runs.popleft()
            taken = min(length, len(text) - start)
            if taken < length:
                self._runs.appendleft((kind, length - taken))
            parts[kind].append(text[start : start + taken])
            start += taken
        self.known -= start
        return "".join(parts[_TEXT]), "".join(parts[_REASONING])

    def _pass(self, length: int) -> None:
        if self._inside:
            self._inside += length
        else:
            self._add(_TEXT, length)

    def _add(self, kind: str, length: int) -> None:
        if length:
            self._runs.append((kind, length))
            self.known += length


def _start_of_tag(text: str, start: int, tag: str) -> int:
    """Return the position of an incomplete tag at the end of a text, or the length of a text without one."""
    for position in range(max(start, len(text) - len(tag) + 1), len(text)):
        if tag.startswith(text[position:]):
            return position
    return len(text)


def split_text(text: str) -> tuple[str, str]:
    """Return the text outside of the blocks of a complete text, and the reasoning inside of them."""
    if _OPEN not in text:
        return text, ""
    scanner = TagScanner()
    scanner.feed(text)
    scanner.finish()
    return scanner.take(text)


def split_message(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message, as JSON, with the reasoning in its text moved to `reasoning`."""
    text: object = message.get("content")
    content, reasoning = split_text(text) if isinstance(text, str) else (text, "")
    return message if content == text else _with_parts(message, content, reasoning)


def split_response(response: ChatCompletionResponse) -> ChatCompletionResponse:
    """Return a response with the reasoning in the texts of its messages moved to `reasoning`."""
    if not any([_OPEN in choice.message.text for choice in response.choices or () if choice.message is not None]):
        return response
    data = json_of(response)
    for choice in data["choices"]:
        if is_dict(choice.get("message")):
            choice["message"] = split_message(choice["message"])
    return ChatCompletionResponse.from_dict(data)


def _with_parts(message: dict[str, Any], content: object, reasoning: str) -> dict[str, Any]:
    """Return a message or a delta, as JSON, with this content, and with the reasoning appended to its own."""
    before: object = message.get("reasoning")
    if reasoning:
        return {**message, "content": content, "reasoning": (before if isinstance(before, str) else "") + reasoning}
    return {**message, "content": content}


class ThinkingSplitter:
    """A transformer of a stream's chunks.

    `feed` returns the chunks whose characters are all classified, and `finish` the remaining ones. The deltas of the
    returned chunks have the reasoning of `<think>` blocks under `reasoning`. Chunks are returned in their order, and a
    chunk without a part of such a block is returned unchanged.
    """

    def __init__(self) -> None:
        self._scanners: dict[int | str, TagScanner] = {}
        # The chunks that are not returned yet, each with the scanners of its texts and the lengths of the texts.
        self._held: deque[tuple[ChatCompletionChunk, list[tuple[TagScanner, int]]]] = deque()

    def feed(self, chunk: ChatCompletionChunk) -> list[ChatCompletionChunk]:
        """Take the next chunk and return the chunks that no longer need to be held back."""
        lengths: dict[TagScanner, int] = {}
        for position, choice in enumerate(chunk.choices or ()):
            text = _text_of(choice)
            if text:
                scanner = self._scanner_of(choice, position)
                scanner.feed(text)
                lengths[scanner] = lengths.get(scanner, 0) + len(text)
        self._held.append((chunk, list(lengths.items())))
        return list(self._released())

    def finish(self) -> list[ChatCompletionChunk]:
        """Note that the stream has ended and return the remaining chunks."""
        for scanner in self._scanners.values():
            scanner.finish()
        return list(self._released())

    def _scanner_of(self, choice: ChatCompletionChoicesChunk, position: int) -> TagScanner:
        key = index_key(position if choice.index is None else choice.index)
        if key not in self._scanners:
            self._scanners[key] = TagScanner()
        return self._scanners[key]

    def _released(self) -> Iterator[ChatCompletionChunk]:
        while self._held:
            chunk, lengths = self._held[0]
            while lengths and lengths[-1][0].known >= lengths[-1][1]:
                lengths.pop()
            if lengths:
                return
            self._held.popleft()
            yield self._split(chunk)

    def _split(self, chunk: ChatCompletionChunk) -> ChatCompletionChunk:
        data: dict[str, Any] | None = None
        for position, choice in enumerate(chunk.choices or ()):
            text = _text_of(choice)
            if not text:
                continue
            content, reasoning = self._scanner_of(choice, position).take(text)
            if content != text:
                data = json_of(chunk) if data is None else data
                parts: dict[str, Any] = data["choices"][position]
                parts["delta"] = _with_parts(parts["delta"], content, reasoning)
                if choice.text == text:  # Together's copy of the delta's text
                    parts["text"] = content
        return chunk if data is None else ChatCompletionChunk.from_dict(data)


def _text_of(choice: ChatCompletionChoicesChunk) -> str:
    content = None if choice.delta is None else choice.delta.content
    return content if isinstance(content, str) else ""
