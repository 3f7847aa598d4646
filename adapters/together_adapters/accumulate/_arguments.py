"""The arguments of a tool call: JSON text that arrives in fragments.

The call to which a fragment belongs depends on whether the arguments before it are complete. `is_complete` scans each
character once, for brackets and quotes. The text is not parsed, because parsing it for every fragment takes quadratic
time.

Claude on Bedrock sends the arguments `{}` first and the actual arguments after them, so an object `{}` is replaced by
the object that follows it.
"""

from __future__ import annotations

import re

from .._types import check_nesting, document_at
from ._merging import Text

__all__ = ["Arguments", "trailing_text_problem"]

# Compiled at the first use.
_TOKEN = r'["\\{}\[\]]|[^"\\{}\[\]]+'
_EMPTY_OBJECTS = r"\s*(?:\{\s*\}\s*){1,1000}(?=\{)"  # an unlimited repetition takes 95 bytes of memory for each byte


class Arguments:
    """An accumulator of the text of arguments."""

    __slots__ = ("_all_empty", "_depth", "_documents", "_escaped", "_in_string", "_last", "_read", "_text")

    def __init__(self) -> None:
        self._text = Text()
        self._read = 0  # the characters before this position are scanned
        self._depth = 0
        self._in_string = False
        self._escaped = -1  # the position of the character after a backslash
        self._last = ""  # the last token that is not white space
        self._documents = 0  # objects and arrays that ended at the top level
        self._all_empty = True  # True while every token is a part of an object `{}`

    def write(self, text: str) -> None:
        """Append a fragment."""
        self._text.write(text)

    def equals(self, text: str) -> bool:
        """Return whether the text equals another, in time proportional to the other."""
        return self._text.equals(text)

    def is_blank(self) -> bool:
        """Return whether the text so far is empty or white space."""
        self._scan()
        return not self._last

    def is_complete(self) -> bool:
        """Return whether an object or array of the text has ended and no other has begun."""
        self._scan()
        return self._documents > 0 and self._depth <= 0 and not self._in_string

    def is_empty_object(self) -> bool:
        """Return whether the text so far consists of one or more `{}`."""
        return self.is_complete() and self._all_empty

    def _scan(self) -> None:
        rest, start = self._text.rest(self._read), self._read
        self._read += len(rest)
        for match in re.finditer(_TOKEN, rest):
            token = match.group()
            if start + match.start() == self._escaped or token.isspace():
                continue
            self._take(token, start + match.start())
            self._last = token if len(token) == 1 else "text"

    def _take(self, token: str, position: int) -> None:
        is_bracket = token in ("{", "}", "[", "]") and not self._in_string
        if not is_bracket or (token == "{") != (self._last in ("", "}")):
            self._all_empty = False
        if token == "\\":
            self._escaped = position + 1
        elif token == '"':
            self._in_string = not self._in_string
        elif is_bracket:
            self._depth += 1 if token in "{[" else -1
            self._documents += self._depth == 0

    def getvalue(self) -> str:
        """Return the text, without empty objects that another object follows."""
        text, start = self._text.getvalue(), 0
        some = re.compile(_EMPTY_OBJECTS)
        while (skipped := some.match(text, start)) is not None:
            start = skipped.end()
        return text[start:]


def trailing_text_problem(text: str) -> str | None:
    """Return a description of the text that follows the JSON document of arguments.

    Returns None if no text follows, or if the arguments do not start with a valid JSON document.
    """
    try:
        check_nesting(text)
        _, end = document_at(text, len(text) - len(text.lstrip()))
    except (ValueError, RecursionError):
        return None
    rest = text[end:].lstrip()
    if not rest:
        return None
    if rest[0] == "{":
        return "one JSON object after another, perhaps the arguments of two calls that cannot be distinguished"
    return f"text after the end of a JSON document: {rest[:20]!r}"
