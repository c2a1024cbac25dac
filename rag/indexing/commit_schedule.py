"""When a run commits: as soon as something can be found, then less and less often, at last every so many seconds.

Knows clocks and counts; knows nothing of what is committed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

FIRST = 0.5  # seconds after the start: what a person looks for first
UNCOMMITTED = 2_000  # passages that one commit holds, about


@dataclass(slots=True)
class CommitSchedule:
    """The commits of one run. A time at which nothing can be found yet stays due until something can."""

    seconds: float  # between two of them, at most
    gap: float = field(init=False)
    last: float = field(init=False)

    def __post_init__(self) -> None:
        self.gap, self.last = min(FIRST, self.seconds), time.monotonic()

    def are_due(self, documents: int, passages: int) -> bool:
        """Whether to commit now, with so many documents that can be found after it, and so many passages in them.

        Every `seconds` it is due in any case: vectors whose documents are not whole yet are kept for the run after a kill.
        """
        gone = time.monotonic() - self.last
        return passages > UNCOMMITTED or gone > self.seconds or (documents > 0 and gone > self.gap)

    def made(self, documents: int) -> None:
        """Must be told of every commit, and how many documents were in it."""
        if documents:
            self.gap = min(2 * self.gap, self.seconds)
        self.last = time.monotonic()
