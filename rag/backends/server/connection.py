"""One connection to a server: opened straight or through a proxy, kept, and with one moment at which every wait on it ends.

Knows sockets and HTTP; knows no JSON and no second attempt. http.client takes a sixth of the processor time of httpx for a
request (0.1 ms), and no thread but the caller's; what it lacks is here: a bound for a whole exchange, and an end from outside.
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

CONNECT_SECONDS = 5.0  # to open a connection
KEPT_SECONDS = 3.0  # an idle connection; uvicorn, which vLLM runs in, closes its own after 5 s


class Unconnected(Exception):
    """No connection was made; the cause says why."""


class Connection:
    """A connection that is opened by its first request. For one thread at a time, but for `abort`."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self.since = 0.0  # monotonic time since when nobody uses it
        self._http: http.client.HTTPConnection | None = None
        self._socket: _Bounded | None = None
        self._response: http.client.HTTPResponse | None = None
        self._aborted = False

    def request(self, path: str, content: bytes | None, until: float) -> http.client.HTTPResponse:
        """POSTs `content`, or GETs where it is None; the response with its head read. All of it ends `until` (monotonic).

        Unconnected; TimeoutError; another OSError or HTTPException where the exchange breaks off.
        """
        connection = self._http or self._open(until)
        assert self._socket is not None
        self._socket.until = until
        self._response = None
        method = "GET" if content is None else "POST"
        try:
            connection.request(method, self.route.prefix + path, content, dict(self.route.headers))
        except ConnectionError:
            pass  # it may have answered before it had read everything; else there is nothing to read either
        self._response = connection.getresponse()
        return self._response

    @property
    def is_reusable(self) -> bool:
        """Whether the last response was read to its end, and the server goes on listening."""
        kept = self._http is not None and self._http.sock is not None  # http.client drops it where no more is to come
        return kept and not self._aborted and self._response is not None and self._response.isclosed()

    def is_dropped(self) -> bool:
        """Whether the server has closed it meanwhile, or says something unasked."""
        if self._socket is None:
            return True
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def abort(self) -> None:
        """Ends what is under way on it, from any thread: the one that waits gets an error."""
        self._aborted = True
        with suppress(OSError):
            if self._socket is not None:
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # of TLS too: that of its own is for the thread that reads

    def close(self) -> None:
        """Lets go of it."""
        if self._response is not None:
            self._response.close()
        if self._http is not None:
            self._http.close()

    def _open(self, until: float) -> http.client.HTTPConnection:
        """Unconnected, also where it would be used no more."""
        route, proxy = self.route, self.route.proxy
        host, port = (proxy.host, proxy.port) if proxy else (route.host, route.port)
        seconds = max(0.001, min(CONNECT_SECONDS, until - time.monotonic()))
        opened: http.client.HTTPConnection
        if route.is_tls or (proxy and proxy.is_tls):
            route.trusted.sslsocket_class = _BoundedTls
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
        if not isinstance(opened.sock, _Bounded):
            opened.sock = _Bounded(fileno=opened.sock.detach())
        self._http, self._socket = opened, opened.sock
        if self._aborted:
            opened.close()
            raise Unconnected from ConnectionAbortedError("it is not wanted any more")
        return opened


class ConnectionPool:
    """The connections of one endpoint that nobody uses. Safe to share between threads."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._idle: deque[Connection] = deque()  # the last used at the end
        self._closed = False

    def take(self) -> Connection:
        """The one used last, or a new one."""
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if time.monotonic() - connection.since < KEPT_SECONDS and not connection.is_dropped():
                    return connection
                connection.close()
        return Connection(self._route)

    def put(self, connection: Connection) -> None:
        """Takes one back, and closes it where it is of no use any more, or those that were not used for long."""
        if self._closed or not connection.is_reusable:
            connection.close()
            return
        connection.since = time.monotonic()
        self._idle.append(connection)
        with suppress(IndexError):
            while connection.since - self._idle[0].since > KEPT_SECONDS:
                self._idle.popleft().close()

    def close(self) -> None:
        """Closes those that nobody uses, and from now on every one that comes back."""
        self._closed = True
        with suppress(IndexError):
            while True:
                self._idle.pop().close()


class _Bounded(socket.socket):
    """A socket that never waits beyond `until` (monotonic): a server that drips is in time at every single read."""

    until = math.inf

    def recv_into(self, buffer: WriteableBuffer, nbytes: int | None = None, flags: int = 0) -> int:
        self._hurry()
        return super().recv_into(buffer, nbytes or 0, flags)

    def sendall(self, data: ReadableBuffer, flags: int = 0) -> None:
        self._hurry()
        super().sendall(data, flags)

    def _hurry(self) -> None:
        if self.until == math.inf:
            return  # it is being opened
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.settimeout(left)


class _BoundedTls(_Bounded, ssl.SSLSocket):
    """The same over TLS."""
