"""Lambda's Runtime API over one connection: events in, responses out, whole or part by part, and reports of errors.

It never calls a handler, and never reports what looks like a key.
"""

from __future__ import annotations

import http.client
import json
import re
import sys

from .._redaction import redact
from .._types import well_formed
from ._responses import ResponseTooLargeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message
    from types import TracebackType

    from ..protocols import JSON

__all__ = ["ERROR_TYPE", "RuntimeAPI", "as_bytes", "report_of", "type_of"]

ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
_ERROR_BODY = "Lambda-Runtime-Function-Error-Body"
_API = "/2018-06-01/runtime"
_LONGEST_MESSAGE = 10_000  # characters; a report that is too large would reach nobody
_MOST_STREAMED = 200 * 2**20  # bytes that Lambda takes as one streamed response


class RuntimeAPI:
    """The Runtime API at an address, `host:port`, over one connection that is kept."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._connection: http.client.HTTPConnection | None = None

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._address)
        return self._connection

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def call(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[Message, bytes]:
        """One request; gives the headers and the body of its answer. Raises OSError or HTTPException without one."""
        reused = self._connection is not None
        try:
            connection = self._connected()
            connection.request(method, _API + path, body or None, headers or {})
            return self._answer(connection)
        except (OSError, http.client.HTTPException):
            self.close()
            if not reused:
                raise
            return self.call(method, path, body, headers)

    def _answer(self, connection: http.client.HTTPConnection) -> tuple[Message, bytes]:
        response = connection.getresponse()
        body = response.read()
        if response.status >= 400:
            print(f"[ERROR] Runtime API: {response.status} {body[:200]!a}", file=sys.stderr)
            if response.status != 413:  # of a response that is too large the caller has been told
                raise SystemExit(1)
        return response.headers, body

    def stream(self, path: str, kind: str, first: bytes, parts: Iterator[JSON], headers: dict[str, str]) -> None:
        """Send a response part by part; a failure of the parts goes into the trailers."""
        # Parts cannot be asked for again, so nothing is sent over a connection that may have ended meanwhile.
        self.close()
        connection = self._connected()
        try:
            connection.putrequest("POST", _API + path)
            streamed = {"Lambda-Runtime-Function-Response-Mode": "streaming", "Transfer-Encoding": "chunked"}
            for name, value in {
                **streamed,
                "Trailer": f"{ERROR_TYPE}, {_ERROR_BODY}",
                "Content-Type": kind,
                **headers,
            }.items():
                connection.putheader(name, value)
            connection.endheaders()
            trailers = self._send(connection, first, parts)
            connection.send(b"0\r\n" + trailers + b"\r\n")
            self._answer(connection)
        except (OSError, http.client.HTTPException) as error:  # the reader has gone, or the function's time is over
            self.close()
            print(f"[ERROR] the stream was broken off: {type(error).__name__}", file=sys.stderr)

    def _send(self, connection: http.client.HTTPConnection, first: bytes, parts: Iterator[JSON]) -> bytes:
        """Send the parts as they come; gives the trailers."""
        data, size = first, 0
        while True:
            if data:  # an empty chunk would end the body
                connection.send(b"%x\r\n%b\r\n" % (len(data), data))
            size += len(data)
            try:
                if size > _MOST_STREAMED:
                    raise ResponseTooLargeError(size, _MOST_STREAMED)
                data = as_bytes(next(parts))
            except StopIteration:
                return b""
            except Exception as error:
                from base64 import b64encode

                body = b64encode(report_of(error, error.__traceback__ and error.__traceback__.tb_next))
                return f"{ERROR_TYPE}: {type_of(error)}\r\n{_ERROR_BODY}: ".encode("ascii") + body + b"\r\n"


def as_bytes(part: JSON) -> bytes:
    """A part of a streamed response; raises TypeError for what is neither bytes nor text."""
    if isinstance(part, str):
        return well_formed(part).encode("utf-8")
    if isinstance(part, (bytes, bytearray)):
        return bytes(part)
    kind = type(part).__name__
    raise TypeError(f"a part of a streamed response is bytes or text, not {kind}: see respond_stream for chunks")


def type_of(error: BaseException) -> str:
    """The name of an exception's class, as a header can hold it."""
    return re.sub(r"[^\w.]", "_", type(error).__name__, flags=re.ASCII)


def report_of(error: BaseException, traceback: TracebackType | None, request_id: str = "") -> bytes:
    """The body that reports an error; it is logged as well. Neither shows what looks like a key."""
    from traceback import format_tb

    try:
        message = str(error)
    except Exception:
        message = "its text cannot be shown"
    clean = redact(well_formed(message))[:_LONGEST_MESSAGE]
    trace = [redact(well_formed(line)) for line in format_tb(traceback)]
    print(f"[ERROR] {type_of(error)}: {clean}", "".join(trace), sep="\n", file=sys.stderr, flush=True)
    report = {"errorMessage": clean, "errorType": type_of(error), "requestId": request_id, "stackTrace": trace}
    return json.dumps(report).encode("ascii")
