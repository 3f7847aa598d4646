"""A server that disappears after each byte of its response: received data is kept, and the truncation is an error."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from together_adapters import AsyncTogether, Together
from together_adapters.errors import APIConnectionError, APIError, IncompleteStreamError, StreamError
from together_adapters.http import urllib_transport
from together_adapters.protocols import Transport

ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
FRAMES = [
    b'data: {"choices":[{"index":0,"delta":{"content":"one"}}]}\n\n',
    b": ping\n\n",
    b'data: {"choices":[{"index":0,"delta":{"content":"two"}}]}\r\n\r\n',
    b'data: {"choices":[{"index":0,"delta":{"content":"six"},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
]
BODY = b"".join(FRAMES)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
ANSWERS = {
    "chunked": HEAD
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + b"".join([b"%x\r\n%s\r\n" % (len(frame), frame) for frame in FRAMES])
    + b"0\r\n\r\n",
    "length": HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY),
    "close": HEAD + b"Connection: close\r\n\r\n" + BODY,
}
RESET = struct.pack("ii", 1, 0)  # a close with this SO_LINGER sends RST instead of FIN


@contextmanager
def server(answer: bytes, *, reset: bool) -> Iterator[str]:
    """Serve the first N bytes of an answer at the path /N, and then close the connection."""

    def run() -> None:
        while True:
            connection, _ = listener.accept()
            with connection:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += connection.recv(65536)
                if request.startswith(b"STOP"):
                    return
                head, _, body = request.partition(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                while len(body) < length:
                    body += connection.recv(65536)
                connection.sendall(answer[: int(request.split(b"/")[1])])
                if reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        thread = threading.Thread(target=run)
        thread.start()
        address = listener.getsockname()
        try:
            yield f"http://127.0.0.1:{address[1]}"
        finally:
            with socket.create_connection(address) as last:
                last.sendall(b"STOP\r\n\r\n")
            thread.join()


def sync_outcome(url: str, transport: Transport | None = None) -> tuple[list[str], Exception | None, str]:
    texts: list[str] = []
    with Together(api_key="", base_url=url, max_retries=0, transport=transport) as client:
        try:
            stream = client.chat.completions.create(**ASKED)
        except APIError as error:
            return texts, error, ""
        try:
            for chunk in stream:
                texts.append(chunk.text)
        except (IncompleteStreamError, StreamError) as error:
            return texts, error, error.completion.response.text
        return texts, None, stream.completion.response.text


async def async_outcome(url: str) -> tuple[list[str], Exception | None, str]:
    texts: list[str] = []
    async with AsyncTogether(api_key="", base_url=url, max_retries=0) as client:
        try:
            stream = await client.chat.completions.create(**ASKED)
        except APIConnectionError as error:
            return texts, error, ""
        try:
            async for chunk in stream:
                texts.append(chunk.text)
        except (IncompleteStreamError, StreamError) as error:
            return texts, error, error.completion.response.text
        return texts, None, stream.completion.response.text


def texts_in(answer: bytes) -> list[str]:
    """Return the texts that an answer contains, in the order of `FRAMES`."""
    return [text for text in ("one", "two", "six") if text.encode() in answer]


@pytest.mark.parametrize("reset", [False, True], ids=["FIN", "RST"])
@pytest.mark.parametrize("framing", ANSWERS)
def test_server_gone_after_each_byte_loses_nothing_and_never_ends_silently(framing: str, reset: bool) -> None:
    answer = ANSWERS[framing]
    with server(answer, reset=reset) as url:
        for size in range(len(answer) + 1):
            for texts, error, text in (sync_outcome(f"{url}/{size}"), asyncio.run(async_outcome(f"{url}/{size}"))):
                assert "".join(texts) == text
                if error is None:
                    assert texts == ["one", "two", "six"], size
                elif not reset:  # a reset may overtake bytes that were sent before it
                    arrived = texts_in(answer[:size])
                    assert texts in (arrived, arrived[:-1]), size


@pytest.mark.parametrize("framing", ANSWERS)
def test_server_gone_after_each_byte_over_urllib_never_ends_silently(framing: str) -> None:
    answer, transport = ANSWERS[framing], urllib_transport()
    with server(answer, reset=False) as url:
        for size in range(0, len(answer) + 1, 3):
            texts, error, text = sync_outcome(f"{url}/{size}", transport)
            assert "".join(texts) == text
            if error is None:
                assert texts == ["one", "two", "six"], size
            elif size > answer.index(b"\r\n\r\n") + 4:  # http.client accepts a head that is cut off
                arrived = texts_in(answer[:size])
                assert texts in (arrived, arrived[:-1]), size
