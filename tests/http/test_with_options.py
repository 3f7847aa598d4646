"""`with_options`: a client with other settings over the same connections. Also `api_key` as a coroutine function."""

from __future__ import annotations

import asyncio
import functools
import gc
import time
import traceback
from typing import Any

import pytest
from client_calls import ASKED, BOTH, KEY, ask, assert_no_secret, no_leaks
from http_server import Received, reply, serving
from together_adapters import APIStatusError, APITimeoutError, AsyncTogether, StreamError, Timeout, Together

OK = reply(b'{"choices":[{"index":0,"message":{"role":"assistant","content":"<think>a</think>hi"}}]}')
CLIENTS = pytest.mark.parametrize("client", [Together, AsyncTogether])
FRAME = b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


def call(client: Any, **parameters: Any) -> Any:
    """Make a call with either client. The asynchronous one is given to `asyncio.run` with its close."""
    if isinstance(client, Together):
        return client.chat.completions.create(**ASKED, **parameters)

    async def concurrent() -> Any:
        try:
            return await client.chat.completions.create(**ASKED, **parameters)
        finally:
            await client.close()

    return asyncio.run(concurrent())


def refused(function: Any) -> Exception:
    with pytest.raises(ValueError) as caught:
        function()
    assert_no_secret(caught.value)
    return caught.value


def test_both_clients_use_the_same_connection() -> None:
    with no_leaks(), serving(lambda _: [OK]) as server:
        with Together(api_key="one", base_url=server.base_url) as client:
            other = client.with_options(api_key="two", supplied_headers={"X-A": "1"})
            for sender in (client, other, client):
                sender.chat.completions.create(**ASKED)
        assert server.connections == 1
        sent = [(request.headers["authorization"], request.headers.get("x-a")) for request in server.requests]
        assert sent == [("Bearer one", None), ("Bearer two", "1"), ("Bearer one", None)]


def test_both_asynchronous_clients_use_the_same_connection() -> None:
    async def main() -> None:
        async with AsyncTogether(api_key="one", base_url=server.base_url) as client:
            for sender in (client, client.with_options(api_key="two"), client):
                await sender.chat.completions.create(**ASKED)

    with no_leaks(), serving(lambda _: [OK]) as server:
        asyncio.run(main())
        assert server.connections == 1


@pytest.mark.parametrize("first", [True, False])
def test_closing_either_client_closes_the_connections_of_both(first: bool) -> None:
    with serving(lambda _: [OK]) as server, Together(api_key="k", base_url=server.base_url) as client:
        other = client.with_options(max_retries=0)
        other.chat.completions.create(**ASKED)
        (client if first else other).close()
        for sender in (client, other):
            sender.chat.completions.create(**ASKED)
        assert server.connections == 2


def test_connections_stay_open_until_both_clients_are_deleted() -> None:
    with no_leaks(), serving(lambda _: [OK]) as server:
        client = Together(api_key="k", base_url=server.base_url).with_options(timeout=5)
        gc.collect()
        client.chat.completions.create(**ASKED)
        client.chat.completions.create(**ASKED)
        assert server.connections == 1
        del client


@CLIENTS
def test_settings_that_are_not_given_are_kept(client: Any) -> None:
    with serving(lambda _: [OK]) as server:
        made = client(
            api_key="one", base_url=server.base_url, supplied_headers={"X-A": "1", "X-B": "1"}, split_thinking=True
        )
        other = made.with_options(supplied_headers={"x-a": "2", "X-C": "2"}).with_options(timeout=9)
        assert call(other).text == "hi" and call(made).text == "hi"
        assert call(made.with_options(split_thinking=False)).text == "<think>a</think>hi"
    first, second, _ = [
        {name: request.headers.get(name) for name in ("authorization", "x-a", "x-b", "x-c")}
        for request in server.requests
    ]
    assert first == {"authorization": "Bearer one", "x-a": "2", "x-b": "1", "x-c": "2"}
    assert second == {"authorization": "Bearer one", "x-a": "1", "x-b": "1", "x-c": None}


@CLIENTS
def test_max_retries_of_with_options_applies(client: Any) -> None:
    with serving(lambda _: [reply(b"{}", "retry-after-ms: 1", status="500 No")]) as server:
        made = client(api_key="k", base_url=server.base_url, max_retries=0).with_options(max_retries=2)
        with pytest.raises(APIStatusError):
            call(made)
        assert len(server.requests) == 3


@CLIENTS
def test_time_limits_of_with_options_apply(client: Any) -> None:
    with serving(lambda _: [0.6, OK]) as server:
        made = client(api_key="k", base_url=server.base_url, max_retries=0, deadline=lambda: 0.2)
        for limit in ({"timeout": Timeout(first_byte=0.1), "deadline": float("inf")}, {"timeout": 0.1}, {}):
            with pytest.raises(APITimeoutError):
                call(made.with_options(**limit))
        assert call(made.with_options(deadline=float("inf"))).text.endswith("hi")
        assert call(made.with_options(deadline=time.time() + 60)).text.endswith("hi")


def test_max_event_bytes_of_with_options_applies() -> None:
    with serving(lambda _: [reply(FRAME, kind="text/event-stream")]) as server:
        client = Together(api_key="k", base_url=server.base_url)
        with pytest.raises(StreamError, match="10 bytes"):
            list(client.with_options(max_event_bytes=10).chat.completions.create(**ASKED, stream=True))
        assert [chunk.text for chunk in client.chat.completions.create(**ASKED, stream=True)] == ["hi"]
        client.close()


@CLIENTS
@pytest.mark.parametrize(
    "options",
    [
        {"api_key": KEY + "\n"},
        {"supplied_headers": {"X-Api-Key": KEY + "\n"}},
        {"supplied_headers": KEY},
        {"timeout": -1, "api_key": KEY},
        {"max_retries": -1, "api_key": KEY},
        {"max_event_bytes": 0, "api_key": KEY},
    ],
    ids=ascii,
)
def test_invalid_setting_is_refused_and_shows_no_secret(client: Any, options: dict[str, Any]) -> None:
    refused(lambda: client(api_key="k").with_options(**options))


@CLIENTS
@pytest.mark.parametrize("options", [{"api_key": KEY}, {"supplied_headers": {"Cookie": KEY}}], ids=ascii)
def test_credentials_of_with_options_are_not_sent_unencrypted(client: Any, options: dict[str, Any]) -> None:
    made = client(api_key="", base_url="http://192.0.2.1/v1")
    assert "insecure_http" in str(refused(lambda: made.with_options(**options)))
    client(api_key="", base_url="http://192.0.2.1/v1", insecure_http=True).with_options(**options)


@CLIENTS
def test_subclass_and_its_attributes_are_kept(client: Any) -> None:
    subclass = type("Gateway", (client,), {})
    made = subclass(api_key="k")
    made.team = "a"
    other = made.with_options(timeout=5)
    assert type(other) is subclass and other.team == "a" and repr(other) == repr(made)


# ---- the key


async def read_key() -> str:
    await asyncio.sleep(0)
    return "sk-from-a-coroutine"


class Vault:
    """A callable object whose call is a coroutine."""

    def __init__(self) -> None:
        self.reads = 0

    async def __call__(self) -> str:
        self.reads += 1
        return f"sk-read-{self.reads}"


def keys_of(server: Any) -> list[str]:
    return [request.headers["authorization"] for request in server.requests]


@pytest.mark.parametrize("key", [read_key, functools.partial(read_key)], ids=["function", "partial"])
@pytest.mark.parametrize("stream", [False, True])
def test_asynchronous_client_awaits_its_key(key: Any, stream: bool) -> None:
    answer = reply(FRAME, kind="text/event-stream") if stream else OK
    with serving(lambda _: [answer]) as server:
        assert ask("async", stream=stream, base_url=server.base_url, api_key=key).error is None
    assert keys_of(server) == ["Bearer sk-from-a-coroutine"]


def test_key_is_awaited_once_for_each_call() -> None:
    def respond(_: Received) -> list[bytes]:
        first = len(server.requests) == 1
        return [reply(b"{}", "retry-after-ms: 1", status="500 No") if first else OK]

    vault = Vault()
    with serving(respond) as server:
        client = AsyncTogether(api_key=vault, base_url=server.base_url)
        call(client)
        call(client.with_options(max_retries=0))
        call(client, extra_headers={"authorization": "Bearer other"})
    assert keys_of(server) == ["Bearer sk-read-1", "Bearer sk-read-1", "Bearer sk-read-2", "Bearer other"]


def test_function_without_a_coroutine_is_still_accepted() -> None:
    with serving(lambda _: [OK]) as server:
        call(AsyncTogether(base_url=server.base_url, api_key=lambda: "sk-plain"))
    assert keys_of(server) == ["Bearer sk-plain"]


@BOTH
@pytest.mark.parametrize("key", [KEY + "\n", KEY.encode(), [KEY]], ids=ascii)
def test_invalid_awaited_key_is_not_shown(kind: str, key: Any) -> None:
    async def read() -> Any:
        return key

    with serving(lambda _: [OK]) as server:
        source = read if kind == "async" else lambda: key
        refused(lambda: raised(ask(kind, base_url=server.base_url, api_key=source).error))
    assert server.requests == []


def raised(error: Exception | None) -> None:
    raise error or AssertionError


def test_error_of_a_coroutine_function_keeps_its_traceback() -> None:
    async def fail() -> str:
        raise ValueError("no credentials file")

    error = ask("async", api_key=fail).error
    assert error is not None and "fail" in [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def test_time_limits_apply_to_the_key() -> None:
    async def slow() -> str:
        await asyncio.sleep(30)
        return "k"

    started = time.monotonic()
    outcome = ask("async", api_key=slow, timeout=Timeout(total=0.2))
    assert isinstance(outcome.error, APITimeoutError) and time.monotonic() - started < 5


def test_key_is_not_read_after_the_deadline() -> None:
    outcome = ask("async", api_key=read_key, deadline=lambda: 0)
    assert isinstance(outcome.error, APITimeoutError) and "the deadline passed" in str(outcome.error)


def test_synchronous_client_refuses_a_coroutine_function() -> None:
    key: Any = read_key
    with pytest.raises(TypeError, match="api_key is a coroutine function, which only AsyncTogether accepts"):
        ask("sync", api_key=key)
