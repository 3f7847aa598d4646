"""The parser of HTTP/1.1 responses, fed with bytes: every split, the accepted deviations from RFC 9112, and the ending."""

from __future__ import annotations

import gzip
import zlib

import pytest
from together_adapters.http._http1 import ProtocolError, Response

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
BODY = b"hello, hello, hello"


def deflate(data: bytes) -> bytes:
    """Return the data compressed as DEFLATE without the header of zlib."""
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


def with_length(body: bytes, *fields: bytes) -> bytes:
    return b"".join([HEAD, *[field + b"\r\n" for field in fields], b"Content-Length: %d\r\n\r\n" % len(body), body])


def parse(*pieces: bytes, end: bool = False) -> tuple[Response, bytes]:
    """Return the parsed response and its body. With `end` the connection ends after the last piece.

    As in the clients, nothing is read after an error.
    """
    response, body = Response(), b""
    for piece in pieces:
        if response.error is None:
            body += response.feed(piece)
    if end:
        response.end()
    return response, body


# ---- splits

WHOLE = {
    "chunks": CHUNKED + b"5\r\nhello\r\n0e\r\n, hello, hello\r\n0\r\n\r\n",
    "chunk extensions and trailers": CHUNKED + b'13;name="value"\r\n' + BODY + b"\r\n00;last\r\nX-Sum: 1\r\nX-B: 2\r\n\r\n",
    "LF only": (CHUNKED + b"13\r\n%s\r\n0\r\n\r\n" % BODY).replace(b"\r\n", b"\n"),
    "length after interim responses": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nX: y\r\n\r\n" + with_length(BODY),
    "gzip": with_length(gzip.compress(BODY), b"Content-Encoding: gzip"),
    "gzip in two members": with_length(gzip.compress(BODY[:6]) + gzip.compress(BODY[6:]), b"Content-Encoding: x-gzip"),
    "deflate": with_length(zlib.compress(BODY), b"Content-Encoding: deflate"),
    "deflate without the zlib header": with_length(deflate(BODY), b"Content-Encoding: deflate"),
    "deflate in chunks": HEAD + b"Content-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"".join([b"1\r\n%c\r\n" % byte for byte in zlib.compress(BODY)]) + b"0\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_response_at_every_split_has_the_same_body(name: str) -> None:
    data = WHOLE[name]
    splits = [[data[:cut], data[cut:]] for cut in range(1, len(data))]
    for pieces in [[data], *splits, [data[at : at + 1] for at in range(len(data))]]:
        response, body = parse(*pieces)
        assert (body, response.status, response.error) == (BODY, 200, None)
        assert response.complete and response.reusable
        incomplete, _ = parse(*pieces[:-1])
        assert not incomplete.complete and incomplete.error is None


@pytest.mark.parametrize("coding", ["", "gzip", "deflate"])
def test_body_until_the_end_of_the_connection_is_complete_at_every_split(coding: str) -> None:
    packed = {"gzip": gzip.compress(BODY), "deflate": zlib.compress(BODY), "": BODY}[coding]
    data = HEAD + b"Content-Encoding: %s\r\n\r\n" % coding.encode() + packed
    for cut in range(1, len(data)):
        response, body = parse(data[:cut], data[cut:])
        assert not response.complete
        response.end()
        assert (body, response.error, response.complete, response.reusable) == (BODY, None, True, False)


# ---- the head


def test_folded_header_lines_are_joined_by_a_space() -> None:
    response, body = parse(
        HEAD + b"X-Long: one\r\n  two\r\n\tthree \r\nContent-Length: 2\r\nX-Next:\r\n four\r\n\r\nhi"
    )
    assert response.headers.items() == [("x-long", "one two three"), ("content-length", "2"), ("x-next", "four")]
    assert body == b"hi" and response.complete


# the deviations that the docstring of _http1 lists, in its order
ACCEPTED = {
    "LF in the head": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
    "LF and CRLF in the head": b"HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\nhi",
    "LF after a chunk size": CHUNKED + b"2\nhi\r\n0\r\n\r\n",
    "LF after a chunk": CHUNKED + b"2\r\nhi\n0\r\n\r\n",
    "LF after trailers": CHUNKED + b"2\r\nhi\r\n0\nX: y\n\n",
    "no reason phrase": b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi",
    "tab after the status code": b"HTTP/1.1 200\tOK\r\nContent-Length: 2\r\n\r\nhi",
    "CR in a value": HEAD + b"X: a\rb\r\nContent-Length: 2\r\n\r\nhi",
    "NUL in a value": HEAD + b"X: a\0b\r\nContent-Length: 2\r\n\r\nhi",
    "CR around a length": HEAD + b"Content-Length: 2\r\r\n\r\nhi",
    "vertical tab around a transfer coding": HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    "empty element of a length": HEAD + b"Content-Length: 2,\r\n\r\nhi",
    "equal lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
    "empty transfer coding": HEAD + b"Transfer-Encoding: ,\r\nContent-Length: 2\r\n\r\nhi",
    "chunks in HTTP/1.0": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    "spaces around a chunk size": CHUNKED + b" \t2 \r\nhi\r\n0\t\r\n\r\n",
    "malformed chunk extension": CHUNKED + b'2;=\0"\r\nhi\r\n0;\r\n\r\n',
    "malformed trailer": CHUNKED + b"2\r\nhi\r\n0\r\nno colon\0\r\n\r\n",
}  # fmt: skip
REJECTED = {
    "HTTP/1.2": (b"HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nhi", "malformed status line"),
    "HTTP/2": (b"HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\nhi", "not an HTTP/1.1 response"),
    "two spaces before the status code": (b"HTTP/1.1  200 OK\r\n\r\n", "malformed status line"),
    "status code of four digits": (b"HTTP/1.1 2000 OK\r\n\r\n", "malformed status line"),
    "status code below 100": (b"HTTP/1.1 099 OK\r\n\r\n", "malformed status line"),
    "status code in other digits": (b"HTTP/1.1 20\xb2 OK\r\n\r\n", "malformed status line"),
    "empty line before the status line": (b"\r\nHTTP/1.1 200 OK\r\n\r\n", "not an HTTP/1.1 response"),
    "fold before the first field": (HEAD + b" X: a\r\n\r\n", "malformed header line"),
    "space before the colon": (HEAD + b"X : a\r\n\r\n", "malformed header line"),
    "empty field name": (HEAD + b": a\r\n\r\n", "malformed header line"),
    "signed length": (HEAD + b"Content-Length: +2\r\n\r\nhi", "Content-Length must be a number"),
    "length of 19 digits": (HEAD + b"Content-Length: 0000000000000000002\r\n\r\nhi", "at most 18 digits"),
    "different lengths": (HEAD + b"Content-Length: 2, 02\r\n\r\nhi", "two different Content-Length values"),
    "chunked twice": (HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n", "Transfer-Encoding must be chunked"),
    "no chunk size": (CHUNKED + b";a\r\nhi\r\n", "chunk size must be"),
    "chunk size of 16 digits": (CHUNKED + b"0000000000000002\r\nhi\r\n", "chunk size must be"),
    "CR before the end of a chunk size": (CHUNKED + b"2\r\r\nhi\r\n", "chunk size must be"),
    "chunk shorter than its size": (CHUNKED + b"4\r\nhi\r\n0\r\n\r\n", "longer than its size"),
}  # fmt: skip


@pytest.mark.parametrize("name", ACCEPTED)
def test_listed_deviation_is_accepted(name: str) -> None:
    data = ACCEPTED[name]
    for pieces in ([data], [data[at : at + 1] for at in range(len(data))]):
        response, body = parse(*pieces)
        assert (body, response.error) == (b"hi", None)
        assert response.complete and response.reusable


@pytest.mark.parametrize("name", REJECTED)
def test_other_deviation_is_rejected(name: str) -> None:
    data, problem = REJECTED[name]
    for pieces in ([data], [data[at : at + 1] for at in range(len(data))]):
        response, _ = parse(*pieces)
        assert isinstance(response.error, ProtocolError) and problem in str(response.error)
        assert not response.complete and not response.reusable
        response.end()
        assert isinstance(response.error, ProtocolError), "the first error is kept"


def test_length_without_elements_counts_as_absent() -> None:
    response, body = parse(HEAD + b"Content-Length: ,\r\n\r\nhi", end=True)
    assert (body, response.complete, response.error, response.reusable) == (b"hi", True, None, False)


def test_sixteen_interim_responses_are_skipped() -> None:
    interim = b"HTTP/1.1 102 Processing\r\n\r\n"
    assert parse(16 * interim + with_length(BODY))[1] == BODY
    assert "more than 16 interim responses" in str(parse(17 * interim + with_length(BODY))[0].error)


# ---- the end of the body and of the connection


@pytest.mark.parametrize(
    ("data", "reusable"),
    [
        (HEAD + b"Content-Length: 0\r\n\r\n", True),
        (HEAD + b"Content-Length: 0\r\nConnection: x, Close\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi", False),
        (HEAD + b"Content-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n", False),
        (HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", False),
    ],
)
def test_complete_response_determines_reuse_of_connection(data: bytes, reusable: bool) -> None:
    response, body = parse(data)
    assert (body, response.complete, response.error, response.reusable) == (b"", True, None, reusable)
    assert response.can_be_followed(tail_expected=False) is reusable
    response.end()
    assert (response.complete, response.error, response.reusable) == (True, None, reusable)


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", "without a response"),
        (b"HTTP/1.1 200", "in the head"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "in the head"),
        (HEAD + b"Content-Length: 5\r\n\r\nhi", "in the body"),
        (CHUNKED + b"2\r\nhi\r\n", "in the body"),
        (CHUNKED + b"2\r\nhi\r\n0\r\n", "in the body"),
    ],
)
def test_early_end_of_connection_is_eof_error(data: bytes, where: str) -> None:
    response, body = parse(*[data] if data else [], end=True)
    assert isinstance(response.error, EOFError) and str(response.error).endswith(f"closed the connection {where}")
    assert body == (b"hi" if b"hi" in data else b"") and not response.complete and not response.reusable


@pytest.mark.parametrize(
    ("coding", "packed", "problem"),
    [
        ("gzip", gzip.compress(BODY, mtime=0)[:-1], "the gzip body is cut off"),
        ("deflate", zlib.compress(BODY)[:-1], "the deflate body is cut off"),
        ("deflate", zlib.compress(BODY) + b"more", "the deflate body has data after its end"),
        ("gzip", gzip.compress(BODY, mtime=0) + b"more", "the gzip body is malformed"),
    ],
)
@pytest.mark.parametrize("sized", [True, False], ids=["length", "until the end"])
def test_malformed_compressed_body_is_protocol_error(coding: str, packed: bytes, problem: str, sized: bool) -> None:
    field = b"Content-Encoding: " + coding.encode()
    data = with_length(packed, field) if sized else HEAD + field + b"\r\n\r\n" + packed
    response, body = parse(data, end=True)
    assert isinstance(response.error, ProtocolError) and problem in str(response.error)
    assert body == BODY and not response.reusable


def test_empty_body_with_content_coding_is_complete() -> None:
    response, body = parse(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n")
    assert (body, response.complete, response.error) == (b"", True, None)
