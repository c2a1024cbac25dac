"""Where reader processes come from: this machine, or the machines of a Ray cluster.

Knows processes; knows no job and no index.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from rag.decoding import idle_workers
from rag.decoding.cost_limits import CostLimits
from rag.decoding.worker_process import WorkerProcess


class Worker(Protocol):
    """A reader process, here or elsewhere. Used by one thread at a time; only `strike` may be called from any.

    Laws: `tell` and `hear` raise `Died` where it is gone or exceeds the limits, `Lost` where its machine is gone. After `strike`,
    a thread that hears gets `Died`.
    """

    memory: int  # bytes it may use
    machine: str  # that it runs on; "" is this one
    missing: tuple[str, ...]  # what could not be taken from it
    jobs: int  # that it was given

    def tell(self, message: object, seconds: float, descriptors: Sequence[int] = ()) -> None: ...

    def hear(self, limits: CostLimits) -> Any: ...

    def is_worn(self) -> bool: ...

    def strike(self) -> None: ...

    def end(self) -> None: ...


class Workers(Protocol):
    """A source of reader processes; threads share it. NotStarted where there is none to be had."""

    count: int  # how many there may be at once; 0: whoever asks knows

    def take(self, memory: int) -> Worker:
        """One that may have read other files."""

    def fresh(self, memory: int) -> Worker:
        """One that has read nothing yet."""

    def keep(self, worker: Worker) -> None:
        """Takes one back that nobody needs now."""

    def close(self) -> None:
        """No thread waits for one any more: they get NotStarted."""


class LocalWorkers:
    """Processes of this machine; idle ones are kept for a while, for the next run."""

    count = 0

    def take(self, memory: int) -> Worker:
        """An idle process with exactly this memory limit, or a new one."""
        return idle_workers.take(memory) or WorkerProcess(memory)

    def fresh(self, memory: int) -> Worker:
        """A new process."""
        return WorkerProcess(memory)

    def keep(self, worker: Worker) -> None:
        """Keeps it for the next run."""
        if isinstance(worker, WorkerProcess):
            idle_workers.keep(worker)

    def close(self) -> None:
        """Nothing waits here: a process starts at once, or does not."""


@contextmanager
def workers_on(place: str) -> Iterator[Workers]:
    """The workers of a place: "" is this machine, "ray" and "ray://HOST:PORT" a Ray cluster. BackendError where none answers."""
    if not place:
        yield LocalWorkers()
        return
    from rag.decoding.ray_workers import cluster

    with cluster(place) as workers:
        yield workers
