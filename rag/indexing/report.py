"""What a run says: where it stands while it goes on, and at its end what it did.

Knows values only; counts nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

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
    readers: Mapping[str, int] = field(default_factory=dict)  # processes that read, by machine; "" is this one


Tell = Callable[[Progress], None]


def progress_json(seen: Progress) -> dict[str, Any]:
    """The progress as plain JSON values."""
    return {
        "done": seen.done,
        "total": seen.total,
        "counted": seen.counted,
        "folder": seen.folder,
        "folders": seen.folders,
        "path": seen.path,
        "passages": seen.passages,
        "documents_per_second": round(seen.documents_per_second, 2),
        "passages_per_second": round(seen.passages_per_second, 2),
        "megabytes_per_second": round(seen.megabytes_per_second, 3),
        "tokens_per_second": round(seen.tokens_per_second, 1),
        "seconds_left": None if seen.seconds_left is None else round(seen.seconds_left, 1),
        "stages": {name: round(share, 3) for name, share in seen.waiting.items()},
        "readers": {machine or os.uname().nodename: count for machine, count in seen.readers.items()},
    }


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
