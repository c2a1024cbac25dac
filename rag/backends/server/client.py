"""Sends requests, one or many, to the endpoints of a model server, retries failures that may pass, and gives up in time.

Knows requests and failures; knows no model and not what a response means.

A single request runs in the caller's thread, so that no other thread has to be woken; many requests of one call run in threads of
that call. Ctrl-C in the caller's thread aborts the requests under way at once.
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
from typing import Any, NoReturn, TypeAlias, TypeVar

from rag.backends.base import Choice
from rag.backends.server.endpoints import Endpoint, endpoints_of
from rag.backends.server.event_stream import EventStream, open_events
from rag.backends.server.exchange import HttpRefusal, HttpResponse, TransientFailure, exchange
from rag.backends.server.scheduler import Call, EndpointScheduler, RetryPolicy
from rag.errors import BackendError

_log = logging.getLogger("rag.server")

__all__ = ["RETRY_POLICY", "Endpoints", "RetryPolicy"]

RETRY_POLICY = RetryPolicy()
Body: TypeAlias = Mapping[str, Any]
Heard: TypeAlias = Callable[[HttpResponse], None]
T = TypeVar("T")


class Endpoints:
    """All endpoints of one role. Safe to share between threads.

    Each endpoint has at most `in_flight` requests under way, fewer if it answers late or says that they are too many; the next
    request goes to the one with most room. An endpoint that fails rests, longer each time, while the others work. A failure that
    may pass is retried as `RetryPolicy` allows; any other raises BackendError.
    """

    def __init__(self, choice: Choice, policy: RetryPolicy = RETRY_POLICY, *, heard: Heard | None = None) -> None:
        """Sends nothing. WrongSetting if an address, the key, the certificates or a proxy cannot be used.

        `heard` gets every response that is no refusal, in the thread that sent the request; it must not raise.
        """
        self._all = endpoints_of(choice)
        self._in_flight, self._timeout, self._policy = choice.in_flight, choice.timeout, policy
        self._scheduler = EndpointScheduler(self._all, policy)
        self._heard = heard
        self._proof: tuple[str, Callable[[HttpResponse], None]] | None = None
        self._warned = False
        weakref.finalize(self, _close, self._all).atexit = False

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses, without /v1 and without passwords."""
        return tuple(one.url for one in self._all)

    @property
    def capacity(self) -> int:
        """The most requests that run at once, over all endpoints."""
        return self._in_flight * len(self._all)

    def narrow(self, most: int) -> None:
        """From now on, at most this many requests are under way at each endpoint: one that says that it reads no more at once."""
        self._in_flight = min(self._in_flight, max(1, most))
        self._scheduler.narrow(self._in_flight)

    def prove(self, path: str, check: Callable[[HttpResponse], None]) -> None:
        """From now on, `check` must accept each endpoint's response at `path`, before its first request and after each failure.

        `check` raises BackendError to reject it. An endpoint without that path passes.
        """
        self._proof = (path, check)

    def ask(self, path: str, body: Body | None = None) -> HttpResponse:
        """The response to one request: POST with a body, else GET. HttpRefusal, or another BackendError if there is none."""
        return self._send(path, None if body is None else _encoded(body), Call(), self._exchange)

    def stream(self, path: str, body: Body) -> EventStream:
        """The events of the response to one POST, opened but not read. Retried until it begins, never after. Errors as `ask`."""
        return self._send(path, _encoded(body), Call(), self._open_events)

    def ask_all(self, path: str, bodies: Sequence[Callable[[], Body]]) -> list[HttpResponse | HttpRefusal]:
        """The responses to many requests, in order. A refusal is an item of the list; any other failure raises BackendError.

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
            call.cancel()
            self._scheduler.wake_all()
        return [found[number] for number in range(len(bodies))]

    def _serve(
        self,
        path: str,
        call: Call,
        contents: SimpleQueue[tuple[int, bytes] | None],
        answers: SimpleQueue[tuple[int, HttpResponse | BackendError]],
    ) -> None:
        """In a thread of its own: makes the requests of a call until there are no more."""
        while (numbered := contents.get()) is not None and not call.cancelled:
            number, content = numbered
            answer: HttpResponse | BackendError = BackendError(
                "a request to a model server failed", remedy="the error above says why"
            )
            try:
                answer = self._send(path, content, call, self._exchange)
            except BackendError as error:
                answer = error
            finally:  # also after a bug: the caller waits for every answer
                answers.put((number, answer))

    # ---- one request -----------------------------------------------------------------------------

    def _send(self, path: str, content: bytes | None, call: Call, make: Callable[[Endpoint, str, bytes | None, Call], T]) -> T:
        """What `make` returns for a request, from whichever endpoint answers it."""
        failing_since = 0.0
        for attempt in count(1):
            endpoint = self._scheduler.acquire(call)
            began = time.monotonic()
            try:
                self._prove(endpoint, call)
                answer = make(endpoint, path, content, call)
                self._scheduler.answered(endpoint, began, self._timeout)
                self._warned = False
                return answer
            except TransientFailure as failure:
                call.require_wanted()  # a request that we aborted ourselves has not failed
                pause, now = self._scheduler.failed(endpoint, failure, began), time.monotonic()
                failing_since = failing_since or now
                never_answered = failure.unreachable and not any(one.answered for one in self._all)
                limit = self._policy.unreachable if never_answered else self._policy.total
                if attempt >= (failure.attempts or self._policy.attempts) or now + pause - failing_since > limit:
                    _give_up(endpoint, failure, attempt, now - failing_since)
                self._warn(endpoint, failure, pause, limit)
            finally:
                self._scheduler.release(endpoint)
        raise AssertionError("the loop ends only by return or raise")

    def _exchange(self, endpoint: Endpoint, path: str, content: bytes | None, call: Call) -> HttpResponse:
        connection = endpoint.connections.take()
        try:
            call.begin(connection)
            answer = exchange(connection, path, content, self._timeout)
        finally:
            call.ended(connection)
            endpoint.connections.put(connection)
        if self._heard is not None:
            self._heard(answer)
        return answer

    def _open_events(self, endpoint: Endpoint, path: str, content: bytes | None, call: Call) -> EventStream:
        connection = endpoint.connections.take()
        try:
            call.begin(connection)
            return open_events(connection, path, content or b"", self._timeout)
        except BaseException:
            endpoint.connections.put(connection)
            raise
        finally:
            call.ended(connection)

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

    def _warn(self, endpoint: Endpoint, failure: TransientFailure, pause: float, limit: float) -> None:
        if pause and not self._warned:
            self._warned = True
            _log.warning("%s %s; retrying for up to %.0f s", endpoint.url, failure, limit)


def _give_up(endpoint: Endpoint, failure: TransientFailure, attempts: int, seconds: float) -> NoReturn:
    tried = f"{attempts} attempts in {seconds:.0f} s" if attempts > 1 else "one attempt"
    remedy = (
        "start the server, or correct the address; `rag doctor` checks it"
        if failure.unreachable
        else "look at its log; fewer requests at once (RAG_IN_FLIGHT) or more time (RAG_TIMEOUT) may help"
    )
    what = f"{endpoint.url} {failure} ({tried})"
    if failure.server_error:
        raise HttpRefusal(endpoint.url, 500, failure.server_error, what=what, remedy=remedy) from failure
    raise BackendError(what, remedy=remedy) from failure


def _encoded(body: Body) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def _close(endpoints: Sequence[Endpoint]) -> None:
    for one in endpoints:
        one.connections.close()
