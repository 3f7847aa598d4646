"""A client of Lambda's Runtime API: receives events, and sends responses, streamed responses and error reports.

Does not call handlers. Text that looks like a key is removed from error reports.
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
_LONGEST_MESSAGE = 10_000  # characters: Lambda drops a report that is too large
_MOST_STREAMED = 200 * 2**20  # bytes, Lambda's limit for a streamed response


class RuntimeAPI:
    """A client of the Runtime API at `address`, which is `host:port`. It keeps one connection open."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._connection: http.client.HTTPConnection | None = None

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._address)
        return self._connection

    def close(self) -> None:
        """Close the connection. The next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def call(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[Message, bytes]:
        """Send a request, and return the headers and the body of the response.

        If the connection was kept from an earlier call and fails, the request is sent once more over a new connection.
        Raises OSError or HTTPException if there is no response, and SystemExit for an error status other than 413
        (the sent response is too large). After a 413, Lambda has reported the error to the caller.
        """
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
            if response.status != 413:
                raise SystemExit(1)
        return response.headers, body

    def stream(self, path: str, kind: str, first: bytes, parts: Iterator[JSON], headers: dict[str, str]) -> None:
        """Send a streamed response to `path`: the part `first`, then each of `parts`. `kind` is its content type.

        An exception that `parts` raises is reported in the trailers. If the connection fails, the error is only logged.
        """
        # The parts cannot be sent twice, so a kept connection, which may have been closed meanwhile, is not used.
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
        except (OSError, http.client.HTTPException) as error:  # the client disconnected, or the function timed out
            self.close()
            print(f"[ERROR] the connection of the streamed response failed: {type(error).__name__}", file=sys.stderr)

    def _send(self, connection: http.client.HTTPConnection, first: bytes, parts: Iterator[JSON]) -> bytes:
        """Send the parts as they are yielded, and return the trailers."""
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
    """Return a part of a streamed response as bytes. Raises TypeError if it is neither bytes nor a string."""
    if isinstance(part, str):
        return well_formed(part).encode("utf-8")
    if isinstance(part, (bytes, bytearray)):
        return bytes(part)
    kind = type(part).__name__
    raise TypeError(
        f"a part of a streamed response must be bytes or a string, got {kind}: use respond_stream to send chunks"
    )


def type_of(error: BaseException) -> str:
    """Return the name of an exception's class, with "_" for each character that a header value must not contain."""
    return re.sub(r"[^\w.]", "_", type(error).__name__, flags=re.ASCII)


def report_of(error: BaseException, traceback: TracebackType | None, request_id: str = "") -> bytes:
    """Return the body that reports an exception, as ASCII JSON, and log the exception.

    Text that looks like a key is removed from both.
    """
    from traceback import format_tb

    try:
        message = str(error)
    except Exception:
        message = "no message, because its __str__ raised an exception"
    clean = redact(well_formed(message))[:_LONGEST_MESSAGE]
    trace = [redact(well_formed(line)) for line in format_tb(traceback)]
    print(f"[ERROR] {type_of(error)}: {clean}", "".join(trace), sep="\n", file=sys.stderr, flush=True)
    report = {"errorMessage": clean, "errorType": type_of(error), "requestId": request_id, "stackTrace": trace}
    return json.dumps(report).encode("ascii")
