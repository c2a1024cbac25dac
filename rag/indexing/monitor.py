"""Where a run stands, told as it goes: its counts and rates, and how long each stage waits for another.

Knows the stages of the write path and the counts; counts nothing, and knows no terminal.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rag.decoding.event_queue import EventQueue
from rag.decoding.pool import Pool
from rag.indexing.embed_queue import EmbedQueue
from rag.indexing.progress import SURE
from rag.indexing.report import Tell
from rag.indexing.tally import RunTally


@dataclass(slots=True)
class ProgressMonitor:
    """Tells whoever asked to be told."""

    tell: Tell
    pool: Pool
    embed_queue: EmbedQueue
    events: EventQueue[Any, Any, Any]
    waiting_documents: Callable[[], int]  # those that were read and lack vectors
    tally: RunTally
    started: float = field(default_factory=time.monotonic)
    path: str = ""  # the document it has come to

    def update(self, path: str) -> None:
        """Tells where the run stands, and which document it has come to."""
        self.path = path
        self.tick()

    def mute(self) -> None:
        """Nobody is told any more: the run ends early."""
        self.tell = lambda _: None

    def tick(self) -> None:
        """Tells where the run stands now: while nothing comes, the time goes on, and the model works off what it was given."""
        counters = self.tally.target
        counters.waiting, counters.lacking = self.embed_queue.waiting, self.waiting_documents()
        self.tell(counters.progress(self.path, self._waiting()))

    def _waiting(self) -> Mapping[str, float]:
        """The share of its time that each stage waits; nothing before it tells anything: at first everybody waits for readers."""
        gone = time.monotonic() - self.started
        if gone < SURE or not self.tally.target.tokens:
            return {}
        return {"read": self.pool.waits(), "embed": self.embed_queue.waits(), "write": self.events.waits()}
