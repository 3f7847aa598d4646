"""`Together`, the synchronous client: chat completions over HTTP/1.1 with the sockets of the standard library.

Redirects are not followed. Once a response has begun, its request is sent again only if the status permits it.
"""

from __future__ import annotations

import time

from ._byte_sources import close_source, is_connection_error, iterator_of
from .errors import APIConnectionError, APIError
from .http._client_base import BaseClient, BaseCompletions
from .http._client_options import MAX_BODY, MAX_ERROR_BODY
from .http._secrets import hide_variables
from .http._sync_pool import Pool
from .http._transports import BaseTransportAnswer, transport_arguments, transport_error
from .stream import ChunkStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self

    from ._types import ChatCompletionResponse
    from .errors import APIStatusError
    from .http import Request
    from .http._client_options import Call, Options
    from .http._connecting import TLSSettings
    from .http._sync_pool import Answer
    from .http._timeouts import CallTimeouts
    from .http._url import Endpoint
    from .protocols import Transport

__all__ = ["Together"]


class Completions(BaseCompletions["ChatCompletionResponse", "ChunkStream", "ChatCompletionResponse | ChunkStream"]):
    """The object at `client.chat.completions`."""


class Chat:
    """The object at `client.chat`."""

    def __init__(self, completions: Completions) -> None:
        self.completions: Completions = completions


class Together(BaseClient["Transport", str]):
    """A client of Together, or of another server of the OpenAI format. Threads may share a client.

    >>> from together_adapters import Timeout, Together
    >>> client = Together(timeout=Timeout(first_byte=30, total=120))
    >>> messages = [{"role": "user", "content": "What is the capital of France?"}]
    >>> response = client.chat.completions.create(model="meta-llama/Llama-3.3-70B-Instruct-Turbo", messages=messages)
    >>> response.text
    'The capital of France is Paris.'

    - `api_key`: the key, or a function that returns the key for each call. The default is the environment variable
      TOGETHER_API_KEY. With `""`, no key is sent.
    - `base_url`: the URL of the API. The default is the environment variable TOGETHER_BASE_URL, or else Together's API.
    - `timeout`: a Timeout, or one number of seconds for its `connect`, `first_byte` and `idle`.
    - `max_retries`: how often a failed request may be sent again. The default is 2.
    - `supplied_headers`: header fields to send with every request. `create(extra_headers=...)` sends others.
    - `deadline`: the moment by which every call must end. It is a datetime, a time of `time.time()` or
      `time.monotonic()`, or a function that returns the remaining seconds. A function whose name ends in `millis`
      returns milliseconds, as Lambda's `context.get_remaining_time_in_millis` does.
    - `transport`: a function that sends requests instead of the client's own connections. It is called with the method,
      the URL, the headers, the body, and the seconds to wait or None. It returns the status, the headers, and an
      iterable of the bytes of the body. `http.urllib_transport` returns one that uses an opener of urllib.
    - `cafile`: a file of the CA certificates to trust.
    - `ssl_context`: an SSLContext that replaces all TLS settings.
    - `insecure_http`: allows a key to be sent over plain http to other hosts than a loopback address.
    - `max_event_bytes`: the maximum size of an event in a stream. The default is 16 MiB. A larger event raises
      StreamError.
    - `split_thinking`: True moves the text inside `<think>...</think>` to `reasoning`, as `iter_chunks` does.

    Up to 16 idle connections are kept for reuse until `close` is called. `with_options` returns a client with other
    settings over the same connections. Raises ValueError for an invalid argument, and if neither a key nor a base URL
    is set, and TypeError for an unknown argument.
    """

    def _open(self, endpoint: Endpoint, security: TLSSettings, transport: Transport | None) -> None:
        self._requester = _Requester(Pool(endpoint, security) if transport is None else _TransportSender(transport))

    def _use(self, options: Options) -> None:
        super()._use(options)
        self.chat: Chat = Chat(Completions(options, self._requester.answer_to))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections, including those of open streams.

        The client remains usable, so this can be called before a snapshot of the process.
        """
        self._requester.sender.close()


class _Requester:
    """The sender of a client's calls. The client and its `chat.completions` share it, to avoid a reference cycle."""

    def __init__(self, sender: Pool | _TransportSender) -> None:
        self.sender = sender

    def answer_to(self, call: Call) -> ChatCompletionResponse | ChunkStream:
        """Send a call and return its result. Raises the errors of `create`."""
        if call.secret is not None:
            call.request.authorize(call.secret.value())
        answer = self._answer(call)
        if not call.streamed:
            return call.response(answer.status, answer.headers, body_of(answer))
        reader = call.reader
        answer.is_done = lambda: reader.saw_done
        return ChunkStream(answer, reader)

    def _answer(self, call: Call) -> Answer | _TransportAnswer:
        """Return the first successful response. Raises the error of the last attempt if all fail."""
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
        pass  # the status is more useful than this error
    answer.close()
    return call.refusal(answer.status, answer.headers, body)


@hide_variables  # the server may repeat the key in the body
def body_of(answer: Answer | _TransportAnswer) -> bytes:
    """Return the complete body of a response. Raises APIConnectionError if it is longer than MAX_BODY or cut off."""
    pieces: list[bytes] = []
    size = 0
    for piece in answer:
        pieces.append(piece)
        size += len(piece)
        if size > MAX_BODY:
            answer.close()
            raise APIConnectionError(f"the response is longer than {MAX_BODY} bytes")
    return b"".join(pieces)


class _TransportSender:
    """The replacement of the connection pool for a client with a custom transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def send(self, request: Request, timeouts: CallTimeouts, *, streamed: bool) -> _TransportAnswer:
        deadline = timeouts.first_byte()
        try:
            status, headers, body = self._transport(*transport_arguments(request, deadline))
            return _TransportAnswer(status, headers, body, request, timeouts, streamed=streamed)
        except Exception as problem:
            if not is_connection_error(problem, self._transport):
                raise
            error = transport_error(problem, request, deadline, answered=False)
        raise error

    def close(self) -> None:
        """Do nothing: a transport closes its own connections."""


class _TransportAnswer(BaseTransportAnswer):
    """The response of a transport. Time limits are checked between the pieces of its body."""

    def _pieces_of(self, body: Any) -> Iterator[bytes]:
        return iterator_of(body)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        try:
            self._deadlines.next().remaining()
            return self._take(next(self._pieces))
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
        body = self._take_body()
        try:
            close_source(body)
        except ValueError:  # a generator that another thread is running, and that is closed after its next piece
            self._body = body
            raise
