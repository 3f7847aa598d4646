"""Assembling the blocks of `reasoning_details` (OpenRouter) and `thinking_blocks` (litellm).

A server requires the blocks of its response in the next request, each complete and with its signature. They arrive in
fragments, which are assigned to blocks by these rules:

- A fragment with an `index` continues the latest block with this index and this `type`. Without an index, the first
  fragment of a delta continues the previous block if the `type` is equal.
- An id, a signature or `data` that differs from that of the block starts a block. So does a text without an index if
  the block has a signature, because the signature is the last fragment of a block.
- The blocks are sorted by index. A block without an index follows the blocks before it.

The texts of a block are concatenated, and its other members are merged by the rules of a delta (see `_merging`).
"""

from __future__ import annotations

from .._types import CONCATENATE, KEEP_FIRST
from ._merging import ItemCount, MergedField, Unmerged, field_in, merge_into, merged_members, value_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

__all__ = ["BlockAccumulator"]

_UNITS = ("id", "signature", "data")  # members that are received as a whole
_TEXTS = ("text", "summary", "thinking")


class _Block:
    """A block. Its members are merged only if it has a second fragment, because merging takes 1,000 bytes a block."""

    __slots__ = ("_first", "_members", "_units", "index")

    def __init__(self, index: float, fragment: dict[str, Any]) -> None:
        self.index = index
        self._first = fragment
        self._units: dict[str, Any] | None = None
        self._members: dict[str, MergedField] | None = None

    def is_ended_by(self, fragment: dict[str, Any], *, indexed: bool) -> bool:
        """Return whether a fragment with the index and the type of this block starts another block."""
        units = self._first if self._units is None else self._units
        own = [(units.get(key), fragment.get(key)) for key in _UNITS]
        if any([value and other and value != other for value, other in own]):
            return True
        is_signed = units.get("signature") and not fragment.get("signature")
        return bool(not indexed and is_signed and any([fragment.get(key) for key in _TEXTS]))

    def add(self, fragment: dict[str, Any]) -> None:
        if self._members is None or self._units is None:
            self._members, self._units = {}, {}
            _merge(self._first, self._members, self._units)
        _merge(fragment, self._members, self._units)

    def result(self, path: str, unmerged: list[Unmerged]) -> dict[str, Any]:
        return {**self._first} if self._members is None else merged_members(self._members, path, unmerged)


def _merge(fragment: dict[str, Any], members: dict[str, MergedField], units: dict[str, Any]) -> None:
    for key, value in fragment.items():
        if key in _UNITS:
            units[key] = units.get(key) or value
            field_in(members, key, KEEP_FIRST).add(value)
        else:
            merge_into(members, [(key, value)], CONCATENATE)


class BlockAccumulator:
    """An accumulator of the blocks under one key of a message."""

    def __init__(self, items: ItemCount) -> None:
        self._items = items
        self._blocks: list[_Block] = []
        self._latest: dict[str, _Block] = {}  # by index and type
        self._last: tuple[str, _Block] | None = None  # the type and the block of the previous fragment

    def add(self, fragments: Iterable[dict[str, Any]]) -> None:
        """Add the fragments of one delta, as JSON."""
        is_first = True
        for fragment in fragments:
            self._put(fragment, is_first=is_first)
            is_first = False

    def _put(self, fragment: dict[str, Any], *, is_first: bool) -> None:
        index, kind = fragment.get("index"), value_key(fragment.get("type"))
        key = f"{value_key(index)} {kind}"
        if index is not None:
            block = self._latest.get(key)
        else:
            block = self._last[1] if is_first and self._last is not None and self._last[0] == kind else None
        if block is None or block.is_ended_by(fragment, indexed=index is not None):
            block = _Block(self._position_of(index), fragment)
            self._blocks.append(block)
            self._items.total += 1
        else:
            block.add(fragment)
        self._latest[key] = block
        self._last = kind, block

    def _position_of(self, index: object) -> float:
        if isinstance(index, (int, float)):
            return index
        return self._blocks[-1].index if self._blocks else 0

    def result(self, path: str, unmerged: list[Unmerged]) -> list[dict[str, Any]]:
        """Return the blocks so far, as JSON."""
        blocks = sorted(self._blocks, key=lambda block: block.index)
        return [block.result(f"{path}[{position}]", unmerged) for position, block in enumerate(blocks)]
