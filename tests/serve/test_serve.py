"""Tests of `serve` over real sockets, in front of recordings and of an upstream server on loopback."""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import loopback
import pytest
from corpus import BODIES, STREAMS, label
from encoded_streams import check_shape, frames_of
from processes import environment
from together_adapters import serve
from together_adapters.accumulate import accumulate
from together_adapters.errors import IncompleteStreamError
from together_adapters.openai_format import from_openai
from together_adapters.passthrough import PassThrough
from together_adapters.serve import Server
from together_adapters.serve._backends import Recordings, Upstream
from together_adapters.serve._disconnects import INTERIM, DisconnectWatcher
from together_adapters.serve._requests import RequestReader
from together_adapters.sse import encode_chunks
from together_adapters.stream import iter_chunks

BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
CHUNK = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n'


def running(backend: Any, **settings: Any) -> AbstractContextManager[Server]:
    return loopback.running(Server(backend, **settings))


def ask(
    server: Server, body: object = BODY, *, method: str = "POST", path: str = "/v1/chat/completions", **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    try:
        data = body if isinstance(body, bytes) else None if method == "GET" else json.dumps(body).encode()
        sent = {
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        connection.request(method, path, data, sent)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


class Serving(socketserver.ThreadingTCPServer):
    """An upstream server that records the heads and bodies of its requests, and whether a connection was lost."""

    daemon_threads = True

    def __init__(self, answer: Callable[[Any], None]) -> None:
        self.heads: list[bytes] = []
        self.bodies: list[Any] = []
        self.gone = threading.Event()
        upstream = self

        class Handler(socketserver.StreamRequestHandler):
            timeout = 30

            def handle(self) -> None:
                head = b""
                while (line := self.rfile.readline()).strip():
                    head += line
                upstream.heads.append(head)
                length = [
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length")
                ]
                upstream.bodies.append(json.loads(self.rfile.read(length[0])) if length and length[0] else None)
                try:
                    answer(self)
                except OSError:
                    upstream.gone.set()

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"


def upstream(answer: Callable[[Any], None]) -> AbstractContextManager[Serving]:
    return loopback.running(Serving(answer))


def sends(
    body: bytes, status: str = "200 OK", kind: str = "text/event-stream", more: str = ""
) -> Callable[[Any], None]:
    """Return the answer function of an upstream that sends one response and closes the connection."""
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{more}\r\n"
    )
    return lambda handler: handler.wfile.write(head.encode() + body)


# ---- forwarding


@pytest.mark.parametrize("path", [path for path in STREAMS if ".200." in path.name][::7], ids=label)
def test_recorded_stream_from_an_upstream_is_forwarded_completely(path: Any) -> None:
    data = path.read_bytes()
    reader = iter_chunks(iter([data]), require_finish=False)
    chunks = []
    try:
        chunks += list(reader)
        failed = False
    except Exception:
        failed = True
    with upstream(sends(data)) as above, running(Upstream(above.url, "")) as server:
        status, headers, body = ask(server, {**BODY, "stream": True, "stream_options": {"include_usage": True}})
    assert (status, headers["Content-Type"], headers["Transfer-Encoding"]) == (200, "text/event-stream", "chunked")
    frames = frames_of(body)
    if "error" in frames[-1]:
        assert failed
        return
    check_shape(frames)
    read = accumulate(from_openai(frame, type(chunks[0])) for frame in frames)  # type: ignore[arg-type]
    assert read.response == reader.completion.response
    without = [frame for frame in frames_of(body) if "usage" in frame]
    assert len(without) == (reader.completion.response.usage is not None)


@pytest.mark.parametrize("path", [path for path in BODIES if ".200." in path.name][::7], ids=label)
def test_recorded_body_from_an_upstream_is_forwarded_completely(path: Any) -> None:
    data = path.read_bytes()
    with upstream(sends(data, kind="application/json")) as above, running(Upstream(above.url, "")) as server:
        status, _, body = ask(server)
    said = json.loads(data)
    if "choices" in said:
        assert (status, json.loads(body)) == (200, said)
    else:
        assert status == 502 or json.loads(body)["error"]["message"]


def test_usage_is_sent_only_if_requested() -> None:
    data = (
        CHUNK
        + b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}\n\ndata: [DONE]\n\n'
    )
    with upstream(sends(data)) as above, running(Upstream(above.url, "")) as server:
        assert b"usage" not in ask(server, {**BODY, "stream": True})[2]
        assert b"usage" in ask(server, {**BODY, "stream": True, "stream_options": {"include_usage": True}})[2]


def test_together_upstream_request_and_response_are_converted() -> None:
    frame = {
        "choices": [
            {"index": 0, "logprobs": -0.5, "finish_reason": "eos", "seed": 7, "delta": {"content": "é", "token_id": 3}}
        ]
    }
    data = b"data: " + json.dumps(frame).encode() + b"\n\ndata: [DONE]\n\n"
    with upstream(sends(data)) as above, running(Upstream(above.url, "", together=True)) as server:
        _, _, body = ask(server, {**BODY, "stream": True, "logprobs": True, "top_logprobs": 2})
    assert above.bodies == [{**BODY, "stream": True, "logprobs": 2}]
    (choice,) = frames_of(body)[0]["choices"]
    assert (choice["finish_reason"], choice["seed"]) == ("stop", 7)
    assert choice["logprobs"]["content"][0]["bytes"] == [195, 169]


def test_request_body_is_forwarded_unchanged_without_headers() -> None:
    asked = {
        **BODY,
        "logprobs": True,
        "top_logprobs": 1,
        "x": [1],
        "timeout": 0.001,
        "extra_headers": {"X-A": "1"},
        "self": 1,
    }
    with (
        upstream(sends(b'{"choices":[]}', kind="application/json")) as above,
        running(Upstream(above.url, "")) as server,
    ):
        assert ask(server, asked, Authorization="Bearer callers-key", X_Secret="s", Cookie="c")[0] == 200
    assert above.bodies == [asked]
    assert b"\r\nAuthorization: Bearer callers-key\r\n" in above.heads[0]
    assert b"secret" not in above.heads[0].lower() and b"cookie" not in above.heads[0].lower()


def test_server_key_takes_precedence_over_client_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOGETHER_API_KEY", "servers-key")
    with upstream(sends(b'{"choices":[]}', kind="application/json")) as above, running(Upstream(above.url)) as server:
        ask(server, Authorization="Bearer callers-key")
    assert b"Bearer servers-key" in above.heads[0] and b"callers-key" not in above.heads[0]


@pytest.mark.parametrize(
    "listed",
    [
        [{"id": "a", "created": 5, "context_length": 8}],
        {"object": "list", "data": [{"id": "a", "created": 5, "context_length": 8}]},
    ],
)
def test_models_of_an_upstream_are_returned_in_openai_format(listed: object) -> None:
    answer = sends(json.dumps(listed).encode(), kind="application/json")
    with upstream(answer) as above, running(Upstream(above.url, "")) as server:
        status, _, body = ask(server, method="GET", path="/v1/models", Authorization="Bearer callers-key")
    model = {"id": "a", "object": "model", "created": 5, "owned_by": "together-types", "context_length": 8}
    assert (status, json.loads(body)) == (200, {"object": "list", "data": [model]})
    assert above.heads[0].startswith(b"GET /v1/models ") and b"Bearer callers-key" in above.heads[0]


@pytest.mark.parametrize("body", [b"not JSON", b"[" * 100_000, b"7", b'{"data": {"id": "a"}}', b'["a"]', b"\xff"])
def test_unreadable_models_of_an_upstream_are_an_empty_list(body: bytes) -> None:
    with upstream(sends(body, kind="application/json")) as above, running(Upstream(above.url, "")) as server:
        status, _, answer = ask(server, method="GET", path="/v1/models")
    assert (status, json.loads(answer)) == (200, {"object": "list", "data": []})


# ---- errors of the upstream


def test_upstream_error_keeps_its_status() -> None:
    said = b'{"error":{"message":"slow down","type":"rate_limit","param":null,"code":429}}'
    with (
        upstream(sends(said, "429 Too Many", "application/json", "Retry-After: 3\r\n")) as above,
        running(Upstream(above.url, "")) as server,
    ):
        for stream in (False, True):
            status, headers, body = ask(server, {**BODY, "stream": stream})
            assert (status, headers["Retry-After"]) == (429, "3")
            error = json.loads(body)["error"]
            assert (error["type"], error["code"]) == ("rate_limit", "429") and "slow down" in error["message"]
        status, _, body = ask(server, method="GET", path="/v1/models")
        assert status == 429


def test_late_retry_after_date_becomes_seconds() -> None:
    later = sends(b"{}", "429 Too Many", "application/json", "Retry-After: Wed, 21 Oct 2099 07:28:00 GMT\r\n")
    with upstream(later) as above, running(Upstream(above.url, "")) as server:
        _, headers, _ = ask(server)
    assert headers["Retry-After"].isdigit() and int(headers["Retry-After"]) > 10**9


def test_unreachable_upstream_is_answered_with_502() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with running(Upstream(f"http://127.0.0.1:{free.getsockname()[1]}/v1", "")) as server:
            status, _, body = ask(server)
    assert status == 502 and set(json.loads(body)["error"]) == {"message", "type", "param", "code"}


def test_broken_stream_ends_with_error_frame() -> None:
    with upstream(sends(CHUNK)) as above, running(Upstream(above.url, "")) as server:
        _, _, body = ask(server, {**BODY, "stream": True})
    *chunks, error = frames_of(body)
    assert [chunk["choices"][0]["delta"]["content"] for chunk in chunks] == ["hi"]
    assert error["error"]["code"] == "incomplete_stream_error"


# ---- rejected requests


@pytest.fixture(scope="module")
def replay() -> Iterator[Server]:
    whole = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}'
    recordings = {"m": [(0.0, CHUNK), (1.0, b"data: [DONE]\n\n")], "body": [(0.0, whole)]}
    with running(Recordings(recordings), max_body=10_000) as server:
        yield server


def test_recordings_are_served_as_responses_streams_and_models(replay: Server) -> None:
    assert json.loads(ask(replay)[2])["choices"][0]["message"]["content"] == "hi"
    assert json.loads(ask(replay, {**BODY, "model": "body"})[2])["choices"][0]["message"]["content"] == "hi"
    assert frames_of(ask(replay, {**BODY, "stream": True})[2])[0]["choices"][0]["delta"] == {
        "role": "assistant",
        "content": "hi",
    }
    assert [model["id"] for model in json.loads(ask(replay, method="GET", path="/v1/models")[2])["data"]] == [
        "m",
        "body",
    ]
    assert ask(replay, method="GET", path="/health?x=1")[0] == 200


@pytest.mark.parametrize(
    ("status", "param", "asked"),
    [
        (400, None, {"body": b"{"}),
        (400, None, {"body": b"[]"}),
        (400, None, {"body": b""}),
        (400, None, {"body": b'{"model":"m","messages":[],"temperature":NaN}'}),
        (400, None, {"body": b"[" * 5000}),
        (400, None, {"body": b"\xff"}),
        (400, "model", {"body": {"messages": []}}),
        (400, "messages", {"body": {"model": "m"}}),
        (400, "messages", {"body": {"model": "m", "messages": "hi"}}),
        (400, "messages", {"body": {"model": "m", "messages": ["hi"]}}),
        (400, "stream", {"body": {**BODY, "stream": "yes"}}),
        (404, "model", {"body": {**BODY, "model": "x"}}),
        (404, None, {"path": "/v1/completions"}),
        (404, None, {"method": "GET", "path": "/"}),
        (405, None, {"method": "GET"}),
        (405, None, {"path": "/v1/models"}),
        (405, None, {"path": "/health"}),
        (404, None, {"method": "DELETE", "path": "/"}),
        (405, None, {"method": "DELETE"}),
        (405, None, {"method": "OPTIONS", "Origin": "http://evil.example"}),
        (413, None, {"body": b"x" * 10_001}),
        (413, None, {"body": b"x" * 3_000_000}),
        (413, None, {"body": b"x" * 10_001, "Expect": "100-continue"}),
        (411, None, {"Content_Length": "-1"}),
        (411, None, {"Content_Length": "9" * 30}),
        (400, None, {"Transfer_Encoding": "chunked", "Content_Length": "0"}),
        (501, None, {"method": "POST", "Transfer_Encoding": "gzip, chunked"}),
        (501, None, {"method": "POST", "Transfer_Encoding": "\x0bchunked"}),
        (501, None, {"method": "POST", "Transfer_Encoding": "\xa0chunked"}),
        (400, None, {"body": b'{"model":"m","messages":[],"temperature":1e999}'}),
        (415, None, {"Content_Type": "text/plain"}),
        (403, None, {"Host": "evil.example"}),
        (403, None, {"Host": "127.0.0.1.evil.example:80"}),
        (403, None, {"Host": "[" }),
    ],
)  # fmt: skip
def test_invalid_request_is_rejected_with_openai_error(
    replay: Server, status: int, param: str | None, asked: dict[str, Any]
) -> None:
    found, headers, body = ask(replay, **asked)
    error = json.loads(body)["error"]
    assert (found, error["param"], set(error)) == (status, param, {"message", "type", "param", "code"})
    assert error["type"] == "invalid_request_error" and error["message"] and isinstance(error["code"], str)
    if found == 405:
        assert headers["Allow"] == ("GET" if "path" in asked else "POST")
    assert ask(replay)[0] == 200


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n", 200),
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nX: %d\r\n", 200),
        (b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: %d\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: example.com\r\nX: %d\r\n", 400),
        *[
            (b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + lines, 400)
            for lines in (
                b"Content-Length : %d\r\n",
                b"Transfer-Encoding : chunked\r\nX: %d\r\n",
                b"not a field\r\nContent-Length: %d\r\n",
                b"X: a\r\r\nContent-Length: %d\r\n",
                b"X: a\rContent-Length: %d\r\n",
                b"X: a\r\n Content-Length: %d\r\n",
                b"X: a\0\r\nContent-Length: %d\r\n",
                b": a\r\nContent-Length: %d\r\n",
            )
        ],
    ],
)
def test_body_is_never_read_as_next_request(replay: Server, fields: bytes, status: int) -> None:
    hidden = b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", replay.server_port), timeout=30) as caller:
        caller.sendall(fields % len(hidden) + b"\r\n" + hidden)
        answer = b""
        try:
            while piece := caller.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass  # the server closed the connection without reading the rest of the request
    assert answer.startswith(b"HTTP/1.1 %d " % status) and answer.count(b"HTTP/1.1") == 1


CHUNKED = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


def answers_to(server: Server, *sent: bytes, pause: float = 0.005) -> bytes:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=30) as caller:
        answer = b""
        try:
            for piece in sent:
                caller.sendall(piece)
                time.sleep(pause)
            while piece := caller.recv(65536):
                answer += piece
        except (ConnectionResetError, BrokenPipeError):
            pass  # the server closed the connection without reading the rest of the request
    return answer


def chunked(data: bytes, size: int) -> bytes:
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    return b"".join(b"%x;a=b\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nX-Trailer: 1\r\n\r\n"


def test_chunked_body_is_read_and_connection_is_closed(replay: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", replay.server_port, timeout=30)
    for size in (1, 7, 1000):
        data = json.dumps(BODY).encode()
        pieces = iter([data[i : i + size] for i in range(0, len(data), size)])
        connection.request(
            "POST", "/v1/chat/completions", pieces, {"Content-Type": "application/json"}, encode_chunked=True
        )
        answer = connection.getresponse()
        assert json.loads(answer.read())["choices"][0]["message"]["content"] == "hi"
        assert answer.headers["Connection"] == "close"
    connection.close()


def test_chunked_body_split_at_any_point_gets_one_answer(replay: Server) -> None:
    wire = chunked(json.dumps(BODY).encode(), 20)
    for split in range(0, len(wire), 3):
        answer = answers_to(replay, CHUNKED + wire[:split], wire[split:] + b"GET / HTTP/1.1\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ") and b'"hi"' in answer and answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    ("wire", "status"),
    [
        (b"x\r\n", 400),
        (b"-1\r\n", 400),
        (b"2\r\n{}}\r\n0\r\n\r\n", 400),
        (b"1" * 5000, 400),
        (b"ffffffffffffffff\r\n", 400),
        (chunked(b"x" * 10_001, 3000), 413),
        (chunked(b"x" * 2_000_000, 60_000), 413),
        (chunked(b"x" * 10_001, 3000)[:-4] + b"x" * 70_000, 413),
    ],
)
def test_invalid_or_too_large_chunked_body_gets_one_error(replay: Server, wire: bytes, status: int) -> None:
    answer = answers_to(replay, CHUNKED + wire)
    assert answer.startswith(b"HTTP/1.1 %d " % status) and answer.count(b"HTTP/1.1") == 1


def test_large_slow_body_gets_one_answer(replay: Server) -> None:
    with running(replay.backend, patience=0.3, max_body=10) as server:
        head = CHUNKED.replace(b"Transfer-Encoding: chunked", b"Content-Length: 1000")
        answer = answers_to(server, head, b"x", b"x", pause=0.2)
    assert answer.startswith(b"HTTP/1.1 413 ") and answer.count(b"HTTP/1.1") == 1


def test_content_length_with_surrounding_whitespace_is_accepted(replay: Server) -> None:
    body = json.dumps(BODY).encode()
    sent = CHUNKED.replace(b"Transfer-Encoding: chunked", b"Connection: close\r\nContent-Length:\t %d \t" % len(body))
    assert answers_to(replay, sent + body).startswith(b"HTTP/1.1 200 ")


def test_expect_continue_body_is_refused_before_it_is_sent(replay: Server) -> None:
    for field in (b"Content-Type: text/plain", b"Content-Length: 3", b"X: a\rb"):
        head = b"POST /v1/chat/completions HTTP/1.1\r\n%b\r\nHost: localhost\r\nExpect: 100-continue\r\n" % field
        assert answers_to(replay, head + b"Content-Length: 2\r\n\r\n").startswith(b"HTTP/1.1 4"), field
    asked = b"GET /health HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    assert b"HTTP/1.1 200 " in answers_to(replay, asked)


def test_expect_continue_with_acceptable_body_is_continued_and_answered(replay: Server) -> None:
    body = json.dumps(BODY).encode()
    head = CHUNKED.replace(
        b"Transfer-Encoding: chunked", b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: %d"
    )
    with socket.create_connection(("127.0.0.1", replay.server_port), timeout=30) as caller:
        caller.sendall(head % len(body))
        assert caller.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        caller.sendall(body)
        assert b"".join(iter(lambda: caller.recv(65536), b"")).startswith(b"HTTP/1.1 200 ")


def test_head_request_is_answered_without_body(replay: Server) -> None:
    answer = answers_to(replay, b"HEAD /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 405 ") and answer.endswith(b"\r\n\r\n") and answer.count(b"\r\n\r\n") == 1
    assert b"\r\nAllow: GET\r\n" in answer and b"\r\nContent-Length: 0\r\n" not in answer


def test_body_that_ends_early_is_not_answered(replay: Server) -> None:
    log: list[str] = []
    with running(replay.backend, log=log.append) as server:
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=30) as caller:
            caller.sendall(CHUNKED.replace(b"Transfer-Encoding: chunked", b"Content-Length: 9") + b"{")
            caller.shutdown(socket.SHUT_WR)
            assert caller.recv(65536) == b""
    assert log == ["connection lost: ConnectionAbortedError"]


def test_server_on_ipv6_loopback_has_a_url_with_brackets(replay: Server) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("needs IPv6")
    with running(replay.backend, host="::1") as server:
        assert server.url == f"http://[::1]:{server.server_port}/v1"
        for host, status in ((f"[::1]:{server.server_port}", 200), ("[2001:db8::1]", 403)):
            connection = http.client.HTTPConnection("::1", server.server_port, timeout=30)
            connection.request("GET", "/health", headers={"Host": host})
            assert connection.getresponse().status == status
            connection.close()


@pytest.mark.parametrize(
    ("sent", "status"),
    [(b"\x16\x03\x01\r\n", 400), (b"GET /health HTTP/2.0\r\n\r\n", 505), (b"GET /health\r\n\r\n", 200)],
)
def test_request_line_of_another_protocol_gets_a_status_line(replay: Server, sent: bytes, status: int) -> None:
    assert answers_to(replay, sent).startswith(b"HTTP/1.1 %d " % status)


def test_key_with_invalid_characters_is_refused() -> None:
    with running(Upstream("http://127.0.0.1:9/v1", "")) as server:
        status, _, body = ask(server, Authorization="Bearer b\xe9")
    assert status == 400 and b"must be printable ASCII" in body


def test_http_1_0_client_gets_unchunked_body(replay: Server) -> None:
    with socket.create_connection(("127.0.0.1", replay.server_port), timeout=30) as caller:
        body = json.dumps({**BODY, "stream": True}).encode()
        caller.sendall(
            b"POST /v1/chat/completions HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (len(body), body)
        )
        answer = b"".join(iter(lambda: caller.recv(65536), b""))
    head, _, sent = answer.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding" not in head and frames_of(sent)


# ---- callers that disconnect


ENDLESS = b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": "x" * 50_000}}]}).encode() + b"\n\n"


def head(handler: Any) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")


def waits_for_the_end(handler: Any) -> None:
    """Send nothing more, and raise ConnectionAbortedError when the connection is closed."""
    if not handler.connection.recv(1):
        raise ConnectionAbortedError


def silent_from_the_start(handler: Any) -> None:
    waits_for_the_end(handler)


def silent_after_a_chunk(handler: Any) -> None:
    head(handler)
    handler.wfile.write(CHUNK)
    waits_for_the_end(handler)


def never_silent(handler: Any) -> None:
    head(handler)
    while True:
        handler.wfile.write(ENDLESS)


@pytest.mark.parametrize("answer", [silent_from_the_start, silent_after_a_chunk, never_silent])
@pytest.mark.parametrize("stream", [True, False])
def test_disconnected_client_frees_upstream(answer: Any, stream: bool) -> None:
    with upstream(answer) as above, running(Upstream(above.url, "")) as server:
        caller = posting(server, stream)
        deadline = time.monotonic() + 10
        while not above.bodies and time.monotonic() < deadline:
            time.sleep(0.01)
        if stream and answer is not silent_from_the_start:
            assert caller.recv(1)
        caller.close()
        assert above.gone.wait(10)
        assert ask(server, method="GET", path="/health")[0] == 200
    assert len(above.bodies) == 1


def posting(server: Server, stream: bool) -> socket.socket:
    caller = socket.socket()
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    caller.settimeout(30)
    caller.connect(("127.0.0.1", server.server_port))
    body = json.dumps({**BODY, "stream": stream}).encode()
    caller.sendall(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        % (len(body), body)
    )
    return caller


def late(handler: Any) -> None:
    time.sleep(1.1)
    sends(CHUNK + b"data: [DONE]\n\n")(handler)


def late_within(handler: Any) -> None:
    head(handler)
    handler.wfile.write(CHUNK)
    time.sleep(1.1)
    handler.wfile.write(b"data: [DONE]\n\n")


@pytest.mark.parametrize("answer", [late, late_within])
@pytest.mark.parametrize("stream", [True, False])
def test_half_closed_client_still_gets_answer(answer: Any, stream: bool) -> None:
    if not stream:
        answer = {late: late_whole, late_within: late_refusal}[answer]
    with upstream(answer) as above, running(Upstream(above.url, "")) as server, posting(server, stream) as caller:
        caller.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(caller, method="POST")  # skips interim responses
        response.begin()
        body = response.read()
    assert response.status == (429 if answer is late_refusal else 200)
    assert b'"content":"hi"' in body or answer is late_refusal
    if stream:
        assert len(frames_of(body.replace(b"\n\n:", b""))) == 1 and body.rstrip().endswith(b"data: [DONE]")


def late_whole(handler: Any) -> None:
    time.sleep(1.1)
    sends(b'{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"}}]}', kind="application/json")(handler)


def late_refusal(handler: Any) -> None:
    time.sleep(0.5)
    sends(b"{}", "429 Too Many", "application/json")(handler)


@pytest.mark.parametrize("answer", [silent_from_the_start, silent_after_a_chunk])
def test_client_disconnecting_later_frees_upstream(answer: Any) -> None:
    with upstream(answer) as above, running(Upstream(above.url, "")) as server:
        caller = posting(server, True)
        caller.shutdown(socket.SHUT_WR)
        assert not above.gone.wait(0.7)
        caller.close()
        assert above.gone.wait(10)


def test_client_that_does_not_read_frees_upstream() -> None:
    with upstream(never_silent) as above, running(Upstream(above.url, ""), patience=0.5) as server:
        with posting(server, True):
            assert above.gone.wait(20)


def test_silent_client_is_disconnected(replay: Server) -> None:
    with running(replay.backend, patience=0.3) as server:
        for begin in (
            b"",
            b"POST /v1/chat",
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
        ):
            with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as caller:
                caller.sendall(begin)
                answer = b"".join(iter(lambda: caller.recv(65536), b""))
                assert answer.startswith(b"HTTP/1.1 408 ") if begin.endswith(b"{") else not answer


def test_client_above_the_connection_limit_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disconnected caller stops its recording, which is in a pause of a minute, and makes room for the next one."""
    monkeypatch.setattr(serve, "_MOST_CALLERS", 1)
    with running(Recordings({"m": [(0.0, CHUNK), (60_000.0, b"data: [DONE]\n\n")]})) as server:
        with posting(server, True) as caller:
            assert caller.recv(1)
            with socket.create_connection(("127.0.0.1", server.server_port), timeout=30) as other:
                assert other.recv(1) == b""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                assert ask(server, method="GET", path="/health")[0] == 200
                break
            except OSError:
                time.sleep(0.05)
        else:
            pytest.fail("the recording of a disconnected caller was still being played after ten seconds")


@pytest.mark.parametrize("stream", [True, False])
def test_cancelled_recording_is_incomplete(stream: bool) -> None:
    call = Recordings({"m": [(0.0, CHUNK), (60_000.0, b"data: [DONE]\n\n")]}).call("")
    with pytest.raises(IncompleteStreamError) as raised:
        threading.Timer(0.1, call.cancel).start()
        for _ in call.create({**BODY, "stream": stream}):
            pass
    assert raised.value.completion.response.text == "hi"


class _Call:
    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def cancel(self) -> None:
        self.cancelled.set()


@pytest.mark.parametrize(("probe", "is_gone"), [(INTERIM, False), (b"", True)])
def test_half_closed_client_is_probed_only_between_writes(probe: bytes, is_gone: bool) -> None:
    here, there = socket.socketpair()
    with here, there:
        there.shutdown(socket.SHUT_WR)
        there.settimeout(10)
        watcher: Any = DisconnectWatcher(here, threading.Event())
        watcher.keepalive_probe = probe
        call: Any = _Call()
        with watcher.waiting_for(call):
            with watcher.sending:
                assert not call.cancelled.wait(0.5)
                here.sendall(b"data")
                assert there.recv(100) == b"data"
            assert call.cancelled.wait(10 if is_gone else 0.9) == is_gone
        if probe:
            assert there.recv(len(probe)) == probe


@pytest.mark.parametrize("ends", [b"", b"\r\n"])
def test_slow_client_is_disconnected(replay: Server, ends: bytes) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 99\r\n"
    with running(replay.backend, patience=0.5) as server, socket.create_connection(server.server_address[:2]) as caller:
        caller.sendall(head + ends)
        for _ in range(100):
            if select.select([caller], [], [], 0.1)[0]:
                break
            caller.sendall(b"X")
        else:
            pytest.fail("a caller that sent a byte now and then was still connected after ten seconds")


def test_request_whose_time_is_over_is_not_read() -> None:
    here, there = socket.socketpair()
    with here, there, RequestReader(here, 0.2) as reader:
        there.sendall(b"GET / HTTP/1.1\r\n")
        assert reader.readline() == b"GET / HTTP/1.1\r\n"
        time.sleep(0.25)
        there.sendall(b"X: a\r\n")
        with pytest.raises(socket.timeout, match="the request was not received within the time limit"):
            reader.readline()
        reader.begin()
        assert reader.readline() == b"X: a\r\n"


def test_closed_server_frees_upstream() -> None:
    with upstream(silent_after_a_chunk) as above:
        with running(Upstream(above.url, "")) as server:
            caller = posting(server, True)
            assert caller.recv(1)
        assert above.gone.wait(10)
        caller.close()


# ---- the command


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_serve_command_answers_until_interrupted(tmp_path: Path) -> None:
    (tmp_path / "mine.sse").write_bytes(CHUNK + b"data: [DONE]\n\n")
    for given, model in (([], "plain"), ([str(tmp_path / "mine.sse")], "mine")):
        command = [sys.executable, "-m", "together_adapters", "serve", "--port", "0", "--replay", *given]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
        ) as process:
            assert process.stdout is not None
            url = process.stdout.readline().split()[1]
            try:
                connection = http.client.HTTPConnection(url.split("/")[2], timeout=30)
                connection.request(
                    "POST",
                    "/v1/chat/completions",
                    json.dumps({**BODY, "model": model}),
                    {"Content-Type": "application/json"},
                )
                assert json.loads(connection.getresponse().read())["choices"][0]["message"]["content"]
                connection.close()
            finally:
                process.send_signal(signal.SIGINT)
                _, errors = process.communicate(timeout=30)
        assert (
            process.returncode == 130
            and "Traceback" not in errors
            and '"POST /v1/chat/completions HTTP/1.1" 200' in errors
        )


@pytest.mark.parametrize(
    ("arguments", "says", "status"),
    [
        (["--replay", "no-such-file"], "no-such-file: No such file or directory", 1),
        (["--replay", str(STREAMS[0]), str(STREAMS[0])], "another recording has the same name", 1),
        (["--upstream", "ftp://x"], "not an http or https URL", 2),
        (["--replay", "--port", "99999"], "argument --port: expected a number from 0 to 65535, got '99999'", 2),
        (["--replay", "--port", "000000099999"], "argument --port: expected a number from 0 to 65535", 2),
        (["--replay", "--host", "192.0.2.1"], "cannot listen on 192.0.2.1", 1),
    ],
)
def test_serve_command_with_invalid_arguments_exits_with_message(arguments: list[str], says: str, status: int) -> None:
    command = [sys.executable, "-m", "together_adapters", "serve", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=30)
    assert done.returncode == status and says in done.stderr and "Traceback" not in done.stderr


# ---- bytes that are passed through unchanged


@pytest.mark.parametrize("path", STREAMS, ids=label)
def test_passed_bytes_are_unchanged_and_read(path: Any) -> None:
    data = path.read_bytes()
    reader = iter_chunks(iter([data]))
    expected = []
    error = None
    try:
        for chunk in reader:
            expected.append(chunk)
    except Exception as raised:
        error = raised
    seen: list[Any] = []
    through = PassThrough(seen.append)
    pieces = [data[i : i + 700] for i in range(0, len(data), 700)] + [b"after the end"]
    assert list(through.over(iter(pieces))) == pieces
    assert (seen, through.chunks, through.completion) == (expected, len(expected), reader.completion)
    assert (through.error is None) == (error is None)


def test_broken_source_raises_after_the_passed_bytes() -> None:
    def source() -> Iterator[bytes]:
        yield CHUNK
        raise ConnectionResetError("reset")

    through = PassThrough()
    passed = through.over(source())
    assert next(passed) == CHUNK
    with pytest.raises(ConnectionResetError):
        next(passed)
    assert (through.chunks, through.completion.state, type(through.error).__name__) == (
        1,
        "cut_off",
        "IncompleteStreamError",
    )


def test_bytes_before_break_are_passed() -> None:
    def source() -> Iterator[bytes]:
        yield CHUNK[:5]
        raise http.client.IncompleteRead(CHUNK[5:])

    through, passed = PassThrough(), b""
    with pytest.raises(http.client.IncompleteRead):
        for piece in through.over(source()):
            passed += piece
    assert (passed, through.chunks, through.completion.state) == (CHUNK, 1, "cut_off")


@pytest.mark.parametrize(
    ("problem", "passed", "state"),
    [
        (http.client.IncompleteRead(CHUNK[5:]), CHUNK, "cut_off"),
        (ConnectionResetError("reset"), CHUNK[:5], "cut_off"),
        (RuntimeError("bug"), CHUNK[:5], "cancelled"),
    ],
    ids=["incomplete read", "reset", "other exception"],
)
def test_broken_asynchronous_source_raises_after_the_passed_bytes(
    problem: Exception, passed: bytes, state: str
) -> None:
    import asyncio

    async def source() -> AsyncIterator[bytes]:
        yield CHUNK[:5]
        raise problem

    through, received = PassThrough(), []

    async def forward() -> None:
        async for piece in through.aover(source()):
            received.append(piece)

    with pytest.raises(type(problem)) as raised:
        asyncio.run(forward())
    assert raised.value is problem and b"".join(received) == passed and through.completion.state == state


def test_response_of_urllib_that_is_truncated_raises_after_the_passed_bytes() -> None:
    """The response of http.client returns b"" for a body that is shorter than its Content-Length."""
    with loopback.serve_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", CHUNK) as url:
        through, received = PassThrough(), []
        with urllib.request.urlopen(url) as response, pytest.raises(EOFError, match="bytes of the body are missing"):
            for piece in through.over(response):
                received.append(piece)
    assert b"".join(received) == CHUNK and through.completion.state == "cut_off"


@pytest.mark.parametrize("ending", [b"data: [DONE]\n\n", b'data: {"error": {"message": "m"}}\n\n', b"data: no\n\n"])
def test_bytes_after_done_take_no_memory(ending: bytes) -> None:
    tracemalloc = pytest.importorskip("tracemalloc", reason="PyPy lacks tracemalloc")
    after = CHUNK + b"x" * 65536
    tracemalloc.start()
    try:
        passed = sum(map(len, PassThrough().over(chain([ending], repeat(after, 200)))))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert passed == len(ending) + 200 * len(after) and peak < 2**20


def test_closed_pass_through_closes_source() -> None:
    closed = []

    def source() -> Iterator[bytes]:
        try:
            while True:
                yield CHUNK
        finally:
            closed.append(True)

    through = PassThrough()
    passed = through.over(source())
    next(passed)
    passed.close()
    assert closed == [True] and through.completion.state == "cancelled"


def test_pass_through_closed_before_first_piece_closes_source() -> None:
    stream = iter_chunks(iter([b""]))
    PassThrough().over(encode_chunks(stream)).close()
    assert stream.completion.state == "cancelled"


def test_asynchronous_pieces_are_passed_and_read() -> None:
    import asyncio

    async def source() -> AsyncIterator[bytes]:
        yield CHUNK
        yield b"data: [DONE]\n\n"

    async def passed() -> list[bytes]:
        return [piece async for piece in through.aover(source())]

    through = PassThrough()
    assert asyncio.run(passed()) == [CHUNK, b"data: [DONE]\n\n"]
    assert (through.chunks, through.completion.state) == (1, "finished")


def test_stream_reader_with_line_above_its_limit_is_passed() -> None:
    """Iterating over a StreamReader yields lines, and raises ValueError for a line that is longer than its limit."""
    import asyncio

    async def passed() -> list[bytes]:
        source = asyncio.StreamReader(limit=len(CHUNK) // 2)
        source.feed_data(CHUNK + b"data: [DONE]\n\n")
        source.feed_eof()
        return [piece async for piece in through.aover(source)]

    through = PassThrough()
    assert b"".join(asyncio.run(passed())) == CHUNK + b"data: [DONE]\n\n"
    assert (through.chunks, through.completion.state) == (1, "finished")
