"""A reader of chunks that moves the text inside `<think>...</think>` to the reasoning. Does no I/O."""

from __future__ import annotations

from collections import deque

from ..accumulate import CompletionState
from ..accumulate._thinking import ThinkingSplitter, split_response
from ._reader import ChunkReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .._types import ChatCompletionChunk, ChatCompletionResponse

__all__ = ["ThinkingChunkReader"]


class ThinkingChunkReader(ChunkReader):
    """A ChunkReader whose chunks and completion have the text of `<think>` blocks under `reasoning`.

    A tag that is not closed remains text. A block and the chunks after it are therefore held back until the block is
    closed or the stream ends.
    """

    splits_thinking = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._splitter = ThinkingSplitter()
        self._ready: deque[ChatCompletionChunk] = deque()

    def next_chunk(self) -> ChatCompletionChunk | None:
        while not self._ready:
            chunk = super().next_chunk()
            if chunk is not None:
                self._ready.extend(self._splitter.feed(chunk))
            else:
                if self.state not in (CompletionState.OPEN, CompletionState.CANCELLED):
                    self._ready.extend(self._splitter.finish())
                break
        return self._ready.popleft() if self._ready else None

    def split(self, response: ChatCompletionResponse) -> ChatCompletionResponse:
        return split_response(response)

    def cancel(self) -> None:
        super().cancel()
        if self.state is CompletionState.CANCELLED:
            self._ready.clear()
