"""`AsyncTogether`, the client for asyncio: chat completions over HTTP/1.1 with the transports of the event loop.

All waiting happens on the event loop. A client's connections are closed when the loop ends. Only this module and
`http._async_pool` import asyncio.
"""

from __future__ import annotations

import asyncio
from functools import wraps

from ._byte_sources import aclose_source, is_connection_error, iterator_of
from .errors import APIConnectionError, APIError
from .http._async_pool import AsyncPool, within
from .http._client_base import BaseClient, BaseCompletions
from .http._client_options import MAX_BODY, MAX_ERROR_BODY
from .http._secrets import without_frames
from .http._transports import BaseTransportAnswer, transport_arguments, transport_error
from .stream import AsyncChunkStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from types import TracebackType
    from typing import Any, TypeVar

    from typing_extensions import Self

    from ._types import ChatCompletionResponse
    from .errors import APIStatusError
    from .http import Request
    from .http._async_pool import AsyncAnswer
    from .http._client_options import Call, Options
    from .http._connecting import TLSSettings
    from .http._timeouts import CallTimeouts
    from .http._url import Endpoint
    from .protocols import AsyncTransport

    ResultT = TypeVar("ResultT")
    _Awaited = Coroutine[Any, Any, ResultT]

__all__ = ["AsyncTogether"]


class AsyncCompletions(
    BaseCompletions[
        "_Awaited[ChatCompletionResponse]",
        "_Awaited[AsyncChunkStream]",
        "_Awaited[ChatCompletionResponse | AsyncChunkStream]",
    ]
):
    """The object at `client.chat.completions`."""

    if not TYPE_CHECKING:

        @wraps(BaseCompletions.create)
        async def create(self, /, **parameters):  # a coroutine function, because inspect and unittest.mock expect one
            try:
                call = super().create(**parameters)
            finally:
                del parameters  # an error report shows the variables of this frame, such as secret headers
            return await call


class AsyncChat:
    """The object at `client.chat`."""

    def __init__(self, completions: AsyncCompletions) -> None:
        self.completions: AsyncCompletions = completions


class AsyncTogether(BaseClient["AsyncTransport", "str | _Awaited[str]"]):
    """`Together` for asyncio, with the same arguments, errors and limits.

    >>> import asyncio
    >>> from together_adapters import AsyncTogether
    >>> async def main():
    ...     messages = [{"role": "user", "content": "What is the capital of France?"}]
    ...     async with AsyncTogether() as client:
    ...         model = "meta-llama/Llama-3.3-70B-Instruct-Turbo"
    ...         stream = await client.chat.completions.create(model=model, messages=messages, stream=True)
    ...         return [chunk.text async for chunk in stream]
    >>> asyncio.run(main())
    ['The capital of France', ' is Paris.', '']

    `api_key` may also be a coroutine function, which is awaited in each call, within the call's time limits. A
    `transport` is awaited, and returns the body as an asynchronous iterable of bytes. Each connection is used only on
    the event loop that it was opened on, and is closed when that loop ends. A client may be used on several loops in
    succession.
    """

    def _open(self, endpoint: Endpoint, security: TLSSettings, transport: AsyncTransport | None) -> None:
        sender = AsyncPool(endpoint, security) if transport is None else _TransportSender(transport)
        self._requester = _AsyncRequester(sender)

    def _use(self, options: Options) -> None:
        super()._use(options)
        self.chat: AsyncChat = AsyncChat(AsyncCompletions(options, self._requester.answer_to))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections of the running event loop, also those of open streams. The client remains usable."""
        self._requester.sender.close()
        await asyncio.sleep(0)  # the loop closes the sockets in its next iteration


class _AsyncRequester:
    """The sender of a client's calls. The client and its `chat.completions` share it, to avoid a reference cycle."""

    def __init__(self, sender: AsyncPool | _TransportSender) -> None:
        self.sender = sender

    async def answer_to(self, call: Call) -> ChatCompletionResponse | AsyncChunkStream:
        """Send a call and return its result. Raises the errors of `create`."""
        if call.secret is not None:
            call.request.authorize(await within(call.timeouts.total(), call.secret.awaited()))
        answer = await self._answer(call)
        if not call.streamed:
            return call.response(answer.status, answer.headers, await _body_of(answer))
        reader = call.reader
        answer.is_done = lambda: reader.saw_done
        return AsyncChunkStream(answer, reader)

    async def _answer(self, call: Call) -> AsyncAnswer | _TransportAnswer:
        """Return the first successful response. Raises the error of the last attempt if all fail."""
        while True:
            try:
                answer = await self.sender.send(call.request, call.timeouts, streamed=call.streamed)
            except APIConnectionError as failure:
                error: APIError = failure
            else:
                if 200 <= answer.status < 300:
                    return answer
                error = await _refusal(answer, call)
            await asyncio.sleep(call.pause_after(error))


async def _refusal(answer: AsyncAnswer | _TransportAnswer, call: Call) -> APIStatusError:
    body = b""
    try:
        async for piece in answer:
            body += piece
            if len(body) > MAX_ERROR_BODY:
                break
    except APIError:
        pass  # the status is more useful than this error
    finally:
        await answer.aclose()
    return call.refusal(answer.status, answer.headers, body)


async def _body_of(answer: AsyncAnswer | _TransportAnswer) -> bytes:
    try:
        return await _joined(answer)
    except APIError as error:
        failure = without_frames(error)  # the server may repeat the key in the body, which the frames contain
    raise failure


async def _joined(answer: AsyncAnswer | _TransportAnswer) -> bytes:
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in answer:
            pieces.append(piece)
            size += len(piece)
            if size > MAX_BODY:
                raise APIConnectionError(f"the response is longer than {MAX_BODY} bytes")
    finally:
        await answer.aclose()
    return b"".join(pieces)


class _TransportSender:
    """The replacement of the connection pool for a client with a custom transport."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def send(self, request: Request, timeouts: CallTimeouts, *, streamed: bool) -> _TransportAnswer:
        deadline = timeouts.first_byte()
        try:
            status, headers, body = await within(deadline, self._transport(*transport_arguments(request, deadline)))
            return _TransportAnswer(status, headers, body, request, timeouts, streamed=streamed)
        except Exception as problem:
            if not is_connection_error(problem, self._transport):
                raise
            error = transport_error(problem, request, deadline, answered=False)
        raise error

    def close(self) -> None:
        """Do nothing: a transport closes its own connections."""


class _TransportAnswer(BaseTransportAnswer):
    """The response of a transport. Time limits apply to each piece of its body."""

    def _pieces_of(self, body: Any) -> AsyncIterator[bytes]:
        return body.__aiter__() if hasattr(body, "__aiter__") else _at_once(body)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            return self._take(await within(self._deadlines.next(), self._pieces.__anext__()))
        except StopAsyncIteration:
            await self.aclose()
            raise
        except Exception as problem:
            if not is_connection_error(problem, self._body):
                raise
            error = self._to_api_error(problem)
        await self.aclose()
        raise error

    async def aclose(self) -> None:
        await aclose_source(self._take_body())


async def _at_once(body: Any) -> AsyncIterator[bytes]:
    """Iterate over a body that is not asynchronous: bytes, or an iterable of bytes."""
    for piece in iterator_of(body):
        yield piece
