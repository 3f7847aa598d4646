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
import selectors
import socket
import sys
import time
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import BoundedSemaphore, Event, Lock, Thread

from ._encode import error_body, json_bytes
from ._fold import is_items, is_members
from ._http1 import ChunkedBody
from ._types import ParseError, loads_finite
from ._url import BaseURL
from .errors import APIError, APIStatusError, APITimeoutError
from .openai_format import to_openai
from .sse import encode_chunks
from .stream import ChunkStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from typing import Any

    from ._backends import Backend, Call

__all__ = ["Server"]

MAX_BODY = 32 * 2**20
_PATIENCE = 60.0  # seconds for one read or write of a caller, and for the whole of its request
_MOST_CALLERS = 128
_READ_SIZE = 65536
_LOOK = 0.2  # seconds between two looks at whether a caller is still there
_INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
_COMMENT = b":\n\n"  # which readers of event streams pass over


class _Refused(Exception):
    """A request that is answered with an error."""

    def __init__(
        self, status: int, message: str, *, param: str | None = None, code: str = "invalid_request", allowed: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = (("Allow", allowed),) if allowed else ()
        error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
        self.body: dict[str, Any] = {"error": error}


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
        self.on_loopback: bool = BaseURL(f"http://{name}").endpoint("").is_loopback
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

    if TYPE_CHECKING:
        served: Server

    def setup(self) -> None:
        """One connection."""
        super().setup()
        self._sending = Lock()
        self._probe = b""  # what may be sent now only to see whether the caller is there
        self._looks = 0  # since the caller has ended its side

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
            self._refuse(_Refused(code, message or explain or self.responses[code][0]))

    def do_GET(self) -> None:
        """The paths that are read."""
        self._answer()

    def do_POST(self) -> None:
        """The one path that is posted to."""
        self._answer()

    def _answer(self) -> None:
        try:
            self._check_framing()
            if self.served.on_loopback and not self._is_for_loopback():
                raise _Refused(
                    403, f"not a name of this machine: {self.headers.get('Host', '')[:80]!r}", code="wrong_host"
                )
            self._route()
        except _Refused as refused:
            self._refuse(refused)
        except APIError as error:
            self._fail(error)
        except ValueError as error:  # a key or a value that cannot be sent on
            self._refuse(_Refused(400, str(error)))

    def _route(self) -> None:
        path = self.path.partition("?")[0].rstrip("/")
        paths = {
            "/v1/chat/completions": ("POST", self._complete),
            "/v1/models": ("GET", self._models),
            "/health": ("GET", self._health),
        }
        if path not in paths:
            raise _Refused(404, f"no such path: {path[:80]}", code="not_found")
        method, answer = paths[path]
        if self.command != method:
            raise _Refused(405, f"{path} takes {method}", code="method_not_allowed", allowed=method)
        answer()

    def _check_framing(self) -> None:
        """What is said twice, a proxy in front may have read otherwise; a body that is not read would be the next request."""
        for name in ("Host", "Content-Length", "Transfer-Encoding"):
            if len(self.headers.get_all(name, ())) > 1:
                raise _Refused(400, f"more than one {name}", code="ambiguous_request")
        if self.command != "POST" and (
            "Transfer-Encoding" in self.headers or self.headers.get("Content-Length", "0") != "0"
        ):
            self.close_connection = True

    def _is_for_loopback(self) -> bool:
        """Where a name of someone else's leads to this machine, a web page of theirs is asking."""
        try:
            return BaseURL(f"http://{self.headers.get('Host', 'localhost')}").endpoint("").is_loopback
        except ValueError:
            return False

    # ---- what is answered

    def _health(self) -> None:
        self._send(200, {"status": "ok"})

    def _models(self) -> None:
        self._send(200, {"object": "list", "data": self.served.backend.models(self._key())})

    def _complete(self) -> None:
        body = _checked(self._body())
        call = self.served.backend.call(self._key())
        self._probe = b"" if self.request_version == "HTTP/1.0" else _INTERIM
        try:
            with self._watched(call):
                reply = call.create(body)
                if isinstance(reply, ChunkStream):
                    with reply:
                        self._stream(reply, with_usage=_wants_usage(body))
                else:
                    self._send(200, {**to_openai(reply)})
        finally:
            call.finish()

    def _stream(self, stream: ChunkStream, *, with_usage: bool) -> None:
        """Send the chunks as they come."""
        chunked = self.request_version != "HTTP/1.0"
        framed = _chunk if chunked else bytes
        self.close_connection = self.close_connection or not chunked
        with self._sending:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Cache-Control", "no-cache")
            if chunked:
                self.send_header("Transfer-Encoding", "chunked")
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            self._probe = framed(_COMMENT)
        with closing(encode_chunks(_converted(stream, with_usage))) as frames:
            for data in frames:
                with self._sending:
                    self.wfile.write(framed(data))
        with self._sending:
            self._probe = b""
            if chunked:
                self.wfile.write(b"0\r\n\r\n")

    @contextmanager
    def _watched(self, call: Call) -> Generator[None]:
        """Cancel the call when its caller has gone, or the server closes."""
        over = Event()
        watcher = Thread(target=self._watch, args=(call, over), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()

    def _watch(self, call: Call, over: Event) -> None:
        """Cancel a call as soon as its caller has gone, or the server closes, again until it is over: a client may try once more."""
        gone = False
        with selectors.DefaultSelector() as selector:
            selector.register(self.connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while not over.wait(_LOOK):
                ready = sum([events for _, events in selector.select(0)])
                gone = gone or self.served.closing.is_set() or self._has_gone(ready)
                if gone:
                    call.cancel()

    def _has_gone(self, ready: int) -> bool:
        """Whether the caller has gone. One that has ended its side may still read: only sending something to it tells."""
        caller = self.connection
        try:
            if not ready & selectors.EVENT_READ or caller.recv(1, socket.MSG_PEEK):
                return False
            if caller.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):  # it has refused what was sent to it
                return True
            self._looks += 1
            # Asked after 1, 2, 4 looks and so on, because clients pass over a few interim answers only.
            if self._looks & (self._looks - 1) or not ready & selectors.EVENT_WRITE:
                return False
            if not self._sending.acquire(blocking=False):
                return False
            try:
                caller.sendall(self._probe)
                return not self._probe  # HTTP/1.0 has nothing that could be sent before the answer
            finally:
                self._sending.release()
        except OSError:
            return True

    def _send(self, status: int, data: dict[str, Any], headers: tuple[tuple[str, str], ...] = ()) -> None:
        body = json_bytes(data)
        with self._sending:
            self._probe = b""
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

    def _refuse(self, refused: _Refused) -> None:
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

    def _key(self) -> str:
        scheme, _, key = self.headers.get("Authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "bearer" else ""

    def handle_expect_100(self) -> bool:
        """A body that is too large is refused before it is sent."""
        try:
            if (self._length() or 0) > self.served.max_body:
                raise self._too_large()
        except _Refused as refused:
            self._refuse(refused)
            return False
        return super().handle_expect_100()

    def _length(self) -> int | None:
        """The bytes of the body; None where it comes in chunks."""
        given = self.headers.get("Content-Length", "")
        coding = self.headers.get("Transfer-Encoding")
        if coding is not None:
            if given or self.request_version == "HTTP/1.0":  # someone in front may have read it otherwise
                raise _Refused(400, "a Transfer-Encoding that may not be there", code="ambiguous_request")
            if coding.strip().lower() != "chunked":
                raise _Refused(501, f"a body is sent as it is, or chunked, not {coding[:40]!r}", code="not_implemented")
            return None
        if not (given.isascii() and given.isdigit() and len(given) < 20):
            raise _Refused(411, "send the body with a Content-Length, or chunked", code="length_required")
        return int(given)

    def _too_large(self) -> _Refused:
        return _Refused(413, f"a body of more than {self.served.max_body} bytes", code="request_too_large")

    def _body(self) -> bytes:
        """The body of the request; what is too large is read and thrown away for a while, so that its sender sees the answer."""
        kind = self.headers.get_content_type()
        if kind != "application/json":
            raise _Refused(415, f"the body is to be application/json, not {kind}", code="unsupported_media_type")
        length, most = self._length(), self.served.max_body
        pieces = self._chunked() if length is None else self._counted(length)
        body = bytearray()
        if length is None or length <= most:
            for piece in pieces:
                body += piece
                if len(body) > most:
                    break
            else:
                return bytes(body)
        self._refuse(self._too_large())
        with suppress(_Refused):  # it has its answer
            for _ in pieces:
                pass
        raise ConnectionAbortedError("the body was too large")

    def _counted(self, left: int) -> Iterator[bytes]:
        end = self._end_of_body()
        while left > 0:
            piece = self._piece(left, end)
            left -= len(piece)
            yield piece

    def _chunked(self) -> Iterator[bytes]:
        self.close_connection = True  # a proxy in front may find another end in them than we do
        end, body = self._end_of_body(), ChunkedBody()
        while not body.complete:
            yield body.feed(self._piece(_READ_SIZE, end))
            if body.error is not None:
                raise _Refused(400, f"the body is not chunked as it says: {body.error}", code="invalid_chunks")

    def _end_of_body(self) -> float:
        return time.monotonic() + self.served.patience

    def _piece(self, most: int, end: float) -> bytes:
        piece = self.rfile.read1(min(most, _READ_SIZE))
        if not piece:
            raise ConnectionAbortedError("the body was cut off")
        if time.monotonic() > end:
            raise _Refused(408, "the body took too long", code="timeout")
        return piece


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


def _wants_usage(body: dict[str, Any]) -> bool:
    options: object = body.get("stream_options")
    return is_members(options) and bool(options.get("include_usage"))


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _checked(body: bytes) -> dict[str, Any]:
    """A request's JSON, as far as it must be understood here: the rest is for the upstream to judge."""
    try:
        data: object = loads_finite(body)
    except ParseError as error:
        raise _Refused(400, f"the body is {error.problem}", code="invalid_json") from None
    if not is_members(data):
        raise _Refused(400, "the body is to be a JSON object", code="invalid_json")
    if not isinstance(data.get("model"), str):
        raise _Refused(400, "model: expected a string", param="model")
    messages = data.get("messages")
    if not is_items(messages) or not all([is_members(message) for message in messages]):
        raise _Refused(400, "messages: expected an array of objects", param="messages")
    if not isinstance(data.get("stream"), (bool, type(None))):
        raise _Refused(400, "stream: expected true or false", param="stream")
    return data
