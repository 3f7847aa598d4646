"""Events of every source are read, responses have the format of their source, and secrets are not sent."""

from __future__ import annotations

import base64
import json
import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from corpus import BODIES, STREAMS, TYPES, label, objects
from hypothesis import given, strategies as st
from lambda_sources import KINDS, Request, event_of, sent_by
from together_adapters import errors
from together_adapters.accumulate import accumulate
from together_adapters.aws_lambda import (
    STREAMING,
    EventKind,
    HttpEvent,
    ResponseTooLargeError,
    deadline_from,
    parse_event,
    respond,
    respond_error,
    respond_stream,
)
from together_adapters.aws_lambda._sources import SOURCES
from together_adapters.stream import iter_chunks

from together_types import ChatCompletionChunk, ChatCompletionResponse, ParseError, UsageData

CASES = sorted((Path(__file__).parents[1] / "data" / "lambda").glob("*.json"))
BODY = max(BODIES, key=lambda path: path.stat().st_size)
STREAM = max(STREAMS, key=lambda path: path.stat().st_size)
POST = Request("POST", "/v1/chat", body=b"{}")
LIMIT = 6 * 2**20
assert CASES

token = st.text("abcdefgXYZ-_09", min_size=1, max_size=8)
value = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=",;="), min_size=1, max_size=8)
requests = st.builds(
    Request,
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    path=st.builds("/{}".format, token),
    query=st.lists(st.tuples(st.text(min_size=1, max_size=4), st.text(max_size=4)), max_size=4),
    headers=st.lists(
        st.tuples(st.builds("x-{}".format, token), value), max_size=4, unique_by=lambda pair: pair[0].lower()
    ),
    cookies=st.lists(st.builds("{}={}".format, token, value), max_size=3, unique_by=lambda pair: pair.split("=")[0]),
    body=st.one_of(st.binary(max_size=20), st.text(max_size=20).map(lambda text: text.encode("utf-8"))),
)
texts = st.text(st.characters(), max_size=8)  # lone surrogates are among them
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=12
)


def case(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def valid(response: Any) -> Any:
    """Assert that every runtime can serialise a returned value, as strict JSON in UTF-8, and return the value."""
    text = json.dumps(response, ensure_ascii=False, allow_nan=False)
    assert json.loads(text.encode("utf-8")) == response
    return response


# ---- events


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_recorded_event_is_read_and_pickled(path: Path) -> None:
    data = case(path)
    read, expected = parse_event(data["event"]), data["request"]
    assert read._replace(raw=None) == HttpEvent(**{**expected, "body": base64.b64decode(expected["body"])}, raw=None)
    assert read.raw is data["event"]
    assert pickle.loads(pickle.dumps(read)) == read
    assert parse_event(read) == read


@pytest.mark.parametrize("kind", KINDS)
@given(request=requests)
def test_request_is_equal_from_every_source(kind: str, request: Request) -> None:
    if kind == "alb":  # a load balancer without multi-value headers forwards only the last value of each name
        request = request._replace(query=list(dict(request.query).items()))
    read = parse_event(json.loads(json.dumps(event_of(kind, request))))
    assert (read.kind, read.method, read.path, read.body) == (kind.removesuffix("_multi"), *request[:2], request.body)
    assert [(name, value) for name, values in read.query.items() for value in values] == sorted(
        request.query, key=lambda pair: list(dict(request.query)).index(pair[0])
    )
    cookies = {"cookie": "; ".join(request.cookies)} if request.cookies else {}
    assert read.headers == {**{name.lower(): text for name, text in request.headers}, **cookies}
    assert read.cookies == dict(pair.split("=") for pair in request.cookies)


@given(trees)
def test_direct_event_body_is_payload(payload: Any) -> None:
    read = parse_event(payload)
    assert read[:6] == ("direct", "", "", {}, {}, {})
    json.loads(read.body)  # does not raise
    assert parse_event([payload]).json() == respond([payload], [payload])


MUTABLE = [
    (kind, key) for kind in KINDS for key in event_of(kind, POST) if key not in ("version", "routeKey", "resource")
]


@pytest.mark.parametrize(("kind", "key"), MUTABLE)
@pytest.mark.parametrize(
    "wrong", [7, "text", ["x", 1], {"k": 1}, {"k": [1]}, {"k": {}}, None, True, "\ud800"], ids=repr
)
def test_malformed_event_is_read_or_parse_error(kind: str, key: str, wrong: Any) -> None:
    event = {**event_of(kind, POST), key: wrong}
    try:
        read = parse_event(event)
    except ParseError as error:
        assert error.path and str(error)
        valid(respond_error(error, event))
    else:
        assert isinstance(read.body, bytes) and isinstance(read.method, str) and isinstance(read.path, str)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "Infinity"])
def test_body_with_non_finite_number_is_refused(number: str) -> None:
    with pytest.raises(ParseError, match=f"body: not JSON: {number} is"):
        parse_event(event_of("http_v2", POST._replace(body=f'{{"n": {number}}}'.encode()))).json()


def test_replaced_kind_of_an_event_is_an_enum() -> None:
    event = parse_event({})
    replaced: Any = event._replace(kind="alb")  # type: ignore[arg-type]
    assert replaced.kind is EventKind.ALB


def test_malformed_event_error_has_path() -> None:
    event = event_of("function_url", POST)
    for broken, path in [
        ({**event, "requestContext": {**event["requestContext"], "http": {}}}, "requestContext.http.method"),
        ({**event, "body": {"messages": []}}, "body"),
        ({**event, "body": "%%%", "isBase64Encoded": True}, "body"),
        ({**event, "headers": {"x": 1}}, "headers.x"),
        ({**event, "cookies": [1]}, "cookies[0]"),
        ({**event, "cookies": "a=1"}, "cookies"),
        ({**event, "isBase64Encoded": "true"}, "isBase64Encoded"),
    ]:
        with pytest.raises(ParseError) as raised:
            parse_event(broken)
        assert raised.value.path == path
        assert respond_error(raised.value, broken)["statusCode"] == 400


@pytest.mark.parametrize(
    "event",
    [object(), b"{}", {"a": object()}, {1: {2: {(): 1}}}, {**event_of("alb", POST), "headers": {1: "2"}}],
    ids=["object", "bytes", "nested object", "key that is a tuple", "header name that is a number"],
)
def test_non_event_is_refused(event: Any) -> None:
    with pytest.raises(ParseError):
        parse_event(event)


def test_repr_of_event_hides_content() -> None:
    request = Request(
        "POST", "/v1", [("key", "hidden-1")], [("authorization", "Bearer hidden-2")], ["s=hidden-3"], b"hidden-4"
    )
    assert all("hidden" not in repr(parse_event(event_of(kind, request))) for kind in KINDS)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[" * 100_000, b"9" * 5000, b"NaN"], ids=lambda body: repr(body[:3])
)
def test_body_of_invalid_json_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError, match="^body: (not JSON|not UTF-8|nested)"):
        parse_event(event_of("http_v2", POST._replace(body=body))).json()


def test_every_kind_of_event_has_one_class() -> None:
    assert sorted(source.kind for source in SOURCES) == sorted(EventKind)
    for kind in KINDS:
        event = event_of(kind, POST)
        [*recognised] = [source.kind for source in SOURCES if source.recognises(event)]
        assert recognised[0] == kind.removesuffix("_multi") and recognised[-1] == "direct"


# ---- responses


@pytest.mark.parametrize("kind", KINDS)
def test_response_of_every_source_reaches_the_client_complete(kind: str) -> None:
    event = event_of(kind, Request("GET", "/", headers=[("x", "y")]))
    cookies = ["a=1; Secure", "b=2", "c=3"]
    headers = {"X-One": "1", "X-Two": ["2", "3"]}
    got = sent_by(kind, valid(respond({"text": "hé"}, event, status=201, headers=headers, cookies=cookies)))
    assert got.status == 201 and json.loads(got.body) == {"text": "hé"} and got.body.isascii()
    assert [value for name, value in got.headers if name == "set-cookie"] == cookies
    assert ", ".join([value for name, value in got.headers if name == "x-two"]) == "2, 3"
    assert ("content-type", "application/json") in got.headers and ("x-one", "1") in got.headers


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.one_of(st.binary(max_size=30), texts, st.none()))
def test_body_of_text_bytes_or_none_is_sent_unchanged(kind: str, data: bytes | str | None) -> None:
    got = sent_by(kind, valid(respond(data, event_of(kind, Request("GET", "/", headers=[("x", "y")])))))
    if isinstance(data, str):
        assert got.body.decode() == data.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    else:
        assert got.body == (data or b"")


@given(trees)
def test_response_of_any_json_is_valid(tree: Any) -> None:
    for event in (event_of("rest_v1", POST), {"direct": True}):
        valid(respond([tree], event))


def test_values_at_any_depth_of_a_response_are_sent_as_json() -> None:
    response = ChatCompletionResponse.from_json(BODY.read_bytes())
    sent = respond({"all": [response, (response.usage, {1: UsageData(1, 2, 3)})]}, {"direct": 1})
    assert sent["all"][0] == response.to_dict() and sent["all"][1][1]["1"]["total_tokens"] == 3
    assert json.loads(respond(response)["body"]) == response.to_dict()


@pytest.mark.parametrize(
    "wrong",
    [object(), {"a": {"b": [1, object()]}}, {("k",): 1}, iter("ab"), UsageData],
    ids=["object", "nested object", "key that is a tuple", "iterator", "class"],
)
def test_unserializable_body_is_refused_with_path(wrong: Any) -> None:
    with pytest.raises(TypeError, match="a.b" if isinstance(wrong, dict) and "a" in wrong else "JSON"):
        respond([wrong] if not isinstance(wrong, dict) else wrong)


def test_cyclic_body_is_refused() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(ValueError, match="nested deeper"):
        respond(cycle)


@pytest.mark.parametrize("control", ["\r\nx: y", "\n", "\r", "\0", "\x7f", "\x1b", "é", "\ud800", "\u2028"], ids=ascii)
@pytest.mark.parametrize("where", ["name", "value", "list", "cookie"])
def test_header_injection_is_refused(control: str, where: str) -> None:
    hidden = "hidden" + control
    for call in (respond, respond_stream):
        with pytest.raises(ValueError) as raised:
            call(
                [],
                headers={"name": {hidden: "v"}, "value": {"n": hidden}, "list": {"n": ["v", hidden]}, "cookie": {}}[
                    where
                ],
                cookies=[hidden] if where == "cookie" else (),
            )
        assert where == "name" or "hidden" not in str(raised.value)


@pytest.mark.parametrize("wrong", [7, None, b"v", ["v", 7]], ids=repr)
def test_non_text_header_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="the value of the header x-n must be a string, got "):
        respond({}, headers={"x-n": wrong})


def test_cookies_above_the_letter_cases_of_their_header_are_refused() -> None:
    event = event_of("alb", Request("GET", "/"))
    cookies = [f"c{number}=1" for number in range(513)]
    response: Any = respond(None, event, cookies=cookies[:512])
    assert list(response["headers"].values()) == cookies[:512]
    assert {name.lower() for name in response["headers"]} == {"set-cookie"}
    with pytest.raises(ValueError, match="at most 512 cookies, got 513"):
        respond(None, event, cookies=cookies)
    assert respond(None, event_of("alb_multi", POST), cookies=cookies)["multiValueHeaders"]["set-cookie"] == cookies


@pytest.mark.parametrize("status", [0, 99, 1000, "200", None, True, 200.0], ids=repr)
def test_invalid_status_is_refused(status: Any) -> None:
    with pytest.raises(ValueError, match="status"):
        respond({}, status=status)


@pytest.mark.parametrize("kind", [*KINDS, "direct"])
@pytest.mark.parametrize("char", ["a", '"', "\ud800", "é"])
def test_response_above_the_size_limit_is_refused(kind: str, char: str) -> None:
    event = {"direct": 1} if kind == "direct" else event_of(kind, POST)
    limit = 2**20 if kind.startswith("alb") else LIMIT
    per_char = len(json.dumps(respond(char * 2, event))) - len(json.dumps(respond(char, event)))
    longest = (limit - len(json.dumps(respond("", event)))) // per_char
    fits = respond(char * longest, event)
    assert len(json.dumps(fits)) <= limit
    with pytest.raises(ResponseTooLargeError, match=str(limit)) as raised:
        respond(char * (longest + 1), event)
    error = pickle.loads(pickle.dumps(raised.value))
    assert (error.size, error.limit, str(error)) == (raised.value.size, limit, str(raised.value))
    told = valid(respond_error(error, event))
    assert "response_too_large" in json.dumps(told) and (kind == "direct" or told["statusCode"] == 413)


@pytest.mark.parametrize(
    "text", ["NaN", "sNaN", "-Infinity", "1E+999999", "1E-999999", "1.5", "-0", "12345678901234567890"]
)
def test_decimal_is_sent_as_number_or_null(text: str) -> None:
    number = Decimal(text)
    told = valid(respond({"n": number}, {"direct": 1}))["n"]
    if number.is_finite() and abs(number) < Decimal("1E+308"):
        assert told == float(number)
    else:
        assert told is None


def test_response_one_byte_above_the_limit_is_refused() -> None:
    with pytest.raises(ResponseTooLargeError):
        respond("a" * (LIMIT - 2 + 1), {"direct": 1})
    assert len(json.dumps(respond("a" * (LIMIT - 2), {"direct": 1}))) == LIMIT


def test_values_returned_by_a_handler_are_serialised_by_aws_runtime() -> None:
    """AWS's runtime client calls `_asdict` for objects that JSON lacks, and sends the JSON as UTF-8."""

    def marshalled(value: Any) -> Any:
        text = json.dumps(value, default=lambda item: item._asdict(), ensure_ascii=False, allow_nan=False)
        return json.loads(text.encode("utf-8"))

    for cls in TYPES:
        hostile = cls.from_dict({"content": "\ud800", "k\udfff": ["\ud83d\ude00", float("nan"), {"n": float("inf")}]})
        assert marshalled(hostile)["k\ufffd"] == ["\U0001f600", None, {"n": None}]
    for path in BODIES:
        for data in objects(path):
            assert marshalled(ChatCompletionResponse.from_dict(data)) == data
    stream = iter_chunks([STREAM.read_bytes()])
    for chunk in stream:
        assert marshalled(chunk) == chunk.to_dict()
    assert marshalled(stream.completion)["response"] == stream.completion.response.to_dict()


# ---- errors

ENDED = accumulate([])
KEY = "tgp_v1_hiddenHiddenHidden"
ERRORS: list[tuple[BaseException, int]] = [
    (errors.RateLimitError("slow", status=429, retry_after=1.2, request_id="r-1"), 429),
    (errors.RateLimitError("slow", status=429, retry_after=float("nan"), request_id="r\r\nx: y"), 429),
    (
        errors.AuthenticationError(
            f"no such key: {KEY}", status=401, body={"error": {"message": KEY, "code": KEY, "param": KEY}}
        ),
        401,
    ),
    (errors.InternalServerError("\ud800", status=503, retry_after=-1), 503),
    (errors.APIStatusError("?", status=302), 502),
    (errors.APIError("broke"), 502),
    (errors.APIConnectionError("no way to https://user:hidden@host/"), 502),
    (errors.APITimeoutError("late"), 504),
    (errors.StreamError("in the stream", ENDED, type="rate", code=429), 429),
    (errors.StreamError("in the stream", ENDED, type="rate", code="overloaded"), 502),
    (errors.IncompleteStreamError("cut", ENDED), 502),
    (ParseError("messages[0]", "expected object \ud800"), 400),
    (ResponseTooLargeError(7, 6), 413),
    (KeyError(f"hidden \ud800 {KEY}"), 500),
    (RecursionError(KEY), 500),
    (SystemExit(KEY), 500),
]


@pytest.mark.parametrize("kind", [*KINDS, "direct"])
@pytest.mark.parametrize(("error", "status"), ERRORS, ids=lambda item: type(item).__name__)
def test_error_before_any_response_becomes_response_with_its_status(
    error: BaseException, status: int, kind: str
) -> None:
    event = {"direct": 1} if kind == "direct" else event_of(kind, POST)
    told = valid(respond_error(error, event))
    assert "hidden" not in json.dumps(told).replace("[hidden]", "").lower()
    if kind == "direct":
        body = told
    else:
        got = sent_by(kind, told)
        body = json.loads(got.body)
        assert got.status == status
        retry = [value for name, value in got.headers if name == "retry-after"]
        assert retry == (["2"] if getattr(error, "retry_after", None) == 1.2 else [])
        assert ("x-request-id", "r-1") in got.headers or getattr(error, "request_id", None) != "r-1"
    assert set(body) == {"error"} and set(body["error"]) == {"message", "type", "param", "code"}
    assert (
        body["error"]["message"] and isinstance(body["error"]["type"], str) and isinstance(body["error"]["code"], str)
    )


def test_error_response_hides_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SERVICE_TOKEN", "purple-elephant")
    event = event_of(
        "rest_v1", POST._replace(headers=[("Authorization", "Bearer green-giraffe"), ("x-api-key", "red-rabbit")])
    )
    error = errors.APIError("refused purple-elephant, green-giraffe and red-rabbit; Authorization: Bearer blue.whale")
    body = respond_error(error, event)["body"]
    assert not any(animal in body for animal in ("elephant", "giraffe", "rabbit", "whale")) and "refused" in body


@pytest.mark.parametrize("kind", KINDS)
def test_error_response_hides_request_credentials(kind: str) -> None:
    """A cookie's value alone is removed too, and a credential at the end of the longest message is not cut in half."""
    request = POST._replace(
        headers=[("Authorization", "Bearer green-giraffe")], cookies=["theme=dark", "session=red-rabbit-red-rabbit"]
    )
    told = f"{'x' * 9990} green-giraffe"
    for message in (told, "no session red-rabbit-red-rabbit", "no theme dark"):
        body = sent_by(kind, respond_error(errors.APIError(message), event_of(kind, request))).body
        assert b"green-g" not in body and b"rabbit" not in body
        assert (b"theme dark" in body) == (message == "no theme dark")


class Unreadable(errors.APIError):
    def __init__(self) -> None:
        """Omit the attributes of the base class."""


class Silent(ParseError):
    def __str__(self) -> str:
        raise KeyError(KEY)


class Wrapper:
    @property
    def raw_event(self) -> Any:
        raise KeyError(KEY)


@pytest.mark.parametrize("kind", [*KINDS, "direct"])
@pytest.mark.parametrize("error", [Unreadable(), Silent("a", "b")], ids=lambda error: type(error).__name__)
def test_exception_that_cannot_be_read_becomes_internal_error(kind: str, error: Exception) -> None:
    event = {"direct": 1} if kind == "direct" else event_of(kind, POST)
    told = valid(respond_error(error, event))
    body = told if kind == "direct" else json.loads(sent_by(kind, told).body)
    assert body["error"]["code"] == "internal_error" and (kind == "direct" or told["statusCode"] == 500)
    assert valid(respond_error(ValueError(), Wrapper()))["statusCode"] == 500


@pytest.mark.parametrize(
    "event",
    [None, 7, "x", [], {}, {"requestContext": 1}, pytest.param(object(), id="object"), {"requestContext": {"elb": 1}}],
    ids=repr,
)
def test_error_with_an_invalid_event_becomes_response(event: Any) -> None:
    valid(respond_error(ValueError("hidden"), event))


# ---- streams


def chunks() -> list[ChatCompletionChunk]:
    return list(iter_chunks([STREAM.read_bytes()]))


@pytest.mark.parametrize("kind", KINDS)
def test_buffered_stream_is_complete(kind: str) -> None:
    got = sent_by(kind, valid(respond_stream(chunks(), event_of(kind, POST), cookies=["a=1", "b=2"])))
    assert ("content-type", "text/event-stream") in got.headers and ("set-cookie", "b=2") in got.headers
    assert accumulate(iter_chunks([got.body])).response.text == accumulate(chunks()).response.text


@pytest.mark.parametrize("kind", ["function_url", "rest_v1", "direct"])
def test_streamed_chunks_are_sent_on_arrival(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STREAMING, "on")
    asked: list[int] = []

    def counted() -> Any:
        for number, chunk in enumerate(chunks()):
            asked.append(number)
            yield chunk

    parts = respond_stream(counted(), {"x": 1} if kind == "direct" else event_of(kind, POST), cookies=["a=1"])
    assert asked == []
    if kind != "direct":
        prelude = valid(next(parts))
        assert prelude["statusCode"] == 200 and prelude["headers"]["content-type"] == "text/event-stream"
        assert prelude["cookies"] == ["a=1"] and len(asked) == 1
    first = next(parts)
    assert first.startswith(b"data: {") and len(asked) == 1
    rest = b"".join(parts)
    assert accumulate(iter_chunks([first, rest])).response.text == accumulate(chunks()).response.text


@pytest.mark.parametrize("kind", ["http_v2", "alb", "alb_multi"])
def test_source_without_streaming_gets_buffered_response(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STREAMING, "on")
    assert b"[DONE]" in sent_by(kind, respond_stream(chunks(), event_of(kind, POST))).body


class Failing:
    """Chunks that raise an error after the first `after`. `closed` counts the calls of `close`."""

    def __init__(self, after: int, error: BaseException) -> None:
        self.left, self.error, self.closed = chunks()[:after], error, 0

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> ChatCompletionChunk:
        if not self.left:
            raise self.error
        return self.left.pop(0)

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("streaming", [False, True])
def test_api_error_before_first_chunk_keeps_status(streaming: bool) -> None:
    failing = Failing(0, errors.RateLimitError("slow", status=429, retry_after=3))
    event = event_of("function_url", POST)
    answer = respond_stream(failing, event, streaming=streaming)
    if streaming:
        head, *body = answer
        answer = {**head, "body": b"".join(body).decode(), "isBase64Encoded": False}
    got = sent_by("function_url", answer)
    assert (
        got.status == 429 and json.loads(got.body)["error"]["message"] == "slow" and ("retry-after", "3") in got.headers
    )
    assert failing.closed


def test_refused_stream_of_a_direct_invocation_is_one_part() -> None:
    failing = Failing(0, errors.RateLimitError("slow", status=429))
    [part] = respond_stream(failing, {"direct": 1}, streaming=True)
    assert json.loads(part)["error"]["message"] == "slow" and failing.closed


@pytest.mark.parametrize("streaming", [False, True])
def test_stream_without_chunks_is_only_done(streaming: bool) -> None:
    answer: Any = respond_stream([], event_of("function_url", POST), streaming=streaming)
    body = b"".join(list(answer)[1:]) if streaming else answer["body"].encode()
    assert body == b"data: [DONE]\n\n"


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("error", [errors.IncompleteStreamError("cut", ENDED), KeyError(KEY)], ids=repr)
def test_failure_after_the_first_chunk_is_sent_as_error_frame(streaming: bool, error: Exception) -> None:
    failing = Failing(2, error)
    answer = respond_stream(failing, event_of("function_url", POST), streaming=streaming)
    if streaming:
        frames = b""
        try:
            for part in answer:
                frames += part if isinstance(part, bytes) else b""
        except KeyError as raised:
            assert raised is error
        else:
            assert isinstance(error, errors.APIError)
    else:
        frames = sent_by("function_url", answer).body
    with pytest.raises(errors.StreamError) as told:
        list(iter_chunks([frames]))
    assert "hidden" not in str(told.value) and failing.closed


@pytest.mark.parametrize("streaming", [False, True])
def test_other_exception_before_first_chunk_is_raised(streaming: bool) -> None:
    failing = Failing(0, KeyError("fault"))
    with pytest.raises(KeyError):
        list(respond_stream(failing, None, streaming=streaming))
    assert failing.closed


def test_abandoned_stream_closes_source() -> None:
    failing = Failing(3, KeyError())
    parts = respond_stream(failing, None, streaming=True)
    next(parts), next(parts)
    parts.close()
    assert failing.closed and len(failing.left) == 2


def test_oversized_stream_stops_early() -> None:
    chunk, given_out = chunks()[0].to_dict(), []

    def endless() -> Any:
        while True:
            given_out.append(1)
            yield {**chunk, "padding": "x" * 100_000}

    with pytest.raises(ResponseTooLargeError):
        respond_stream(endless())
    assert len(given_out) < 70


# ---- the context


def test_deadline_from_context_is_earlier_by_the_margin() -> None:
    from time import monotonic

    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 3000

    assert abs(deadline_from(Context()) - monotonic() - 2.5) < 0.2
    assert abs(deadline_from(Context(), margin=1) - monotonic() - 2) < 0.2
    with pytest.raises(TypeError, match="NoneType"):
        deadline_from(None)


@pytest.mark.parametrize("path", BODIES, ids=label)
def test_every_recorded_body_is_sent_unchanged(path: Path) -> None:
    for data in objects(path):
        assert json.loads(respond(ChatCompletionResponse.from_dict(data))["body"]) == data
