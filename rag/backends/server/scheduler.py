"""Assigns requests to the endpoints of a server, first come, first served, and lets an endpoint that failed rest.

Knows time and load; knows no request and no response.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.backends.server.congestion import CongestionWindow
from rag.backends.server.connection import Connection
from rag.backends.server.endpoints import Endpoint
from rag.backends.server.exchange import TransientFailure
from rag.errors import BackendError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long a failing request is retried. Times are in seconds."""

    total: float = 60.0  # from the first failure of a request to the last attempt
    unreachable: float = 5.0  # the same, for a server that no connection can be made to and that never answered this process
    first_rest: float = 0.25  # of an endpoint after a failure; each rest in a row is twice as long
    longest_rest: float = 5.0
    longest_retry_after: float = 30.0  # a longer Retry-After is cut to this
    attempts: int = 40  # per request


class Call:
    """The requests of one call of `ask` or `ask_all`, and their connections. Safe to share between threads."""

    def __init__(self) -> None:
        self.cancelled = False  # nobody waits for its responses any more
        self._connections: set[Connection] = set()
        self._lock = threading.Lock()

    def begin(self, connection: Connection) -> None:
        """Notes that a request starts on this connection. BackendError if the call was cancelled."""
        with self._lock:
            self.require_wanted()
            self._connections.add(connection)

    def ended(self, connection: Connection) -> None:
        """Notes that the request was answered, or failed."""
        with self._lock:
            self._connections.discard(connection)

    def cancel(self) -> None:
        """Aborts the requests under way at once."""
        with self._lock:
            self.cancelled = True
            for connection in self._connections:
                connection.abort()

    def require_wanted(self) -> None:
        """BackendError if the call was cancelled."""
        if self.cancelled:
            raise BackendError("a request was cancelled with its call", remedy="another error says why")


@dataclass(slots=True, eq=False)
class _Waiter:
    """A request that waits for an endpoint."""

    endpoint: Endpoint | None = None  # once it has one
    wake: threading.Event = field(default_factory=threading.Event)  # set when something has changed for it


class EndpointScheduler:
    """The one owner of the endpoints' state. Safe to share between threads."""

    def __init__(self, endpoints: Sequence[Endpoint], policy: RetryPolicy) -> None:
        self._all, self._policy = endpoints, policy
        self._lock = threading.Lock()  # over everything below, and over the endpoints
        self._waiting: deque[_Waiter] = deque()  # the oldest first

    def acquire(self, call: Call) -> Endpoint:
        """The endpoint with most room that is not resting, once it is this request's turn. `release` it afterwards.

        BackendError if the call was cancelled.
        """
        with self._lock:
            chosen = None if self._waiting else self._roomiest()
            if chosen is not None:
                return chosen
            waiter = _Waiter()
            self._waiting.append(waiter)
        try:
            while True:
                with self._lock:
                    call.require_wanted()
                    self._assign()
                    if waiter.endpoint is not None:
                        return waiter.endpoint
                    waiter.wake.clear()
                    now = time.monotonic()
                    rests = [one.rests_until - now for one in self._all if one.rests_until > now]
                waiter.wake.wait(min(rests, default=None))
        except BaseException:
            with self._lock:
                if waiter.endpoint is None:
                    self._waiting.remove(waiter)
                else:
                    waiter.endpoint.busy -= 1
                    self._assign()
            raise

    def release(self, endpoint: Endpoint) -> None:
        """Ends a request at the endpoint, which makes room for another."""
        with self._lock:
            endpoint.busy -= 1
            self._assign()

    def answered(self, endpoint: Endpoint, began: float, timeout: float) -> None:
        """Notes that a request was answered. `began`: monotonic seconds; `timeout`: the seconds it had."""
        with self._lock:
            endpoint.failures, endpoint.rests_until, endpoint.answered = 0, 0.0, True
            endpoint.window.answered(began, time.monotonic(), timeout, endpoint.busy)

    def failed(self, endpoint: Endpoint, failure: TransientFailure, began: float) -> float:
        """Notes that a request failed and lets the endpoint rest. Returns the seconds until some endpoint can be asked again.

        An endpoint that has other requests under way and only says that this was one too many does not rest: its window shrinks.
        """
        with self._lock:
            now = time.monotonic()
            if failure.overloaded:
                endpoint.window.overloaded(began, now)
            if not (failure.overloaded and failure.retry_after is None and endpoint.busy > 1 and endpoint.answered):
                self._rest(endpoint, failure.retry_after, now)
            return max(0.0, min(one.rests_until for one in self._all) - now)

    def narrow(self, most: int) -> None:
        """Lets at most this many requests be under way at each endpoint."""
        with self._lock:
            for endpoint in self._all:
                endpoint.window = CongestionWindow(most)

    def wake_all(self) -> None:
        """Makes all waiting requests check whether their call was cancelled."""
        with self._lock:
            for waiter in self._waiting:
                waiter.wake.set()

    # ---- under the lock ----------------------------------------------------------------------------

    def _rest(self, endpoint: Endpoint, retry_after: float | None, now: float) -> None:
        """Lets an endpoint rest, longer each time. `retry_after`: the seconds it asked for."""
        policy = self._policy
        endpoint.proven = False
        if endpoint.rests_until <= now:  # requests that were under way together count as one failure
            pause = min(policy.longest_rest, policy.first_rest * 2**endpoint.failures) * random.uniform(0.75, 1.25)
            endpoint.failures = min(endpoint.failures + 1, 30)
            endpoint.rests_until = now + pause
        if retry_after is not None:
            endpoint.rests_until = max(endpoint.rests_until, now + min(retry_after, policy.longest_retry_after))
        for waiter in self._waiting:
            waiter.wake.set()  # how long they have to wait has changed

    def _roomiest(self) -> Endpoint | None:
        """Counts a request at the endpoint with most room that is not resting, and returns it; None if none has room."""
        now = time.monotonic()
        ready = [one for one in self._all if one.rests_until <= now and one.busy < one.window.room]
        if not ready:
            return None
        chosen = min(ready, key=lambda one: (one.busy / one.window.room, one.requests))
        chosen.busy += 1
        chosen.requests += 1
        return chosen

    def _assign(self) -> None:
        """Assigns endpoints with room to the requests that have waited longest."""
        while self._waiting and (endpoint := self._roomiest()) is not None:
            waiter = self._waiting.popleft()
            waiter.endpoint = endpoint
            waiter.wake.set()
