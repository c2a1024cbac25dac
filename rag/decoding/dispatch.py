"""Has files read: here what costs less than to send it away, in other processes what could do harm; and knows whose an answer is.

Knows jobs, their pool and documents on their way; knows no model and no index.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rag.decoding.tasks import is_light, perform

if TYPE_CHECKING:
    from rag.decoding.messages import Answer, Job
    from rag.decoding.pool import Pool
    from rag.decoding.tasks import KnownOcr
    from rag.indexing.pending_document import PendingDocument


class Dispatcher:
    """The jobs that were given to a pool of so many readers, by ticket. Without any, all is read here."""

    def __init__(self, pool: Pool, readers: int, known: KnownOcr) -> None:
        self._pool, self._readers, self._known = pool, readers, known
        self._asked: dict[int, tuple[PendingDocument, int]] = {}  # the document and its stretch
        self._tickets = 0

    def submit(self, pending: PendingDocument, job: Job, stretch: int) -> Iterator[Answer]:
        """The answers, as they come, where the job is done here; nothing where it is done elsewhere."""
        if not self._readers or is_light(job):
            yield from perform(job, self._known)
            return
        self._tickets += 1
        self._asked[self._tickets] = pending, stretch
        pending.tickets.add(self._tickets)
        self._pool.submit(self._tickets, job)

    def owner_of(self, ticket: int) -> tuple[PendingDocument, int] | None:
        """The document and the stretch that an answer is of; None where nobody waits for it any more."""
        return self._asked.get(ticket)

    def forget(self, pending: PendingDocument) -> None:
        """The document is done with: what is queued of it is not read, what still comes is of nobody."""
        self._pool.forget(pending.tickets)
        for ticket in pending.tickets:
            del self._asked[ticket]
