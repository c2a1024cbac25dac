"""How fast a run goes and what is left of it; and how fast the last long run was.

Knows counts, clocks and the file `pace.json` of an index; knows nothing of what is counted.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from rag.indexing.report import Progress

WINDOW = 10.0  # seconds: rates are those of the last so many
SURE = 2.0  # seconds after which something is said of the time left
FILE = "pace.json"
TELLING = 100  # passages: the rate of a run with fewer is mostly that of its start


@dataclass(slots=True)
class RunCounters:
    """Counts of a run and, in `marks`, their values a little while ago."""

    read: int = 0  # documents
    lacking: int = 0  # of those, documents whose vectors have not come
    total: int = 0  # so far, until they are counted
    counted: bool = False  # whether the walk has ended
    folder: int = 1  # the one that is counted
    folders: int = 1  # of so many
    megabytes: float = 0.0  # of the files that are done, 10⁶ bytes
    megabytes_total: float = 0.0
    embedded: int = 0  # passages that the model was shown
    known: int = 0  # passages that it need not be shown
    waiting: int = 0  # contents that the model is still to be shown
    tokens: int = 0
    started: float = field(default_factory=time.monotonic)
    marks: deque[tuple[float, int, float, int, int]] = field(default_factory=deque)  # time and counts

    def progress(self, path: str, waiting: Mapping[str, float], readers: Mapping[str, int] = MappingProxyType({})) -> Progress:
        """Where the run stands now. `waiting` is the share of its time a stage waits for others; `readers` by machine."""
        now = time.monotonic()
        done, done_passages = max(0, self.read - self.lacking), self.embedded + self.known
        counts = (now, done, self.megabytes, done_passages, self.tokens)
        if not self.marks or now - self.marks[-1][0] >= 0.2:
            self.marks.append(counts)
        while len(self.marks) > 1 and now - self.marks[0][0] > WINDOW:
            self.marks.popleft()
        then, documents, megabytes, passages, tokens = self.marks[0]
        span = max(now - then, 1e-6) if now - then > 0.2 else float("inf")
        return Progress(
            done,
            self.total,
            path,
            counted=self.counted,
            folder=self.folder,
            folders=self.folders,
            passages=done_passages,
            documents_per_second=max(0, done - documents) / span,
            passages_per_second=max(0, done_passages - passages) / span,
            megabytes_per_second=max(0.0, self.megabytes - megabytes) / span,
            tokens_per_second=max(0, self.tokens - tokens) / span,
            seconds_left=self._seconds_left(now),
            waiting=waiting,
            readers=readers,
        )

    def _seconds_left(self, now: float) -> float | None:
        """By the mean of two shares that are read, of the documents and of their bytes, for neither tells alone; of it only that
        part counts which the model was shown. Nothing is said before all documents are counted.
        """
        if not self.counted:
            return None
        gone = now - self.started
        if self.read >= self.total and not self.waiting:
            return 0.0
        done = self.embedded / (self.embedded + self.waiting) if self.waiting else 1.0
        if self.read < self.total:
            shares = self.read / self.total, self.megabytes / self.megabytes_total if self.megabytes_total else 0.0
            done *= sum(shares) / 2
        return gone * (1 / done - 1) if gone > SURE and done > 0 else None


@dataclass(frozen=True, slots=True)
class Rate:
    """The totals of a run."""

    passages: int
    seconds: float

    @property
    def passages_per_second(self) -> float:
        """Written, from the start of the run to its last commit."""
        return self.passages / self.seconds


def keep_rate(folder: Path, passages: int, seconds: float) -> None:
    """Stores the rate of a run if it is long enough to mean something, in the folder for what may be lost.

    A failing write only costs an estimate.
    """
    if passages >= TELLING and seconds > 0:
        temporary = folder / f"{FILE}.new"
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps({"passages": passages, "seconds": round(seconds, 3)}), "utf-8")
            temporary.rename(folder / FILE)


def read_rate(folder: Path) -> Rate | None:
    """The stored rate of the last run; None if there is none or it cannot be read."""
    try:
        kept = json.loads((folder / FILE).read_text("utf-8"))
        rate = Rate(int(kept["passages"]), float(kept["seconds"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return rate if rate.passages > 0 and rate.seconds > 0 else None
