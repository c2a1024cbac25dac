"""What a run of the write path did, counted, and how it tells while it runs.

Knows counts and reasons; knows no terminal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rag.types import Kind, Skipped


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands: documents that are done and to be read in all, and the one being read."""

    done: int
    total: int
    path: str
    counted: bool = True  # False: the walk goes on, and `total` is what it has found so far
    folder: int = 1  # the counts are those of this one
    folders: int = 1  # of so many that were given
    passages: int = 0  # of which the model was shown so far, or which it need not be shown
    documents_per_second: float = 0.0
    passages_per_second: float = 0.0
    megabytes_per_second: float = 0.0  # of files read, 10⁶ bytes
    tokens_per_second: float = 0.0  # shown to the model, estimated
    seconds_left: float | None = None  # None where nothing can be said yet
    waiting: Mapping[str, float] = field(default_factory=dict)  # share of its time, 0…1, that each stage waits for another


Tell = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Report:
    """The end of a run. Documents are counted once each: indexed + reused + moved + unchanged + skipped = all there are."""

    indexed: int  # read and embedded, at least in part
    reused: int  # copied or touched: taken from a document with the same bytes, without a model call
    moved: int
    unchanged: int
    removed: int
    skipped: tuple[Skipped, ...]  # could not be read in this run; parts of documents too
    ignored: Mapping[str, int]  # left out by rule, counted by reason
    dropped: Mapping[str, int]  # frames left out, counted by reason
    passages: Mapping[Kind, int]  # written in this run
    embedded: int  # contents the model was asked for
    notes: tuple[str, ...]
    seconds: float


@dataclass(slots=True)
class RunTally:
    """The counts of a run while it goes on."""

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
