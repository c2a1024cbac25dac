"""The events of a run, for the writer thread: answers, vectors and scan batches, bounded in bytes.

Knows threads; knows nothing about the events.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Generic, TypeVar

A = TypeVar("A")
V = TypeVar("V")
F = TypeVar("F")

MOST_FOUND = 64  # what walks found and nobody took


class EventQueue(Generic[A, V, F]):
    """Three queues under one lock. `put_answer` blocks while the queued answers hold too many bytes; vectors never block.

    `put_scan` blocks while many scan batches are queued.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._held = 0
        self._answers: deque[tuple[A, int]] = deque()
        self._results: deque[V] = deque()
        self._found: deque[F] = deque()
        self._found_last = False  # whether the last that was taken was found
        self._changed = threading.Condition()
        self._closed = False
        self._born = time.monotonic()
        self.starved = 0.0  # seconds that `get` waited
        self.stalled = 0.0  # seconds that all calls of `put` together waited

    def put_answer(self, answer: A, nbytes: int) -> None:
        """Adds an answer; blocks while the queued ones exceed `most_bytes`. A single answer may have any size."""
        began = time.monotonic()
        with self._changed:
            while self._answers and self._held + nbytes > self._most_bytes and not self._closed:
                self._changed.wait()
            self._answers.append((answer, nbytes))
            self._held += nbytes
            self._changed.notify_all()
            self.stalled += time.monotonic() - began

    def put_vectors(self, result: V) -> None:
        """Adds a result; never blocks."""
        with self._changed:
            self._results.append(result)
            self._changed.notify_all()

    def put_scan(self, found: F) -> bool:
        """Adds a scan batch; blocks while many are queued. False once the queue is closed."""
        with self._changed:
            while len(self._found) >= MOST_FOUND and not self._closed:
                self._changed.wait()
            self._found.append(found)
            self._changed.notify_all()
            return not self._closed

    def get(self, *, answers: bool, seconds: float) -> A | V | F | None:
        """The next result; otherwise, alternately, a scan batch or, if `answers` are wanted, an answer.

        None where nothing comes within so many seconds.
        """
        end = time.monotonic() + seconds
        with self._changed:
            while True:
                if self._results:
                    return self._results.popleft()
                answered = answers and bool(self._answers)
                if self._found and not (answered and self._found_last):
                    self._found_last = True
                    self._changed.notify_all()
                    return self._found.popleft()
                if answered:
                    self._found_last = False
                    answer, nbytes = self._answers.popleft()
                    self._held -= nbytes
                    self._changed.notify_all()
                    return answer
                began = time.monotonic()
                if began >= end:
                    return None
                self._changed.wait(end - began)
                self.starved += time.monotonic() - began

    def waits(self) -> float:
        """The share of its time, 0…1, that `get` waited."""
        return min(1.0, self.starved / max(1e-6, time.monotonic() - self._born))

    def close(self) -> None:
        """Closes the queue: nobody blocks on adding to it any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
