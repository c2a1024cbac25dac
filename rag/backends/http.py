"""Requests to the endpoints of a model server: which endpoint takes one, how many run at once, what is tried again.

Knows time and load; knows no model and not what an answer means.

One event loop in a thread of its own serves all servers of this process, so callers stay plain functions, connections live from
call to call, and Ctrl-C ends what is under way at once.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import threading
import weakref
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any, NoReturn, TypeVar

import httpx

from rag.backends.base import Choice
from rag.backends.connections import Endpoint, endpoints_of
from rag.backends.exchange import Answer, Passing, Refused, exchange
from rag.errors import BackendError

_log = logging.getLogger("rag.server")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a failing server is waited for, in seconds, counted from the first failure of a request."""

    total: float = 60.0
    unseen: float = 5.0  # for a server that cannot be connected to and never answered this process
    first: float = 0.25  # the first rest of an endpoint; each one in a row is twice as long
    longest: float = 5.0
    told: float = 30.0  # at most this much of a Retry-After is believed
    attempts: int = 40  # for one request


PATIENCE = Patience()


class Endpoints:
    """All endpoints of one role. Safe to share between threads.

    Each endpoint has at most `in_flight` requests under way, fewer where it answers late or says that they are too many; the one
    with most room takes the next. One that fails rests, longer each time, while the others work. What may pass is tried again
    within `Patience`; what will not raises BackendError.
    """

    def __init__(self, choice: Choice, patience: Patience = PATIENCE) -> None:
        """Contacts nobody. WrongSetting where an address, the key or the certificates cannot be used."""
        self._all = endpoints_of(choice)
        self._in_flight, self._timeout, self._patience = choice.in_flight, choice.timeout, patience
        self._loop = _event_loop(os.getpid())
        self._waiting: deque[asyncio.Future[None]] = deque()  # requests for which there is no room yet, the oldest first
        self._alarm: asyncio.TimerHandle | None = None  # when the next endpoint has rested
        self._proof: tuple[str, Callable[[Answer], None]] | None = None
        self._warned = False
        weakref.finalize(self, _close, self._loop, [one.client for one in self._all]).atexit = False

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses, without /v1 and without passwords."""
        return tuple(one.url for one in self._all)

    @property
    def capacity(self) -> int:
        """How many requests run at once, at most."""
        return self._in_flight * len(self._all)

    def prove(self, path: str, check: Callable[[Answer], None]) -> None:
        """From now on each endpoint must pass `check` of its answer at `path`, before its first request and after each failure.

        An endpoint that knows no such path passes.
        """
        self._proof = (path, check)

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """The answer to one request: POST with a body, else GET. Refused or another BackendError where there is none."""
        return self._results([self._submit(self._persist(path, None if body is None else _encoded(body)))])[0]

    def ask_all(self, path: str, bodies: Iterable[Mapping[str, Any]]) -> list[Answer | Refused]:
        """The answers to many requests, in their order. What a server refuses stands in its place; any other failure is raised.

        Bodies are made one by one while earlier requests are under way.
        """
        started: list[Future[Answer | Refused]] = []
        try:
            started.extend(self._submit(self._answer_or_refusal(path, _encoded(body))) for body in bodies)
            return self._results(started)
        finally:
            for future in started:
                future.cancel()

    # ---- from the caller's thread to the loop's ------------------------------------------------

    def _submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _results(self, started: list[Future[T]]) -> list[T]:
        try:
            return [future.result() for future in started]
        finally:
            for future in started:
                future.cancel()

    # ---- in the loop ---------------------------------------------------------------------------

    async def _answer_or_refusal(self, path: str, content: bytes) -> Answer | Refused:
        try:
            return await self._persist(path, content)
        except Refused as refused:
            return refused

    async def _persist(self, path: str, content: bytes | None) -> Answer:
        """The answer to a request, from whichever endpoint gives one."""
        failing_since = 0.0
        for attempt in count(1):
            endpoint = await self._take()
            began = self._loop.time()
            try:
                await self._prove(endpoint)
                answer = await exchange(endpoint.client, endpoint.url + path, content, self._timeout)
                endpoint.failures, endpoint.rests_until, endpoint.answered, self._warned = 0, 0.0, True, False
                endpoint.window.answered(began, self._loop.time(), self._timeout, endpoint.busy)
                return answer
            except Passing as passing:
                now = self._loop.time()
                failing_since = failing_since or now
                if passing.crowded:
                    endpoint.window.crowded(began, now)
                pause = self._rest(endpoint, passing, now)
                unseen = passing.unreachable and not any(one.answered for one in self._all)
                limit = self._patience.unseen if unseen else self._patience.total
                if attempt >= (passing.attempts or self._patience.attempts) or now + pause - failing_since > limit:
                    _give_up(endpoint, passing, attempt, now - failing_since)
                self._warn(endpoint, passing, pause, limit)
            finally:
                endpoint.busy -= 1
                self._wake()
        raise AssertionError("attempts are counted without end")

    async def _take(self) -> Endpoint:
        """The endpoint with most room that does not rest, as soon as there is one with room for a request."""
        while True:
            now = self._loop.time()
            ready = [one for one in self._all if one.rests_until <= now and one.busy < one.window.room]
            if ready:
                chosen = min(ready, key=lambda one: (one.busy / one.window.room, one.taken))
                chosen.busy += 1
                chosen.taken += 1
                return chosen
            waiter = self._loop.create_future()
            self._waiting.append(waiter)
            self._wake()
            try:
                await waiter
            except asyncio.CancelledError:
                if not waiter.cancelled():
                    self._wake()  # it was its turn: the next one takes it
                raise

    def _wake(self) -> None:
        """Lets as many requests go on as there is room for, and looks again when the next endpoint has rested."""
        now = self._loop.time()
        room = sum(max(0, one.window.room - one.busy) for one in self._all if one.rests_until <= now)
        while room > 0 and self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                room -= 1
        if self._alarm:
            self._alarm.cancel()
        rests = [one.rests_until for one in self._all if one.rests_until > now]
        self._alarm = self._loop.call_at(min(rests), self._wake) if rests and self._waiting else None

    def _rest(self, endpoint: Endpoint, passing: Passing, now: float) -> float:
        """Lets an endpoint rest after a failure; seconds until any endpoint can be asked again.

        One that has others under way and only says that this was one too many goes on with them: its window is smaller now.
        """
        if passing.crowded and passing.wait is None and endpoint.busy > 1 and endpoint.answered:
            return max(0.0, min(one.rests_until for one in self._all) - now)
        endpoint.proven = False
        if endpoint.rests_until <= now:  # else requests that were under way together fail together: one failure
            pause = min(self._patience.longest, self._patience.first * 2**endpoint.failures) * random.uniform(0.75, 1.25)
            endpoint.failures = min(endpoint.failures + 1, 30)
            endpoint.rests_until = now + pause
        if passing.wait is not None:
            endpoint.rests_until = max(endpoint.rests_until, now + min(passing.wait, self._patience.told))
        return max(0.0, min(one.rests_until for one in self._all) - now)

    async def _prove(self, endpoint: Endpoint) -> None:
        if self._proof is None:
            return
        path, check = self._proof
        async with endpoint.proving:
            if endpoint.proven:
                return
            try:
                check(await exchange(endpoint.client, endpoint.url + path, None, self._timeout))
            except Refused as refused:
                if refused.status not in (404, 405):
                    raise
            endpoint.proven = True

    def _warn(self, endpoint: Endpoint, passing: Passing, pause: float, limit: float) -> None:
        if pause and not self._warned:
            self._warned = True
            _log.warning("%s %s; trying again for up to %.0f s", endpoint.url, passing, limit)


def _give_up(endpoint: Endpoint, passing: Passing, attempts: int, seconds: float) -> NoReturn:
    tried = f"{attempts} attempts in {seconds:.0f} s" if attempts > 1 else "one attempt"
    remedy = (
        "start it, or correct the address; `rag doctor` looks at it"
        if passing.unreachable
        else "look at its log; fewer requests at once (RAG_IN_FLIGHT) or more time (RAG_TIMEOUT) may help"
    )
    what = f"{endpoint.url} {passing} ({tried})"
    if passing.broken:
        raise Refused(endpoint.url, 500, passing.broken, what=what, remedy=remedy) from passing
    raise BackendError(what, remedy=remedy) from passing


def _encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode("ascii")


@cache
def _event_loop(process: int) -> asyncio.AbstractEventLoop:
    """The loop of this process (a forked child has none of its parent's threads), in a thread that ends with it."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="rag-http", daemon=True).start()
    return loop


def _close(loop: asyncio.AbstractEventLoop, clients: list[httpx.AsyncClient]) -> None:
    for client in clients:
        asyncio.run_coroutine_threadsafe(client.aclose(), loop)
