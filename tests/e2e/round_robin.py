"""A proxy that sends each request to the next of several servers, whoever asks: the strictest balancer there is.

Knows HTTP; knows no route. It passes the original Host on, as a balancer before `rag ui` must.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

ANSWERED_BY = "X-Answered-By"  # the place of the server in the list
_OWN = {"connection", "transfer-encoding", "date", "server"}


@contextmanager
def round_robin(servers: Sequence[str]) -> Iterator[str]:
    """The address of a proxy before these addresses."""
    turns, lock = itertools.cycle(range(len(servers))), threading.Lock()
    client = httpx.Client(timeout=120, trust_env=False, limits=httpx.Limits(max_connections=None))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with lock:
                turn = next(turns)
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            sent = [(name, value) for name, value in self.headers.items() if name.lower() != "connection"]
            with client.stream(self.command, servers[turn] + self.path, headers=sent, content=body) as found:
                self.send_response(found.status_code)
                for name, value in found.headers.multi_items():
                    if name.lower() not in _OWN:
                        self.send_header(name, value)
                self.send_header(ANSWERED_BY, str(turn))
                self.end_headers()
                with suppress(OSError, httpx.HTTPError):  # a stream ends when either side does
                    for piece in found.iter_raw():  # the connection ends with the answer, as in HTTP/1.0
                        self.wfile.write(piece)
                        self.wfile.flush()

        do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nothing."""

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{proxy.server_port}"
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()
        client.close()
