"""The decoders: as many processes as there is work for, at most so many; a thread for each hands out jobs and takes answers.

Knows jobs, answers and processes; knows no model and no index.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import NamedTuple, Protocol

from rag.decoding import idle_workers
from rag.decoding.messages import (
    Answer,
    Done,
    Failed,
    Identified,
    Identify,
    Job,
    OcrLookup,
    PassageRead,
    RangeFound,
    ReadRange,
    Rejected,
    Restarted,
)
from rag.decoding.tasks import size_of
from rag.decoding.worker_process import Died, NotStarted, WorkerProcess

SECONDS = 60.0  # for each answer
MEMORY = 3_000_000_000  # bytes: a picture of `max_source_pixels` twice, and the models of OCR
_LARGE = 50_000_000  # bytes of a file that takes long enough for another process to start meanwhile
_SLOWEST = 2_000_000  # bytes a second that a job must get through, beside its minute: a network disk on a bad day


class WorkerAnswer(NamedTuple):
    """An answer, and the ticket of its job."""

    ticket: int
    answer: Answer


class AnswerSink(Protocol):
    """Where answers go as they come: `put_answer` holds its decoder back while it waits; after `close` nothing more comes."""

    def put_answer(self, answer: WorkerAnswer, nbytes: int) -> None: ...

    def close(self) -> None: ...


class Pool:
    """Nothing is started before the first job. Answers go to the inbox; those of one job in order.

    A file that kills its reader, or keeps it silent, is tried once more in a process of its own, after `Restarted`; the second
    time it has `Failed`. Everything else is untouched by it.
    """

    def __init__(
        self,
        most: int,
        events: AnswerSink,
        known: Callable[[bytes], str | None],
        memory: int = MEMORY,
        seconds: float = SECONDS,
    ) -> None:
        """`most` processes, each with `memory` bytes; each answer takes at most so many seconds, more for a large file."""
        self._most, self._events, self._known = most, events, known
        self._memory, self._seconds = memory, seconds
        self.missing: tuple[str, ...] = ()  # what could not be taken from the processes: "the network", "writing files"
        self._reads: deque[tuple[int, Job]] = deque()
        self._looks: deque[tuple[int, Job]] = deque()
        self._stretches: deque[tuple[int, Job]] = deque()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._busy: set[WorkerProcess] = set()  # those that have not given the last answer to their job
        self._idle = 0
        self._closed = False
        self.starved = 0.0  # seconds that all processes together waited for jobs
        self._births: list[float] = []

    def submit(self, ticket: int, job: Job) -> None:
        """Queues a job. Documents that are begun come before those that are known by their bytes, and these before the others."""
        queue = self._looks if isinstance(job, Identify) else self._stretches if isinstance(job, ReadRange) else self._reads
        with self._changed:
            queue.append((ticket, job))
            waiting = len(self._stretches) + len(self._reads) + len(self._looks)
            shared = size_of(job.document) > _LARGE  # probably by all of them, as soon as its parts are known
            for _ in range(min(waiting - self._idle + shared, self._most - len(self._threads))):
                thread = threading.Thread(target=self._serve, name=f"rag-decoder-{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                self._births.append(time.monotonic())
                thread.start()
            self._changed.notify()

    def forget(self, tickets: AbstractSet[int]) -> None:
        """Takes what is queued under these tickets back: the document cannot be read. What is under way goes on."""
        with self._changed:
            self._stretches = deque(task for task in self._stretches if task[0] not in tickets)

    def waits(self) -> float:
        """The share of their time, 0…1, that the processes had no job; 1 where none was started."""
        now = time.monotonic()
        lived = sum(now - birth for birth in self._births)
        return min(1.0, self.starved / lived) if lived else 1.0

    def close(self) -> None:
        """Ends all jobs at once; those that are not done get no more answers. Processes that have none are kept as spares."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            for process in self._busy:
                process.strike()
        self._events.close()
        for thread in self._threads:
            thread.join()

    # ---- in the threads ---------------------------------------------------------------------------

    def _serve(self) -> None:
        process: WorkerProcess | None = None
        refused: Rejected | None = Rejected("a thread that has files read ended", "the error is above; read them here: --jobs 0")
        try:
            process = self._start()
            while (task := self._next()) is not None:
                process = self._do(process, *task)
            refused = None
        except NotStarted as error:
            refused = Rejected(f"no process can be started to read files in: {error}", "read them in this one: --jobs 0")
        finally:  # also after an error that is a bug: the thread that writes must not wait for ever
            if refused is not None:
                self._events.put_answer(WorkerAnswer(-1, refused), 0)
            if process is not None:
                idle_workers.keep(process)

    def _next(self) -> tuple[int, Job] | None:
        with self._changed:
            began = time.monotonic()
            self._idle += 1
            while not (self._stretches or self._reads or self._looks or self._closed):
                self._changed.wait()
            self._idle -= 1
            self.starved += time.monotonic() - began
            if self._closed:
                return None
            return (self._stretches or self._reads or self._looks).popleft()

    def _do(self, process: WorkerProcess | None, ticket: int, job: Job) -> WorkerProcess | None:
        """Has one job done, in the process given or in a new one; gives the process that can take the next job."""
        process = process or self._start()
        try:
            self._talk(process, ticket, job)
            if not process.is_worn():
                return process
            process.end()
            return None
        except Died:
            process.end()
        if self._closed:
            return None
        self._events.put_answer(WorkerAnswer(ticket, Restarted()), 0)
        alone = self._start(fresh=True)
        try:
            self._talk(alone, ticket, job)
        except Died as died:
            self._events.put_answer(WorkerAnswer(ticket, Failed(str(died), killed=True)), 0)
        alone.end()
        return None

    def _talk(self, process: WorkerProcess, ticket: int, job: Job) -> None:
        with self._changed:
            self._busy.add(process)
            if self._closed:
                process.strike()
        try:
            process.tell(job, self._seconds)
            seconds = self._seconds + size_of(job.document) / _SLOWEST
            while True:
                answer = process.hear(seconds)
                if isinstance(answer, OcrLookup):
                    process.tell(self._known(answer.digest), self._seconds)
                    continue
                last = isinstance(answer, Identified | Done | Failed | Rejected)
                if last:
                    self._is_done(process)
                self._events.put_answer(
                    WorkerAnswer(ticket, answer), answer.nbytes if isinstance(answer, PassageRead | RangeFound) else 0
                )
                if last:
                    return
        finally:
            self._is_done(process)

    def _is_done(self, process: WorkerProcess) -> None:
        with self._changed:
            self._busy.discard(process)

    def _start(self, *, fresh: bool = False) -> WorkerProcess:
        process = (None if fresh else idle_workers.take(self._memory)) or WorkerProcess(self._memory)
        self.missing = process.missing
        return process
