"""Reports the progress of a run: counts, rates, and how long each stage waits for another.

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
    """Reports to the caller's callback."""

    tell: Tell
    pool: Pool
    embed_queue: EmbedQueue
    events: EventQueue[Any, Any, Any]
    waiting_documents: Callable[[], int]  # those that were read and lack vectors
    tally: RunTally
    started: float = field(default_factory=time.monotonic)
    path: str = ""  # the document it has come to

    def update(self, path: str) -> None:
        """Reports progress, with the document being read."""
        self.path = path
        self.tick()

    def mute(self) -> None:
        """Stops reporting: the run ends early."""
        self.tell = lambda _: None

    def tick(self) -> None:
        """Reports progress now: even when nothing arrives, time passes and the model works through its queue."""
        counters = self.tally.target
        counters.waiting, counters.lacking = self.embed_queue.waiting, self.waiting_documents()
        self.tell(counters.progress(self.path, self._waiting(), self.pool.readers()))

    def _waiting(self) -> Mapping[str, float]:
        """The share of its time that each stage waits; empty at first, while every stage waits for the readers."""
        gone = time.monotonic() - self.started
        if gone < SURE or not self.tally.target.tokens:
            return {}
        return {"read": self.pool.waits(), "embed": self.embed_queue.waits(), "write": self.events.waits()}
