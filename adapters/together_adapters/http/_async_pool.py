"""Connections of the asynchronous client: what `_connection` does, on the running loop.

It never waits but in the loop, and needs a thread only to resolve a name; what both do alike is in `_exchange` and `_proxy`.
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
    """Await work no longer than it may take; raises APITimeoutError after that. No task is made for it."""
    left = deadline.remaining()
    if left is None:
        return await work
    task: Any = asyncio.current_task()
    # From Python 3.11 on a task counts who cancels it: someone else may do so too, or has done so before.
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
    """An answer whose head has arrived; an asynchronous iterator of the bytes of its body."""

    def __init__(self, connection: AsyncConnection, exchange: Exchange, first: bytes, pool: _LoopPool) -> None:
        self.status = exchange.response.status
        self.headers = exchange.response.headers
        self.is_done: Callable[[], bool] = lambda: False  # whether the reader has all that it wants
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
        """Give the connection back where it can be used again, else close it."""
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
        """Have all connections closed when the loop ends: it then closes the generators that have begun on it."""
        await self._guard.__anext__()

    def give_back(self, connection: AsyncConnection, response: Response, *, tail_expected: bool) -> None:
        """Keep a connection for the next request, if its answer is complete or its last bytes are about to come."""
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
    """The connections of one client to one endpoint. They belong to the loop that made them and end with it."""

    def __init__(self, endpoint: Endpoint, security: TLSSettings) -> None:
        self._endpoint = endpoint
        self._security = security
        self._pools: dict[int, _LoopPool] = {}

    async def send(self, request: Request, timeouts: CallTimeouts, *, streamed: bool) -> AsyncAnswer:
        """Send a request and wait for the head of its answer; raises APIConnectionError or APITimeoutError."""
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
        """Close all connections of the running loop, also those in use; later requests open new ones."""
        pool = self._pools.pop(id(asyncio.get_running_loop()), None)
        if pool is not None:
            pool.close()

    # ---- inside

    async def _pool(self) -> _LoopPool:
        loop = asyncio.get_running_loop()
        pool = self._pools.get(id(loop))
        if pool is None or pool.loop is not loop:
            # A copy, because loops of other threads may be at it too.
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
        """Send the request; a server may answer and close before it has read all of it, so a failure is not yet the end."""
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
            protocol: Any = connection  # it has the methods, but names no class of asyncio
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
            ssl_handshake_timeout=(deadline.remaining() or 0) + 60,  # ours comes first
        )
        connection.transport = await within(deadline, secured)


def _is_usable(connection: AsyncConnection, response: Response) -> bool:
    """Whether a connection is still open; what had been missing of its last answer is read here."""
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
    problem: Exception = OSError("no address")
    addresses = await _addresses(loop, host, port, deadline)
    for index, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            # An address that does not answer must leave time for the next one.
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
    # Not loop.getaddrinfo: its thread is waited for when the loop ends, however long the resolver takes.
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
