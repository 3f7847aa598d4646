"""Servers that misbehave: one table of cases for both clients, over TCP and TLS."""

from __future__ import annotations

import gzip
import itertools
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Optional, Union

import pytest
from client_calls import BOTH, EACH, ask
from http_server import CHUNKED, CLOSE, RESET, Part, Received, contexts_of, in_chunks, reply, serving
from together_adapters import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    IncompleteStreamError,
    StreamTimeoutError,
    Timeout,
)

FRAME = b'data: {"choices":[{"index":0,"delta":{"content":"so far"},"finish_reason":null}]}\n\n'
HEAD = b"HTTP/1.1 200 OK\r\n"
SLOW = 0.05
Parts = Union[list[Part], Callable[[Received], Iterable[Part]]]


def dripping(at_once: bytes, data: Iterable[int]) -> Callable[[Received], Iterable[Part]]:
    """Return a response that sends `at_once` immediately and `data` a byte at a time."""
    return lambda _: itertools.chain([at_once], (part for byte in data for part in (bytes([byte]), SLOW)))


def forever(part: bytes) -> Callable[[Received], Iterable[Part]]:
    return lambda _: itertools.repeat(part)


class Case(NamedTuple):
    """A response and its errors: `error` of a call without streaming, and `cut` of a stream, after the chunks in `text`.

    Both messages contain `says`.
    """

    parts: Parts
    error: type[Exception]
    cut: type[Exception]
    says: str
    text: tuple[str, ...] = ()
    timeout: Union[float, Timeout, None] = 5.0  # noqa: UP007  read at run time on 3.9
    unanswered: Optional[bool] = None  # noqa: UP045


BROKEN = (APIConnectionError, IncompleteStreamError)
LATE = (APITimeoutError, StreamTimeoutError)
CASES = {
    "silent": Case([60.0], APITimeoutError, APITimeoutError, "no response within 0.3 s", timeout=0.3, unanswered=True),
    "drip head": Case(
        dripping(b"", HEAD + b"Server: " + b"x" * 60000), APITimeoutError, APITimeoutError, "no response within 0.3 s",
        timeout=0.3, unanswered=False,
    ),
    "drip body": Case(
        dripping(HEAD + b"\r\n" + FRAME, itertools.cycle(b":\n")), *LATE, "longer than 0.4 s", ("so far",), Timeout(5, 5, 5, 0.4)
    ),
    "stall after the head": Case([CHUNKED, 60.0], *LATE, "no response within 0.3 s", timeout=0.3),
    "stall in the body": Case([CHUNKED, in_chunks(FRAME, end=False), 60.0], *LATE, "0.3 s", ("so far",), 0.3),
    "no response": Case([CLOSE], APIConnectionError, APIConnectionError, "without a response", unanswered=True),
    "reset before a response": Case([RESET], APIConnectionError, APIConnectionError, "127.0.0.1:", unanswered=True),
    "cut in the head": Case([HEAD, CLOSE], APIConnectionError, APIConnectionError, "in the head", unanswered=False),
    "reset in the body": Case([CHUNKED + in_chunks(FRAME, end=False), 0.1, RESET], *BROKEN, "broke", ("so far",)),
    "truncated chunk": Case([CHUNKED + in_chunks(FRAME, end=False) + b"20\r\ndata: {", CLOSE], *BROKEN, "in the body", ("so far",)),
    "no last chunk": Case([CHUNKED + in_chunks(FRAME, end=False), CLOSE], *BROKEN, "in the body", ("so far",)),
    "short length": Case([HEAD + b"Content-Length: 500\r\n\r\n" + FRAME, CLOSE], *BROKEN, "in the body", ("so far",)),
    "bad chunk size": Case([CHUNKED + in_chunks(FRAME, end=False) + b"-5\r\nhello", 1.0], *BROKEN, "chunk size must be", ("so far",)),
    "chunk size with underscore": Case([CHUNKED + in_chunks(FRAME, end=False) + b"1_0\r\nhello", 1.0], *BROKEN, "chunk size must be", ("so far",)),
    "huge chunk size": Case([CHUNKED + in_chunks(FRAME, end=False) + b"f" * 30 + b"\r\n", 1.0], *BROKEN, "chunk size must be", ("so far",)),
    "endless chunk size": Case([CHUNKED + in_chunks(FRAME, end=False) + b"0" * 5000, 1.0], *BROKEN, "a chunk size is longer than", ("so far",)),
    "chunk longer than its size": Case([CHUNKED + b"1\r\n: comment\n\r\n", 1.0], *BROKEN, "longer than its size"),
    "endless headers": Case(forever(b"X-Header: value\r\n"), APIConnectionError, APIConnectionError, "begins with"),
    "endless header fields": Case(
        lambda _: itertools.chain([HEAD], itertools.repeat(b"X-Header: value\r\n" * 100)),
        APIConnectionError, APIConnectionError, "longer than 65536 bytes",
    ),
    "endless trailers": Case(
        lambda _: itertools.chain([CHUNKED + b"0\r\n"], itertools.repeat(b"X-Trailer: value\r\n" * 100)), *BROKEN, "trailers are longer"
    ),
    "endless 100 Continue": Case(forever(b"HTTP/1.1 100 Continue\r\n\r\n"), APIConnectionError, APIConnectionError, "interim"),
    "garbage": Case([b"SSH-2.0-OpenSSH_9.2\r\n", 1.0], APIConnectionError, APIConnectionError, "not an HTTP/1.1 response"),
    "bad status": Case([b"HTTP/1.1 OK\r\n\r\n", 1.0], APIConnectionError, APIConnectionError, "malformed status line"),
    "bad header": Case([HEAD + b"no colon\r\n\r\n", 1.0], APIConnectionError, APIConnectionError, "malformed header line"),
    "two lengths": Case([HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 1.0], APIConnectionError, APIConnectionError, "two different Content-Length values"),
    "switched protocols": Case([b"HTTP/1.1 101 Switching\r\n\r\n", 1.0], APIConnectionError, APIConnectionError, "switched"),
    "unknown transfer coding": Case([HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 1.0], APIConnectionError, APIConnectionError, "Transfer-Encoding must be chunked"),
    "unknown content coding": Case([HEAD + b"Content-Encoding: br\r\nContent-Length: 3\r\n\r\nabc"], *BROKEN, "which was not requested"),
    "gzip bomb": Case(
        [HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n" + gzip.compress(b": \n" * 30_000_000), CLOSE], *BROKEN, "bomb"
    ),
    "gzip cut": Case(
        [reply(gzip.compress(FRAME)[:-3], "Content-Encoding: gzip")], *BROKEN, "the gzip body is cut off", ("so far",)
    ),
    "gzip broken": Case([reply(b"this is no gzip", "Content-Encoding: gzip")], *BROKEN, "the gzip body is malformed"),
}  # fmt: skip


@pytest.fixture(scope="module")
def authority() -> Any:
    return pytest.importorskip("trustme", reason="needs a package that this interpreter may not have").CA()


@pytest.fixture(params=["http", "https"])
def tls(request: pytest.FixtureRequest) -> tuple[ssl.SSLContext | None, ssl.SSLContext | None]:
    """Return the TLS contexts of server and client, or None for both."""
    if request.param == "http":
        return None, None
    return contexts_of(request.getfixturevalue("authority"), "127.0.0.1")


@BOTH
@pytest.mark.parametrize("name", CASES)
def test_misbehaving_server_causes_error(kind: str, name: str, tls: Any) -> None:
    case = CASES[name]
    with serving(case.parts, tls[0]) as server:
        for stream in (False, True):
            started = time.monotonic()
            outcome = ask(
                kind, stream=stream, base_url=server.base_url, ssl_context=tls[1], timeout=case.timeout, max_retries=0
            )
            assert type(outcome.error) is (case.cut if stream else case.error), outcome
            assert time.monotonic() - started < 4, "the error must come at the time limit, not when the server stops"
            assert case.says in str(outcome.error) and "sk-test-key" not in str(outcome.error)
            assert tuple(outcome.texts) == (case.text if stream else ())
            if case.unanswered is not None:
                assert getattr(outcome.error, "unanswered", None) is case.unanswered
            if isinstance(outcome.error, IncompleteStreamError):
                assert outcome.error.completion.response.text == "".join(case.text)
                assert outcome.error.completion.state == "cut_off"


# http.client accepts these responses, or continues to wait after the fault that the client detects.
NOT_DETECTED_BY_URLLIB = {
    "drip head", "cut in the head", "bad chunk size", "chunk size with underscore", "huge chunk size", "endless chunk size",
    "endless trailers", "endless 100 Continue", "bad header", "two lengths", "switched protocols", "unknown transfer coding",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(CASES.keys() - NOT_DETECTED_BY_URLLIB))
def test_misbehaving_server_causes_the_same_class_of_error_over_urllib(name: str) -> None:
    """The messages are those of http.client."""
    case = CASES[name]
    with serving(case.parts) as server:
        for stream in (False, True):
            outcome = ask("urllib", stream=stream, base_url=server.base_url, timeout=case.timeout, max_retries=0)
            assert type(outcome.error) is (case.cut if stream else case.error), outcome
            assert "sk-test-key" not in str(outcome.error)
            assert case.unanswered in (None, getattr(outcome.error, "unanswered", None))
            if isinstance(outcome.error, IncompleteStreamError):
                assert outcome.error.completion.response.text in ("", *case.text)


@pytest.mark.parametrize("name", ["two lengths", "bad header", "drip head", "endless 100 Continue", "huge chunk size"])
def test_fault_that_urllib_does_not_detect_never_gives_a_response(name: str) -> None:
    parts = CASES[name].parts
    parts = parts if isinstance(parts, list) else [*itertools.islice(parts(Received("", {}, b"")), 20), CLOSE]
    with serving([0.05 if part == 1.0 else part for part in parts] + [CLOSE]) as server:
        for stream in (False, True):
            assert ask("urllib", stream=stream, base_url=server.base_url, timeout=2, max_retries=0).error is not None


@EACH
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_reported_and_not_followed(kind: str, status: int, tls: Any) -> None:
    with serving([reply(b"{}")]) as other:
        for place in (other.base_url + "/chat/completions", "file:///etc/passwd", "/v2"):
            with serving([reply(b"", f"Location: {place}", status=f"{status} Moved")], tls[0]) as server:
                outcome = ask(kind, base_url=server.base_url, ssl_context=tls[1])
            assert isinstance(outcome.error, APIStatusError) and outcome.error.status == status
            said = {"file": "an unknown location", "/v2": "another path"}.get(place[:4].rstrip(":"), other.origin)
            assert said in str(outcome.error) and "base_url" in str(outcome.error)
        assert other.requests == []


@BOTH
def test_slow_tls_handshake_causes_timeout(kind: str, authority: Any) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with serving([reply(b"{}")], context) as server:
        server.silence = 60.0
        outcome = ask(kind, base_url=server.base_url, timeout=Timeout(connect=0.3), max_retries=0)
    assert type(outcome.error) is APITimeoutError and "no connection within 0.3 s" in str(outcome.error)


@EACH
def test_certificate_of_unknown_authority_is_rejected_without_a_retry(
    kind: str, authority: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    body = b'{"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]}'
    with serving([reply(body)], context) as server:
        refused = ask(kind, base_url=server.base_url)
        assert "SSL_CERT_FILE" in str(refused.error) and server.connections == 1, (
            "a rejected certificate must not cause a retry"
        )
        assert ask(kind, base_url=server.base_url, cafile=str(tmp_path / "ca.pem")).texts == ["hi"]
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert ask(kind, base_url=server.base_url).texts == ["hi"]
        by_name = ask(kind, base_url=server.base_url.replace("127.0.0.1", "localhost"))
        assert isinstance(by_name.error, APIConnectionError) and "certificate" in str(by_name.error)
