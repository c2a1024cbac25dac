"""Runs the application: binds its port, announces it, and shuts it down in order.

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
from rag.index.locations import identity
from rag.models.loading import Say
from rag.models.run_files import RunningServer, announce, withdraw
from rag.models.selection import query_print

BACKLOG = 512  # connections that wait to be accepted
MOST_CONNECTIONS = 1_024  # at once; more get status 503
GRACE_SECONDS = 3  # for open responses when the server stops


def address(trust: Trust, key: str = "") -> str:
    """The URL to open on this machine, with that key."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(trust.host, trust.host)
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"http://{host}:{trust.port}/" + (f"?token={key}" if key else "")


@contextmanager
def announced(library: IndexLibrary, trust: Trust, say: Say) -> Iterator[None]:
    """Keeps the run file by which this user's commands find the server; says so if it cannot be written."""
    place = urlsplit(address(trust))
    url = f"{place.scheme}://{place.netloc}"
    places = tuple(identity(room.place) for room in library.rooms.values())
    asks = query_print(library.settings)
    me = RunningServer("ui", url, "", os.getpid(), time.time(), places, asks, trust.start_key, library.id)
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
    """A socket that listens on the port. WrongRequest if that is taken, or the address is not this machine's."""
    try:
        found = socket.getaddrinfo(trust.host, trust.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, place = found[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(place)
        bound.listen(BACKLOG)
    except socket.gaierror as error:
        raise WrongRequest(
            f"{trust.host} is not an address: {error.strerror}", remedy="give an address of this machine"
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            what = f"port {trust.port} is taken"
            raise WrongRequest(what, remedy=f"open what runs there, or use another: rag ui --port {trust.port + 1}") from error
        what = f"cannot listen on {trust.host} port {trust.port}: {error.strerror}"
        raise WrongRequest(what, remedy="give an address of this machine and a free port") from error
    return bound


def listen(app: FastAPI, bound: socket.socket, started: Callable[[], None]) -> None:
    """Serves until Ctrl-C or SIGTERM, then raises KeyboardInterrupt. Calls `started` before the first request."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    # A shell starts background jobs with SIGINT ignored; this process must receive it to be stopped.
    before_interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    config = uvicorn.Config(
        app,
        access_log=False,  # URLs may contain the key, and queries are private
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=GRACE_SECONDS,
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
