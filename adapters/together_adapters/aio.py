"""`AsyncTogether`: the client for asyncio, on the loop's own transports.

It never waits but in the loop, and never keeps a connection beyond it. Only this module and its connections import asyncio.
"""

from __future__ import annotations

import asyncio
import os

from ._byte_sources import aclose_source, as_bytes, iterator_of
from .client import pairs_of
from .errors import APIConnectionError, APIError
from .http import Headers, Secret
from .http._async_pool import AsyncPool, within
from .http._client_options import MAX_BODY, MAX_ERROR_BODY, Options
from .http._exchange import connection_error
from .http._http1 import Fields
from .http._url import BaseURL
from .stream import AsyncChunkStream
from .stream._reader import ChunkReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from ssl import SSLContext
    from types import TracebackType
    from typing import Any, Literal, overload

    from typing_extensions import Self

    from ._types import ChatCompletionResponse
    from .client import Message, Object
    from .errors import APIStatusError
    from .http import Request
    from .http._async_pool import AsyncAnswer
    from .http._client_options import Call
    from .http._timeouts import CallTimeouts, DeadlineLike, Timeout
    from .protocols import JSON, AsyncTransport


__all__ = ["AsyncTogether"]


class AsyncCompletions:
    """`client.chat.completions`."""

    def __init__(self, requester: _AsyncRequester) -> None:
        self._requester = requester

    if TYPE_CHECKING:

        @overload
        async def create(
            self,
            /,
            *,
            messages: Sequence[Message],
            model: str,
            stream: Literal[False] = False,
            max_tokens: int | None = None,
            stop: str | Sequence[str] | None = None,
            temperature: float | None = None,
            top_p: float | None = None,
            top_k: int | None = None,
            repetition_penalty: float | None = None,
            presence_penalty: float | None = None,
            frequency_penalty: float | None = None,
            min_p: float | None = None,
            logit_bias: Mapping[str, float] | None = None,
            seed: int | None = None,
            logprobs: int | bool | None = None,
            echo: bool | None = None,
            n: int | None = None,
            safety_model: str | None = None,
            response_format: Object | None = None,
            tools: Sequence[Object] | None = None,
            tool_choice: str | Object | None = None,
            timeout: float | Timeout | None = None,
            deadline: DeadlineLike | None = None,
            **others: JSON,
        ) -> ChatCompletionResponse: ...

        @overload
        async def create(
            self,
            /,
            *,
            messages: Sequence[Message],
            model: str,
            stream: Literal[True],
            max_tokens: int | None = None,
            stop: str | Sequence[str] | None = None,
            temperature: float | None = None,
            top_p: float | None = None,
            top_k: int | None = None,
            repetition_penalty: float | None = None,
            presence_penalty: float | None = None,
            frequency_penalty: float | None = None,
            min_p: float | None = None,
            logit_bias: Mapping[str, float] | None = None,
            seed: int | None = None,
            logprobs: int | bool | None = None,
            echo: bool | None = None,
            n: int | None = None,
            safety_model: str | None = None,
            response_format: Object | None = None,
            tools: Sequence[Object] | None = None,
            tool_choice: str | Object | None = None,
            timeout: float | Timeout | None = None,
            deadline: DeadlineLike | None = None,
            **others: JSON,
        ) -> AsyncChunkStream: ...

        @overload
        async def create(
            self,
            /,
            *,
            messages: Sequence[Message],
            model: str,
            stream: bool,
            max_tokens: int | None = None,
            stop: str | Sequence[str] | None = None,
            temperature: float | None = None,
            top_p: float | None = None,
            top_k: int | None = None,
            repetition_penalty: float | None = None,
            presence_penalty: float | None = None,
            frequency_penalty: float | None = None,
            min_p: float | None = None,
            logit_bias: Mapping[str, float] | None = None,
            seed: int | None = None,
            logprobs: int | bool | None = None,
            echo: bool | None = None,
            n: int | None = None,
            safety_model: str | None = None,
            response_format: Object | None = None,
            tools: Sequence[Object] | None = None,
            tool_choice: str | Object | None = None,
            timeout: float | Timeout | None = None,
            deadline: DeadlineLike | None = None,
            **others: JSON,
        ) -> ChatCompletionResponse | AsyncChunkStream: ...

    async def create(
        self,
        /,
        *,
        messages: Sequence[Message],
        model: str,
        stream: bool = False,
        timeout: float | Timeout | None = None,
        deadline: DeadlineLike | None = None,
        **parameters: JSON,
    ) -> ChatCompletionResponse | AsyncChunkStream:
        """Ask for a chat completion, as `Together.chat.completions.create` does; a stream is read with `async for`."""
        body = {"model": model, "messages": messages, "stream": stream or None, **parameters}
        return await self._requester.create(body, timeout, deadline)


class AsyncChat:
    """`client.chat`."""

    def __init__(self, requester: _AsyncRequester) -> None:
        self.completions: AsyncCompletions = AsyncCompletions(requester)


class AsyncTogether:
    """`Together` for asyncio: the same settings, errors and limits.

    A `transport` is awaited, and the body that it gives is an asynchronous iterable of bytes. Connections belong to the
    event loop that they were made on, and are closed when it ends; the client can be used on one loop after another.
    """

    def __init__(
        self,
        *,
        api_key: str | Callable[[], str] | None = None,
        base_url: str | None = None,
        timeout: float | Timeout | None = None,
        max_retries: int | None = None,
        supplied_headers: Mapping[str, str] | None = None,
        deadline: DeadlineLike | None = None,
        transport: AsyncTransport | None = None,
        cafile: str | None = None,
        ssl_context: SSLContext | None = None,
        insecure_http: bool = False,
    ) -> None:
        # A traceback may show variables, so none keeps a secret.
        secret = Secret(os.environ.get("TOGETHER_API_KEY") if api_key is None else api_key)
        location = BaseURL(base_url) if base_url else None
        del api_key, base_url
        headers = Headers(supplied_headers or {})
        del supplied_headers
        options = Options(
            secret,
            headers,
            base_url=location,
            timeout=timeout,
            max_retries=max_retries,
            deadline=deadline,
            cafile=cafile,
            ssl_context=ssl_context,
            insecure_http=insecure_http,
        )
        sender = AsyncPool(options.endpoint, options.security) if transport is None else _TransportSender(transport)
        self._requester = _AsyncRequester(options, sender)
        self.chat: AsyncChat = AsyncChat(self._requester)

    def __repr__(self) -> str:
        requester: Any = getattr(self, "_requester", None)  # not there yet where a setting was refused
        return f"{self.__class__.__name__}({requester.options if requester else ''})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections of this loop, also those of open streams. The client stays usable."""
        self._requester.sender.close()
        await asyncio.sleep(0)  # the loop closes the sockets in its next round


class _AsyncRequester:
    """Makes the calls of one client; the client and its `chat.completions` share it, so that neither refers to the other."""

    def __init__(self, options: Options, sender: AsyncPool | _TransportSender) -> None:
        self.options = options
        self.sender = sender

    async def create(
        self, parameters: Mapping[str, Any], timeout: float | Timeout | None, deadline: DeadlineLike | None
    ) -> ChatCompletionResponse | AsyncChunkStream:
        call = self.options.call(parameters, timeout, deadline)
        answer = await self._answer(call)
        if not call.streamed:
            return call.response(answer.status, answer.headers, await _body_of(answer))
        reader = ChunkReader(conceal=call.request.conceal)
        answer.is_done = lambda: reader.saw_done
        return AsyncChunkStream(answer, reader)

    async def _answer(self, call: Call) -> AsyncAnswer | _TransportAnswer:
        """The head of a successful answer, after as many attempts as it takes."""
        while True:
            should_retry = ""
            try:
                answer = await self.sender.send(call.request, call.timeouts, streamed=call.streamed)
            except APIConnectionError as failure:
                error: APIError = failure
            else:
                if 200 <= answer.status < 300:
                    return answer
                error, should_retry = await _refusal(answer, call), answer.headers.get("x-should-retry")
            pause = call.attempts.pause_after(error, should_retry)
            if pause is None:
                raise error
            await asyncio.sleep(pause)


async def _refusal(answer: AsyncAnswer | _TransportAnswer, call: Call) -> APIStatusError:
    body = b""
    try:
        async for piece in answer:
            body += piece
            if len(body) > MAX_ERROR_BODY:
                break
    except APIError:
        pass  # the status says enough
    finally:
        await answer.aclose()
    return call.refusal(answer.status, answer.headers, body)


async def _body_of(answer: AsyncAnswer | _TransportAnswer) -> bytes:
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in answer:
            pieces.append(piece)
            size += len(piece)
            if size > MAX_BODY:
                raise APIConnectionError(f"an answer of more than {MAX_BODY} bytes")
    finally:
        await answer.aclose()
    return b"".join(pieces)


class _TransportSender:
    """Sends requests through a transport that was given."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def send(self, request: Request, timeouts: CallTimeouts, *, streamed: bool) -> _TransportAnswer:
        endpoint, deadline = request.endpoint, timeouts.first_byte()
        try:
            status, headers, body = await within(
                deadline,
                self._transport(
                    request.method, endpoint.url, Headers(request.headers), request.body, deadline.remaining()
                ),
            )
            return _TransportAnswer(status, Fields(pairs_of(headers)), body, request, timeouts)
        except Exception as problem:  # any transport, with errors of its own
            error = request.conceal(connection_error(problem, endpoint.authority))
        raise error

    def close(self) -> None:
        """A transport looks after its own connections."""


class _TransportAnswer:
    """An answer of a transport that was given, within the limits."""

    def __init__(self, status: int, headers: Fields, body: Any, request: Request, timeouts: CallTimeouts) -> None:
        self.status = status
        self.headers = headers
        self.is_done: Callable[[], bool] = lambda: False
        self._body = body
        self._pieces: AsyncIterator[bytes] = body.__aiter__() if hasattr(body, "__aiter__") else _at_once(body)
        self._request = request
        self._timeouts = timeouts

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            return as_bytes(await within(self._timeouts.idle(), self._pieces.__anext__()))
        except StopAsyncIteration:
            await self.aclose()
            raise
        except Exception as problem:
            error = self._request.conceal(connection_error(problem, self._request.endpoint.authority, answered=True))
        await self.aclose()
        raise error

    async def aclose(self) -> None:
        body, self._body = self._body, None
        await aclose_source(body)


async def _at_once(body: Any) -> AsyncIterator[bytes]:
    """A body that is there already: bytes, or an iterable of them."""
    for piece in iterator_of(body):
        yield piece
