"""Connections of the asynchronous client: what `_connection` does, on the running loop and without a thread."""

from __future__ import annotations

import asyncio
import socket

from ._exchange import ClosedHere, Exchange, connection_error
from ._http1 import ProtocolError, Response
from ._link import Link
from ._proxy import proxy_for
from ._resolve import resolve_in_thread, resolve_now
from .errors import APIConnectionError, APIError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from typing import Any, TypeVar

    from typing_extensions import Self

    from ._limits import Limits, Until
    from ._proxy import Proxy
    from ._resolve import Addresses
    from ._tls import Security
    from ._url import Endpoint
    from .http import Request

    T = TypeVar("T")

__all__ = ["AsyncAnswer", "AsyncPool", "within"]

_MOST_IDLE = 16


async def within(until: Until, work: Awaitable[T]) -> T:
    """Await work no longer than it may take; raises APITimeoutError after that. No task is made for it."""
    left = until.left()
    if left is None:
        return await work
    task: Any = asyncio.current_task()
    # From Python 3.11 on a task counts who cancels it: someone else may do so too, or has done so before.
    before: int = task.cancelling() if hasattr(task, "cancelling") else 0
    rang = False

    def ring() -> None:
        nonlocal rang
        rang = True
        task.cancel()

    timer = asyncio.get_running_loop().call_later(left, ring)
    try:
        return await work
    except asyncio.CancelledError:
        if rang and not (hasattr(task, "uncancel") and task.uncancel() > before):
            raise until.passed() from None
        raise
    finally:
        timer.cancel()


class AsyncAnswer:
    """An answer whose head has arrived; an asynchronous iterator of the bytes of its body."""

    def __init__(self, link: Link, exchange: Exchange, first: bytes, shelf: _Shelf) -> None:
        self.status = exchange.response.status
        self.headers = exchange.response.headers
        self.is_read: Callable[[], bool] = lambda: False  # whether the reader has all that it wants
        self._link: Link | None = link
        self._exchange = exchange
        self._first = first
        self._shelf = shelf

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        piece, self._first = self._first, b""
        exchange, link = self._exchange, self._link
        response = exchange.response
        try:
            while not piece:
                if response.error is not None:
                    raise response.error
                if response.complete or link is None:
                    self._release()
                    raise StopAsyncIteration
                piece = exchange.take(await link.receive(exchange.until()))
        except (OSError, EOFError, ProtocolError, APIError) as problem:
            error = exchange.failed(problem)
        else:
            return piece
        self._release()
        raise error

    async def aclose(self) -> None:
        """Give the connection back where it can be used again, else close it."""
        self._release()

    def _release(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            self._shelf.give_back(link, self._exchange.response, rest_comes=self.is_read())

    def __del__(self) -> None:
        link, self._link = self._link, None
        if link is not None and not link.loop.is_closed():
            link.loop.call_soon_threadsafe(self._shelf.drop, link)


class _Shelf:
    """The connections of one client on one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.links: set[Link] = set()
        self.idle: list[tuple[Link, Response]] = []
        self._guard = _until_loop_ends(self.links)

    async def watch(self) -> None:
        """Have all connections closed when the loop ends: it then closes the generators that have begun on it."""
        await self._guard.__anext__()

    def give_back(self, link: Link, response: Response, *, rest_comes: bool) -> None:
        """Keep a connection for the next request, if its answer is complete or its last bytes are about to come."""
        keep = response.reusable and response.error is None and (response.complete or rest_comes)
        if keep and link in self.links and len(self.idle) < _MOST_IDLE:
            link.rest()
            self.idle.append((link, response))
        else:
            self.drop(link)

    def take_idle(self) -> Link | None:
        while self.idle:
            link, response = self.idle.pop()
            if _is_usable(link, response):
                return link
            self.drop(link)
        return None

    def drop(self, link: Link) -> None:
        self.links.discard(link)
        link.close()

    def close(self) -> None:
        self.idle.clear()
        _close_all(self.links)


async def _until_loop_ends(links: set[Link]) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        _close_all(links)


def _close_all(links: set[Link]) -> None:
    while links:
        links.pop().close()


class AsyncPool:
    """The connections of one client to one endpoint. They belong to the loop that made them and end with it."""

    def __init__(self, endpoint: Endpoint, security: Security) -> None:
        self._endpoint = endpoint
        self._security = security
        self._shelves: dict[int, _Shelf] = {}

    async def send(self, request: Request, limits: Limits, *, whole: bool) -> AsyncAnswer:
        """Send a request and wait for the head of its answer; raises APIConnectionError or APITimeoutError."""
        shelf = await self._shelf()
        link = shelf.take_idle()
        if link is not None:
            exchange = Exchange(request, limits, whole=whole, reused=True)
            try:
                return await self._exchange(link, exchange, shelf)
            except APIConnectionError as died:
                if not exchange.died_idle(died):
                    raise
        try:
            link = await self._connect(shelf, limits.connecting())
        except (OSError, EOFError, ProtocolError, APIError) as problem:
            error = connection_error(problem, self._endpoint.host)
        else:
            return await self._exchange(link, Exchange(request, limits, whole=whole), shelf)
        raise error

    def close(self) -> None:
        """Close all connections of the running loop, also those in use; later requests open new ones."""
        shelf = self._shelves.pop(id(asyncio.get_running_loop()), None)
        if shelf is not None:
            shelf.close()

    # ---- inside

    async def _shelf(self) -> _Shelf:
        loop = asyncio.get_running_loop()
        shelf = self._shelves.get(id(loop))
        if shelf is None or shelf.loop is not loop:
            # A copy, because loops of other threads may be at it too.
            for number, other in list(self._shelves.items()):
                if other.loop.is_closed():
                    self._shelves.pop(number, None)
            shelf = self._shelves[id(loop)] = _Shelf(loop)
            await shelf.watch()
        return shelf

    async def _exchange(self, link: Link, exchange: Exchange, shelf: _Shelf) -> AsyncAnswer:
        response, first = exchange.response, b""
        try:
            unsent = await self._send(link, exchange)
            while not response.status:
                try:
                    first = exchange.take(await link.receive(exchange.until()))
                except OSError as problem:
                    raise unsent or problem from None
                if response.error is not None and not response.status:
                    raise response.error
        except (OSError, EOFError, ProtocolError, APIError) as problem:
            error = exchange.failed(problem)
        except BaseException:
            shelf.drop(link)
            raise
        else:
            return AsyncAnswer(link, exchange, first, shelf)
        shelf.drop(link)
        raise error

    async def _send(self, link: Link, exchange: Exchange) -> OSError | None:
        """Send the request; a server may answer and close before it has read all of it, so a failure is not yet the end."""
        plain_proxy = proxy_for(self._endpoint) if self._endpoint.scheme == "http" else None
        more = plain_proxy.headers if plain_proxy else None
        try:
            await link.send(
                memoryview(exchange.request.to_bytes(more, absolute=plain_proxy is not None)), exchange.until()
            )
        except OSError as problem:
            return problem
        return None

    async def _connect(self, shelf: _Shelf, until: Until) -> Link:
        endpoint, proxy = self._endpoint, proxy_for(self._endpoint)
        sock = await _connected(proxy.host if proxy else endpoint.host, proxy.port if proxy else endpoint.port, until)
        link = Link(shelf.loop)
        shelf.links.add(link)
        try:
            protocol: Any = link  # it has the methods, but names no class of asyncio
            await shelf.loop.create_connection(lambda: protocol, sock=sock)
            if endpoint.scheme == "https":
                if proxy is not None:
                    await _tunnel(link, proxy, endpoint, until)
                await self._secure(link, until)
        except BaseException as problem:
            was_closed = link.was_closed and isinstance(problem, (OSError, EOFError, APIError))
            if link.transport is None:
                sock.close()
            shelf.drop(link)
            if was_closed:
                raise ClosedHere from None
            raise
        return link

    async def _secure(self, link: Link, until: Until) -> None:
        plain: Any = link.transport
        protocol: Any = link
        secured: Any = link.loop.start_tls(
            plain,
            protocol,
            self._security.context(),
            server_hostname=self._endpoint.host,
            ssl_handshake_timeout=(until.left() or 0) + 60,  # ours comes first
        )
        link.transport = await within(until, secured)


def _is_usable(link: Link, response: Response) -> bool:
    """Whether a connection is still open; what had been missing of its last answer is read here."""
    try:
        data = link.receive_now()
    except OSError:
        return False
    if data:
        if response.complete:
            return False
        response.feed(data)
    return data != b"" and response.complete and response.reusable and response.error is None


async def _connected(host: str, port: int, until: Until) -> socket.socket:
    loop = asyncio.get_running_loop()
    problem: Exception = OSError("no address")
    addresses = await _addresses(loop, host, port, until)
    for index, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            # An address that does not answer must leave time for the next one.
            await within(until.share(len(addresses) - index), loop.sock_connect(sock, address))
            return sock
        except (OSError, APIError) as error:
            sock.close()
            problem = error
        except BaseException:
            sock.close()
            raise
    raise problem


async def _addresses(loop: asyncio.AbstractEventLoop, host: str, port: int, until: Until) -> Addresses:
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
    found = await within(until, arrival)
    if isinstance(found, OSError):
        raise found
    return found


async def _tunnel(link: Link, proxy: Proxy, endpoint: Endpoint, until: Until) -> None:
    await link.send(memoryview(proxy.connect_to(endpoint)), until)
    response = Response()
    while not response.status and response.error is None:
        data = await link.receive(until)
        response.feed(data) if data else response.end()
    if response.error is not None:
        raise response.error
    if response.status != 200:
        raise OSError(f"the proxy refused the connection with status {response.status}")
