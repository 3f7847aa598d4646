"""Calls with either client, so that one table tests both, and the check that an error contains no key."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import pytest
from together_adapters import APIError, AsyncTogether, Together

ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
KEY = "sk-secret-0123456789"
BOTH = pytest.mark.parametrize("kind", ["sync", "async"])
# Both clients, and the synchronous client over `urllib_transport`.
EACH = pytest.mark.parametrize("kind", ["sync", "async", "urllib"])


class Outcome(NamedTuple):
    texts: list[str]
    error: Exception | None = None
    state: str = ""


def ask(kind: str, *, stream: bool = False, parameters: dict[str, Any] | None = None, **options: Any) -> Outcome:
    """Make one call with a new client, close the client, and return the outcome."""
    asked = {**ASKED, **(parameters or {}), "stream": stream}
    options = options_for(kind, {"api_key": "sk-test-key", **options})
    if kind == "async":
        return asyncio.run(_ask_async(asked, options))
    texts: list[str] = []
    with Together(**options) as client:
        try:
            answer = client.chat.completions.create(**asked)
        except (APIError, ValueError) as error:
            return Outcome(texts, error)
        if not stream:
            return Outcome([answer.text])
        with answer:
            try:
                for chunk in answer:
                    texts.append(chunk.text)
            except APIError as error:
                return Outcome(texts, error, answer.completion.state)
        return Outcome(texts, None, answer.completion.state)


def options_for(kind: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a client. For the kind `urllib`, the TLS options become those of an opener."""
    if kind != "urllib":
        return options
    from ssl import create_default_context
    from urllib.request import HTTPSHandler, build_opener

    from together_adapters.http import urllib_transport

    options = dict(options)
    cafile, context = options.pop("cafile", None), options.pop("ssl_context", None)
    if cafile:
        context = create_default_context(cafile=cafile)
    opener = build_opener(HTTPSHandler(context=context)) if context else None
    return {**options, "transport": urllib_transport(opener)}


async def _ask_async(asked: dict[str, Any], options: dict[str, Any]) -> Outcome:
    texts: list[str] = []
    async with AsyncTogether(**options) as client:
        try:
            answer = await client.chat.completions.create(**asked)
        except (APIError, ValueError) as error:
            return Outcome(texts, error)
        if not asked["stream"]:
            return Outcome([answer.text])
        async with answer:
            try:
                async for chunk in answer:
                    texts.append(chunk.text)
            except APIError as error:
                return Outcome(texts, error, answer.completion.state)
        return Outcome(texts, None, answer.completion.state)


@contextmanager
def no_leaks() -> Iterator[None]:
    """Check that a block leaves no additional threads or open files, within 2 s after its end."""
    threads, files = threading.active_count(), _open_files()
    yield
    for _ in range(40):
        gc.collect()
        if threading.active_count() <= threads and _open_files() <= files:
            return
        time.sleep(0.05)
    assert (threading.active_count(), _open_files()) == (threads, files)


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0


async def seconds_to_cancel(call: Coroutine[Any, Any, object]) -> float:
    """Cancel a call after 0.3 s and return the seconds from the cancellation until its end."""
    task = asyncio.ensure_future(call)
    await asyncio.sleep(0.3)
    started = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return time.monotonic() - started


def assert_no_secret(error: BaseException | None, *secrets: str) -> None:
    """Check that an error, its causes and its contexts contain none of the secrets, by default the key.

    The check covers messages, reprs, attributes, and the variables of all frames outside the tests. The completion of
    a stream is not searched, because it has the text of the model.
    """
    seen: set[int] = set()
    queue = [error]

    def check(text: str, where: object) -> None:
        for secret in secrets or (KEY,):
            assert secret not in text, where

    while queue:
        error = queue.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        check(str(error) + repr(error), error)
        for name, value in vars(error).items():
            if name != "completion":
                check(repr(value), name)
        frame: TracebackType | None = error.__traceback__
        while frame is not None:
            code = frame.tb_frame.f_code
            if Path(__file__).parents[1] not in Path(code.co_filename).parents:
                for name, value in frame.tb_frame.f_locals.items():
                    check(repr(value), (code.co_name, name))
            frame = frame.tb_next
        queue += [error.__cause__, error.__context__]


@contextmanager
def alarm(seconds: float, error: Exception) -> Iterator[None]:
    """Raise an exception in the handler of SIGALRM, after some seconds, or if they are 0 when another thread sends it."""

    def ring(number: int, frame: object) -> None:
        raise error

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
