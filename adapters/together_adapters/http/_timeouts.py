"""Time limits of a call: a timeout for each kind of wait, and a deadline for the whole call.

Computes by the monotonic clock how long the next wait may take. Does no I/O and does not wait.
"""

from __future__ import annotations

import time

from .._named_tuple import NamedTuple
from ..errors import APITimeoutError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Union

    DeadlineLike = Union[float, datetime, Callable[[], float]]

__all__ = ["CallTimeouts", "Deadline", "ReadDeadlines", "Timeout", "timeout_of"]

_FOREVER = float("inf")
_LONGEST = 4e6  # seconds (46 days): every system call accepts a timeout of this length
_UNIX_TIME = 1e9  # seconds: larger numbers are Unix time, because the monotonic clock starts near the machine's boot


class Timeout(NamedTuple):
    """The time limits of a call, in seconds. None means no limit.

    - `connect`: until the connection is established, including name resolution and TLS.
    - `first_byte`: from the connection until the first byte of the response body.
    - `idle`: between two reads of a stream. A response without streaming must be complete within this time after its
      first byte.
    - `total`: for the whole call, including retries and the stream.
    """

    connect: float | None = 10.0
    first_byte: float | None = 600.0
    idle: float | None = 300.0
    total: float | None = None


class Deadline:
    """A moment of the monotonic clock, and the message of the error if it passes."""

    __slots__ = ("moment", "problem")

    def __init__(self, moment: float, problem: str) -> None:
        self.moment: float = moment
        self.problem: str = problem

    def remaining(self) -> float | None:
        """Return the seconds until the deadline, or None without a limit. Raises APITimeoutError if it has passed."""
        if self.moment == _FOREVER:
            return None
        left = self.moment - time.monotonic()
        if left <= 0:
            raise self.timeout_error()
        return min(left, _LONGEST)

    def split(self, waits: int) -> Deadline:
        """Return the deadline of the next of several waits that share the remaining time equally."""
        left = self.remaining()
        return self if left is None else Deadline(time.monotonic() + left / waits, self.problem)

    def timeout_error(self) -> APITimeoutError:
        return APITimeoutError(self.problem)


class CallTimeouts:
    """The time limits of one call, which starts now."""

    def __init__(self, timeout: Timeout, deadline: DeadlineLike | None) -> None:
        self._timeout = timeout
        self._stalled = (
            f"no more data arrived within {timeout.idle or 0:g} s"  # formatted once, because every read uses it
        )
        now = time.monotonic()
        self._end = Deadline(_FOREVER, "")
        if timeout.total is not None:
            self._end = Deadline(now + timeout.total, f"the call took longer than {timeout.total:g} s")
        if deadline is not None and (moment := _moment_of(deadline, now)) < self._end.moment:
            self._end = Deadline(moment, "the deadline passed")

    def remaining(self) -> float:
        """Return the seconds until the end of the call: infinite without a limit, negative after the end."""
        return self._end.moment - time.monotonic()

    def total(self) -> Deadline:
        return self._end

    def connecting(self) -> Deadline:
        return self._within(self._timeout.connect, "no connection within {:g} s")

    def first_byte(self) -> Deadline:
        return self._within(self._timeout.first_byte, "no response within {:g} s")

    def idle(self) -> Deadline:
        seconds = self._timeout.idle
        if seconds is None or (moment := time.monotonic() + seconds) >= self._end.moment:
            return self._end
        return Deadline(moment, self._stalled)

    def complete(self) -> Deadline:
        return self._within(self._timeout.idle, "the response was not complete {:g} s after its first byte")

    def _within(self, seconds: float | None, problem: str) -> Deadline:
        if seconds is None or (moment := time.monotonic() + seconds) >= self._end.moment:
            return self._end
        return Deadline(moment, problem.format(seconds))


class ReadDeadlines:
    """The deadlines for the reads of one response. `streamed` is true if a stream was requested."""

    def __init__(self, timeouts: CallTimeouts, *, streamed: bool) -> None:
        self.last: Deadline = timeouts.first_byte()
        """The deadline of the last read, or of the first one before it."""
        self._timeouts = timeouts
        self._streamed = streamed
        self._begun = False

    def next(self) -> Deadline:
        """Return the deadline of the next read."""
        if self._begun and self._streamed:
            self.last = self._timeouts.idle()
        return self.last

    def begin(self, status: int) -> None:
        """Note that bytes of the body have arrived, in a response with this status."""
        if not self._begun:
            self._begun = True
            self._streamed = self._streamed and 200 <= status < 300  # an error response is not a stream
            if not self._streamed:
                self.last = self._timeouts.complete()


def timeout_of(timeout: float | Timeout | None) -> Timeout:
    """Return a timeout argument as a Timeout: a number is the limit of each wait, and None means the defaults.

    Raises ValueError for a limit that is not above 0.
    """
    if timeout is None:
        return Timeout()
    timeouts = timeout if isinstance(timeout, Timeout) else Timeout(timeout, timeout, timeout)
    for limit in timeouts:
        if limit is not None and not limit > 0:
            raise ValueError(f"a timeout must be a number of seconds above 0, got {limit!r}")
    return timeouts


def _moment_of(deadline: DeadlineLike, now: float) -> float:
    """Return a deadline, in any of its forms, as a moment of the monotonic clock."""
    if callable(deadline):
        # Lambda's `context.get_remaining_time_in_millis` returns milliseconds.
        per_second = 1000 if getattr(deadline, "__name__", "").endswith("millis") else 1
        return now + deadline() / per_second
    moment = deadline if isinstance(deadline, (int, float)) else deadline.timestamp()
    return now + moment - time.time() if moment > _UNIX_TIME else float(moment)
