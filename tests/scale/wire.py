"""A line between two programs that can be cut and joined again: a TCP proxy, for tests of networks that come and go.

Knows sockets; knows nothing of what passes.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Wire:
    """While it is cut, what is under way is reset and new connections are refused."""

    def __init__(self, host: str, port: int) -> None:
        self._there = host, port
        self._ends: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self.port = 0
        self.cuts = 0
        self.join()

    def join(self) -> None:
        """Takes connections, at the same port as before."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        with self._lock:
            self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        """Resets all connections and refuses new ones until `join`."""
        with self._lock:
            listener, self._listener = self._listener, None
            ends, self._ends = self._ends, set()
            self.cuts += 1
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            listener.close()
        for end in ends:
            _reset(end)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
                far = socket.create_connection(self._there)
            except OSError:
                return
            with self._lock:
                if self._listener is not listener:
                    _reset(near)
                    far.close()
                    return
                self._ends |= {near, far}
            for one, other in ((near, far), (far, near)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while some := one.recv(65_536):
                other.sendall(some)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        with self._lock:
            self._ends -= {one, other}


def _reset(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
        end.close()


@contextmanager
def wire_to(host: str, port: int) -> Iterator[Wire]:
    """A joined one, cut at the end."""
    made = Wire(host, port)
    try:
        yield made
    finally:
        made.cut()
