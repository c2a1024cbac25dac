"""Whose turn it is: places at the endpoints of a server, given to requests in the order in which they ask; who failed rests.

Knows time and load; knows no request and no answer.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.backends.server.connection import Connection
from rag.backends.server.endpoints import Endpoint
from rag.backends.server.exchange import Passing
from rag.errors import BackendError


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a failing server is waited for, in seconds, counted from the first failure of a request."""

    total: float = 60.0
    unseen: float = 5.0  # for a server that cannot be connected to and never answered this process
    first: float = 0.25  # the first rest of an endpoint; each one in a row is twice as long
    longest: float = 5.0
    told: float = 30.0  # at most this much of a Retry-After is believed
    attempts: int = 40  # for one request


class Call:
    """The requests of one question, and the connections they are made on. Safe to share between threads."""

    def __init__(self) -> None:
        self.is_over = False  # nobody waits for its answers any more
        self._connections: set[Connection] = set()
        self._lock = threading.Lock()

    def begin(self, connection: Connection) -> None:
        """A request is made on this connection. BackendError where nobody waits for it any more."""
        with self._lock:
            self.require_wanted()
            self._connections.add(connection)

    def ended(self, connection: Connection) -> None:
        """The request is answered, or failed."""
        with self._lock:
            self._connections.discard(connection)

    def break_off(self) -> None:
        """Ends what is under way at once."""
        with self._lock:
            self.is_over = True
            for connection in self._connections:
                connection.abort()

    def require_wanted(self) -> None:
        """BackendError where nobody waits for its answers any more."""
        if self.is_over:
            raise BackendError("a request was broken off with its call", remedy="another error says why")


@dataclass(slots=True, eq=False)
class _Turn:
    """A request that waits for a place."""

    endpoint: Endpoint | None = None  # where it has one
    look: threading.Event = field(default_factory=threading.Event)  # set where something has changed for it


class EndpointScheduler:
    """Safe to share between threads; what is told of the endpoints is changed here and nowhere else."""

    def __init__(self, endpoints: Sequence[Endpoint], patience: Patience) -> None:
        self._all, self._patience = endpoints, patience
        self._lock = threading.Lock()  # over everything below, and over the endpoints
        self._waiting: deque[_Turn] = deque()  # the oldest first

    def take(self, call: Call) -> Endpoint:
        """A place at the endpoint with most room that does not rest, as soon as it is this request's turn; `give_back` it.

        BackendError where nobody waits for the call any more.
        """
        with self._lock:
            chosen = None if self._waiting else self._roomiest()
            if chosen is not None:
                return chosen
            turn = _Turn()
            self._waiting.append(turn)
        try:
            while True:
                with self._lock:
                    call.require_wanted()
                    self._give_places()
                    if turn.endpoint is not None:
                        return turn.endpoint
                    turn.look.clear()
                    now = time.monotonic()
                    rests = [one.rests_until - now for one in self._all if one.rests_until > now]
                turn.look.wait(min(rests, default=None))
        except BaseException:
            with self._lock:
                if turn.endpoint is None:
                    self._waiting.remove(turn)
                else:
                    turn.endpoint.busy -= 1
                    self._give_places()
            raise

    def give_back(self, endpoint: Endpoint) -> None:
        """The request is over: another one may have the place."""
        with self._lock:
            endpoint.busy -= 1
            self._give_places()

    def answered(self, endpoint: Endpoint, began: float, given: float) -> None:
        """A request that began then (monotonic) and had so many seconds was answered."""
        with self._lock:
            endpoint.failures, endpoint.rests_until, endpoint.answered = 0, 0.0, True
            endpoint.window.answered(began, time.monotonic(), given, endpoint.busy)

    def failed(self, endpoint: Endpoint, passing: Passing, began: float) -> float:
        """A request that began then failed: the endpoint rests. Seconds until any endpoint can be asked again.

        One that has others under way and only says that this was one too many goes on with them: its window is smaller now.
        """
        with self._lock:
            now = time.monotonic()
            if passing.crowded:
                endpoint.window.crowded(began, now)
            if not (passing.crowded and passing.wait is None and endpoint.busy > 1 and endpoint.answered):
                self._rest(endpoint, passing.wait, now)
            return max(0.0, min(one.rests_until for one in self._all) - now)

    def look_again(self) -> None:
        """Lets all that wait see whether they are still wanted."""
        with self._lock:
            for turn in self._waiting:
                turn.look.set()

    # ---- under the lock ----------------------------------------------------------------------------

    def _rest(self, endpoint: Endpoint, told: float | None, now: float) -> None:
        """For longer each time; `told`: seconds that it asked for."""
        patience = self._patience
        endpoint.proven = False
        if endpoint.rests_until <= now:  # else requests that were under way together fail together: one failure
            pause = min(patience.longest, patience.first * 2**endpoint.failures) * random.uniform(0.75, 1.25)
            endpoint.failures = min(endpoint.failures + 1, 30)
            endpoint.rests_until = now + pause
        if told is not None:
            endpoint.rests_until = max(endpoint.rests_until, now + min(told, patience.told))
        for turn in self._waiting:
            turn.look.set()  # how long to wait is another question now

    def _roomiest(self) -> Endpoint | None:
        """The endpoint with most room that does not rest, one place of which is taken now; None where none has room."""
        now = time.monotonic()
        ready = [one for one in self._all if one.rests_until <= now and one.busy < one.window.room]
        if not ready:
            return None
        chosen = min(ready, key=lambda one: (one.busy / one.window.room, one.taken))
        chosen.busy += 1
        chosen.taken += 1
        return chosen

    def _give_places(self) -> None:
        """Gives the places there are to those that have waited longest."""
        while self._waiting and (endpoint := self._roomiest()) is not None:
            turn = self._waiting.popleft()
            turn.endpoint = endpoint
            turn.look.set()
