"""Runs cheap, harmless jobs in this process and sends the others to the workers; knows which document an answer belongs to.

Knows jobs, their pool and who asked; knows no model and no index.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from rag.decoding.tasks import is_light, perform

if TYPE_CHECKING:
    from rag.decoding.messages import Answer, Job
    from rag.decoding.pool import Pool
    from rag.decoding.tasks import KnownOcr


class HasTickets(Protocol):
    """Whoever jobs are submitted for; keeps the tickets of its jobs."""

    tickets: set[int]


Owner = TypeVar("Owner", bound=HasTickets)


class Dispatcher(Generic[Owner]):
    """Jobs handed to a pool, by ticket. With 0 readers, every job runs here."""

    def __init__(self, pool: Pool, readers: int, known: KnownOcr) -> None:
        self._pool, self._readers, self._known = pool, readers, known
        self._asked: dict[int, tuple[Owner, int]] = {}  # who asked, and the range of its passages
        self._tickets = 0

    def submit(self, owner: Owner, job: Job, stretch: int) -> Iterator[Answer]:
        """The answers, as they come, of a job that runs here; nothing for one that was sent to the pool."""
        if not self._readers or is_light(job):
            yield from perform(job, self._known)
            return
        self._tickets += 1
        self._asked[self._tickets] = owner, stretch
        owner.tickets.add(self._tickets)
        self._pool.submit(self._tickets, job)

    def owner_of(self, ticket: int) -> tuple[Owner, int] | None:
        """The owner and range that an answer belongs to; None if nobody waits for it any more."""
        return self._asked.get(ticket)

    def forget(self, owner: Owner) -> None:
        """Forgets a finished owner: its queued jobs are dropped, and late answers are ignored."""
        self._pool.forget(owner.tickets)
        for ticket in owner.tickets:
            del self._asked[ticket]
