"""Requests to the endpoints of a model server: one or many, what is tried again, and when it is given up.

Knows requests and failures; knows no model and not what an answer means.

A single request is made in the thread that asks, so that no other one has to be woken for it; many of one call by threads of
that call. Ctrl-C in a thread that asks ends what is under way at once.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from queue import SimpleQueue
from typing import Any, NoReturn, TypeAlias

from rag.backends.base import Choice
from rag.backends.server.endpoints import Endpoint, endpoints_of
from rag.backends.server.exchange import HttpRefusal, HttpResponse, Passing, exchange
from rag.backends.server.scheduler import Call, EndpointScheduler, Patience
from rag.errors import BackendError

_log = logging.getLogger("rag.server")

__all__ = ["PATIENCE", "Endpoints", "Patience"]

PATIENCE = Patience()
Body: TypeAlias = Mapping[str, Any]


class Endpoints:
    """All endpoints of one role. Safe to share between threads.

    Each endpoint has at most `in_flight` requests under way, fewer where it answers late or says that they are too many; the one
    with most room takes the next. One that fails rests, longer each time, while the others work. What may pass is tried again
    within `Patience`; what will not raises BackendError.
    """

    def __init__(self, choice: Choice, patience: Patience = PATIENCE) -> None:
        """Contacts nobody. WrongSetting where an address, the key, the certificates or a proxy cannot be used."""
        self._all = endpoints_of(choice)
        self._in_flight, self._timeout, self._patience = choice.in_flight, choice.timeout, patience
        self._scheduler = EndpointScheduler(self._all, patience)
        self._proof: tuple[str, Callable[[HttpResponse], None]] | None = None
        self._warned = False
        weakref.finalize(self, _close, self._all).atexit = False

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses, without /v1 and without passwords."""
        return tuple(one.url for one in self._all)

    @property
    def capacity(self) -> int:
        """How many requests run at once, at most."""
        return self._in_flight * len(self._all)

    def prove(self, path: str, check: Callable[[HttpResponse], None]) -> None:
        """From now on each endpoint must pass `check` of its answer at `path`, before its first request and after each failure.

        An endpoint that knows no such path passes.
        """
        self._proof = (path, check)

    def ask(self, path: str, body: Body | None = None) -> HttpResponse:
        """The answer to one request: POST with a body, else GET. Refused or another BackendError where there is none."""
        return self._persist(path, None if body is None else _encoded(body), Call())

    def ask_all(self, path: str, bodies: Sequence[Callable[[], Body]]) -> list[HttpResponse | HttpRefusal]:
        """The answers to many requests, in their order. What a server refuses stands in its place; any other failure is raised.

        Bodies are made one by one, while earlier requests are under way.
        """
        if len(bodies) != 1:
            return self._ask_together(path, bodies)
        try:
            return [self.ask(path, bodies[0]())]
        except HttpRefusal as refused:
            return [refused]

    # ---- many requests of one call -------------------------------------------------------------

    def _ask_together(self, path: str, bodies: Sequence[Callable[[], Body]]) -> list[HttpResponse | HttpRefusal]:
        call = Call()
        contents: SimpleQueue[tuple[int, bytes] | None] = SimpleQueue()
        answers: SimpleQueue[tuple[int, HttpResponse | BackendError]] = SimpleQueue()
        threads = min(self.capacity, len(bodies))
        found: dict[int, HttpResponse | HttpRefusal] = {}
        try:
            for number, body in enumerate(bodies):
                contents.put((number, _encoded(body())))
                if number < threads:
                    work = (path, call, contents, answers)
                    threading.Thread(target=self._serve, args=work, name=f"rag-http-{number}", daemon=True).start()
            while len(found) < len(bodies):
                number, answer = answers.get()
                if not isinstance(answer, HttpResponse | HttpRefusal):
                    raise answer
                found[number] = answer
        finally:
            for _ in range(threads):
                contents.put(None)
            call.break_off()
            self._scheduler.look_again()
        return [found[number] for number in range(len(bodies))]

    def _serve(
        self,
        path: str,
        call: Call,
        contents: SimpleQueue[tuple[int, bytes] | None],
        answers: SimpleQueue[tuple[int, HttpResponse | BackendError]],
    ) -> None:
        """In a thread of its own: makes requests of a call until there are no more."""
        while (taken := contents.get()) is not None and not call.is_over:
            number, content = taken
            answer: HttpResponse | BackendError = BackendError(
                "a request to a model server failed", remedy="the error above says why"
            )
            try:
                answer = self._persist(path, content, call)
            except BackendError as error:
                answer = error
            finally:  # also after an error that is a bug: somebody waits
                answers.put((number, answer))

    # ---- one request -----------------------------------------------------------------------------

    def _persist(self, path: str, content: bytes | None, call: Call) -> HttpResponse:
        """The answer to a request, from whichever endpoint gives one."""
        failing_since = 0.0
        for attempt in count(1):
            endpoint = self._scheduler.take(call)
            began = time.monotonic()
            try:
                self._prove(endpoint, call)
                answer = self._exchange(endpoint, path, content, call)
                self._scheduler.answered(endpoint, began, self._timeout)
                self._warned = False
                return answer
            except Passing as passing:
                call.require_wanted()  # else it was broken off, which is no failure
                pause, now = self._scheduler.failed(endpoint, passing, began), time.monotonic()
                failing_since = failing_since or now
                unseen = passing.unreachable and not any(one.answered for one in self._all)
                limit = self._patience.unseen if unseen else self._patience.total
                if attempt >= (passing.attempts or self._patience.attempts) or now + pause - failing_since > limit:
                    _give_up(endpoint, passing, attempt, now - failing_since)
                self._warn(endpoint, passing, pause, limit)
            finally:
                self._scheduler.give_back(endpoint)
        raise AssertionError("attempts are counted without end")

    def _exchange(self, endpoint: Endpoint, path: str, content: bytes | None, call: Call) -> HttpResponse:
        connection = endpoint.connections.take()
        try:
            call.begin(connection)
            return exchange(connection, path, content, self._timeout)
        finally:
            call.ended(connection)
            endpoint.connections.put(connection)

    def _prove(self, endpoint: Endpoint, call: Call) -> None:
        if self._proof is None or endpoint.proven:
            return
        path, check = self._proof
        with endpoint.proving:
            if endpoint.proven:
                return
            try:
                check(self._exchange(endpoint, path, None, call))
            except HttpRefusal as refused:
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
        raise HttpRefusal(endpoint.url, 500, passing.broken, what=what, remedy=remedy) from passing
    raise BackendError(what, remedy=remedy) from passing


def _encoded(body: Body) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def _close(endpoints: Sequence[Endpoint]) -> None:
    for one in endpoints:
        one.connections.close()
