"""Retry rules: whether a failed request is sent again, and after how many seconds.

The header fields of a response can determine both: `x-should-retry`, `retry-after-ms` and `Retry-After`.

Does no I/O and does not sleep.
"""

from __future__ import annotations

import os
import re
import time

from ..errors import APIConnectionError, APIStatusError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..errors import APIError
    from ._http1 import Fields
    from ._timeouts import CallTimeouts

__all__ = ["Attempts", "rate_limits_in", "retry_after_in"]

_PREFIXES = ("x-ratelimit-", "x-rate-limit-", "ratelimit-", "anthropic-ratelimit-")
_UNITS = {"ms": 0.001, "us": 1e-6, "s": 1, "m": 60, "h": 3600, "d": 86400}
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0  # seconds
_LONGEST_ASKED = 60.0  # seconds: if the server asks for a longer pause, the request is not sent again


def retry_after_in(headers: Fields) -> float | None:
    """Return the seconds that the server asks the client to wait, or None if it does not ask.

    They are in `retry-after-ms`, or in `Retry-After` as a number or a date (RFC 9110, section 10.2.3).
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    asked = headers.get("retry-after")
    seconds = _number(asked)
    if seconds is None and asked:
        resume, now = _date(asked), _date(headers.get("date"))
        # Both dates are from the server's clock, which may differ from the local one.
        return None if resume is None else max(0.0, resume - (time.time() if now is None else now))
    return seconds


def rate_limits_in(headers: Fields) -> dict[str, float | str]:
    """Return the values of the rate-limit header fields, by name without the prefix.

    Numbers are converted, durations are converted to seconds, and other values are kept as text. Together sends
    `x-ratelimit-limit`, `-remaining` and `-reset`. OpenAI sends durations: `x-ratelimit-reset-requests: 6m0s`.
    """
    found: dict[str, float | str] = {}
    for name, value in headers.items():
        prefix = next((prefix for prefix in _PREFIXES if name.startswith(prefix)), None)
        if prefix is not None:
            figure = _number(value)
            figure = _duration(value) if figure is None else figure
            found[name[len(prefix) :]] = value if figure is None else figure
    return found


def _number(text: str) -> float | None:
    text = text.strip()
    if not (text.isascii() and text.replace(".", "", 1).isdigit()) or len(text) > 15:
        return None
    return float(text) if "." in text else int(text)


def _duration(text: str) -> float | None:
    """Return the seconds of a duration in Go's form (`6m0s`, `1.5s`, `20ms`), or None for other text."""
    total = 0.0
    for figure, unit in re.findall(r"([0-9.]*)([^0-9.]*)", text[:40].lower())[:-1]:  # the last match is empty
        number, seconds = _number(figure), _UNITS.get(unit)
        if number is None or seconds is None:
            return None
        total += number * seconds
    return total


def _date(text: str) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


class Attempts:
    """The attempts of one call: the first, and at most `retries` more.

    A request is sent again after the status 408, 409, 429 or 5xx, and if the connection failed before the first byte of
    a response. A rejected certificate is final. A response with `x-should-retry: true` or `false` overrides the rule
    for its status.

    The pause is the one that the server asks for, or else random (full jitter), so that clients that failed together do
    not retry together. The bound of a random pause starts at 0.5 s and doubles with each attempt, to at most 8 s.
    """

    def __init__(self, retries: int, timeouts: CallTimeouts) -> None:
        self._left = retries
        self._timeouts = timeouts
        self._bound = _FIRST_PAUSE

    def pause_after(self, error: APIError, should_retry: str = "") -> float | None:
        """Return the seconds to wait before the next attempt, or None if the error is final.

        `should_retry` is the value of the response's `x-should-retry`. An error is final if the rules exclude another
        attempt, no retries are left, the server asks for a pause of more than 60 s, or the call's time would be over
        before the next attempt.
        """
        if self._left <= 0 or not _may_pass(error, should_retry):
            return None
        self._left -= 1
        asked = error.retry_after if isinstance(error, APIStatusError) else None
        # Not `random`: its import takes longer than this whole method, and processes that are restored from the same
        # snapshot share its state.
        pause = self._bound * int.from_bytes(os.urandom(4), "big") / 2**32 if asked is None else asked
        self._bound = min(2 * self._bound, _LONGEST_PAUSE)
        return pause if pause < self._timeouts.remaining() and pause <= _LONGEST_ASKED else None


def _may_pass(error: APIError, should_retry: str) -> bool:
    if isinstance(error, APIStatusError):
        if should_retry in ("true", "false"):
            return should_retry == "true"
        return error.status in (408, 409, 429) or error.status >= 500
    return isinstance(error, APIConnectionError) and error.unanswered
