"""When a run commits: as soon as something is searchable, then less and less often, up to a fixed interval.

Knows clocks and counts; knows nothing of what is committed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

FIRST = 0.5  # seconds after the start: what a person looks for first
UNCOMMITTED = 2_000  # passages that one commit holds, about


@dataclass(slots=True)
class CommitSchedule:
    """The commits of one run. A due commit waits until it would make something searchable."""

    seconds: float  # between two of them, at most
    gap: float = field(init=False)
    last: float = field(init=False)

    def __post_init__(self) -> None:
        self.gap, self.last = min(FIRST, self.seconds), time.monotonic()

    def are_due(self, documents: int, passages: int) -> bool:
        """Whether to commit now; the commit would make `documents` with `passages` searchable.

        Every `seconds` it is due in any case: vectors whose documents are not whole yet are kept for the run after a kill.
        """
        gone = time.monotonic() - self.last
        return passages > UNCOMMITTED or gone > self.seconds or (documents > 0 and gone > self.gap)

    def made(self, documents: int) -> None:
        """Call after every commit with the number of documents in it."""
        if documents:
            self.gap = min(2 * self.gap, self.seconds)
        self.last = time.monotonic()
