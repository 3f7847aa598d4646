"""`transport=`: a function that sends requests instead of the client's own connections."""

from __future__ import annotations

import asyncio
import http.client
import io
import time
import traceback
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest
from client_calls import BOTH, ask
from together_adapters import (
    APIConnectionError,
    APITimeoutError,
    AsyncTogether,
    BadRequestError,
    IncompleteStreamError,
    InternalServerError,
    RateLimitError,
    Together,
)

FRAME = b'data: {"choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":%s}]}\n\n'
COMPLETION = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}'
ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


class Recorder:
    """A transport that returns prepared responses in turn and records the arguments of its calls."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[str, str, Mapping[str, str], bytes, float | None]] = []
        self.closed = 0

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout: float | None) -> Any:
        self.calls.append((method, url, headers, body, timeout))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def pieces(self, *pieces: bytes | Exception) -> Iterator[bytes]:
        try:
            for piece in pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.closed += 1


def test_transport_receives_url_headers_body_and_timeout_of_the_request() -> None:
    transport = Recorder((200, {"Content-Type": "application/json"}, [COMPLETION]))
    client = Together(api_key="sk-secret", transport=transport, base_url="https://gateway.example/v1?v=2", timeout=7)
    assert client.chat.completions.create(**ASKED, max_tokens=5, stop=None, anything=[1]).text == "hi"
    ((method, url, headers, body, timeout),) = transport.calls
    assert (method, url) == ("POST", "https://gateway.example/v1/chat/completions?v=2")
    assert dict(headers)["Authorization"] == "Bearer sk-secret" and "sk-secret" not in repr(headers)
    assert b'"anything":[1]' in body and b"stop" not in body and b"stream" not in body
    assert timeout is not None and 6 < timeout <= 7


def test_stream_through_transport_yields_its_chunks() -> None:
    transport = Recorder()
    transport.answers.append(
        (200, [], transport.pieces(FRAME % (b"a", b"null"), FRAME % (b"b", b'"stop"'), b"data: [DONE]\n\n"))
    )
    stream = Together(api_key="k", transport=transport).chat.completions.create(**ASKED, stream=True)
    assert [chunk.text for chunk in stream] == ["a", "b"]
    assert transport.closed == 1


def test_stream_closed_early_closes_body_of_transport() -> None:
    transport = Recorder()
    transport.answers.append((200, {}, transport.pieces(FRAME % (b"a", b"null"), FRAME % (b"b", b'"stop"'))))
    with Together(api_key="k", transport=transport).chat.completions.create(**ASKED, stream=True) as stream:
        assert next(stream).text == "a"
    assert transport.closed == 1 and stream.completion.state == "cancelled"


@pytest.mark.parametrize("problem", [OSError("gone"), EOFError(), http.client.BadStatusLine("x")], ids=repr)
def test_transport_with_a_broken_connection_raises_a_connection_error(problem: Exception) -> None:
    transport = Recorder(problem, (200, {}, COMPLETION))
    assert Together(api_key="k", transport=transport).chat.completions.create(**ASKED).text == "hi"
    with pytest.raises(APIConnectionError, match=r"cannot reach api\.together\.xyz") as failed:
        Together(api_key="k", transport=Recorder(problem), max_retries=0).chat.completions.create(**ASKED)
    assert failed.value.unanswered
    transport = Recorder()
    transport.answers.append((200, {}, transport.pieces(FRAME % (b"a", b"null"), problem)))
    with pytest.raises(IncompleteStreamError) as cut:
        list(Together(api_key="k", transport=transport).chat.completions.create(**ASKED, stream=True))
    assert cut.value.completion.response.text == "a" and transport.closed == 1


@pytest.mark.parametrize("problem", [RuntimeError("TLS not supported"), KeyError("js"), RecursionError()], ids=repr)
def test_transport_with_another_exception_is_called_once_and_raises_it_unchanged(problem: Exception) -> None:
    transport = Recorder(problem)
    with pytest.raises(type(problem)) as raised:
        Together(api_key="k", transport=transport).chat.completions.create(**ASKED)
    assert raised.value is problem and len(transport.calls) == 1
    transport.answers.append((200, {}, transport.pieces(FRAME % (b"a", b"null"), problem)))
    stream = Together(api_key="k", transport=transport).chat.completions.create(**ASKED, stream=True)
    with pytest.raises(type(problem)) as raised:
        list(stream)
    assert raised.value is problem and stream.completion.response.text == "a" and transport.closed == 1
    with pytest.raises(IncompleteStreamError, match=type(problem).__name__):
        next(stream)


@pytest.mark.parametrize("problem", [OSError("gone"), EOFError(), http.client.BadStatusLine("x")], ids=repr)
def test_broken_connection_of_asynchronous_transport_is_connection_error(problem: Exception) -> None:
    closed = []

    class Body:
        def __init__(self) -> None:
            self.pieces = [FRAME % (b"a", b"null")]

        def __aiter__(self) -> Body:
            return self

        async def __anext__(self) -> bytes:
            if self.pieces:
                return self.pieces.pop()
            raise problem

        async def aclose(self) -> None:
            closed.append(True)

    async def transport(*_: object) -> Any:
        if not closed:
            return 200, {}, Body()
        raise problem

    async def run() -> None:
        client = AsyncTogether(api_key="k", transport=transport, max_retries=0)
        stream = await client.chat.completions.create(**ASKED, stream=True)
        with pytest.raises(IncompleteStreamError) as cut:
            [chunk async for chunk in stream]
        assert cut.value.completion.response.text == "a" and closed == [True]
        with pytest.raises(APIConnectionError, match=r"cannot reach api\.together\.xyz") as failed:
            await client.chat.completions.create(**ASKED)
        assert failed.value.unanswered

    asyncio.run(run())


@pytest.mark.parametrize("problem", [RuntimeError("TLS not supported"), KeyError("js")], ids=repr)
def test_asynchronous_transport_with_another_exception_is_called_once_and_raises_it_unchanged(
    problem: Exception,
) -> None:
    calls = []

    async def body() -> AsyncIterator[bytes]:
        yield FRAME % (b"a", b"null")
        raise problem

    async def transport(*_: object) -> Any:
        calls.append(True)
        if len(calls) == 1:
            return 200, {}, body()
        raise problem

    async def run() -> None:
        client = AsyncTogether(api_key="k", transport=transport)
        stream = await client.chat.completions.create(**ASKED, stream=True)
        with pytest.raises(type(problem)) as raised:
            [chunk async for chunk in stream]
        assert raised.value is problem and stream.completion.response.text == "a"
        with pytest.raises(type(problem)) as raised:
            await client.chat.completions.create(**ASKED)
        assert raised.value is problem and len(calls) == 2

    asyncio.run(run())


def test_time_limits_apply_to_asynchronous_transport() -> None:
    async def transport(*_: object) -> Any:
        await asyncio.sleep(60)

    async def run() -> None:
        client = AsyncTogether(api_key="k", transport=transport, max_retries=0, timeout=0.1)
        with pytest.raises(APITimeoutError, match=r"no response within 0\.1 s"):
            await client.chat.completions.create(**ASKED)

    asyncio.run(run())


def test_status_error_of_transport_is_raised_unchanged() -> None:
    refused = BadRequestError("no such model: k-0123456789", status=400, request_id="r1")
    transport = Recorder(refused, (200, {}, COMPLETION))
    with pytest.raises(BadRequestError) as caught:
        Together(api_key="k-0123456789", transport=transport).chat.completions.create(**ASKED)
    assert caught.value is refused and str(refused) == "no such model: ***" and len(transport.calls) == 1


def test_timeout_of_transport_is_timeout_error() -> None:
    with pytest.raises(APITimeoutError):
        Together(api_key="k", transport=Recorder(TimeoutError()), max_retries=0).chat.completions.create(**ASKED)


def test_error_status_from_transport_is_retried() -> None:
    limited = (429, {"retry-after-ms": "1"}, [b'{"error": "slow down"}'])
    transport = Recorder(limited, limited, (200, {}, [COMPLETION]))
    assert Together(api_key="k", transport=transport).chat.completions.create(**ASKED).text == "hi"
    assert len({call[3] for call in transport.calls}) == 1 and len(transport.calls) == 3
    with pytest.raises(RateLimitError, match="slow down"):
        Together(api_key="k", transport=Recorder(*[limited] * 3)).chat.completions.create(**ASKED)


@pytest.mark.parametrize(
    "give", [bytes, bytearray, lambda body: [body], io.BytesIO], ids=["bytes", "bytearray", "list", "file"]
)
def test_body_of_transport_may_be_complete_at_once(give: Any) -> None:
    async def transport(*_: object) -> Any:
        return 200, [(b"content-type", b"application/json")], give(COMPLETION)

    async def call() -> str:
        return (await AsyncTogether(api_key="k", transport=transport).chat.completions.create(**ASKED)).text

    assert asyncio.run(call()) == "hi"
    answer = (200, [(b"content-type", b"application/json")], give(COMPLETION))
    assert Together(api_key="k", transport=Recorder(answer)).chat.completions.create(**ASKED).text == "hi"


def test_headers_of_transport_may_be_bytes() -> None:
    transport = Recorder((400, [(b"X-Request-Id", b"r1")], [b"{}"]))
    with pytest.raises(BadRequestError) as refused:
        Together(api_key="k", transport=transport).chat.completions.create(**ASKED)
    assert refused.value.request_id == "r1"


def test_exception_of_transport_with_key_is_not_shown() -> None:
    def transport(method: str, url: str, headers: Mapping[str, str], body: bytes, timeout: float | None) -> Any:
        authorization = headers["Authorization"]
        try:
            raise OSError(authorization)
        except OSError as error:
            raise ConnectionRefusedError(f"cannot send {authorization}") from error

    try:
        Together(api_key="sk-secret-0123456789", transport=transport, max_retries=0).chat.completions.create(**ASKED)
    except APIConnectionError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
        assert (
            "cannot send Bearer ***" in shown
            and "ConnectionRefusedError" not in shown
            and "authorization =" not in shown
        )


def late(*_: object) -> Any:
    time.sleep(0.25)
    raise TimeoutError("timed out")


async def late_async(*_: object) -> Any:
    await asyncio.sleep(0.25)
    raise TimeoutError("timed out")


@BOTH
@pytest.mark.parametrize(("limit", "reason"), [(0.2, "no response within 0.2 s"), (5, "timed out")])
def test_timeout_of_a_transport_after_the_limit_has_the_message_of_the_limit(
    kind: str, limit: float, reason: str
) -> None:
    transport = late if kind == "sync" else late_async
    error = ask(kind, transport=transport, timeout=limit, max_retries=0).error
    assert type(error) is APITimeoutError and reason in str(error)


@BOTH
@pytest.mark.parametrize("status", [200, 500])
def test_slow_body_of_a_transport_ends_at_the_limit(kind: str, status: int) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(40):
            yield b" "
            time.sleep(0.05)

    async def pieces_async() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" "
            await asyncio.sleep(0.05)

    async def transport_async(*_: object) -> Any:
        return status, {}, pieces_async()

    transport = transport_async if kind == "async" else lambda *_: (status, {}, pieces())
    started = time.monotonic()
    error = ask(kind, transport=transport, timeout=0.3, max_retries=0).error
    assert time.monotonic() - started < 1
    if status == 200:
        assert type(error) is APITimeoutError and "not complete 0.3 s after its first byte" in str(error)
    else:
        assert isinstance(error, InternalServerError)
