"""An OpenAI-compatible endpoint on loopback, in front of another server or of recordings.

The routes are POST /v1/chat/completions, GET /v1/models and GET /health. Errors have OpenAI's format. The module is
also an example of the adapters: the request is sent with the package's client, and the chunks of the response are
converted by `to_openai` and written by `encode_chunks`.

A web page must not be able to use the server, because the server may hold an API key, to which every request is
charged. A request body must therefore be `application/json`, which a browser sends to another origin only after a CORS
preflight, and the server rejects preflights. A server that listens on loopback accepts only loopback names in `Host`,
which protects it against DNS rebinding.

The call to the upstream is cancelled when the caller disconnects or stops reading. A caller that has only closed its
sending side still gets its response.

Does not forward a caller's bytes: the upstream receives new JSON of the request, and the API key of the caller, but
no other header of the caller.
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

MAX_BODY = 32 * 2**20  # bytes
_PATIENCE = 60.0  # seconds for one read from or write to a caller, and for receiving its whole request
_MOST_CALLERS = 128


class Server(ThreadingHTTPServer):
    """An HTTP server in front of a backend, which is an `Upstream` or `Recordings`.

    `serve_forever()` and `shutdown()` are inherited from the standard library's `socketserver`. At most 128 callers are
    served at a time, each in a thread. `url` is the base URL for clients.

    With `port=0` the operating system chooses a free port. The time limit `patience`, in seconds, applies to one read
    from or write to a caller, and to receiving its whole request. A request body may have at most `max_body` bytes.
    The function `log` is called with one line for each request.
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
        """Bind the socket as HTTPServer does, but without a DNS lookup of this machine's name."""
        TCPServer.server_bind(self)
        self.server_name: str = str(self.server_address[0])
        self.server_port: int = int(self.server_address[1])

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Start a thread for a caller, or close the connection if too many callers are connected."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Serve one caller, in its thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Log the class of an exception that ended a connection. Usually the caller has disconnected."""
        self.log(f"connection lost: {type(sys.exc_info()[1]).__name__}")

    def server_close(self) -> None:
        """Stop listening and cancel the calls in progress."""
        self.closing.set()
        super().server_close()


class _Handler(BaseHTTPRequestHandler):
    """The handler of one caller's connection."""

    protocol_version = "HTTP/1.1"
    # The version of a request line that has none. With the default, HTTP/0.9, the response would have no status line.
    default_request_version = "HTTP/1.0"

    if TYPE_CHECKING:
        served: Server

    def setup(self) -> None:
        """Prepare a new connection."""
        super().setup()
        self.rfile.close()
        self.rfile = self._incoming = RequestReader(self.connection, self.served.patience)
        self._watcher = DisconnectWatcher(self.connection, self.served.closing)

    def handle_one_request(self) -> None:
        """Read and answer one request, within the time limit."""
        self._incoming.begin()
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Parse the request line, which has been read, and read the header lines."""
        self._incoming.begin_fields()
        is_read = super().parse_request()
        # Since Python 3.14 `headers` is a dict if the request line lacks a version.
        if is_read and not isinstance(self.headers, self.MessageClass):
            self.headers = self.MessageClass()
        return is_read

    def log_message(self, format: str, *args: object) -> None:
        """Log one line, with control characters and non-ASCII characters escaped for the terminal."""
        self.served.log((format % args).encode("ascii", "backslashreplace").decode("ascii"))

    def version_string(self) -> str:
        return "together-types"

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Send an error that http.server detected, in OpenAI's format."""
        if code == 501:  # an unknown method: http.server found no `do_METHOD`
            self._answer()
        else:
            self._refuse(RequestError(code, message or explain or self.responses[code][0]))

    def do_GET(self) -> None:
        """Answer a GET request."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a POST request."""
        self._answer()

    def _answer(self) -> None:
        try:
            check_framing(self.headers, well_formed_head=self._incoming.well_formed_head)
            if self.command != "POST" and has_body(self.headers):
                self.close_connection = True  # the body is not read: its bytes would be parsed as the next request
            if self.served.on_loopback and not is_for_loopback(self.headers):
                raise RequestError(
                    403,
                    f"Host must be localhost or a loopback address, got {self.headers.get('Host', '')[:80]!r}",
                    code="wrong_host",
                )
            self._route()
        except RequestError as refused:
            self._refuse(refused)
        except APIError as error:
            self._fail(error)
        except ValueError as error:  # the caller's key or a value cannot be sent to the upstream
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
            raise RequestError(405, f"{path} allows only {method}", code="method_not_allowed", allowed=method)
        answer()

    # ---- responses

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
        """Send each chunk as soon as it is received."""
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
        self.close_connection = True  # the rest of this request could be parsed as the next one
        self._send(refused.status, refused.body, refused.headers)

    def _fail(self, error: APIError) -> None:
        """Send an error of the upstream with its status, 504 for a timeout, or 502 for any other error."""
        status = (
            error.status if isinstance(error, APIStatusError) else 504 if isinstance(error, APITimeoutError) else 502
        )
        seconds = getattr(error, "retry_after", None)
        headers = () if seconds is None else (("Retry-After", str(math.ceil(seconds))),)
        self._send(status if 400 <= status < 600 else 502, error_body(error), headers)

    # ---- requests

    def handle_expect_100(self) -> bool:
        """Send 100 (Continue) and return True, or reject a request whose body is not acceptable and return False."""
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
        return RequestError(
            413, f"the request body must be at most {self.served.max_body} bytes", code="request_too_large"
        )

    def _body(self) -> bytes:
        """Return the body of the request.

        If it is too large, send 413, discard the rest of the body within the time limit, and raise
        ConnectionAbortedError. Many clients read the response only after they have sent the whole body.
        """
        check_content_type(self.headers)
        length, most = body_length(self.headers, self.request_version), self.served.max_body
        if length is None:
            self.close_connection = True  # a proxy in front of the server might determine another end of a chunked body
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
        with suppress(RequestError):  # the error response has already been sent
            for _ in pieces:
                pass
        raise ConnectionAbortedError("the request body was too large")


def _handler_for(server: Server, patience: float) -> type[_Handler]:
    class Handler(_Handler):
        timeout = patience  # in seconds, for each read and write
        served = server

    return Handler


def _converted(stream: ChunkStream, with_usage: bool) -> Iterator[dict[str, Any]]:
    """Yield the chunks in OpenAI's format, without their usage unless the request asked for it."""
    with stream:
        for chunk in stream:
            data: dict[str, Any] = {**to_openai(chunk)}
            if not with_usage:
                data.pop("usage", None)
            yield data


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
