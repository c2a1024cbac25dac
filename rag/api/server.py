"""The application on its port: bound, told of, and ended in order.

Knows sockets, signals and uvicorn; knows no route.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI

from rag.api.guard import Trust
from rag.api.library import IndexLibrary
from rag.errors import WrongRequest
from rag.models.loading import Say
from rag.models.run_files import RunningServer, announce, withdraw
from rag.models.selection import query_print

BACKLOG = 512
CONNECTIONS = 1_024  # at once; more are answered 503
GRACE = 3  # seconds open answers get when the server ends


def address(trust: Trust) -> str:
    """Where a person on this machine opens it; with the key, where one is asked for."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(trust.host, trust.host)
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"http://{host}:{trust.port}/" + (f"?token={trust.token}" if trust.token else "")


@contextmanager
def announced(library: IndexLibrary, trust: Trust, say: Say) -> Iterator[None]:
    """The run file by which commands of this user find the server; where it cannot be written, that is said."""
    place = urlsplit(address(trust))
    url = f"{place.scheme}://{place.netloc}"
    folders = tuple(os.path.realpath(folder) for folder in library.folders.values())
    asks = query_print(library.settings)
    me = RunningServer("ui", url, "", os.getpid(), time.time(), folders, asks, trust.token, library.id)
    file = None
    try:
        file = announce(me)
    except WrongRequest as error:
        say(f"note: `rag query` will not find this server: {error.what}")
    try:
        yield
    finally:
        if file is not None:
            withdraw(file)


def bind(trust: Trust) -> socket.socket:
    """The port, bound. WrongRequest where it is taken, or the address is not this machine's."""
    try:
        found = socket.getaddrinfo(trust.host, trust.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, place = found[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(place)
        bound.listen(BACKLOG)
    except socket.gaierror as error:
        raise WrongRequest(f"{trust.host} is no address: {error.strerror}", remedy="give an address of this machine") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            what = f"port {trust.port} is taken"
            raise WrongRequest(what, remedy=f"open what runs there, or take another: rag ui --port {trust.port + 1}") from error
        what = f"cannot listen at {trust.host} port {trust.port}: {error.strerror}"
        raise WrongRequest(what, remedy="give an address of this machine and a free port") from error
    return bound


def listen(app: FastAPI, bound: socket.socket, started: Callable[[], None]) -> None:
    """Answers until Ctrl-C or SIGTERM, then raises KeyboardInterrupt. `started` is called when requests can come."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    # A shell starts background jobs with SIGINT ignored; ours must hear it to be stopped.
    before_interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    config = uvicorn.Config(
        app,
        access_log=False,  # addresses may hold the key, and queries are nobody's business
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=GRACE,
        ws_max_size=1 << 20,
    )
    try:
        started()
        uvicorn.Server(config).run(sockets=[bound])
    finally:
        bound.close()
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, before_interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
