"""`Together`: chat completions over HTTP/1.1 on the standard library's sockets.

It never follows a redirect, and never sends a request again once its answer has begun, unless the status asks for that.
"""

from __future__ import annotations

import time

from ._byte_sources import as_bytes, close_source, is_connection_error, iterator_of
from .errors import APIConnectionError, APIError
from .http._client_base import BaseClient, BaseCompletions
from .http._client_options import MAX_BODY, MAX_ERROR_BODY
from .http._exchange import request_error
from .http._sync_pool import Pool
from .http._transports import BaseTransportAnswer, transport_arguments
from .stream import ChunkStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from typing_extensions import Self

    from ._types import ChatCompletionResponse
    from .errors import APIStatusError
    from .http import Request
    from .http._client_options import Call, Options
    from .http._connecting import TLSSettings
    from .http._sync_pool import Answer
    from .http._timeouts import CallTimeouts
    from .protocols import HeaderPairs, Transport

__all__ = ["Together"]


class Completions(BaseCompletions["ChatCompletionResponse", "ChunkStream", "ChatCompletionResponse | ChunkStream"]):
    """`client.chat.completions`."""


class Chat:
    """`client.chat`."""

    def __init__(self, completions: Completions) -> None:
        self.completions: Completions = completions


class Together(BaseClient["Transport"]):
    """A client of Together, or of another server of the OpenAI format at `base_url`; threads may share it.

    `api_key` is a string, or a function that is asked for one before each call; without it TOGETHER_API_KEY is used, and
    "" sends none. `base_url` defaults to TOGETHER_BASE_URL, else Together's. `timeout` is a Timeout or the seconds of each
    wait. `deadline` is the moment by which every call must be over, as a datetime, a time of `time.time()` or of
    `time.monotonic()`, or a function that gives the seconds that remain (or is named like Lambda's
    `context.get_remaining_time_in_millis`). A request that failed is sent again up to `max_retries` times (2).
    `supplied_headers` are sent with every request.

    Connections are kept and used again. `cafile` names the CA certificates to trust, `ssl_context` replaces all TLS
    settings, and `transport` replaces the connections: it is called with (method, url, headers, body, seconds to wait or
    None) and gives (status, headers, an iterable of the body's bytes). A key is sent over plain http only to this
    machine, unless `insecure_http` allows it.

    Raises ValueError for a key, a header, a URL or a limit that cannot be used.
    """

    def _open(self, options: Options, security: TLSSettings, transport: Transport | None) -> None:
        sender = Pool(options.endpoint, security) if transport is None else _TransportSender(transport)
        self._requester = _Requester(sender)
        self.chat: Chat = Chat(Completions(options, self._requester.answer_to))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections, also those of open streams. The client stays usable, so this fits a hook before a snapshot."""
        self._requester.sender.close()


class _Requester:
    """Makes the calls of one client; the client and its `chat.completions` share it, so that neither refers to the other."""

    def __init__(self, sender: Pool | _TransportSender) -> None:
        self.sender = sender

    def answer_to(self, call: Call) -> ChatCompletionResponse | ChunkStream:
        """Return the answer to a call; raises the errors of `create`."""
        answer = self._answer(call)
        if not call.streamed:
            return call.response(answer.status, answer.headers, body_of(answer))
        reader = call.reader()
        answer.is_done = lambda: reader.saw_done
        return ChunkStream(answer, reader)

    def _answer(self, call: Call) -> Answer | _TransportAnswer:
        """Return the answer of the first attempt that succeeds."""
        while True:
            try:
                answer = self.sender.send(call.request, call.timeouts, streamed=call.streamed)
            except APIConnectionError as failure:
                error: APIError = failure
            else:
                if 200 <= answer.status < 300:
                    return answer
                error = _refusal(answer, call)
            time.sleep(call.pause_after(error))


def _refusal(answer: Answer | _TransportAnswer, call: Call) -> APIStatusError:
    body = b""
    try:
        for piece in answer:
            body += piece
            if len(body) > MAX_ERROR_BODY:
                break
    except APIError:
        pass  # the status says enough
    answer.close()
    return call.refusal(answer.status, answer.headers, body)


def body_of(answer: Answer | _TransportAnswer) -> bytes:
    """The whole body of an answer; raises APIConnectionError for one that is too large, and what reading it raises."""
    pieces: list[bytes] = []
    size = 0
    for piece in answer:
        pieces.append(piece)
        size += len(piece)
        if size > MAX_BODY:
            answer.close()
            raise APIConnectionError(f"an answer of more than {MAX_BODY} bytes")
    return b"".join(pieces)


class _TransportSender:
    """The sender of a client that was given a transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def send(self, request: Request, timeouts: CallTimeouts, *, streamed: bool) -> _TransportAnswer:
        try:
            status, headers, body = self._transport(*transport_arguments(request, timeouts.first_byte()))
            return _TransportAnswer(status, headers, body, request, timeouts)
        except Exception as problem:
            if not is_connection_error(problem, self._transport):
                raise
            error = request_error(problem, request)
        raise error

    def close(self) -> None:
        """Do nothing: a transport closes its own connections."""


class _TransportAnswer(BaseTransportAnswer):
    """The answer of a transport, with the limits checked between the pieces of its body."""

    def __init__(
        self, status: int, headers: HeaderPairs, body: Iterable[bytes], request: Request, timeouts: CallTimeouts
    ) -> None:
        super().__init__(status, headers, body, request, timeouts)
        self._pieces = iterator_of(body)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        try:
            self._timeouts.idle().remaining()
            return as_bytes(next(self._pieces))
        except StopIteration:
            self.close()
            raise
        except Exception as problem:
            if not is_connection_error(problem, self._body):
                raise
            error = self._to_api_error(problem)
        self.close()
        raise error

    def close(self) -> None:
        close_source(self._take_body())
