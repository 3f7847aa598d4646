"""`aws_lambda` reads events and formats responses as aws-lambda-powertools and mangum do.

Comments in the tests describe where those differ from each other or from AWS's documentation.
"""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest
from hypothesis import given, strategies as st
from lambda_sources import KINDS, Request, event_of, sent_by
from together_adapters.aws_lambda import parse_event, respond, respond_error, respond_stream
from together_adapters.errors import RateLimitError

from together_types import ChatCompletionResponse

data_classes = pytest.importorskip("aws_lambda_powertools.utilities.data_classes")
mangum = pytest.importorskip("mangum")
from aws_lambda_powertools.event_handler import (  # noqa: E402
    ALBResolver,
    APIGatewayHttpResolver,
    APIGatewayRestResolver,
    LambdaFunctionUrlResolver,
    Response,
)
from aws_lambda_powertools.shared.cookies import Cookie  # noqa: E402

CASES = sorted((Path(__file__).parents[2] / "data" / "lambda").glob("*.json"))
EVENTS = {path.stem: json.loads(path.read_text("utf-8"))["event"] for path in CASES}
HTTP = {name: event for name, event in EVENTS.items() if not name.startswith("direct")}
CLASSES = {
    "rest_v1": data_classes.APIGatewayProxyEvent,
    "http_v2": data_classes.APIGatewayProxyEventV2,
    "function_url": data_classes.LambdaFunctionUrlEvent,
    "alb": data_classes.ALBEvent,
}
RESOLVERS = {
    "rest_v1": APIGatewayRestResolver,
    "http_v2": APIGatewayHttpResolver,
    "function_url": LambdaFunctionUrlResolver,
    "alb": ALBResolver,
    "alb_multi": ALBResolver,
}
requests = st.builds(
    Request,
    method=st.sampled_from(["GET", "POST"]),
    path=st.sampled_from(["/", "/a", "/a/b"]),
    query=st.lists(st.tuples(st.text("ab +%&=é", min_size=1, max_size=3), st.text("ab +%&=é", max_size=3)), max_size=3),
    headers=st.lists(
        st.tuples(st.sampled_from(["X-A", "x-b", "X-C"]), st.text("xyz1", min_size=1, max_size=3)),
        max_size=3,
        unique_by=lambda pair: pair[0],
    ),
    cookies=st.lists(st.sampled_from(["a=1", "b=x y", "c="]), max_size=3, unique=True),
    body=st.binary(max_size=20),
)


def powertools(kind: str, event: Any) -> Any:
    read = CLASSES[kind](event)
    if kind == "alb":
        read.decode_query_parameters = True
    return read


def agree_with_powertools(event: Any) -> None:
    ours = parse_event(event)
    theirs = powertools(ours.kind, event)
    assert (ours.method, ours.path) == (theirs.http_method, theirs.path)
    try:
        assert ours.body == (theirs.decoded_body or "").encode()
    except UnicodeDecodeError:  # Powertools decodes bodies as text
        assert ours.body == base64.b64decode(theirs.body)
    for name, value in theirs.resolved_headers_field.items():
        joined = value if isinstance(value, str) else ("; " if name.lower() == "cookie" else ", ").join(value)
        assert ours.headers[name.lower()].replace(", ", ",") == joined.replace(", ", ",")
    if ours.kind not in ("http_v2", "function_url"):  # of these kinds Powertools splits values at commas
        query = theirs.resolved_query_string_parameters
        if ours.kind == "alb":  # Powertools does not decode "+", which is a space in forms
            query = {
                name.replace("+", " "): [value.replace("+", " ") for value in values] for name, values in query.items()
            }
        assert {name: [value.replace("+", " ") for value in values] for name, values in ours.query.items()} == {
            name: [value.replace("+", " ") for value in values] for name, values in query.items()
        }
    assert parse_event(theirs) == ours
    assert respond({"a": 1}, theirs, cookies=["a=1"]) == respond({"a": 1}, event, cookies=["a=1"])
    assert respond_error(KeyError(), theirs) == respond_error(KeyError(), event)
    assert respond_stream([], theirs) == respond_stream([], event)


@pytest.mark.parametrize("name", HTTP)
def test_recorded_event_is_read_as_by_powertools(name: str) -> None:
    if name != "http_v2_get":  # Powertools removes the length of the stage from the path, even if the path lacks it
        agree_with_powertools(HTTP[name])
    if name in ("rest_v1", "http_v2", "function_url"):
        assert parse_event(HTTP[name]).cookies == powertools(name, HTTP[name]).resolved_cookies_field


@pytest.mark.parametrize("kind", KINDS)
@given(request=requests)
def test_any_request_is_read_as_by_powertools(kind: str, request: Request) -> None:
    if kind.startswith("alb"):  # Powertools does not decode "+", so it confuses "+" with "%2B"
        request = request._replace(
            query=[(name.replace("+", ""), value.replace("+", "")) for name, value in request.query if name.strip("+")]
        )
    if kind == "alb":
        request = request._replace(query=list(dict(request.query).items()))
    agree_with_powertools(event_of(kind, request))


def seen_by_mangum(event: Any) -> dict[str, Any]:
    """Return the request that an ASGI application behind mangum receives."""
    seen: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope, body=(await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    asyncio.set_event_loop(asyncio.new_event_loop())
    try:
        mangum.Mangum(app, lifespan="off")(event, {})
    finally:
        asyncio.get_event_loop().close()
        asyncio.set_event_loop(None)
    return seen


@pytest.mark.parametrize("kind", KINDS)
@given(request=requests)
def test_any_request_is_read_as_by_mangum(kind: str, request: Request) -> None:
    if kind == "alb":
        request = request._replace(query=list(dict(request.query).items()))
    event = event_of(kind, request)
    ours, theirs = parse_event(event), seen_by_mangum(event)
    assert (ours.method, ours.path, ours.body) == (theirs["method"], unquote(theirs["path"]), theirs["body"])
    assert ours.query == parse_qs(theirs["query_string"].decode(), keep_blank_values=True)
    assert ours.headers == {name.decode(): value.decode() for name, value in theirs["headers"]}


def by_mangum(event: Any, status: int, headers: list[tuple[str, str]], body: bytes) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raw = [(name.encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    asyncio.set_event_loop(asyncio.new_event_loop())
    try:
        return mangum.Mangum(app, lifespan="off")(event, {})
    finally:
        asyncio.get_event_loop().close()
        asyncio.set_event_loop(None)


VALUES = [{"text": "hé"}, [], ChatCompletionResponse(id="x"), b"\xff\x00", None]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("cookies", [[], ["a=1"], ["a=1; Secure", "b=2"]], ids=len)
def test_response_reaches_the_client_as_from_mangum(kind: str, value: Any, cookies: list[str]) -> None:
    event = event_of(kind, Request("GET", "/", headers=[("x-a", "b")]))
    headers = {"x-one": "1", **({"content-type": "text/x"} if value is None else {})}  # mangum adds a missing one
    ours = sent_by(kind, respond(value, event, status=201, headers=headers, cookies=cookies))
    theirs = sent_by(kind, by_mangum(event, 201, ours.headers, ours.body))
    assert (ours.status, ours.body, sorted(ours.headers)) == (theirs.status, theirs.body, sorted(theirs.headers))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cookies", [[], ["a=1"], ["a=1", "b=2"]], ids=len)
def test_response_reaches_the_client_as_from_powertools(kind: str, cookies: list[str]) -> None:
    if kind == "alb" and len(cookies) > 1:
        pytest.skip("Powertools sends only the last cookie")
    event = event_of(kind, Request("GET", "/a", headers=[("x-a", "b")]))
    app = RESOLVERS[kind]()

    @app.get("/a")
    def answer() -> Any:
        made = [Cookie(*cookie.split("="), secure=False) for cookie in cookies]
        return Response(201, "application/json", '{"text":"h\\u00e9"}', headers={"x-one": "1"}, cookies=made)

    theirs = sent_by(kind, app(event, None))
    ours = sent_by(kind, respond({"text": "hé"}, event, status=201, headers={"x-one": "1"}, cookies=cookies))
    assert (ours.status, ours.body, sorted(ours.headers)) == (theirs.status, theirs.body, sorted(theirs.headers))


@pytest.mark.parametrize("kind", KINDS)
def test_powertools_resolver_returns_value_and_error_response(kind: str) -> None:
    """Powertools serialises a dataclass that a route returns with `dataclasses.asdict`, so the route returns a dict."""
    event = event_of(kind, Request("GET", "/a", headers=[("x-a", "b")]))
    app = RESOLVERS[kind]()
    app.get("/a")(lambda: ChatCompletionResponse(id="x").to_dict())
    assert json.loads(sent_by(kind, app(event, None)).body) == {"id": "x"}
    failed = RateLimitError("slow", status=429, retry_after=2)
    assert sent_by(kind, respond_error(failed, app.current_event)).status == 429
