"""Parameters of `create` that configure one call: additional headers, query and body, and the number of retries."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from client_calls import ASKED, BOTH, KEY, ask, assert_no_secret
from http_server import Received, reply, serving
from together_adapters import APIStatusError, AsyncTogether, Together

from together_types import ChatCompletionRequest

COMPLETION = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}'
OK = reply(COMPLETION)
FRAME = b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


def received(kind: str, *, path: str = "", stream: bool = False, parameters: Any = None, **options: Any) -> Received:
    """Return the request that the server received from a successful call."""
    answer = reply(FRAME, kind="text/event-stream") if stream else OK
    with serving(lambda _: [answer]) as server:
        outcome = ask(kind, stream=stream, parameters=parameters, base_url=server.base_url + path, **options)
    assert outcome.error is None and outcome.texts == ["hi"]
    (request,) = server.requests
    return request


def refused(kind: str, parameters: Any = None, **options: Any) -> Exception:
    """Return the error of a call for which nothing is sent, after a search of its frames for KEY."""
    with serving(lambda _: [OK]) as server, pytest.raises(ValueError) as caught:
        outcome = ask(kind, parameters=parameters, **{"base_url": server.base_url, **options})
        raise outcome.error or AssertionError
    assert server.requests == []
    assert_no_secret(caught.value)
    return caught.value


# ---- headers


@BOTH
@pytest.mark.parametrize("stream", [False, True])
def test_extra_headers_override_those_of_the_client(kind: str, stream: bool) -> None:
    extra = {"x-team": "b", "AUTHORIZATION": "Bearer other-key", "accept": "x/y", "X-Trace": "1"}
    request = received(
        kind, stream=stream, supplied_headers={"X-Team": "a", "X-Kept": "k"}, parameters={"extra_headers": extra}
    )
    assert request.json == {**ASKED, **({"stream": True} if stream else {})}
    sent = {name: request.headers[name] for name in ("x-team", "x-kept", "authorization", "accept", "x-trace")}
    assert sent == {"x-team": "b", "x-kept": "k", "authorization": "Bearer other-key", "accept": "x/y", "x-trace": "1"}


@BOTH
def test_extra_headers_apply_to_one_call(kind: str) -> None:
    extra = {"X-Trace": "1"}
    with serving(lambda _: [OK]) as server:
        both_calls(kind, server.base_url, {"extra_headers": extra}, {})
    assert [request.headers.get("x-trace") for request in server.requests] == ["1", None]
    assert extra == {"X-Trace": "1"}


def both_calls(kind: str, url: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
    """Make two calls with one client."""

    async def concurrent() -> None:
        async with AsyncTogether(api_key="k", base_url=url) as client:
            await client.chat.completions.create(**ASKED, **first)
            await client.chat.completions.create(**ASKED, **second)

    if kind == "async":
        asyncio.run(concurrent())
        return
    with Together(api_key="k", base_url=url) as client:
        client.chat.completions.create(**ASKED, **first)
        client.chat.completions.create(**ASKED, **second)


def test_last_of_two_headers_with_one_name_is_sent() -> None:
    sent: list[Mapping[str, str]] = []

    def transport(method: str, url: str, headers: Mapping[str, str], *_: object) -> Any:
        sent.append(headers)
        return 200, {}, [COMPLETION]

    both = {"X-Key": "first", "x-key": "second"}
    ask("sync", transport=transport, supplied_headers=both)
    ask("sync", transport=transport, parameters={"extra_headers": both})
    assert [[headers[name] for name in headers if name.lower() == "x-key"] for headers in sent] == [["second"]] * 2


WRONG_HEADERS: list[Any] = [
    {"Authorization": f"Bearer {KEY}\r\nX: y"},
    {"X-Api-Key": KEY, "X": "\u20ac"},
    {"X-Api-Key": KEY, "X y": "a"},
    {"X-Api-Key": KEY, "Content-Length": "5"},
    {"X-Api-Key": KEY.encode()},
    {"X-Api-Key": KEY, 5: "a"},
    [("X-Api-Key", KEY, "c")],
    KEY,
]


@BOTH
@pytest.mark.parametrize("extra", WRONG_HEADERS, ids=ascii)
def test_invalid_extra_headers_are_refused_and_not_shown(kind: str, extra: Any) -> None:
    refused(kind, parameters={"extra_headers": extra})


@BOTH
def test_extra_headers_of_another_type_are_refused(kind: str) -> None:
    error = refused(kind, parameters={"extra_headers": 5})
    assert str(error) == "extra_headers must be a mapping, got int"
    error = refused(kind, parameters={"extra_headers": {"X-Try": 3}})
    assert str(error) == "the header X-Try must be a str, got int"


@BOTH
def test_credentials_in_extra_headers_are_not_sent_unencrypted(kind: str) -> None:
    options: dict[str, Any] = {"api_key": "", "base_url": "http://192.0.2.1/v1"}
    error = refused(kind, parameters={"extra_headers": {"X-Api-Key": KEY}}, **options)
    assert "https" in str(error) and "insecure_http" in str(error)


@BOTH
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", ["401 No", "200 OK"])
def test_credentials_in_extra_headers_are_concealed(kind: str, stream: bool, status: str) -> None:
    body = json.dumps({"error": {"message": f"wrong key {KEY}"}}).encode()
    with serving(lambda _: [reply(body, status=status)]) as server:
        outcome = ask(
            kind,
            stream=stream,
            base_url=server.base_url,
            max_retries=0,
            parameters={"extra_headers": {"X-Api-Key": KEY}},
        )
    assert outcome.error is not None and "***" in str(outcome.error)
    assert_no_secret(outcome.error)


@BOTH
def test_credentials_in_extra_headers_are_not_in_frames_of_a_connection_error(kind: str) -> None:
    extra = {"Cookie": f"session={KEY}"}
    outcome = ask(
        kind, base_url="http://127.0.0.1:9/v1", max_retries=0, parameters={"extra_headers": extra, "extra_query": extra}
    )
    assert outcome.error is not None
    assert_no_secret(outcome.error)


# ---- query


@BOTH
def test_extra_query_is_encoded_and_added_to_the_url(kind: str) -> None:
    extra = {"a b": "\u00e9 &=#?\r\n", "n": 5, "f": 1.5, "yes": True, "no": False, "none": None, "l": ["1", 2], "e": ""}
    request = received(kind, parameters={"extra_query": extra})
    query = "a%20b=%C3%A9%20%26%3D%23%3F%0D%0A&n=5&f=1.5&yes=true&no=false&l=1&l=2&e="
    assert request.line == f"POST /v1/chat/completions?{query} HTTP/1.1"
    assert request.json == ASKED


@BOTH
def test_query_of_base_url_is_kept_unless_extra_query_has_its_name(kind: str) -> None:
    request = received(kind, path="?api-version=1&a%20b=x&k=%2F&flag", parameters={"extra_query": {"a b": "y", "z": 1}})
    assert request.line == "POST /v1/chat/completions?api-version=1&k=%2F&flag&a%20b=y&z=1 HTTP/1.1"
    removed = received(kind, path="?api-version=1&k=2", parameters={"extra_query": {"api-version": None}})
    assert removed.line == "POST /v1/chat/completions?k=2 HTTP/1.1"
    unchanged = received(kind, path="?api-version=1", parameters={"extra_query": {"none": None}})
    assert unchanged.line == "POST /v1/chat/completions?api-version=1 HTTP/1.1"


@BOTH
@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("a=1", "extra_query must be a mapping, got str"),
        ({5: "a"}, "a name in extra_query must be a str, got int"),
        ({"a": {"b": KEY}}, "extra_query['a'] must be a str, number, bool or list of them, got dict"),
        ({"a": [[KEY]]}, "extra_query['a'] must be a str, number, bool or list of them, got list"),
        ({"a": KEY.encode()}, "extra_query['a'] must be a str, number, bool or list of them, got bytes"),
    ],
    ids=ascii,
)
def test_invalid_extra_query_is_refused(kind: str, query: Any, problem: str) -> None:
    assert str(refused(kind, parameters={"extra_query": query})) == problem


@BOTH
def test_extra_query_with_a_lone_surrogate_is_refused(kind: str) -> None:
    error = refused(kind, parameters={"extra_query": {"key": KEY + "\ud800"}})
    assert str(error) == "extra_query has a character that UTF-8 cannot encode"


@BOTH
def test_credential_in_query_is_concealed(kind: str) -> None:
    body = json.dumps({"error": {"message": f"wrong key {KEY} or {KEY}%2F"}}).encode()
    with serving(lambda _: [reply(body, status="401 No")]) as server:
        for path, extra in (("", {"api_key": KEY + "/"}), (f"?key={KEY}%2F", None)):
            outcome = ask(kind, base_url=server.base_url + path, parameters={"extra_query": extra})
            assert isinstance(outcome.error, APIStatusError)
            assert_no_secret(outcome.error, KEY + "/", KEY + "%2F")


def test_credential_in_query_is_concealed_in_the_error_of_a_transport() -> None:
    def failing(method: str, url: str, *_: object) -> Any:
        raise ConnectionError(f"cannot open {url}")

    outcome = ask("sync", transport=failing, max_retries=0, parameters={"extra_query": {"api_key": KEY + "="}})
    assert outcome.error is not None and "api_key=***" in str(outcome.error)
    assert_no_secret(outcome.error)


# ---- body


@BOTH
def test_extra_body_replaces_parameters_and_is_not_merged_deeply(kind: str) -> None:
    parameters = {"top_k": 1, "seed": 3, "logit_bias": {"1": 1}, "stop": None, "headers_": {}}
    extra = {"top_k": 5, "logit_bias": {"2": 2}, "stop": None, "headers": {"a": 1}, "timeout": 3, "model": "other"}
    request = received(kind, parameters={**parameters, "extra_body": extra})
    assert request.json == {**ASKED, **parameters, **extra}
    assert b'"stop":null' in request.body


@BOTH
def test_extra_body_may_be_a_value(kind: str) -> None:
    request = received(kind, parameters={"extra_body": ChatCompletionRequest(model="other", top_k=5)})
    assert request.json == {**ASKED, "model": "other", "top_k": 5, "stream": False}


@BOTH
def test_stream_in_extra_body_does_not_change_the_type_of_the_result(kind: str) -> None:
    with serving(lambda _: [reply(FRAME, kind="text/event-stream")]) as server:
        outcome = ask(kind, base_url=server.base_url, parameters={"extra_body": {"stream": True}})
    assert outcome.texts == ["hi"]
    assert server.requests[0].json["stream"] is True
    assert server.requests[0].headers["accept"] == "text/event-stream"


@BOTH
@pytest.mark.parametrize("extra", [5, "{}", [1]], ids=ascii)
def test_extra_body_of_another_type_is_refused(kind: str, extra: Any) -> None:
    error = refused(kind, parameters={"extra_body": extra})
    assert str(error) == f"extra_body must be a mapping, got {type(extra).__name__}"


# ---- retries


@BOTH
@pytest.mark.parametrize(("of_client", "of_call", "attempts"), [(0, 2, 3), (2, 0, 1), (1, None, 2)])
def test_max_retries_of_call_replaces_that_of_client(
    kind: str, of_client: int, of_call: int | None, attempts: int
) -> None:
    with serving(lambda _: [reply(b"{}", "retry-after-ms: 1", status="500 No")]) as server:
        outcome = ask(
            kind, base_url=server.base_url, max_retries=of_client, parameters={"max_retries": of_call, "top_k": 1}
        )
    assert isinstance(outcome.error, APIStatusError)
    assert [request.json for request in server.requests] == [{**ASKED, "top_k": 1}] * attempts


@BOTH
@pytest.mark.parametrize("retries", [-1, "3", 1.5, True, [2]], ids=ascii)
def test_invalid_max_retries_is_refused(kind: str, retries: Any) -> None:
    expected = f"max_retries must be a whole number of at least 0, got {retries!r}"
    assert str(refused(kind, parameters={"max_retries": retries})) == expected
    for client in (Together, AsyncTogether):
        with pytest.raises(ValueError) as caught:
            client(api_key="k", max_retries=retries)
        assert str(caught.value) == expected
