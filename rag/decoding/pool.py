"""The pool of worker processes: started as work arrives, up to a maximum; one thread per process hands out jobs.

Knows jobs, answers and processes; knows no model and no index.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import NamedTuple, Protocol

from rag.decoding.cost_limits import CostLimits
from rag.decoding.job_queue import JobQueue
from rag.decoding.messages import (
    Answer,
    Call,
    Done,
    Failed,
    Identified,
    Job,
    OcrLookup,
    PassageRead,
    RangeFound,
    Rejected,
    Restarted,
    Returned,
)
from rag.decoding.tasks import bytes_of
from rag.decoding.worker_process import Died, Lost, NotStarted
from rag.decoding.workers import LocalWorkers, Worker, Workers

LAST = Identified | Returned | Done | Failed | Rejected  # one of these ends the answers to a job
LIMITS = CostLimits()  # of an answer that somebody waits for who has other work
MEMORY = 3_000_000_000  # bytes: a picture of `max_source_pixels` twice, and the models of OCR
_LARGE = 50_000_000  # bytes of a file that takes long enough for another process to start meanwhile
_SLOWEST = 500_000  # bytes of a file that a second of processor time must get through, beside what every answer may take


_LOSSES = 3  # of a machine that read it, after which a document is left to the next run


class WorkerAnswer(NamedTuple):
    """An answer, and the ticket of its job."""

    ticket: int
    answer: Answer


def limits_of(job: Job, limits: CostLimits) -> CostLimits:
    """What an answer to this job may cost."""
    patience = 1 if isinstance(job, Call) else job.rules.patience
    return limits.times(patience, bytes_of(job) / _SLOWEST)


def given_up(died: Died) -> Failed:
    """Why a document is given up. A killer kills again; a slow file may only need more time."""
    if isinstance(died, Lost):
        return Failed(str(died), passing=True)
    return Failed(str(died), passing=died.cause == "starved", killed=died.cause is None, late=died.cause is not None)


class AnswerSink(Protocol):
    """Receives answers as they come; `put_answer` holds the worker back while it blocks; after `close` nothing more comes."""

    def put_answer(self, answer: WorkerAnswer, nbytes: int) -> None: ...

    def close(self) -> None: ...


class Pool:
    """Starts nothing before the first job. Answers go to `events`, those of one job in order.

    A file that kills its reader, keeps it waiting, or finds too little memory there, is tried once more in a process of its own,
    after `Restarted`; the second time it has `Failed`. Everything else is untouched by it. What a lost machine was reading is
    read by whichever process is idle first.
    """

    def __init__(
        self,
        most: int,
        events: AnswerSink,
        known: Callable[[bytes], str | None],
        memory: int = MEMORY,
        limits: CostLimits | None = None,
        workers: Workers | None = None,
    ) -> None:
        """`most` processes, each with `memory` bytes; each answer costs at most `limits`, more for a large file.

        Without them, LIMITS. The processes come from `workers`, or are started here.
        """
        self._workers = workers or LocalWorkers()
        self._most, self._events, self._known = most, events, known
        self._memory, self._limits = memory, limits or LIMITS
        self.missing: tuple[str, ...] = ()  # what could not be taken from the processes: "the network", "writing files"
        self._jobs = JobQueue()
        self._lock = threading.Lock()  # over everything below
        self._threads: list[threading.Thread] = []
        self._busy: set[Worker] = set()  # those that have not given the last answer to their job
        self._alive = 0  # threads that read, or are about to
        self._closed = False
        self._births: list[float] = []
        self._losses: Counter[int] = Counter()  # of machines, by ticket
        self._present: Counter[str] = Counter()  # processes, by machine

    def submit(self, ticket: int, job: Job) -> None:
        """Queues a job. Ranges of started documents come first, then whole documents, then identification."""
        waiting = self._jobs.put(ticket, job)
        shared = bytes_of(job) > _LARGE  # probably by all of them, as soon as its parts are known
        with self._lock:
            for _ in range(min(waiting + shared, self._most - len(self._threads))):
                thread = threading.Thread(target=self._serve, name=f"rag-decoder-{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                self._alive += 1
                self._births.append(time.monotonic())
                thread.start()

    def forget(self, tickets: AbstractSet[int]) -> None:
        """Drops the queued jobs of these tickets, because their document cannot be read. Running jobs go on."""
        self._jobs.forget(tickets)

    def waits(self) -> float:
        """The share of their time, 0…1, in which the processes had no job; 1 if none was started."""
        now = time.monotonic()
        lived = sum(now - birth for birth in self._births)
        return min(1.0, self._jobs.starved / lived) if lived else 1.0

    def readers(self) -> dict[str, int]:
        """How many processes there are on each machine; "" is this one."""
        with self._lock:
            return {machine: count for machine, count in sorted(self._present.items()) if count}

    def close(self) -> None:
        """Ends all jobs at once; unfinished ones get no more answers. Idle processes are kept for later."""
        self._jobs.close()
        with self._lock:
            self._closed = True
            for process in self._busy:
                process.strike()
        self._workers.close()
        self._events.close()
        for thread in self._threads:
            thread.join()

    # ---- in the threads ---------------------------------------------------------------------------

    def _serve(self) -> None:
        process: Worker | None = None
        refused: Rejected | None = Rejected("a thread that has files read ended", "the error is above; read them here: --jobs 0")
        try:
            process = self._start()
            while self._jobs.has_come():
                process = process or self._start()  # before a job is taken: another process may be sooner there
                if (task := self._jobs.take()) is not None:
                    process = self._do(process, *task)
            refused = None
        except NotStarted as error:
            if self._is_last():  # otherwise the others go on, more slowly
                refused = Rejected(f"no process can be started to read files in: {error}", "read them in this one: --jobs 0")
            else:
                refused = None
        finally:  # also after an error that is a bug: the thread that writes must not wait for ever
            if refused is not None:
                self._events.put_answer(WorkerAnswer(-1, refused), 0)
            if process is not None:
                self._count(process, -1)
                self._workers.keep(process)

    def _is_last(self) -> bool:
        """Whether no other thread reads; it is asked by a thread that ends."""
        with self._lock:
            self._alive -= 1
            return not self._alive

    def _do(self, process: Worker, ticket: int, job: Job) -> Worker | None:
        """Runs one job in the given process, or in a new one after that; returns the process that can take the next job.

        NotStarted where there is none for it; the job waits for another thread then.
        """
        try:
            self._talk(process, ticket, job)
            if not process.is_worn():
                return process
            self._end(process)
            return None
        except Lost as lost:
            self._end(process)
            self._hand_on(ticket, job, lost)
            return None
        except Died as died:
            self._end(process)
            if died.cause in ("processor", "starved") and not self._closed:
                self._events.put_answer(WorkerAnswer(ticket, given_up(died)), 0)
                return None
        if self._closed:
            return None
        self._events.put_answer(WorkerAnswer(ticket, Restarted()), 0)
        alone = self._start_for(ticket, job)
        try:
            self._talk(alone, ticket, job)
        except Lost as lost:
            self._hand_on(ticket, job, lost)
        except Died as died:
            self._events.put_answer(WorkerAnswer(ticket, given_up(died)), 0)
        self._end(alone)
        return None

    def _talk(self, process: Worker, ticket: int, job: Job) -> None:
        with self._lock:
            self._busy.add(process)
            if self._closed:
                process.strike()
        try:
            limits = limits_of(job, self._limits)
            process.tell(job, limits.starved)
            process.jobs += 1
            while True:
                answer = process.hear(limits)
                if isinstance(answer, OcrLookup):
                    process.tell(self._known(answer.digest), limits.starved)
                    continue
                last = isinstance(answer, LAST)
                if last:
                    self._is_done(process)
                if isinstance(answer, Failed) and answer.short and process.jobs > 1:
                    raise Died(answer.reason)  # a new process may have enough: this one holds what earlier files left
                self._events.put_answer(
                    WorkerAnswer(ticket, answer), answer.nbytes if isinstance(answer, PassageRead | RangeFound) else 0
                )
                if last:
                    return
        finally:
            self._is_done(process)

    def _is_done(self, process: Worker) -> None:
        with self._lock:
            self._busy.discard(process)

    def _hand_on(self, ticket: int, job: Job, lost: Lost) -> None:
        """Any process may take the job of one that is lost."""
        with self._lock:
            self._losses[ticket] += 1
            again, closed = self._losses[ticket] < _LOSSES, self._closed
        if closed:
            return
        self._events.put_answer(WorkerAnswer(ticket, Restarted() if again else given_up(lost)), 0)
        if again:
            self._jobs.put_back(ticket, job)

    def _start_for(self, ticket: int, job: Job) -> Worker:
        """A new process for one job."""
        try:
            return self._counted(self._workers.fresh(self._memory))
        except NotStarted:
            self._jobs.put_back(ticket, job)
            raise

    def _start(self) -> Worker:
        return self._counted(self._workers.take(self._memory))

    def _counted(self, process: Worker) -> Worker:
        self.missing = process.missing
        self._count(process, 1)
        return process

    def _end(self, process: Worker) -> None:
        self._count(process, -1)
        process.end()

    def _count(self, process: Worker, more: int) -> None:
        with self._lock:
            self._present[process.machine] += more
