"""Where a run stands, told as it goes: counts, rates, and how long each stage waits for another.

Knows the stages of the write path; knows no document and no terminal.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rag.corpus.walk import FileEntry
from rag.decoding.event_queue import EventQueue
from rag.decoding.pool import Pool
from rag.decoding.tasks import size_in, size_of
from rag.indexing.embed_queue import EmbedQueue
from rag.indexing.progress import SURE, RunCounters
from rag.indexing.report import Tell

if TYPE_CHECKING:
    from rag.types import Document


@dataclass(slots=True)
class ProgressMonitor:
    """Counts what a run does and tells whoever asked to be told."""

    tell: Tell
    pool: Pool
    embed_queue: EmbedQueue
    events: EventQueue[Any, Any, Any]
    waiting_documents: Callable[[], int]  # those that were read and lack vectors
    folders: int = 1  # targets of this run
    counters: RunCounters = field(default_factory=RunCounters)  # of this target
    started: float = field(default_factory=time.monotonic)
    begun: int = 0  # targets
    path: str = ""  # the document it has come to

    def start_target(self) -> None:
        """Another target: its counts begin at nothing."""
        self.begun += 1
        self.counters = RunCounters(folder=self.begun, folders=self.folders)

    def expect(self, entries: Sequence[FileEntry]) -> None:
        """Counts more documents that are to be read."""
        self.counters.total += len(entries)
        self.counters.megabytes_total += sum(size_in(found.stamp) for found in entries) / 1e6

    def end_walk(self) -> None:
        """No more are to be read than were counted."""
        self.counters.counted = True

    def count_read(self, document: Document) -> None:
        """Counts a document that was read."""
        self.counters.read += 1
        self.counters.megabytes += size_of(document) / 1e6

    def count_embedded(self, passages: int, tokens: int) -> None:
        """Counts what the model was shown."""
        self.counters.embedded += passages
        self.counters.tokens += tokens

    def count_known(self, passages: int) -> None:
        """Counts what the model need not be shown."""
        self.counters.known += passages

    def update(self, path: str) -> None:
        """Tells where the run stands, and which document it has come to."""
        self.path = path
        self.tick()

    def mute(self) -> None:
        """Nobody is told any more: the run ends early."""
        self.tell = lambda _: None

    def tick(self) -> None:
        """Tells where the run stands now: while nothing comes, the time goes on, and the model works off what it was given."""
        self.counters.waiting, self.counters.lacking = self.embed_queue.waiting, self.waiting_documents()
        self.tell(self.counters.progress(self.path, self._waiting()))

    def _waiting(self) -> Mapping[str, float]:
        """The share of its time that each stage waits; nothing before it tells anything: at first everybody waits for readers."""
        gone = time.monotonic() - self.started
        if gone < SURE or not self.counters.tokens:
            return {}
        return {"read": self.pool.waits(), "embed": self.embed_queue.waits(), "write": self.events.waits()}
