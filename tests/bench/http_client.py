"""A request to a model server: processor time of this program's own client, beside the same request through urllib3.

Knows HTTP; knows no model. The server is another process and empty: it reads a request and sends an answer it has ready. urllib3
is used as it comes, from its pool: it bounds no whole exchange, and nothing can end one of its requests from outside.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import urllib3

from rag.backends.base import Choice
from rag.backends.server.connection import ConnectionPool
from rag.backends.server.exchange import exchange
from rag.backends.server.routes import routes_of
from tests.bench.measure import Row

KINDS = {  # bytes of a request; vectors of an answer, and their numbers
    "32 texts": (30_000, 32, 1024),
    "a picture": (200_000, 1, 2048),
}
REQUESTS = 300  # one after the other on a kept connection
ROUNDS = 9  # of both, in changing order
HEAD = b"HTTP/1.1 200 OK\r\nserver: uvicorn\r\ncontent-length: %d\r\ncontent-type: application/json\r\n\r\n"
IMPORTS = {"ours": "rag.backends.server.exchange", "urllib3": "urllib3"}


def rows() -> list[Row]:
    """Processor time of a request with texts, of one with a picture, and of importing the client."""
    found = []
    with _empty_server() as port:
        (route,) = routes_of(Choice(urls=(f"http://127.0.0.1:{port}",)))
        kept, pool = ConnectionPool(route), urllib3.HTTPConnectionPool("127.0.0.1", port)
        headers = dict(route.headers)
        for kind, (size, *_) in KINDS.items():
            path, body = f"/{kind.split()[1]}", json.dumps({"input": "a" * size}).encode()

            def ours(path: str = path, body: bytes = body) -> None:
                connection = kept.take()
                exchange(connection, path, body, 120.0)
                kept.put(connection)

            def theirs(path: str = path, body: bytes = body) -> None:
                json.loads(pool.urlopen("POST", path, body, headers, retries=False).data)

            found.append(_row(f"a request to a model server, {kind}", lambda: _used(ours), lambda: _used(theirs)))
    found.append(_row("importing the client of model servers", lambda: _imported("ours"), lambda: _imported("urllib3")))
    return found


def _row(what: str, ours: Callable[[], float], theirs: Callable[[], float]) -> Row:
    pairs = []
    for number in range(ROUNDS + 1):  # the first one warms up
        first, second = (ours, theirs) if number % 2 else (theirs, ours)
        one, other = first(), second()
        pairs.append((one, other) if number % 2 else (other, one))
    mine, floor = (statistics.median(side) for side in zip(*pairs[1:], strict=True))
    return Row(f"{what}, processor time", f"{mine:.2f} ms", f"urllib3 {floor:.2f} ms", mine / floor, "≤ 1", mine <= floor)


def _used(request: Callable[[], None]) -> float:
    """Milliseconds of processor time that one of many requests takes in this process."""
    began = time.process_time()
    for _ in range(REQUESTS):
        request()
    return (time.process_time() - began) / REQUESTS * 1e3


def _imported(which: str) -> float:
    """Milliseconds of processor time in a fresh process."""
    code = f"import time; began = time.process_time(); import {IMPORTS[which]}; print(time.process_time() - began)"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout) * 1e3


@contextmanager
def _empty_server() -> Iterator[int]:
    """The port of a server in a process of its own."""
    with subprocess.Popen([sys.executable, "-m", __spec__.name, "serve"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield int(server.stdout.readline())
        finally:
            server.terminate()


def _serve() -> None:
    ready = {f"/{kind.split()[1]}".encode(): _answer(vectors, dim) for kind, (_, vectors, dim) in KINDS.items()}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            threading.Thread(target=_talk, args=(listener.accept()[0], ready), daemon=True).start()


def _answer(vectors: int, dim: int) -> bytes:
    rows = [{"index": at, "embedding": base64.b64encode(os.urandom(4 * dim)).decode()} for at in range(vectors)]
    body = json.dumps({"data": rows}).encode()
    return HEAD % len(body) + body


def _talk(connection: socket.socket, ready: dict[bytes, bytes]) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    heard = b""
    while received := connection.recv(262_144):
        heard += received
        head, end, begun = heard.partition(b"\r\n\r\n")
        if not end:
            continue
        left = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]) - len(begun)
        while left > 0:
            left -= len(connection.recv(left))
        connection.sendall(ready[head.split()[1]])
        heard = b""


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        _serve()
    from tests.bench.measure import show

    show(rows())
