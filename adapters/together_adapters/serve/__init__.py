"""An OpenAI-compatible endpoint on loopback, in front of another server or of recordings.

It shows the adapters at work: a request becomes one of the client's, the chunks of its answer go through `to_openai`
and `encode_chunks`. POST /v1/chat/completions, GET /v1/models, GET /health; errors have OpenAI's body.

It never passes a caller's bytes on: the upstream gets the JSON of a request, and of its headers only the key. Because the
server has a key of its own to spend, it takes JSON only and, where it listens on loopback, only a loopback name as its host:
so no web page can use it. A caller that has gone, or does not read, frees its upstream; one that has only ended its own side
of the connection gets its answer.
"""

from __future__ import annotations

import math
import socket
import sys
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import BoundedSemaphore, Event

from ..errors import APIError, APIStatusError, APITimeoutError
from ..http._url import endpoint_of
from ..openai_format import to_openai
from ..sse import encode_chunks
from ..sse._encoding import error_body, json_bytes
from ..stream import ChunkStream
from ._disconnects import COMMENT, INTERIM, DisconnectWatcher
from ._requests import (
    RequestError,
    RequestReader,
    bearer_token,
    body_length,
    body_pieces,
    check_content_type,
    check_framing,
    checked_request,
    has_body,
    is_for_loopback,
    wants_usage,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ._backends import Backend

__all__ = ["Server"]

MAX_BODY = 32 * 2**20
_PATIENCE = 60.0  # seconds for one read or write of a caller, and for the whole of its request
_MOST_CALLERS = 128


class Server(ThreadingHTTPServer):
    """Serves a backend, `Upstream` or `Recordings`; `serve_forever()` and `shutdown()` are the standard library's.

    `url` is the base URL for clients. `log` is called with a line for each request. `patience` is how many seconds a
    caller may take for one read or write, and for sending its request; `max_body` how many bytes that may have.
    """

    daemon_threads = True

    def __init__(
        self,
        backend: Backend,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        patience: float = _PATIENCE,
        max_body: int = MAX_BODY,
        log: Callable[[str], object] = str,
    ) -> None:
        self.backend = backend
        self.patience = patience
        self.max_body = max_body
        self.log = log
        name = f"[{host}]" if ":" in host else host
        self.on_loopback: bool = endpoint_of(f"http://{name}").is_loopback
        self.closing: Event = Event()
        self._places = BoundedSemaphore(_MOST_CALLERS)
        if ":" in host:
            self.address_family: int = socket.AF_INET6
        super().__init__((host, port), _handler_for(self, patience))
        self.url: str = f"http://{name}:{self.server_port}/v1"

    def server_bind(self) -> None:
        """As HTTPServer does, without asking the network for this machine's name."""
        TCPServer.server_bind(self)
        self.server_name: str = str(self.server_address[0])
        self.server_port: int = int(self.server_address[1])

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Start a thread for a caller, while there is room."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Serve one caller."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Mostly a caller that went away."""
        self.log(f"a connection broke: {type(sys.exc_info()[1]).__name__}")

    def server_close(self) -> None:
        """Stop listening and cancel the calls that are under way."""
        self.closing.set()
        super().server_close()


class _Handler(BaseHTTPRequestHandler):
    """One connection of a caller."""

    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # of what cannot be read: it has a status too

    if TYPE_CHECKING:
        served: Server

    def setup(self) -> None:
        """One connection."""
        super().setup()
        self.rfile.close()
        self.rfile = self._incoming = RequestReader(self.connection, self.served.patience)
        self._watcher = DisconnectWatcher(self.connection, self.served.closing)

    def handle_one_request(self) -> None:
        """One request, with its limit of time."""
        self._incoming.begin()
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Its head, from the line after the first."""
        self._incoming.begin_fields()
        is_read = super().parse_request()
        if is_read and not isinstance(
            self.headers, self.MessageClass
        ):  # since 3.14 a dict where a request has no version
            self.headers = self.MessageClass()
        return is_read

    def log_message(self, format: str, *args: object) -> None:
        """One line, without what might steer a terminal."""
        self.served.log((format % args).encode("ascii", "backslashreplace").decode("ascii"))

    def version_string(self) -> str:
        return "together-types"

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server itself refuses, in OpenAI's form too."""
        if code == 501:  # its status for methods that have no `do_` here
            self._answer()
        else:
            self._refuse(RequestError(code, message or explain or self.responses[code][0]))

    def do_GET(self) -> None:
        """The paths that are read."""
        self._answer()

    def do_POST(self) -> None:
        """The one path that is posted to."""
        self._answer()

    def _answer(self) -> None:
        try:
            check_framing(self.headers, well_formed_head=self._incoming.well_formed_head)
            if self.command != "POST" and has_body(self.headers):
                self.close_connection = True  # the body is not read, and would be the next request
            if self.served.on_loopback and not is_for_loopback(self.headers):
                raise RequestError(
                    403, f"not a name of this machine: {self.headers.get('Host', '')[:80]!r}", code="wrong_host"
                )
            self._route()
        except RequestError as refused:
            self._refuse(refused)
        except APIError as error:
            self._fail(error)
        except ValueError as error:  # a key or a value that cannot be sent on
            self._refuse(RequestError(400, str(error)))

    def _route(self) -> None:
        path = self.path.partition("?")[0].rstrip("/")
        paths = {
            "/v1/chat/completions": ("POST", self._complete),
            "/v1/models": ("GET", self._models),
            "/health": ("GET", self._health),
        }
        if path not in paths:
            raise RequestError(404, f"no such path: {path[:80]}", code="not_found")
        method, answer = paths[path]
        if self.command != method:
            raise RequestError(405, f"{path} takes {method}", code="method_not_allowed", allowed=method)
        answer()

    # ---- what is answered

    def _health(self) -> None:
        self._send(200, {"status": "ok"})

    def _models(self) -> None:
        self._send(200, {"object": "list", "data": self.served.backend.models(bearer_token(self.headers))})

    def _complete(self) -> None:
        body = checked_request(self._body())
        call = self.served.backend.call(bearer_token(self.headers))
        self._watcher.keepalive_probe = b"" if self.request_version == "HTTP/1.0" else INTERIM
        try:
            with self._watcher.waiting_for(call):
                reply = call.create(body)
                if isinstance(reply, ChunkStream):
                    with reply:
                        self._stream(reply, with_usage=wants_usage(body))
                else:
                    self._send(200, {**to_openai(reply)})
        finally:
            call.finish()

    def _stream(self, stream: ChunkStream, *, with_usage: bool) -> None:
        """Send the chunks as they come."""
        chunked = self.request_version != "HTTP/1.0"
        framed = _chunk if chunked else bytes
        self.close_connection = self.close_connection or not chunked
        with self._watcher.sending:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Cache-Control", "no-cache")
            if chunked:
                self.send_header("Transfer-Encoding", "chunked")
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            self._watcher.keepalive_probe = framed(COMMENT)
        with closing(encode_chunks(_converted(stream, with_usage))) as frames:
            for data in frames:
                with self._watcher.sending:
                    self.wfile.write(framed(data))
        with self._watcher.sending:
            self._watcher.keepalive_probe = b""
            if chunked:
                self.wfile.write(b"0\r\n\r\n")

    def _send(self, status: int, data: dict[str, Any], headers: tuple[tuple[str, str], ...] = ()) -> None:
        body = json_bytes(data)
        with self._watcher.sending:
            self._watcher.keepalive_probe = b""
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers:
                self.send_header(name, value)
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    def _refuse(self, refused: RequestError) -> None:
        self.close_connection = True  # what is left of the request cannot be told from the next one
        self._send(refused.status, refused.body, refused.headers)

    def _fail(self, error: APIError) -> None:
        """An error of the upstream, with its status where it has one."""
        status = (
            error.status if isinstance(error, APIStatusError) else 504 if isinstance(error, APITimeoutError) else 502
        )
        seconds = getattr(error, "retry_after", None)
        headers = () if seconds is None else (("Retry-After", str(math.ceil(seconds))),)
        self._send(status if 400 <= status < 600 else 502, error_body(error), headers)

    # ---- what is asked

    def handle_expect_100(self) -> bool:
        """A body that will not be taken is refused before it is sent."""
        try:
            check_framing(self.headers, well_formed_head=self._incoming.well_formed_head)
            if has_body(self.headers):
                check_content_type(self.headers)
                if (body_length(self.headers, self.request_version) or 0) > self.served.max_body:
                    raise self._too_large()
        except RequestError as refused:
            self._refuse(refused)
            return False
        return super().handle_expect_100()

    def _too_large(self) -> RequestError:
        return RequestError(413, f"a body of more than {self.served.max_body} bytes", code="request_too_large")

    def _body(self) -> bytes:
        """The body of the request; what is too large is read and thrown away for a while, so that its sender sees the answer."""
        check_content_type(self.headers)
        length, most = body_length(self.headers, self.request_version), self.served.max_body
        if length is None:
            self.close_connection = True  # a proxy in front may find another end in the chunks than we do
        pieces = body_pieces(self._incoming, length)
        body = bytearray()
        if length is None or length <= most:
            for piece in pieces:
                body += piece
                if len(body) > most:
                    break
            else:
                return bytes(body)
        self._refuse(self._too_large())
        with suppress(RequestError):  # it has its answer
            for _ in pieces:
                pass
        raise ConnectionAbortedError("the body was too large")


def _handler_for(server: Server, patience: float) -> type[_Handler]:
    class Handler(_Handler):
        timeout = patience  # of every read and write
        served = server

    return Handler


def _converted(stream: ChunkStream, with_usage: bool) -> Iterator[dict[str, Any]]:
    """The chunks in OpenAI's format, with a usage only where it was asked for."""
    with stream:
        for chunk in stream:
            data: dict[str, Any] = {**to_openai(chunk)}
            if not with_usage:
                data.pop("usage", None)
            yield data


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
