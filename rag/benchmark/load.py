"""Asks many times, as users without pause or at a fixed rate, and takes the time of every answer.

Knows threads and clocks; knows nothing of what is asked.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from queue import SimpleQueue
from types import TracebackType
from typing import TypeAlias, TypeVar

from rag.errors import RagError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ClosedLoop:
    """So many users, each of whom asks again as soon as the answer is there."""

    users: int


@dataclass(frozen=True, slots=True)
class FixedRate:
    """A request is due every 1 / `per_second` seconds, whether or not earlier ones are answered."""

    per_second: float


Pattern: TypeAlias = ClosedLoop | FixedRate


@dataclass(frozen=True, slots=True)
class Load:
    """What came back. At a fixed rate an answer is waited for from when its request was due, even if it was sent late."""

    seconds: float  # from the first request to the last answer
    waits: tuple[float, ...]  # seconds of each answer that came
    failures: Mapping[str, int]  # how often a request failed, by its reason


@dataclass(frozen=True, slots=True)
class _Outcome:
    wait: float = 0.0
    failure: str = ""
    bug: BaseException | None = None


class _Outcomes(SimpleQueue[_Outcome]):
    """What became of requests. As a context, it hands an error that would end a thread to the thread that waits."""

    def __enter__(self) -> None:
        """Nothing yet."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        if error is not None:
            self.put(_Outcome(bug=error))
        return True


def put_under_load(prepare: Callable[[int], T], ask: Callable[[T], object], requests: int, pattern: Pattern) -> Load:
    """`ask(prepare(number))` for each number below `requests`; only `ask` is timed.

    Every error of ours that `ask` raises counts as a failure; any other one ends the load and is raised here.
    """
    outcomes = _Outcomes()
    over = threading.Event()
    began = time.perf_counter()
    if isinstance(pattern, ClosedLoop):
        _start_users(prepare, ask, requests, pattern.users, outcomes, over)
    else:
        work = (prepare, ask, requests, pattern.per_second, outcomes, over)
        threading.Thread(target=_send_when_due, args=work, name="rag-bench-rate", daemon=True).start()
    waits: list[float] = []
    failures: Counter[str] = Counter()
    try:
        for _ in range(requests):
            outcome = outcomes.get()
            if outcome.bug is not None:
                raise outcome.bug
            if outcome.failure:
                failures[outcome.failure] += 1
            else:
                waits.append(outcome.wait)
        return Load(time.perf_counter() - began, tuple(waits), failures)
    finally:
        over.set()


def _start_users(
    prepare: Callable[[int], T],
    ask: Callable[[T], object],
    requests: int,
    users: int,
    outcomes: _Outcomes,
    over: threading.Event,
) -> None:
    numbers = count()
    lock = threading.Lock()

    def user() -> None:
        with outcomes:
            while not over.is_set():
                with lock:
                    number = next(numbers)
                if number >= requests:
                    return
                question = prepare(number)
                _ask(ask, question, time.perf_counter(), outcomes)

    for number in range(min(users, requests)):
        threading.Thread(target=user, name=f"rag-bench-{number}", daemon=True).start()


def _send_when_due(
    prepare: Callable[[int], T],
    ask: Callable[[T], object],
    requests: int,
    rate: float,
    outcomes: _Outcomes,
    over: threading.Event,
) -> None:
    """A thread for every request: however many are under way, the next one starts when it is due."""
    began = time.perf_counter()
    with outcomes:
        for number in range(requests):
            question = prepare(number)
            due = began + number / rate
            if over.wait(max(0.0, due - time.perf_counter())):
                return
            work = (ask, question, due, outcomes)
            threading.Thread(target=_ask, args=work, name=f"rag-bench-{number}", daemon=True).start()


def _ask(ask: Callable[[T], object], question: T, began: float, outcomes: _Outcomes) -> None:
    with outcomes:
        try:
            ask(question)
            outcome = _Outcome(time.perf_counter() - began)
        except RagError as error:
            outcome = _Outcome(failure=error.what)
        outcomes.put(outcome)
