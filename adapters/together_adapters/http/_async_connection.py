"""A connection of the asynchronous client: an asyncio protocol that buffers received data for its single reader.

It is used instead of asyncio's StreamReader for three reasons: a read creates only one future, a time limit needs
neither a task nor a timer for each read, and TLS can start inside a proxy's tunnel on every version of Python.

Does not import asyncio.
"""

from __future__ import annotations

import time

from ._exchange import ClientClosed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future, TimerHandle, Transport as LoopTransport

    from ._timeouts import Deadline

__all__ = ["AsyncConnection"]

_MOST_WAITING = 262144  # bytes: while more than these are buffered, the socket is not read


class AsyncConnection:
    """A connection of one event loop. Its methods may be called only in that loop's thread."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.loop = loop
        self.transport: LoopTransport | None = None
        self._arrived: list[bytes] = []
        self._size = 0
        self._paused = False
        self._ended = False
        self._problem: Exception | None = None
        self._reader: Future[None] | None = None
        self._writer: Future[None] | None = None
        self._deadline: Deadline | None = None
        self._timer: TimerHandle | None = None
        self._timer_moment = 0.0

    # ---- called by the event loop

    def connection_made(self, transport: LoopTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._arrived.append(data)
        self._size += len(data)
        if self._size > _MOST_WAITING and self.transport is not None and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        _wake(self._reader)

    def eof_received(self) -> None:
        self._ended = True
        _wake(self._reader)

    def connection_lost(self, problem: Exception | None) -> None:
        self._ended = True
        self._problem = self._problem or problem
        _wake(self._reader)
        _wake(self._writer)

    def pause_writing(self) -> None:
        self._writer = self.loop.create_future()

    def resume_writing(self) -> None:
        writer, self._writer = self._writer, None
        _wake(writer)

    # ---- called by the client

    async def send(self, data: memoryview, deadline: Deadline) -> None:
        """Write `data`, and wait while the transport's buffer is full.

        Raises OSError if the connection has ended, and APITimeoutError after the deadline. If it ends during the wait,
        this method returns, and `receive` raises the error, if any.
        """
        if self._ended or self.transport is None:
            raise self._problem or ConnectionResetError("the connection was closed")
        self.transport.write(data)
        if self._writer is not None:
            await self._wait(self._writer, deadline)

    async def receive(self, deadline: Deadline) -> bytes:
        """Return the data that has arrived, or b"" at the end, and wait for it if necessary.

        Raises OSError if the connection fails, and APITimeoutError after the deadline.
        """
        if not self._arrived and not self._ended:
            self._reader = self.loop.create_future()
            try:
                await self._wait(self._reader, deadline)
            finally:
                self._reader = None
        data = self.receive_now()
        return b"" if data is None else data

    def receive_now(self) -> bytes | None:
        """Return the data that has arrived, b"" at the end, or None if no data has arrived, without waiting.

        Raises OSError if the connection has failed.
        """
        if self._arrived:
            data = self._arrived[0] if len(self._arrived) == 1 else b"".join(self._arrived)
            self._arrived.clear()
            self._size = 0
            if self._paused and self.transport is not None and not self._ended:
                self._paused = False
                self.transport.resume_reading()
            return data
        if self._problem is not None:
            raise self._problem
        return b"" if self._ended else None

    def cancel_timer(self) -> None:
        """Cancel the timer, which an idle connection does not need."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self) -> None:
        """Close the connection immediately. A waiting `receive` raises ClientClosed, and a waiting `send` returns."""
        self.cancel_timer()
        if not self._ended:
            self._ended, self._problem = True, ClientClosed()
        if self.transport is not None and not self.loop.is_closed():
            self.transport.abort()
        _wake(self._reader)
        _wake(self._writer)

    @property
    def was_closed(self) -> bool:
        return isinstance(self._problem, ClientClosed)

    # ---- time

    async def _wait(self, future: Future[None], deadline: Deadline) -> None:
        self._deadline, left = deadline, deadline.remaining()
        # One timer serves many reads. It is restarted only if it fires too early, or would fire too late.
        if left is not None and (self._timer is None or deadline.moment < self._timer_moment):
            self.cancel_timer()
            self._set_timer(left, deadline.moment)
        await future

    def _set_timer(self, left: float, moment: float) -> None:
        self._timer, self._timer_moment = self.loop.call_later(left, self._on_timeout), moment

    def _on_timeout(self) -> None:
        self._timer = None
        waiting = [future for future in (self._reader, self._writer) if future is not None and not future.done()]
        deadline = self._deadline
        if not waiting or deadline is None:
            return
        left = deadline.moment - time.monotonic()
        if left == float("inf"):
            return
        if left > 0:
            self._set_timer(left, deadline.moment)
            return
        for future in waiting:
            future.set_exception(deadline.timeout_error())


def _wake(future: Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)
