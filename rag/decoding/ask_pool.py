"""Questions about one file, for somebody who waits for the answer: query pictures, rerank candidates, thumbnails, previews.

Knows jobs and worker processes; knows no index and no HTTP. They are the same confined processes that read files for an index.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from rag.decoding import idle_workers
from rag.decoding.cost_limits import CostLimits
from rag.decoding.messages import Answer, Call, Failed, Job, OcrLookup, PassageRead, Rejected, Returned
from rag.decoding.pool import LAST, MEMORY
from rag.decoding.tasks import KnownOcr, perform
from rag.decoding.worker_process import Died, NotStarted, WorkerProcess
from rag.errors import UnreadableDocument, WrongRequest
from rag.index.files.parallel import cores

SECONDS = 60.0  # for each answer
KEPT_SECONDS = 300.0  # that a process stays for the next question


def nothing_known(_: bytes) -> None:
    """For callers without a cache of recognised words."""


class AskPool:
    """At most `count` questions at once; further ones wait. Threads share it. With 0, files are read in this process."""

    def __init__(self, count: int, seconds: float = SECONDS) -> None:
        """Each answer may take `seconds` of wall time, because somebody waits."""
        self.count, self._limits = count, CostLimits(seconds, seconds, seconds)
        self._free = threading.Semaphore(max(1, count))

    def call(
        self, function: str, file: Any, details: dict[str, Any], *, size: int = 0, room: int = 0, descriptors: Sequence[int] = ()
    ) -> tuple[dict[str, Any], bytes]:
        """Calls a function `module:name` on a file in a worker; returns its values (arrays allowed) and bytes. Errors as `ask`.

        `descriptors` are the open file itself, and one it may write `room` bytes to: see `Call`.
        """
        [answer] = self.ask(Call(function, file, details, size, room), descriptors=descriptors)
        if not isinstance(answer, Returned):
            raise UnreadableDocument("its reader answered something else")
        return answer.values, answer.content

    def read(self, job: Job, known: KnownOcr = nothing_known) -> list[PassageRead]:
        """The passages that a job reads, in order. Errors as `ask`."""
        return [answer for answer in self.ask(job, known) if isinstance(answer, PassageRead)]

    def ask(self, job: Job, known: KnownOcr = nothing_known, *, descriptors: Sequence[int] = ()) -> list[Answer]:
        """The answers to a job.

        UnreadableDocument where the file cannot be read, ends its reader, or takes too long; WrongRequest where no such job can
        be done here at all.
        """
        with self._free:
            answers = list(perform(job, known)) if not self.count else self._answered(job, known, descriptors)
        last = answers[-1]
        if isinstance(last, Failed):
            raise UnreadableDocument(last.reason)
        if isinstance(last, Rejected):
            raise WrongRequest(last.what, last.remedy)
        return answers

    def _answered(self, job: Job, known: KnownOcr, descriptors: Sequence[int]) -> list[Answer]:
        try:
            process = idle_workers.take(MEMORY) or WorkerProcess(MEMORY)
        except NotStarted as error:
            return [Rejected(f"no process can be started to read files in: {error}", "read them in this one: RAG_JOBS=0")]
        try:
            answers = _talk(process, job, known, self._limits, descriptors)
        except Died as died:
            process.end()
            return [Failed(str(died), killed=True)]
        except BaseException:
            process.end()
            raise
        if process.is_worn():
            process.end()
        else:
            idle_workers.keep(process, KEPT_SECONDS)
        return answers


def _talk(
    process: WorkerProcess, job: Job, known: Callable[[bytes], str | None], limits: CostLimits, descriptors: Sequence[int]
) -> list[Answer]:
    process.tell(job, limits.starved, descriptors)
    answers: list[Answer] = []
    while True:
        answer = process.hear(limits)
        if isinstance(answer, OcrLookup):
            process.tell(known(answer.digest), limits.starved)
            continue
        answers.append(answer)
        if isinstance(answer, LAST):
            return answers


@cache
def shared_pool() -> AskPool:
    """The pool of this program: as many questions at once as it has processors."""
    return AskPool(cores())
