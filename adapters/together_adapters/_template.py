"""Templates of a stream's frames: a frame that differs from an earlier one in a few places only is read there only.

The chunks of a completion repeat id, model, role and all that is null; what changes is the text and, with Together,
the number of its token. A `Template` has the characters of one frame between these places, its holes, and the chunk
that it stood for. A frame that has the same characters between its holes, and in each hole a JSON scalar of the same
kind, is the same JSON but for the values of the holes: its chunk is the same with those put in, and shares the rest.
Every other frame is for the regular reader; nothing is guessed here.

- Holes are read by the `json` module's own scanner, which refuses what `json.loads` refuses: raw control characters
  (so no line end hides in a text), bad escapes, `007`. Quotes and keys inside of a text are escaped, so the text's.
- That a hole is the field it seems to be is tried, not derived: a template is used only if it gives what the regular
  reader gives for the frame it comes from, and for that frame with other values in its holes.
- A frame that has one of the keys twice, or JSON that a caller could change (an object in `extra`), gives no template.

Measured on 2,000 chunks of Together, bytes to completion, against `split` and `json.loads`: 0.7 with templates, 1.8
without. Making one costs about ten frames read regularly, so `Templates` makes one only of a frame that looks like one
of the last four, and stops for good where frames go on to be new.
"""

from __future__ import annotations

import json
import json.decoder

from ._fold import is_items, is_members
from ._types import ChatCompletionChoicesChunk, ChatCompletionChunk, DeltaContent
from .accumulate import Accumulator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from .accumulate import Repeat

    Scan = Callable[[str, int], tuple[Any, int]]
    Hole = tuple[int, int, str, int, tuple[type, ...]]

__all__ = ["GAP", "Template", "Templates", "Unread"]

GAP = b"\n\n"  # whatever comes before it, the next event begins after it
_PREFIX = "data: "
# CPython has both in C: what reads a value and what reads a string from after its quote. Where the second is missing, as
# in PyPy, templates would take longer than reading whole frames, and there are none.
_decoder = json.JSONDecoder()
_scan: Scan = getattr(_decoder, "scan_once", _decoder.raw_decode)
_scan_string: Scan | None = getattr(json.decoder, "c_scanstring", None)

_CHUNK, _CHOICE, _DELTA = 0, 1, 2
# What may be a hole: the key, where it stands, what it has to hold in the frame that is learned, and what it may hold
# after that (a string stays one).
_FIELDS: tuple[tuple[str, int, type, tuple[type, ...]], ...] = (
    ("content", _DELTA, str, ()),
    ("reasoning", _DELTA, str, ()),
    ("reasoning_content", _DELTA, str, ()),
    ("token_id", _DELTA, int, (int, type(None))),
    ("text", _CHOICE, str, ()),
    ("logprobs", _CHOICE, float, (float, type(None))),
    ("obfuscation", _CHUNK, str, ()),
)


class Unread:
    """The bytes of a stream that were received: `data`, of which those from `at` on are unread, after `frames` frames."""

    __slots__ = ("at", "data", "frames")

    def __init__(self, data: bytes = b"") -> None:
        self.data = data
        self.at = self.frames = 0


class Template:
    """One frame with holes."""

    __slots__ = ("_begin", "_holes", "_mirrored", "_same_text", "_start", "_values")

    def __init__(self, text: str, chunk: ChatCompletionChunk, holes: list[Hole]) -> None:
        # What the holes held last is put in here first, so that a chunk is made of three copies. They are the fields of
        # values, because dicts that share their keys are copied to dicts that do: 200 bytes instead of 330.
        self._values = [_copy(value) for value in _parts_of(chunk)]
        # Literals include the quotes around a string; each hole has the literal that follows it.
        quoted = [text[start] == '"' for start, *_ in holes]
        starts = [hole[0] + quote for hole, quote in zip(holes, quoted)]
        self._begin, self._start = text[: starts[0]], starts[0]
        fields: list[dict[str, Any]] = [vars(value) for value in self._values]
        self._holes: list[tuple[Scan | None, tuple[type, ...], dict[str, Any], str, str, int]] = []
        for (_, end, key, part, kinds), quote, following in zip(holes, quoted, [*starts[1:], len(text)]):
            literal, scan = text[end:following], _scan_string if quote else _scan
            self._holes.append((scan, kinds, fields[part], key, literal, len(literal)))
        strings = {hole[2]: text[hole[0] : hole[1]] for hole, quote in zip(holes, quoted) if quote}
        # Together repeats the content as the choice's text: the second of the two is compared, not read.
        self._mirrored = len(strings) == 2 and "text" in strings and strings["text"] == strings.get("content")
        if self._mirrored:
            last = max([position for position, quote in enumerate(quoted) if quote])
            self._holes[last] = (None, *self._holes[last][1:])
        self._same_text = self._mirrored or "text" not in strings

    def run(self, unread: Unread, accumulator: Accumulator, size: int) -> Iterator[ChatCompletionChunk | None]:
        """The chunks of the frames that come next, as long as they differ from the template in its holes only.

        The bytes are looked through `size` at a time. Every chunk is added to the accumulator. None stands for the end
        of what can be read: there may be more when the next chunk is asked for. One long function, because calls and
        attributes would take as long as the reading.
        """
        begin, start, holes, mirrored = self._begin, self._start, self._holes, self._mirrored
        fields_of: list[dict[str, Any]] = [vars(value) for value in self._values]
        of_chunk, of_choice, of_delta = fields_of
        new, chunk_class, choice_class, delta_class = (
            object.__new__,
            ChatCompletionChunk,
            ChatCompletionChoicesChunk,
            DeltaContent,
        )
        repeat: Repeat | None = None
        raw = string = ""
        frames = 0
        while True:
            data, opened, position = unread.data, unread.at, 0
            window = data if opened == 0 and len(data) <= size else data[opened : opened + size]
            ascii = window.isascii()
            text = window.decode() if ascii else window.decode("latin-1")
            whole = text.rfind("\n\n")  # what comes after it is not all there
            while position < whole and text.startswith(begin, position):
                position += start
                try:
                    for scan, kinds, fields, key, literal, length in holes:
                        if scan is None:
                            literal = raw + literal
                            length = len(literal)
                            value = string
                        elif kinds:
                            value, position = scan(text, position)
                            if type(value) not in kinds:
                                raise ValueError("another kind")
                        else:
                            from_ = position
                            value, position = scan(text, position)
                            if mirrored or not ascii:
                                raw = text[from_:position]
                                if not ascii and not value.isascii():
                                    value = _as_unicode(value, raw)
                                string = value
                        if not text.startswith(literal, position):
                            raise ValueError("another frame")
                        fields[key] = value
                        position += length
                except (StopIteration, ValueError, RecursionError):
                    break
                unread.at = opened + position
                frames += 1
                delta = of_choice["delta"] = new(delta_class)
                into: dict[str, Any] = delta.__dict__
                into |= of_delta
                choice = new(choice_class)
                into = choice.__dict__
                into |= of_choice
                of_chunk["choices"] = (choice,)
                chunk = new(chunk_class)
                into = chunk.__dict__
                into |= of_chunk
                if repeat:
                    for write, name in repeat:
                        value = of_delta[name]
                        if value is not None:
                            write(value)
                else:
                    accumulator.add(chunk)
                    if repeat is None:
                        repeat = (self._same_text and accumulator.repeating(chunk)) or []
                yield chunk
                if unread.data is not data:
                    break
            if unread.data is data:
                unread.frames += frames
                frames = 0
                if data.find(GAP, unread.at) < 0:
                    yield None
                elif unread.at == opened or opened + size >= len(data):
                    return


def _parts_of(chunk: ChatCompletionChunk) -> tuple[Any, Any, Any]:
    """A chunk of one choice, the choice and its delta."""
    choice = next(iter(chunk.choices or ()))
    return chunk, choice, choice.delta


def _copy(value: Any) -> Any:
    copy = object.__new__(value.__class__)
    into: dict[str, Any] = copy.__dict__
    into.update(value.__dict__)
    return copy


def _as_unicode(value: str, raw: str) -> str:
    """The value of a string whose UTF-8 was taken for Latin-1; ValueError where it has escapes too, or is no UTF-8."""
    if raw.isascii():
        return value
    if "\\" in raw:
        raise ValueError("left to the regular reader")
    return value.encode("latin-1").decode()


def _holes_in(text: str, chunk: ChatCompletionChunk) -> list[Hole]:
    """Where in the frame the values are that may change, in their order; none if a key comes twice."""
    parts: list[dict[str, Any]] = [vars(value) for value in _parts_of(chunk)]
    holes: list[Hole] = []
    for key, part, kind, kinds in _FIELDS:
        if type(parts[part].get(key)) is kind:
            quoted = f'"{key}":'
            start = text.find(quoted) + len(quoted)
            if start < len(quoted) or text.find(quoted, start) >= 0:
                return []
            while text[start] == " ":
                start += 1
            try:
                _, end = _scan(text, start)
            except (StopIteration, ValueError):  # behind other white space, or what looks like the key is in a text
                return []
            holes.append((start, end, key, part, kinds))
    return sorted(holes)


def _others(text: str, holes: list[Hole]) -> str:
    """The frame with other values in all its holes."""
    for start, end, key, _, kinds in reversed(holes):
        name = "content" if key == "text" else key
        other = "0.5" if float in kinds else f"{10**9}" if kinds else json.dumps(f"{name}\\\n")
        text = text[:start] + other + text[end:]
    return text


def _unchanging(value: Any) -> bool:
    """Whether a value can be shared: nothing in it can be changed by who holds it."""
    if value is None or isinstance(value, (str, int, float)):
        return True
    if is_items(value) or value.__class__ is dict:
        return False
    members: dict[str, Any] = value if is_members(value) else getattr(value, "__dict__", {})
    items: Iterable[Any] = value if value.__class__ is tuple else members.values()
    return all([_unchanging(item) for item in items])


def _template_of(text: str, chunk: ChatCompletionChunk, others: Iterable[str]) -> Template | None:
    """A template of a frame that looks like one of the `others` outside of its holes."""
    choices = chunk.choices or ()
    if len(choices) != 1 or choices[0].delta is None or not _unchanging(chunk):
        return None
    holes = _holes_in(text, chunk)
    if not holes:
        return None
    begin, end = text[: holes[0][0]], text[holes[-1][1] :]
    if not any([other.startswith(begin) and other.endswith(end) for other in others]):
        return None
    template = Template(text, chunk, holes)
    for trial in (text, _others(text, holes)):
        frame = trial.encode("latin-1")
        made, read = (
            next(template.run(Unread(frame), Accumulator(), len(frame)), None),
            ChatCompletionChunk.from_json(frame[len(_PREFIX) :]),
        )
        if made is None or made.to_dict() != read.to_dict():
            return None
    return template


_TEMPLATES = 4  # of one stream: choices take turns, and reasoning, text and refusal differ in their keys
_PATIENCE = 5  # frames in a row that no template matches, before there are no more
_EARNED = 16  # matches for which one more such frame is borne


class Templates:
    """The templates of one stream, the newest first in `known`, and whether it is worth while to make more."""

    def __init__(self) -> None:
        self.known: list[Template] = []
        self._recent: list[str] = []
        self._left = _PATIENCE
        self._frames = 0

    def learn(self, frame: bytes, chunk: ChatCompletionChunk, frames: int) -> bool:
        """Take a frame that no template matched, the stream's `frames`-th; False when there is no use in going on."""
        text = frame.decode("latin-1")
        if _scan_string is None:
            return False
        matched, self._frames = frames - self._frames - 1, frames
        self._left = min(self._left + matched // _EARNED, _PATIENCE) - 1
        if self._left < 0:
            self.known.clear()
            return False
        template = _template_of(text, chunk, self._recent)
        if template is not None:
            self.known = [template, *self.known[: _TEMPLATES - 1]]
        self._recent = [text, *self._recent[: _TEMPLATES - 1]]
        return True
