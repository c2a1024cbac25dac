"""The jobs that wait for a process to read in: stretches of started documents first, then whole documents, then identification.

Knows jobs and threads; knows no process.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Set as AbstractSet

from rag.decoding.messages import Identify, Job, ReadRange

Task = tuple[int, Job]  # a job and its ticket


class JobQueue:
    """Threads share it; each asks whether there is a job before it starts a process for one."""

    def __init__(self) -> None:
        self._stretches: deque[Task] = deque()
        self._reads: deque[Task] = deque()
        self._looks: deque[Task] = deque()
        self._changed = threading.Condition()
        self._idle = 0
        self._closed = False
        self.starved = 0.0  # seconds that all threads together waited for jobs

    def put(self, ticket: int, job: Job) -> int:
        """Queues a job; how many wait for which no thread is idle."""
        queue = self._looks if isinstance(job, Identify) else self._stretches if isinstance(job, ReadRange) else self._reads
        with self._changed:
            queue.append((ticket, job))
            self._changed.notify()
            return len(self._stretches) + len(self._reads) + len(self._looks) - self._idle

    def put_back(self, ticket: int, job: Job) -> None:
        """Queues a job that was taken, before all others."""
        with self._changed:
            self._stretches.appendleft((ticket, job))
            self._changed.notify()

    def forget(self, tickets: AbstractSet[int]) -> None:
        """Drops the stretches of these tickets."""
        with self._changed:
            self._stretches = deque(task for task in self._stretches if task[0] not in tickets)

    def has_come(self) -> bool:
        """Waits; True as soon as there is a job, False once the queue is closed."""
        with self._changed:
            began = time.monotonic()
            self._idle += 1
            while not (self._stretches or self._reads or self._looks or self._closed):
                self._changed.wait()
            self._idle -= 1
            self.starved += time.monotonic() - began
            return not self._closed

    def take(self) -> Task | None:
        """The next job; None where others were faster, or the queue is closed."""
        with self._changed:
            queue = self._stretches or self._reads or self._looks
            return queue.popleft() if queue and not self._closed else None

    def close(self) -> None:
        """No job is given any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
