"""The sans-IO core of a stream. It takes bytes and returns chunks, and at the end it provides an error, if any.

There are two paths. Nearly every event is one line, `data: {...}`, and needs no decoder: its JSON is read directly. All
other events go through the decoder of server-sent events. `_take_chunk` handles every event that may report an error.

Version 0.1.0 had a third path, for events that differed from an earlier event only in a few values, such as the text.
It read only these values, and took the rest of the chunk from the earlier one. Compared with `split` and `json.loads`
of the events, it took 0.6 times as long while it wrote into the accumulator's buffers, and 1.0 times as long without
this shared state. The two paths take 1.6 times as long. Compared with 1.0 times, this is 2 us more for each chunk.
Receiving a chunk through a socket and an event loop takes 17 us or more.

`_events` lists the rules for servers that deviate from the format.

Does no I/O, and does not raise the error of the stream.
"""

from __future__ import annotations

import re

from .._byte_sources import BLANK_LINE, partial_data
from .._types import ChatCompletionChunk, loads, reader_of
from ..accumulate import CompletionState
from ._event_data import LARGE_EVENT
from ._events import EventReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..protocols import JSON
    from ..sse._decoding import ServerSentEvent, Undispatched

__all__ = ["MAX_EVENT_BYTES", "ChunkReader"]

MAX_EVENT_BYTES = 16 * 2**20
_read_chunk = reader_of(ChatCompletionChunk)  # `from_json` without its own checks, which cost 0.04 of `json.loads`
_LONGEST_TAIL = 4096  # bytes of an unfinished line. Joining a longer one with each piece would take quadratic time.


class ChunkReader(EventReader):
    """A reader that takes the bytes of a stream and returns its chunks. `state` is that of `completion`.

    After `receive` or `end`, call `next_chunk` until it returns None. Then the reader needs more bytes, or the stream
    is over and `error` is the exception to raise, if any. Bytes after `[DONE]` or an error are ignored. `n` is the
    number of choices that the request asked for, if it is known. `conceal` replaces secrets in a JSON value. It is
    applied to all data from the server that an error contains. The other parameters are those of `iter_chunks`.

    >>> from together_adapters.stream import ChunkReader
    >>> reader = ChunkReader()
    >>> [chunk.text for chunk in reader.feed(b'data: {"choices":[{"delta":{"content":"Hi"}}]}\\n\\n')]
    ['Hi']
    >>> reader.finish()
    []
    >>> str(reader.error)
    'the stream ended without [DONE] and without a finish reason for every choice'
    """

    def __init__(
        self,
        *,
        require_finish: bool = True,
        n: int | None = None,
        max_event_bytes: int = MAX_EVENT_BYTES,
        conceal: Callable[[JSON], JSON] | None = None,
    ) -> None:
        super().__init__(
            require_finish=require_finish,
            n=n,
            max_event_bytes=max_event_bytes,
            conceal=conceal,
        )
        self._data: bytes = b""  # the last bytes received, of which those from `_at` on are unread
        self._at: int = 0
        self._longest_line = min(max_event_bytes, LARGE_EVENT)  # longest line read without the decoder, in bytes
        self._ended = False

    def receive(self, data: bytes) -> None:
        """Take the next bytes of the body. They are ignored if the stream is over."""
        if self.state is CompletionState.OPEN:
            if self._at < len(self._data):
                data = self._data[self._at :] + data
            self._data, self._at = data, 0

    def end(self, broken: BaseException | None = None) -> None:
        """Record the end of the body. `broken` is the error of a connection that broke."""
        self._ended = True
        self._broken = broken

    def break_off(self, error: Exception) -> None:
        """Record that reading failed with `error`, and take the bytes that were read before it."""
        self.receive(partial_data(error))
        self.end(error)

    def feed(self, data: bytes) -> list[ChatCompletionChunk]:
        """Take the next bytes and return the chunks that they complete."""
        self.receive(data)
        return list(iter(self.next_chunk, None))

    def finish(self, broken: BaseException | None = None) -> list[ChatCompletionChunk]:
        """End the body and return the last chunks. `state` and `error` are final after that."""
        self.end(broken)
        return list(iter(self.next_chunk, None))

    def next_chunk(self) -> ChatCompletionChunk | None:
        """Return the next chunk, or None if the reader needs more bytes or the stream is over."""
        chunk = None
        while chunk is None and self.state is CompletionState.OPEN:
            start = self._at
            if self._chunks is not None:
                chunk = next(self._chunks, None)
                if chunk is None:
                    self._chunks = None
            elif start < len(self._data):
                if self._aligned:
                    chunk = self._read_line()
                else:
                    self._decode()
                if self._at == start:
                    break
            elif self._ended:
                self._chunks = self._last_chunks()
            else:
                break
        return chunk

    # ---- the fast path: an event of one line

    def _read_line(self) -> ChatCompletionChunk | None:
        """Read an event that is one line, `data: {...}`, and pass any other event to the decoder.

        A line whose JSON is not a chunk also goes to the decoder, so that errors are handled in one place. A chunk that
        clearly reports no error is accumulated here, because `_take_chunk` takes 0.1 of the time of `json.loads`. A
        line without its end is left unread.
        """
        data, start = self._data, self._at
        end = data.find(b"\n", start)
        if (
            data.startswith(BLANK_LINE, end)
            and data.startswith(b"data: {", start)
            and end - start <= self._longest_line
            and data.find(b"\r", start, end) < 0
        ):
            try:
                chunk: ChatCompletionChunk = _read_chunk(loads(data[start + 6 : end].decode()), 1)
            except (ValueError, RecursionError):
                pass
            else:
                self._at = end + 2
                self._frames += 1
                fields = chunk.__dict__
                choices = fields.get("choices")
                if (
                    self._accumulator.started
                    and choices
                    and "extra" not in choices[0].__dict__
                    and len(choices) == 1
                    and "error" not in fields
                    and "extra" not in fields
                    and fields.get("object") != "error"
                ):
                    return chunk if self._accumulate(chunk) else None
                if not self._accumulator.started:
                    self._report.note_event("message", data[start + 6 : end].decode())
                return self._take_chunk(chunk, "message")
        elif (
            end < 0
            and not self._ended
            and len(data) - start <= min(self._longest_line, _LONGEST_TAIL)
            and b"\r" not in data[start:]
        ):
            return None
        self._decode()
        return None

    # ---- the general path: blocks from the decoder

    def _decode(self) -> None:
        """Decode the bytes up to the next blank line, or all bytes if no blank line has arrived, so that no event is delayed."""
        data, problem = self._data, ""
        blank = re.compile(rb"\n+").match(data, self._at) if self._aligned else None
        if blank is not None:  # blank lines between events, which mean nothing
            self._at = blank.end()
            return
        end = data.find(BLANK_LINE, self._at)
        self._aligned = end >= 0 and not self._waits
        block = data[self._at :] if end < 0 else data[self._at : end + len(BLANK_LINE)]
        self._at += len(block)
        found: list[ServerSentEvent | Undispatched] = []
        try:
            found = self._decoder.decode(block)
            self._decoder.decode(b"")  # raises if the event after these is too large
        except ValueError as error:
            problem = str(error)
        if not self._frames:
            self._report.note_block(block)
        if found or problem:
            self._chunks = self._chunks_of(found, problem)
