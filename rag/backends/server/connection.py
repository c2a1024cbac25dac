"""One connection to a server, direct or through a proxy, kept for reuse, with one deadline for a whole exchange.

Knows sockets and HTTP; knows no JSON and no retries. http.client takes a sixth of the processor time of httpx for a request
(0.1 ms), and no thread but the caller's. This module adds what it lacks: a deadline for a whole exchange, and an abort from
another thread.
"""

from __future__ import annotations

import http.client
import math
import select
import socket
import ssl
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

    from rag.backends.server.routes import Route

CONNECT_SECONDS = 5.0  # for opening a connection
IDLE_SECONDS = 3.0  # for keeping an idle connection; uvicorn, which vLLM runs in, closes its end after 5 s


class Unconnected(Exception):
    """No connection was made; `__cause__` says why."""


class Connection:
    """A connection that its first request opens. For one thread at a time, except `abort`."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self.idle_since = 0.0  # monotonic seconds
        self._http: http.client.HTTPConnection | None = None
        self._socket: _DeadlineSocket | None = None
        self._response: http.client.HTTPResponse | None = None
        self._aborted = False

    def request(self, path: str, content: bytes | None, deadline: float) -> http.client.HTTPResponse:
        """POSTs `content`, or GETs if it is None; returns the response with its headers read. `deadline`: monotonic seconds, also
        for reading the body.

        Unconnected; TimeoutError; another OSError or HTTPException if the exchange is interrupted.
        """
        connection = self._http or self._open(deadline)
        assert self._socket is not None
        self._socket.deadline = deadline
        self._response = None
        method = "GET" if content is None else "POST"
        try:
            connection.request(method, self.route.prefix + path, content, dict(self.route.headers))
        except ConnectionError:
            pass  # the server may have answered before it read everything; if not, reading the response fails too
        self._response = connection.getresponse()
        return self._response

    def extend(self, deadline: float) -> None:
        """Gives the request under way until `deadline`, in monotonic seconds: for a response that arrives in parts."""
        if self._socket is not None:
            self._socket.deadline = deadline

    @property
    def is_reusable(self) -> bool:
        """Whether the last response was read to its end, and the server keeps the connection open."""
        kept = self._http is not None and self._http.sock is not None  # http.client drops it after the server's last response
        return kept and not self._aborted and self._response is not None and self._response.isclosed()

    def is_dropped(self) -> bool:
        """Whether the server has closed it meanwhile, or sent something unasked."""
        if self._socket is None:
            return True
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def abort(self) -> None:
        """Ends the request under way, from any thread: the thread that waits for it gets an error."""
        self._aborted = True
        with suppress(OSError):
            if self._socket is not None:
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # TLS is left to the thread that reads

    def close(self) -> None:
        """Closes the socket."""
        if self._response is not None:
            self._response.close()
        if self._http is not None:
            self._http.close()

    def _open(self, deadline: float) -> http.client.HTTPConnection:
        """Opens it. Unconnected if that fails, or if it was aborted meanwhile."""
        route, proxy = self.route, self.route.proxy
        host, port = (proxy.host, proxy.port) if proxy else (route.host, route.port)
        seconds = max(0.001, min(CONNECT_SECONDS, deadline - time.monotonic()))
        opened: http.client.HTTPConnection
        if route.is_tls or (proxy and proxy.is_tls):
            route.trusted.sslsocket_class = _TlsDeadlineSocket
            opened = http.client.HTTPSConnection(host, port, timeout=seconds, context=route.trusted)
        else:
            opened = http.client.HTTPConnection(host, port, timeout=seconds)
        if proxy and route.is_tunnel:
            opened.set_tunnel(route.host, route.port, dict(proxy.headers))
        try:
            opened.connect()
        except (OSError, http.client.HTTPException) as error:
            opened.close()
            raise Unconnected from error
        if not isinstance(opened.sock, _DeadlineSocket):
            opened.sock = _DeadlineSocket(fileno=opened.sock.detach())
        self._http, self._socket = opened, opened.sock
        if self._aborted:
            opened.close()
            raise Unconnected from ConnectionAbortedError("the request was aborted")
        return opened


class ConnectionPool:
    """The idle connections of one endpoint. Safe to share between threads."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._idle: deque[Connection] = deque()  # the most recently used last
        self._closed = False

    def take(self) -> Connection:
        """The most recently used idle connection, or a new one."""
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if time.monotonic() - connection.idle_since < IDLE_SECONDS and not connection.is_dropped():
                    return connection
                connection.close()
        return Connection(self._route)

    def put(self, connection: Connection) -> None:
        """Takes a connection back, or closes it if it is not reusable; also closes those that have been idle too long."""
        if self._closed or not connection.is_reusable:
            connection.close()
            return
        connection.idle_since = time.monotonic()
        self._idle.append(connection)
        with suppress(IndexError):
            while connection.idle_since - self._idle[0].idle_since > IDLE_SECONDS:
                self._idle.popleft().close()

    def close(self) -> None:
        """Closes the idle connections, and from now on every one that comes back."""
        self._closed = True
        with suppress(IndexError):
            while True:
                self._idle.pop().close()


class _DeadlineSocket(socket.socket):
    """A socket that never waits past `deadline`. A timeout of its own would start anew at every read, and a slow server could
    send one byte at a time.
    """

    deadline = math.inf  # monotonic seconds; endless while it is being opened

    def recv_into(self, buffer: WriteableBuffer, nbytes: int | None = None, flags: int = 0) -> int:
        self._set_timeout()
        return super().recv_into(buffer, nbytes or 0, flags)

    def sendall(self, data: ReadableBuffer, flags: int = 0) -> None:
        self._set_timeout()
        super().sendall(data, flags)

    def _set_timeout(self) -> None:
        if self.deadline == math.inf:
            return
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.settimeout(left)


class _TlsDeadlineSocket(_DeadlineSocket, ssl.SSLSocket):
    """The same over TLS."""
