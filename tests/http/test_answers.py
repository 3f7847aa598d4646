"""Results of a client for every response: completions, and errors from the bodies, statuses and headers of servers."""

from __future__ import annotations

import email.utils
import json
import pickle
import time
from pathlib import Path
from typing import Any

import pytest
from client_calls import EACH, ask
from corpus import BODIES, label
from http_server import CHUNKED, in_chunks, reply, serving
from hypothesis import given, strategies as st
from together_adapters import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    StreamError,
    UnprocessableEntityError,
)
from together_adapters.http import completion_in, no_completion_error, status_error
from together_adapters.http._http1 import Fields
from together_adapters.http._retries import rate_limits_in

CLASSES = {
    400: BadRequestError, 401: AuthenticationError, 402: APIStatusError, 403: PermissionDeniedError, 404: NotFoundError,
    405: APIStatusError, 409: ConflictError, 422: UnprocessableEntityError, 429: RateLimitError, 500: InternalServerError,
    503: InternalServerError, 504: InternalServerError, 524: InternalServerError, 529: InternalServerError,
}  # fmt: skip
MESSAGES: list[tuple[bytes, str]] = [
    (b'{"error":{"message":"no credit","type":"t","param":null,"code":400}}', "no credit"),
    (b'{"error":{"message":"no credit","code":"insufficient"}}', "no credit"),
    (b'{"error":"no credit"}', "no credit"),
    (b'{"error":{"detail":"no credit"}}', "no credit"),
    (b'{"object":"error","message":"no credit","type":"BadRequestError","code":400}', "no credit"),
    (b'{"detail":"no credit"}', "no credit"),
    (
        b'{"detail":[{"type":"missing","loc":["body","messages",0],"msg":"Field required"}]}',
        "body.messages.0: Field required",
    ),
    (b'[{"error":{"code":400,"message":"no credit","status":"INVALID_ARGUMENT"}}]', "no credit"),
    (b'{"errors":[{"message":"no credit"},{"message":"no model"}]}', "no credit; no model"),
    (b'{"type":"about:blank","title":"no credit","status":402}', "no credit"),
    (b'\xef\xbb\xbf{"message":"no credit"}', "no credit"),
    (b"no credit\r\n", "no credit"),
    (
        b"<!DOCTYPE html>\n<html><head><TITLE>524: A timeout\noccurred</TITLE></head></html>",
        "an HTML page, 524: A timeout occurred",
    ),
    (b"<html><body>busy</body></html>", "<html><body>busy"),
    (b"", "the response body is empty"),
    (b"{}", "{}"),
    (b"null", "null"),
    (b'{"error":null}', '{"error":null}'),
    (b'{"error":', '{"error":'),
    (b"[" * 100_000, "[[[["),
    (b"\xff\xfe\x00", "\ufffd"),
    (b'{"error":{"message":"a lone \\ud800"}}', "a lone ?"),
    (b'{"error":{"message":"%s"}}' % (b"long " * 10_000), "long long"),
]


@pytest.mark.parametrize(("body", "says"), MESSAGES, ids=range(len(MESSAGES)))
@pytest.mark.parametrize("status", [400, 503])
def test_error_message_has_text_of_body(body: bytes, says: str, status: int) -> None:
    error = status_error(status, Fields([]), body, "example.com")
    assert str(error).startswith(f"status {status} from example.com: {says}") and len(str(error)) < 600
    str(error).encode()
    again = pickle.loads(pickle.dumps(error))
    assert vars(again) == vars(error) and repr(again) == repr(error)


@pytest.mark.parametrize("status", CLASSES)
@EACH
def test_error_status_raises_the_class_of_the_status(kind: str, status: int) -> None:
    with serving([reply(b'{"error":"no"}', status=f"{status} No")]) as server:
        outcome = ask(kind, base_url=server.base_url, max_retries=0)
        streamed = ask(kind, base_url=server.base_url, max_retries=0, stream=True)
    for error in (outcome.error, streamed.error):
        assert type(error) is CLASSES[status]
        assert isinstance(error, APIStatusError) and (error.status, error.body) == (status, {"error": "no"})


@given(st.binary(), st.integers(200, 599))
def test_any_body_makes_status_error(body: bytes, status: int) -> None:
    repr(status_error(status, Fields([]), body, "example.com"))
    if completion_in(Fields([]), body) is None:
        assert no_completion_error(status, Fields([]), body, "example.com").status == status


ERRORS = [path for path in BODIES if path.suffixes[-2][1:] not in ("200", "none")]
assert ERRORS


def said_in(body: bytes) -> str:
    """Return the message of a recorded error, extracted without the client."""
    try:
        content = json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")
    content = content.get("error", content)
    content = content if isinstance(content, str) else content.get("message", content.get("detail"))
    return content if isinstance(content, str) else str(content[0]["msg"])


@pytest.mark.parametrize("path", ERRORS, ids=label)
def test_recorded_error_has_class_and_message(path: Path) -> None:
    status, body = int(path.suffixes[-2][1:]), path.read_bytes()
    error = status_error(status, Fields([]), body, "example.com")
    assert type(error) is CLASSES[status]
    assert " ".join(said_in(body).split())[:300].encode("utf-8", "replace").decode() in str(error)


@pytest.mark.parametrize("path", [path for path in BODIES if path.suffixes[-2] == ".200"], ids=label)
def test_recorded_response_is_read_if_completion(path: Path) -> None:
    body = path.read_bytes()
    try:
        is_completion = "choices" in json.loads(body)
    except ValueError:
        is_completion = False
    if is_completion:
        response = completion_in(Fields([]), body)
        assert response is not None and response.to_dict() == json.loads(body)
    else:
        assert completion_in(Fields([]), body) is None


@EACH
@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"error":{"message":"no credit","code":402}}', "no credit"),
        (b'{"error":"no credit"}', "no credit"),
        (b'{"object":"error","message":"no credit"}', "no credit"),
        (b'{"detail":"no credit"}', "no credit"),
        (b'{"error":{"message":"no credit"},"choices":[]}', "no credit"),
        (b"<html><title>Log in</title></html>", "Log in"),
        (b"", "not a chat completion"),
        (b"null", "not a chat completion"),
        (b'{"choices":', "not a chat completion"),
        (b"[" * 100_000, "not a chat completion"),
    ],
    ids=range(10),
)
def test_status_200_without_completion_is_error(kind: str, body: bytes, says: str) -> None:
    with serving([reply(body)]) as server:
        outcome = ask(kind, base_url=server.base_url)
        streamed = ask(kind, base_url=server.base_url, stream=True)
    assert type(outcome.error) is APIStatusError and outcome.error.status == 200 and says in str(outcome.error)
    assert isinstance(streamed.error, StreamError)


@EACH
def test_success_with_invalid_utf8_is_error(kind: str) -> None:
    with serving([reply(b'{"choices":[{"message":{"role":"assistant","content":"\xff"}}]}')]) as server:
        error = ask(kind, base_url=server.base_url).error
    assert type(error) is APIStatusError and "not a chat completion" in str(error)


def test_pickled_error_keeps_foreign_attributes() -> None:
    error = status_error(429, Fields([("retry-after", "2")]), b'{"error":"slow"}', "example.com")
    error.request = {"a": 1}  # type: ignore[attr-defined]
    if hasattr(error, "add_note"):
        error.add_note("while asking")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


@EACH
def test_unrequested_stream_is_accumulated(kind: str) -> None:
    frame = b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\n'
    with serving([CHUNKED + in_chunks(frame)]) as server:
        assert ask(kind, base_url=server.base_url).texts == ["hi"]


@EACH
@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "identity"])
def test_body_in_supported_coding_is_decompressed(kind: str, coding: str) -> None:
    import gzip
    import zlib

    body = b'{"choices":[{"index":0,"message":{"content":"%s"},"finish_reason":"stop"}]}' % (b"hello " * 1000)
    packed = {"deflate": zlib.compress(body), "identity": body}.get(
        coding, gzip.compress(body[:50]) + gzip.compress(body[50:])
    )
    with serving([reply(packed, f"Content-Encoding: {coding}")]) as server:
        assert ask(kind, base_url=server.base_url).texts == ["hello " * 1000]
        assert server.requests[0].headers.get("accept-encoding") in (None, "identity")


DATE = email.utils.formatdate(1700000030, usegmt=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([("Retry-After", "3")], 3),
        ([("Retry-After", "0")], 0),
        ([("retry-after", "1.5")], 1.5),
        ([("Retry-After-Ms", "250"), ("Retry-After", "9")], 0.25),
        ([("Retry-After", DATE), ("Date", email.utils.formatdate(1700000000, usegmt=True))], 30),
        ([("Retry-After", DATE)], 0),
        ([("Retry-After", "soon")], None),
        ([("Retry-After", "-1")], None),
        ([("Retry-After", "nan")], None),
        ([("Retry-After", "\u0663")], None),
        ([("Retry-After", "9" * 400)], None),
        ([("Retry-After", "Mon, 99 Foo 20999 99:99:99 GMT")], None),
        ([], None),
    ],
    ids=range(13),
)
def test_retry_after_header_becomes_seconds(headers: list[tuple[str, str]], seconds: float | None) -> None:
    assert status_error(429, Fields(headers), b"", "example.com").retry_after == seconds


def test_retry_after_date_in_the_future_becomes_remaining_seconds() -> None:
    headers = Fields([("Retry-After", email.utils.formatdate(time.time() + 20, usegmt=True))])
    assert 15 < (status_error(429, headers, b"", "example.com").retry_after or 0) <= 20


def test_error_has_rate_limits_and_request_id() -> None:
    headers: Any = [
        ("x-ratelimit-limit", "60"), ("X-RateLimit-Remaining", "0"), ("x-ratelimit-reset", "1.5"),
        ("x-ratelimit-reset-requests", "1h6m0.5s"), ("x-ratelimit-reset-tokens", "20ms"), ("ratelimit-policy", "60;w=60"),
        ("CF-Ray", "8b43-SJC"), ("X-Other", "1"),
    ]  # fmt: skip
    error = status_error(429, Fields(headers), b"", "example.com")
    assert error.rate_limits == {
        "limit": 60, "remaining": 0, "reset": 1.5, "reset-requests": 3960.5, "reset-tokens": 0.02, "policy": "60;w=60"
    }  # fmt: skip
    assert error.request_id == "8b43-SJC"
    assert status_error(500, Fields([*headers, ("x-request-id", "r1")]), b"", "example.com").request_id == "r1"
    assert status_error(500, Fields([]), b"", "example.com").request_id is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("6m0s", 360.0), ("1.5s", 1.5), ("20ms", 0.02), ("7us", 7e-6), ("1h6m0.5s", 3960.5), ("2d", 172800.0), ("1.M2S", 62.0),
        (".5s", 0.5), ("1s1s", 2.0), ("", 0.0), ("6m 0s", None), ("6m0", None), ("s", None), ("s1", None), ("1.2.3s", None),
        ("1y", None), ("-1s", None), ("1\u00b5s", None), ("1\u00b2s", None), ("\u0661s", None), ("1234567890123456s", None), ("1 s", None),
    ],
)  # fmt: skip
def test_rate_limit_duration_becomes_seconds_or_stays_text(text: str, seconds: float | None) -> None:
    limits = status_error(429, Fields([("x-ratelimit-reset", text)]), b"", "example.com").rate_limits
    assert limits == {"reset": text if seconds is None else pytest.approx(seconds)}


@given(st.lists(st.tuples(st.integers(0, 999), st.sampled_from(["d", "h", "m", "s"])), max_size=6))
def test_rate_limit_duration_is_sum_of_its_parts(parts: list[tuple[int, str]]) -> None:
    text = "".join(f"{number}{unit}" for number, unit in parts)
    seconds = sum(number * {"d": 86400, "h": 3600, "m": 60, "s": 1}[unit] for number, unit in parts)
    assert rate_limits_in(Fields([("ratelimit-reset", text)])) == {"reset": seconds}


@EACH
def test_long_error_body_is_truncated(kind: str) -> None:
    head = b"HTTP/1.1 500 No\r\n\r\n"
    with serving(lambda _: [head] + [b"x" * 65536] * 100_000) as server:
        outcome = ask(kind, base_url=server.base_url, max_retries=0)
    assert isinstance(outcome.error, InternalServerError) and len(str(outcome.error.body)) <= 65536


@EACH
def test_long_body_is_connection_error(kind: str) -> None:
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    with serving(lambda _: [head] + [b"x" * 2**20] * 100_000) as server:
        outcome = ask(kind, base_url=server.base_url, max_retries=0)
    assert "longer than 67108864 bytes" in str(outcome.error)
