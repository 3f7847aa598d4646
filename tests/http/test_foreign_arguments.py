"""Arguments of other clients, and misspelled ones: the error names the argument of this library."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest
from client_calls import ASKED, BOTH, KEY, ask, assert_no_secret
from http_server import reply, serving
from together_adapters import AsyncTogether, Together
from together_adapters.http._argument_errors import OF_CREATE
from together_adapters.http._client_base import NOT_SENT

from together_types import ChatCompletionRequest

CLIENTS = pytest.mark.parametrize("client", [Together, AsyncTogether])
COMPLETION = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}'


# ---- create


@BOTH
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", sorted(NOT_SENT))
def test_parameter_of_other_clients_is_refused_by_create(kind: str, name: str, stream: bool) -> None:
    with serving(lambda _: [reply(COMPLETION)]) as server, pytest.raises(TypeError) as caught:
        ask(kind, base_url=server.base_url, stream=stream, parameters={name: {"X-Api-Key": KEY}})
    assert server.requests == []
    assert_no_secret(caught.value)
    assert str(caught.value).startswith(f"create() has no parameter {name!r}: ")
    assert str(caught.value).endswith(f"To send it to the server, use extra_body={{{name!r}: ...}}")


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("headers", "extra_headers={...}"),
        ("default_headers", "extra_headers={...}"),
        ("supplied_headers", "extra_headers={...}"),
        ("http_client", "Together(transport=...)"),
        ("api_key", "client.with_options(api_key=...)"),
        ("base_url", "Together(base_url=...)"),
        ("api_base", "Together(base_url=...)"),
        ("organization", "extra_headers={'OpenAI-Organization': ...}"),
        ("request_timeout", "timeout=..."),
        ("num_retries", "max_retries=..."),
        ("extra_json", "extra_body={...}"),
        ("proxies", "HTTPS_PROXY"),
        ("default_query", "extra_query={...}"),
        ("max_event_bytes", "client.with_options(max_event_bytes=...)"),
    ],
)
def test_error_of_create_names_the_parameter_of_this_library(name: str, ours: str) -> None:
    with pytest.raises(TypeError) as caught:
        Together(api_key="k").chat.completions.create(**ASKED, **{name: "x"})
    assert ours in str(caught.value)


@BOTH
def test_refused_parameter_can_be_sent_in_extra_body(kind: str) -> None:
    extra = dict.fromkeys(NOT_SENT, "x")
    with serving(lambda _: [reply(COMPLETION)]) as server:
        assert ask(kind, base_url=server.base_url, parameters={"extra_body": extra}).texts == ["hi"]
    assert server.requests[0].json == {**ASKED, **extra}


@BOTH
@pytest.mark.parametrize(
    "name", ["metadata", "user", "provider", "guided_json", "query", "engine", "proxy_", "Headers", "cache", "mock"]
)
def test_unknown_parameter_is_sent_unchanged(kind: str, name: str) -> None:
    with serving(lambda _: [reply(COMPLETION)]) as server:
        assert ask(kind, base_url=server.base_url, parameters={name: {"a": [1]}}).texts == ["hi"]
    assert server.requests[0].json == {**ASKED, name: {"a": [1]}}


def test_every_refused_parameter_has_an_alternative() -> None:
    assert OF_CREATE.keys() == NOT_SENT


def test_no_parameter_of_a_request_is_refused() -> None:
    assert NOT_SENT.isdisjoint([field.name for field in dataclasses.fields(ChatCompletionRequest)])


# ---- the constructors


@CLIENTS
@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("api_keyy", "did you mean api_key?"),
        ("apikey", "did you mean api_key?"),
        ("baseurl", "did you mean base_url?"),
        ("retries", "use max_retries=..."),
        ("max_retry", "did you mean max_retries?"),
        ("split_thinkin", "did you mean split_thinking?"),
        ("headers", "use supplied_headers={...}"),
        ("default_headers", "use supplied_headers={...}"),
        ("extra_headers", "use supplied_headers={...}"),
        ("http_client", "use transport=..."),
        ("organization", "use supplied_headers={'OpenAI-Organization': ...}"),
        ("project", "use supplied_headers={'OpenAI-Project': ...}"),
        ("proxies", "set HTTPS_PROXY in the environment, or use transport=..."),
        ("verify", "use cafile=... or ssl_context=..."),
        ("request_timeout", "use timeout=..."),
        ("api_base", "use base_url=..."),
        ("default_query", "add the query to base_url"),
        ("model", "give it to create()"),
    ],
)
def test_unknown_argument_of_a_client_is_refused(client: Any, name: str, suggestion: str) -> None:
    with pytest.raises(TypeError) as caught:
        client(**{"supplied_headers": {"X-Api-Key": KEY}, name: KEY})
    assert_no_secret(caught.value)
    assert str(caught.value) == f"{client.__name__}() has no argument {name!r}: {suggestion}"


@CLIENTS
def test_argument_that_resembles_none_is_refused_with_a_list(client: Any) -> None:
    with pytest.raises(TypeError) as caught:
        client(zzz=1)
    assert str(caught.value).startswith(
        f"{client.__name__}() has no argument 'zzz': its arguments are api_key, base_url"
    )


@CLIENTS
def test_every_unknown_argument_is_named(client: Any) -> None:
    with pytest.raises(TypeError) as caught:
        client(api_keyy=KEY, organization="o")
    assert "'api_keyy'" in str(caught.value) and "'organization'" in str(caught.value)


@CLIENTS
def test_positional_argument_of_a_client_is_refused(client: Any) -> None:
    with pytest.raises(TypeError) as caught:
        client(KEY)
    assert_no_secret(caught.value)
    name = client.__name__
    assert str(caught.value) == f"{name}() has no positional arguments: use their names, as in {name}(api_key=...)"


def test_error_names_the_subclass_that_was_called() -> None:
    class Gateway(Together):
        pass

    arguments: dict[str, Any] = {"api_keyy": "k"}
    with pytest.raises(TypeError, match=r"^Gateway\(\) has no argument 'api_keyy': did you mean api_key\?$"):
        Gateway(**arguments)


# ---- with_options


@CLIENTS
@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("max_retrys", "did you mean max_retries?"),
        ("default_headers", "use supplied_headers={...}"),
        ("base_url", "all clients over a pool have the same, so create a new client"),
        ("transport", "all clients over a pool have the same, so create a new client"),
        ("http_client", "all clients over a pool have the same, so create a new client"),
    ],
)
def test_unknown_argument_of_with_options_is_refused(client: Any, name: str, suggestion: str) -> None:
    made = client(api_key="k")
    with pytest.raises(TypeError) as caught:
        made.with_options(**{"api_key": KEY, name: KEY})
    assert_no_secret(caught.value)
    assert str(caught.value) == f"with_options() has no argument {name!r}: {suggestion}"


def test_async_create_refuses_when_it_is_awaited() -> None:
    async def main() -> None:
        call = AsyncTogether(api_key="k").chat.completions.create(**ASKED, headers={})
        with pytest.raises(TypeError, match="extra_headers"):
            await call

    asyncio.run(main())
