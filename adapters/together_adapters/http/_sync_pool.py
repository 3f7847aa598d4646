"""The connection pool of the synchronous client.

It uses sockets directly, so that closing a connection wakes the thread that waits for it. A request is sent a second
time only if a reused connection failed before the first byte of a response, because the server had probably closed it
while it was idle.

Does not interpret the status or the body of a response.
"""

from __future__ import annotations

import os
import socket
from _thread import RLock, allocate_lock  # threading may be missing

from .._byte_sources import raised_by_signal_handler
from ..errors import APIConnectionError, APIError
from ._connecting import Tunnel, proxy_for, request_bytes, resolve
from ._exchange import MOST_IDLE, ClientClosed, Exchange, connection_error
from ._http1 import ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from typing_extensions import Self

    from . import Request
    from ._connecting import TLSSettings
    from ._http1 import Fields, Response
    from ._timeouts import CallTimeouts, Deadline
    from ._url import Endpoint

__all__ = ["Answer", "Pool"]

_READ_SIZE = 65536


class Connection:
    """A socket. Any thread may call `close`, which wakes a thread that is blocked in another method.

    That thread gets ClientClosed, which is an OSError.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        # SSLSocket.shutdown is not used, because a read after it would return encrypted data. The attributes are looked
        # up here, because `close` may be called at the exit of the interpreter, when modules have been cleared.
        self._shutdown, self._both_ways = socket.socket.shutdown, socket.SHUT_RDWR
        self._closed = False
        self._getpid, self._process = os.getpid, os.getpid()
        self._in_use = allocate_lock()
        self._timeout: float | None = 0.0  # of the socket, in seconds (None: no timeout)

    def send(self, data: memoryview, deadline: Deadline) -> None:
        """Send all of `data`. Raises OSError if the connection fails, and APITimeoutError after the deadline.

        If the connection was closed with `close`, it may return without an error, and `receive` raises ClientClosed.
        """
        try:
            with self._in_use:
                while data and not self._closed:
                    self._limit(deadline)
                    data = data[self.sock.send(data) :]
        except OSError as error:
            raise self._to_error(error, deadline) from None
        finally:
            self._close_if_asked()

    def receive(self, deadline: Deadline) -> bytes:
        """Wait until data arrives, and return it, or b"" at the end of the connection.

        Raises OSError if the connection fails, and APITimeoutError after the deadline.
        """
        try:
            with self._in_use:
                data = b""
                if not self._closed:
                    self._limit(deadline)
                    data = self.sock.recv(_READ_SIZE)
                if not data and self._closed:
                    raise ClientClosed
                return data
        except OSError as error:
            raise self._to_error(error, deadline) from None
        finally:
            self._close_if_asked()

    def handshake(self, deadline: Deadline) -> None:
        """Perform the TLS handshake. Raises OSError if it fails, and APITimeoutError after the deadline."""
        secured: Any = self.sock
        try:
            with self._in_use:
                self._limit(deadline)
                secured.do_handshake()
        except OSError as error:
            raise self._to_error(error, deadline) from None
        finally:
            self._close_if_asked()

    def _to_error(self, error: OSError, deadline: Deadline) -> Exception:
        if self._closed and not raised_by_signal_handler(error):
            return ClientClosed()
        return _passed(error, deadline)

    def _limit(self, deadline: Deadline) -> None:
        left = deadline.remaining()
        # Setting a timeout is a system call. It is skipped if the current timeout is less than 1 ms longer than the
        # remaining time. This is the case for most reads of a stream, because the time limit starts again with each read.
        if left is None or self._timeout is None or not left <= self._timeout < left + 0.001:
            self.sock.settimeout(left)
            self._timeout = left

    def receive_now(self) -> bytes | None:
        """Return the data that has arrived, or None if no data has arrived, without waiting.

        Returns b"" at the end of the connection and after an error.
        """
        self.sock.settimeout(0)
        self._timeout = 0.0
        try:
            return self.sock.recv(_READ_SIZE)
        except OSError as error:
            if raised_by_signal_handler(error):
                raise
            waits = isinstance(error, BlockingIOError) or type(error).__name__ == "SSLWantReadError"
            return None if waits else b""

    def close(self) -> None:
        """Shut the socket down and close it. If another thread is blocked in it, that thread wakes and closes it."""
        self._closed = True
        if self._getpid() != self._process:
            self.sock.close()  # without a shutdown, which would also end the connection of the parent process
            return
        try:
            self._shutdown(self.sock, self._both_ways)
        except OSError:
            pass  # it is no longer connected
        if self._in_use.acquire(blocking=False):
            self.sock.close()
            self._in_use.release()

    def _close_if_asked(self) -> None:
        # Called after `_in_use` is released. `close` sets `_closed` before it tries to acquire the lock, so one of the
        # two threads always closes the socket.
        if self._closed:
            self.sock.close()


class Answer:
    """A response whose head has arrived, as an iterator over the bytes of its body. Any thread may close it.

    The iterator raises an APIError if the connection fails or the response is malformed.
    """

    raises_api_errors = True  # for every failure of its connection

    def __init__(self, connection: Connection, exchange: Exchange, first: bytes, pool: Pool) -> None:
        self.status: int = exchange.response.status
        self.headers: Fields = exchange.response.headers
        self.is_done: Callable[[], bool] = lambda: False  # true once the reader needs no more of the body
        self._connection: Connection | None = connection
        self._exchange = exchange
        self._first = first
        self._pool = pool

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        piece, self._first = self._first, b""
        exchange, connection = self._exchange, self._connection
        try:
            while not piece:
                if exchange.is_over() or connection is None:
                    self.close()
                    raise StopIteration
                piece = exchange.take(connection.receive(exchange.deadline()))
        except (OSError, EOFError, ProtocolError, APIError) as problem:
            if raised_by_signal_handler(problem):
                raise
            error = exchange.to_api_error(problem)
        else:
            return piece
        self.close()
        raise error

    def close(self) -> None:
        """Return the connection to the pool, which closes it if it cannot be reused."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.give_back(connection, self._exchange.response, tail_expected=self.is_done())

    def __del__(self) -> None:
        self.close()


class Pool:
    """The connections of one client to one endpoint. Any thread may reuse an idle connection."""

    def __init__(self, endpoint: Endpoint, security: TLSSettings) -> None:
        self._endpoint = endpoint
        self._security = security
        # The lock is reentrant, because garbage collection may delete an Answer at any time. This calls `give_back`.
        self._new_lock, self._lock = RLock, RLock()
        self._idle: list[tuple[Connection, Response]] = []
        self._all: set[Connection] = set()
        self._getpid, self._process = os.getpid, os.getpid()

    def send(self, request: Request, timeouts: CallTimeouts, *, streamed: bool) -> Answer:
        """Send a request, and return its response when the head has arrived.

        Raises APIConnectionError if that fails, and its subclass APITimeoutError after a timeout.
        """
        connection = self._take_idle()
        if connection is not None:
            exchange = Exchange(request, timeouts, streamed=streamed, reused=True)
            try:
                return self._exchange(connection, exchange)
            except APIConnectionError as died:
                if not exchange.should_resend(died):
                    raise
        try:
            connection = self._connect(timeouts.connecting())
        except (OSError, EOFError, ProtocolError, APIError) as problem:
            if raised_by_signal_handler(problem):
                raise
            error = connection_error(problem, self._endpoint.authority)
        else:
            return self._exchange(connection, Exchange(request, timeouts, streamed=streamed))
        raise error

    def close(self) -> None:
        """Close all connections, including those in use. Later requests open new ones."""
        self._after_fork()
        with self._lock:
            connections, self._idle = list(self._all), []
            self._all.clear()
        for connection in connections:
            connection.close()

    def __del__(self) -> None:
        self.close()

    def give_back(self, connection: Connection, response: Response, *, tail_expected: bool) -> None:
        """Keep a connection for the next request if its response is complete, or else close it.

        With `tail_expected` the response may lack its last bytes, which are expected to arrive soon.
        """
        keep = response.can_be_followed(tail_expected=tail_expected)
        self._after_fork()
        with self._lock:
            keep = keep and connection in self._all and len(self._idle) < MOST_IDLE
            if keep:
                self._idle.append((connection, response))
        if not keep:
            self._drop(connection)

    # ---- internal

    def _exchange(self, connection: Connection, exchange: Exchange) -> Answer:
        response, first = exchange.response, b""
        try:
            unsent = self._send(connection, exchange)
            while not response.status:
                try:
                    first = exchange.take_head(connection.receive(exchange.deadline()))
                except OSError as problem:
                    raise problem if unsent is None or raised_by_signal_handler(problem) else unsent from None
        except (OSError, EOFError, ProtocolError, APIError) as problem:
            if raised_by_signal_handler(problem):
                self._drop(connection)
                raise
            error = exchange.to_api_error(problem)
        except BaseException:
            self._drop(connection)
            raise
        else:
            return Answer(connection, exchange, first, self)
        self._drop(connection)
        raise error

    def _send(self, connection: Connection, exchange: Exchange) -> OSError | None:
        """Send the request. Return the OSError if that fails, or else None.

        The error is not raised, because a server may respond and close the connection before it has read all of a
        request. The response is then more useful than the error.
        """
        try:
            connection.send(memoryview(request_bytes(exchange.request)), exchange.deadline())
        except OSError as problem:
            if raised_by_signal_handler(problem):
                raise
            return problem
        return None

    def _take_idle(self) -> Connection | None:
        self._after_fork()
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection, response = self._idle.pop()
            if _is_usable(connection, response):
                return connection
            self._drop(connection)

    def _after_fork(self) -> None:
        """Close the inherited connections if this process was forked, because the parent process uses them too."""
        if self._process == self._getpid():
            return
        self._lock = self._new_lock()  # another thread of the parent may have held it
        inherited, self._all, self._idle, self._process = self._all, set(), [], self._getpid()
        for connection in inherited:
            connection.close()

    def _connect(self, deadline: Deadline) -> Connection:
        endpoint, proxy = self._endpoint, proxy_for(self._endpoint)
        sock = _connected(proxy.host if proxy else endpoint.host, proxy.port if proxy else endpoint.port, deadline)
        connection = Connection(sock)
        with self._lock:
            self._all.add(connection)
        try:
            if endpoint.scheme == "https":
                if proxy is not None:
                    _tunnel(connection, proxy.connect_to(endpoint), deadline)
                self._secure(connection, deadline)
        except BaseException:
            self._drop(connection)
            raise
        return connection

    def _secure(self, connection: Connection, deadline: Deadline) -> None:
        context = self._security.context()
        connection.sock = context.wrap_socket(
            connection.sock, server_hostname=self._endpoint.host, do_handshake_on_connect=False
        )
        connection.handshake(deadline)

    def _drop(self, connection: Connection) -> None:
        with self._lock:
            self._all.discard(connection)
        connection.close()


def _passed(error: Exception, deadline: Deadline) -> Exception:
    """Return the APITimeoutError of the deadline for the timeout of a socket object, or else the error itself.

    A timeout of the operating system, such as ETIMEDOUT, has an errno and is not the deadline.
    """
    over = isinstance(error, (TimeoutError, socket.timeout)) and error.errno is None  # one class since Python 3.10
    return deadline.timeout_error() if over and not raised_by_signal_handler(error) else error


def _is_usable(connection: Connection, response: Response) -> bool:
    """Check whether a connection can be reused, after reading the last bytes of its previous response if necessary."""
    while (data := connection.receive_now()) is not None:
        if not data or response.complete:
            return False
        response.feed(data)
    return response.complete and response.reusable


def _connected(host: str, port: int, deadline: Deadline) -> socket.socket:
    problem: Exception = OSError("no address was found for the host name")
    addresses = resolve(host, port, deadline)
    for index, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            # The time is divided, so that an address that does not respond leaves time for the others.
            sock.settimeout(deadline.split(len(addresses) - index).remaining())
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            return sock
        except (OSError, APIError) as error:
            sock.close()
            if raised_by_signal_handler(error):
                raise
            problem = _passed(error, deadline)
        except BaseException:
            sock.close()
            raise
    raise problem


def _tunnel(connection: Connection, request: bytes, deadline: Deadline) -> None:
    connection.send(memoryview(request), deadline)
    tunnel = Tunnel()
    while not tunnel.established:
        tunnel.take(connection.receive(deadline))
