"""The endpoints of a model server, and how each of them fares.

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
    """One address of a server. `Endpoints` changes it, under its lock."""

    url: str  # scheme, host, port and path, without a password and without /v1
    connections: ConnectionPool
    window: CongestionWindow  # how many of them at once
    busy: int = 0  # requests under way
    taken: int = 0  # requests so far
    failures: int = 0  # in a row
    rests_until: float = 0.0  # monotonic time
    answered: bool = False  # ever
    proven: bool = False  # that it serves the model, since it last failed
    proving: threading.Lock = field(default_factory=threading.Lock)


def endpoints_of(choice: Choice) -> tuple[Endpoint, ...]:
    """One for each address of the choice. WrongSetting says which address, key, certificate or proxy cannot be used."""
    return tuple(Endpoint(route.url, ConnectionPool(route), CongestionWindow(choice.in_flight)) for route in routes_of(choice))
