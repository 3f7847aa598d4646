"""Merging the log probabilities of a stream's tokens, which servers send in three forms.

- A number for the single token of the chunk (Together). It becomes Together's arrays: `tokens` has the text of the
  delta, `token_logprobs` the number, `token_ids` the delta's `token_id`, and `top_logprobs` those of the choice.
- An object with Together's parallel arrays, which are concatenated. If a chunk lacks one of the arrays, that
  array is filled with nulls.
- An object with OpenAI's `content` and `refusal`, which are concatenated.

If a choice has only one object, it is kept unchanged.
"""

from __future__ import annotations

from .._json_data import json_of
from .._types import CONCATENATE, LogprobsPart
from ._merging import MergedField, Unmerged, keep_unknown, with_unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

__all__ = ["LogprobsAccumulator"]

_ARRAYS = ("tokens", "token_logprobs", "token_ids", "text_offset")
_ENTRIES = ("content", "refusal")


class LogprobsAccumulator:
    """An accumulator of the log probabilities of one choice."""

    def __init__(self) -> None:
        self._positions = 0
        self._arrays: dict[str, list[Any]] = {}
        self._entries: dict[str, list[Any] | None] = {}
        self._top: list[Any] = []
        self._added = 0
        self._lone: LogprobsPart | None = None
        self._nulls: dict[str, None] = {}
        self._unknown: dict[str, MergedField] = {}

    def add_number(self, logprob: float | None, token: str | None, token_id: int | None, top: Any) -> None:
        """Add the log probability of one token."""
        self._added, self._lone = self._added + 1, None
        arrays: dict[str, Sequence[Any]] = {"tokens": [token], "token_logprobs": [logprob]}
        if token_id is not None:
            arrays["token_ids"] = [token_id]
        self._extend(arrays, top)

    def add_object(self, part: LogprobsPart) -> None:
        """Add an object in Together's or OpenAI's form."""
        self._added, self._lone = self._added + 1, None if self._added else part
        fields = vars(part)
        self._nulls.update(dict.fromkeys([name for name, value in fields.items() if value is None]))
        for name in _ENTRIES:
            if name in fields:
                entries = self._entries.setdefault(name, None)
                if fields[name] is not None:
                    self._entries[name] = [*fields[name]] if entries is None else entries
                    if entries is not None:
                        entries.extend(fields[name])
        arrays = {name: fields[name] for name in _ARRAYS if fields.get(name) is not None}
        top = fields.get("top_logprobs")
        if arrays or top is not None:
            self._extend(arrays, top)
        if part.extra:
            keep_unknown(self._unknown, part, CONCATENATE)

    def _extend(self, arrays: dict[str, Sequence[Any]], top: Mapping[str, float] | tuple[Any, ...] | None) -> None:
        start = self._positions
        count = max([len(values) for values in arrays.values()], default=0)
        tops: Sequence[Any] = () if top is None else (top,)
        if isinstance(top, tuple):
            tops = top
        count = max(count, len(tops))
        self._positions += count
        for name, values in arrays.items():
            _put(self._arrays.setdefault(name, []), start, values)
        if tops:
            _put(self._top, start, tops)

    def result(self, path: str, unmerged: list[Unmerged]) -> dict[str, Any]:
        """Return the object so far, as JSON."""
        if self._lone is not None:
            return json_of(self._lone)
        data: dict[str, Any] = {name: list(values) for name, values in self._arrays.items()}
        if self._top:
            data["top_logprobs"] = list(self._top)
        for values in data.values():
            values.extend([None] * (self._positions - len(values)))
        entries = {name: values if values is None else list(values) for name, values in self._entries.items()}
        return with_unknown({**self._nulls, **data, **entries}, self._unknown, path, unmerged)


def _put(into: list[Any], start: int, values: Sequence[Any]) -> None:
    into.extend([None] * (start - len(into)))
    into.extend(values)
