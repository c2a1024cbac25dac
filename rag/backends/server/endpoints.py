"""The endpoints of a model server, each with its connections and its current state.

Knows counts and times; knows no model, and sends nothing.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from rag.backends.base import Choice
from rag.backends.server.congestion import CongestionWindow
from rag.backends.server.connection import ConnectionPool
from rag.backends.server.routes import routes_of


@dataclass(slots=True, eq=False)
class Endpoint:
    """One address of a server. `EndpointScheduler` changes its counts and times, under its lock."""

    url: str  # scheme, host, port and path, without a password and without /v1
    connections: ConnectionPool
    window: CongestionWindow  # how many requests at once
    busy: int = 0  # requests under way
    requests: int = 0  # so far
    failures: int = 0  # in a row
    rests_until: float = 0.0  # monotonic time
    answered: bool = False  # at least once
    proven: bool = False  # to serve the model, since it last failed
    proving: threading.Lock = field(default_factory=threading.Lock)


def endpoints_of(choice: Choice) -> tuple[Endpoint, ...]:
    """One for each address of the choice. WrongSetting names the address, key, certificate or proxy that cannot be used."""
    return tuple(Endpoint(route.url, ConnectionPool(route), CongestionWindow(choice.in_flight)) for route in routes_of(choice))
