"""The counts of a run while it goes on: one object owns them all.

Knows documents and reasons; knows no stage, no clock and no terminal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.corpus.walk import FileEntry
from rag.decoding.tasks import size_in, size_of
from rag.indexing.progress import RunCounters
from rag.indexing.report import Report
from rag.types import Document, Kind, Skipped


@dataclass(slots=True)
class RunTally:
    """All counts of a run while it goes on. Those of the folder it is at are in `target`."""

    indexed: int = 0
    reused: int = 0
    unchanged: int = 0
    removed: int = 0
    embedded: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    passages: Counter[Kind] = field(default_factory=Counter)
    changing: int = 0  # documents that changed after they were found: read as they were met
    notes: list[str] = field(default_factory=list)
    arrived: Counter[bytes] = field(default_factory=Counter)  # digests that a path took over from another document
    departed: Counter[bytes] = field(default_factory=Counter)  # digests of documents that are gone
    folders: int = 1  # that this run goes through
    target: RunCounters = field(default_factory=RunCounters)  # of the folder it is at
    begun: int = 0  # folders

    def start_target(self) -> None:
        """Another folder: its counts begin at nothing."""
        self.begun += 1
        self.target = RunCounters(folder=self.begun, folders=self.folders)

    def expect(self, entries: Sequence[FileEntry]) -> None:
        """Counts more documents that are to be read."""
        self.target.total += len(entries)
        self.target.megabytes_total += sum(size_in(entry.stamp) for entry in entries) / 1e6

    def end_walk(self) -> None:
        """No more are to be read than were counted."""
        self.target.counted = True

    def count_read(self, document: Document) -> None:
        """Counts a document that was read."""
        self.target.read += 1
        self.target.megabytes += size_of(document) / 1e6

    def count_embedded(self, passages: int, tokens: int) -> None:
        """Counts what the model was shown."""
        self.embedded += passages
        self.target.embedded += passages
        self.target.tokens += tokens

    def count_known(self, passages: int) -> None:
        """Counts what the model need not be shown."""
        self.target.known += passages

    def report(self, seconds: float) -> Report:
        """The counts as they stand, frozen. What is gone in one place and has come in another has moved."""
        moved = (self.arrived & self.departed).total()
        if self.changing:
            which = "a document changed" if self.changing == 1 else f"{self.changing} documents changed"
            self.notes.append(f"{which} while the run went on: what was met is indexed, the next run reads it again")
        return Report(
            self.indexed,
            self.reused - moved,
            moved,
            self.unchanged,
            self.removed - moved,
            tuple(self.skipped),
            dict(self.ignored),
            dict(self.dropped),
            dict(self.passages),
            self.embedded,
            tuple(self.notes),
            seconds,
        )
