"""The connection pool of the asynchronous client.

It corresponds to `_sync_pool`. The logic that both share is in `_exchange` and `_connecting`. All waiting happens on
the event loop. Threads are used only to resolve host names.
"""

from __future__ import annotations

import asyncio
import socket

from ..errors import APIConnectionError, APIError
from ._async_connection import AsyncConnection
from ._connecting import Tunnel, proxy_for, request_bytes, resolve_in_thread, resolve_now
from ._exchange import MOST_IDLE, ClientClosed, Exchange, connection_error
from ._http1 import ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from typing import Any, TypeVar

    from typing_extensions import Self

    from . import Request
    from ._connecting import Addresses, TLSSettings
    from ._http1 import Response
    from ._timeouts import CallTimeouts, Deadline
    from ._url import Endpoint

    T = TypeVar("T")

__all__ = ["AsyncAnswer", "AsyncPool", "within"]


async def within(deadline: Deadline, work: Awaitable[T]) -> T:
    """Await `work` and return its result, without creating a task. Raises APITimeoutError after the deadline."""
    try:
        left = deadline.remaining()
    except APIError:
        unused: Any = work
        if hasattr(unused, "close"):
            unused.close()  # Python warns about a coroutine that is neither awaited nor closed
        raise
    if left is None:
        return await work
    task: Any = asyncio.current_task()
    # Since Python 3.11 a task counts its cancellations. Other code may cancel this task before or during the wait.
    before: int = task.cancelling() if hasattr(task, "cancelling") else 0
    rang = False

    def on_timeout() -> None:
        nonlocal rang
        rang = True
        task.cancel()

    timer = asyncio.get_running_loop().call_later(left, on_timeout)
    try:
        return await work
    except asyncio.CancelledError:
        if rang and not (hasattr(task, "uncancel") and task.uncancel() > before):
            raise deadline.timeout_error() from None
        raise
    finally:
        timer.cancel()


class AsyncAnswer:
    """A response whose head has arrived, as an asynchronous iterator over the bytes of its body."""

    raises_api_errors = True  # for any failure of its connection

    def __init__(self, connection: AsyncConnection, exchange: Exchange, first: bytes, pool: _LoopPool) -> None:
        self.status = exchange.response.status
        self.headers = exchange.response.headers
        self.is_done: Callable[[], bool] = lambda: False  # true once the reader needs no more of the body
        self._connection: AsyncConnection | None = connection
        self._exchange = exchange
        self._first = first
        self._pool = pool

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        piece, self._first = self._first, b""
        exchange, connection = self._exchange, self._connection
        try:
            while not piece:
                if exchange.is_over() or connection is None:
                    self._release()
                    raise StopAsyncIteration
                piece = exchange.take(await connection.receive(exchange.deadline()))
        except (OSError, EOFError, ProtocolError, APIError) as problem:
            error = exchange.to_api_error(problem)
        else:
            return piece
        self._release()
        raise error

    async def aclose(self) -> None:
        """Return the connection to the pool, which closes it if it cannot be reused."""
        self._release()

    def _release(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.give_back(connection, self._exchange.response, tail_expected=self.is_done())

    def __del__(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and not connection.loop.is_closed():
            connection.loop.call_soon_threadsafe(self._pool.drop, connection)


class _LoopPool:
    """The connections of one client on one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.connections: set[AsyncConnection] = set()
        self.idle: list[tuple[AsyncConnection, Response]] = []
        self._guard = _until_loop_ends(self.connections)

    async def watch(self) -> None:
        """Start the generator that closes all connections at the end of the loop.

        When a loop shuts down, it closes the asynchronous generators that were started on it.
        """
        await self._guard.__anext__()

    def give_back(self, connection: AsyncConnection, response: Response, *, tail_expected: bool) -> None:
        """Keep a connection for the next request if its response is complete, or else close it.

        With `tail_expected` the response may lack its last bytes, which are expected to arrive soon.
        """
        keep = response.can_be_followed(tail_expected=tail_expected)
        if keep and connection in self.connections and len(self.idle) < MOST_IDLE:
            connection.cancel_timer()
            self.idle.append((connection, response))
        else:
            self.drop(connection)

    def take_idle(self) -> AsyncConnection | None:
        while self.idle:
            connection, response = self.idle.pop()
            if _is_usable(connection, response):
                return connection
            self.drop(connection)
        return None

    def drop(self, connection: AsyncConnection) -> None:
        self.connections.discard(connection)
        connection.close()

    def close(self) -> None:
        self.idle.clear()
        _close_all(self.connections)


async def _until_loop_ends(connections: set[AsyncConnection]) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        _close_all(connections)


def _close_all(connections: set[AsyncConnection]) -> None:
    while connections:
        connections.pop().close()


class AsyncPool:
    """The connections of one client to one endpoint. Each is used on one event loop, and closed when that loop ends."""

    def __init__(self, endpoint: Endpoint, security: TLSSettings) -> None:
        self._endpoint = endpoint
        self._security = security
        self._pools: dict[int, _LoopPool] = {}

    async def send(self, request: Request, timeouts: CallTimeouts, *, streamed: bool) -> AsyncAnswer:
        """Send a request and return its response when the head has arrived.

        Raises APIConnectionError or APITimeoutError.
        """
        pool = await self._pool()
        connection = pool.take_idle()
        if connection is not None:
            exchange = Exchange(request, timeouts, streamed=streamed, reused=True)
            try:
                return await self._exchange(connection, exchange, pool)
            except APIConnectionError as died:
                if not exchange.should_resend(died):
                    raise
        try:
            connection = await self._connect(pool, timeouts.connecting())
        except (OSError, EOFError, ProtocolError, APIError) as problem:
            error = connection_error(problem, self._endpoint.authority)
        else:
            return await self._exchange(connection, Exchange(request, timeouts, streamed=streamed), pool)
        raise error

    def close(self) -> None:
        """Close all connections of the running loop, including those in use. Later requests open new ones."""
        pool = self._pools.pop(id(asyncio.get_running_loop()), None)
        if pool is not None:
            pool.close()

    # ---- internal

    async def _pool(self) -> _LoopPool:
        loop = asyncio.get_running_loop()
        pool = self._pools.get(id(loop))
        if pool is None or pool.loop is not loop:
            # A copy, because event loops in other threads may change the dict.
            for number, other in list(self._pools.items()):
                if other.loop.is_closed():
                    self._pools.pop(number, None)
            pool = self._pools[id(loop)] = _LoopPool(loop)
            await pool.watch()
        return pool

    async def _exchange(self, connection: AsyncConnection, exchange: Exchange, pool: _LoopPool) -> AsyncAnswer:
        response, first = exchange.response, b""
        try:
            unsent = await self._send(connection, exchange)
            while not response.status:
                try:
                    first = exchange.take_head(await connection.receive(exchange.deadline()))
                except OSError as problem:
                    raise unsent or problem from None
        except (OSError, EOFError, ProtocolError, APIError) as problem:
            error = exchange.to_api_error(problem)
        except BaseException:
            pool.drop(connection)
            raise
        else:
            return AsyncAnswer(connection, exchange, first, pool)
        pool.drop(connection)
        raise error

    async def _send(self, connection: AsyncConnection, exchange: Exchange) -> OSError | None:
        """Send the request and return the error if that fails.

        The error is not raised, because a server may respond and close the connection before it has read all of a
        request. The response is then more useful than the error.
        """
        try:
            await connection.send(memoryview(request_bytes(exchange.request)), exchange.deadline())
        except OSError as problem:
            return problem
        return None

    async def _connect(self, pool: _LoopPool, deadline: Deadline) -> AsyncConnection:
        endpoint, proxy = self._endpoint, proxy_for(self._endpoint)
        sock = await _connected(
            proxy.host if proxy else endpoint.host, proxy.port if proxy else endpoint.port, deadline
        )
        connection = AsyncConnection(pool.loop)
        pool.connections.add(connection)
        try:
            protocol: Any = connection  # it has the methods of a protocol without being a subclass of asyncio's
            await pool.loop.create_connection(lambda: protocol, sock=sock)
            if endpoint.scheme == "https":
                if proxy is not None:
                    await _tunnel(connection, proxy.connect_to(endpoint), deadline)
                await self._secure(connection, deadline)
        except BaseException as problem:
            was_closed = connection.was_closed and isinstance(problem, (OSError, EOFError, APIError))
            if connection.transport is None:
                sock.close()
            pool.drop(connection)
            if was_closed:
                raise ClientClosed from None
            raise
        return connection

    async def _secure(self, connection: AsyncConnection, deadline: Deadline) -> None:
        plain: Any = connection.transport
        protocol: Any = connection
        secured: Any = connection.loop.start_tls(
            plain,
            protocol,
            self._security.context(),
            server_hostname=self._endpoint.host,
            ssl_handshake_timeout=(deadline.remaining() or 0) + 60,  # later than the deadline
        )
        connection.transport = await within(deadline, secured)


def _is_usable(connection: AsyncConnection, response: Response) -> bool:
    """Check whether a connection can be reused, after reading the last bytes of its previous response if necessary."""
    try:
        data = connection.receive_now()
    except OSError:
        return False
    if data:
        if response.complete:
            return False
        response.feed(data)
    return data != b"" and response.complete and response.reusable


async def _connected(host: str, port: int, deadline: Deadline) -> socket.socket:
    loop = asyncio.get_running_loop()
    problem: Exception = OSError("no address was found for the host name")
    addresses = await _addresses(loop, host, port, deadline)
    for index, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            # The time is divided, so that an address that does not respond leaves time for the others.
            await within(deadline.split(len(addresses) - index), loop.sock_connect(sock, address))
            return sock
        except (OSError, APIError) as error:
            sock.close()
            problem = error
        except BaseException:
            sock.close()
            raise
    raise problem


async def _addresses(loop: asyncio.AbstractEventLoop, host: str, port: int, deadline: Deadline) -> Addresses:
    at_once = resolve_now(host, port)
    if at_once is not None:
        return at_once
    # Not loop.getaddrinfo: the loop would wait for its thread at shutdown, however long the resolver takes.
    arrival: asyncio.Future[Addresses | OSError] = loop.create_future()

    def arrive(result: Addresses | OSError) -> None:
        if not arrival.done():
            arrival.set_result(result)

    def deliver(result: Addresses | OSError) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(arrive, result)

    resolve_in_thread(host, port, deliver)
    found = await within(deadline, arrival)
    if isinstance(found, OSError):
        raise found
    return found


async def _tunnel(connection: AsyncConnection, request: bytes, deadline: Deadline) -> None:
    await connection.send(memoryview(request), deadline)
    tunnel = Tunnel()
    while not tunnel.established:
        tunnel.take(await connection.receive(deadline))
