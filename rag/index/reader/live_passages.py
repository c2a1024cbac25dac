"""One generation of the catalog held in arrays: which passages are live, and which vector each one has.

Knows the tables `passages` and `documents`; knows no words and no vectors' values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.index.catalog.connection import compacted_of
from rag.index.catalog.row_codec import to_name
from rag.index.catalog.schema import LIVE
from rag.index.lexical.bm25 import mean_length
from rag.index.reader.columns import read_columns
from rag.index.vectors.row_mask import RowMask, reach
from rag.index.vectors.segments import Segment, read_segments


@dataclass(frozen=True, eq=False)
class LivePassages:
    """The passages live at one generation, one array a column, by ascending number."""

    generation: int
    segments: tuple[Segment, ...]
    numbers: NDArray[np.int64]
    documents: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    vectors: NDArray[np.int64]  # the vector's number
    dated: NDArray[np.float64]
    length: float  # terms of a passage, at the mean

    @cached_property
    def everything(self) -> RowMask:
        """All the passages, for a search without filters."""
        return reach(self.segments, self.vectors, self.numbers)

    @cached_property
    def kinds_apart(self) -> tuple[RowMask, ...]:
        """All the passages, those of each kind by themselves."""
        return self.apart(np.ones(len(self.numbers), np.bool_))

    def only(self, kept: NDArray[np.bool_]) -> RowMask:
        """Those of the passages, one bool a place."""
        return reach(self.segments, self.vectors[kept], self.numbers[kept])

    def apart(self, kept: NDArray[np.bool_]) -> tuple[RowMask, ...]:
        """The same, those of each kind there is by themselves."""
        return tuple(self.only(kept & (self.kinds == kind)) for kind in np.unique(self.kinds[kept]))

    def places(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where the numbers stand in the arrays; -1 for those that are not live."""
        if not len(self.numbers):
            return np.full(len(numbers), -1, np.int64)
        found = np.searchsorted(self.numbers, numbers).clip(max=len(self.numbers) - 1)
        return np.where(self.numbers[found] == numbers, found, -1)


@dataclass(frozen=True, slots=True, eq=False)
class DocumentTable:
    """The documents live at one generation that could be read, by number."""

    numbers: NDArray[np.int64]
    roots: tuple[str, ...]
    paths: tuple[str, ...]


def pin(folder: Path, connection: apsw.Connection, generation: int) -> LivePassages:
    """The passages of a generation; `rag.index.reader.columns` says how long it takes. MovedOn where it was compacted away."""
    with connection:  # one moment of the catalog: a compaction changes the numbers of vectors
        found = read_columns(folder, connection, generation, compacted_of(connection))
        segments = read_segments(connection, generation)
        length = mean_length(connection)
    by_first = sorted(segments, key=lambda segment: segment.first)
    starts = np.array([0, *(segment.first for segment in by_first)])
    ends = np.array([0, *(segment.first + segment.rows for segment in by_first)])
    lost = np.flatnonzero(found.vectors >= ends[np.searchsorted(starts, found.vectors, "right") - 1])
    if len(lost):
        at = int(lost[0])
        raise apsw.CorruptError(f"passage {found.numbers[at]} has vector {found.vectors[at]}, which no segment holds")
    return LivePassages(generation, segments, found.numbers, found.documents, found.kinds, found.vectors, found.dated, length)


def read_documents(connection: apsw.Connection, generation: int) -> DocumentTable:
    """The readable documents of a generation, for filters over paths and roots."""
    names: list[tuple[Any, ...]] = connection.execute("SELECT number, name FROM roots").fetchall()
    roots = {number: to_name(name) for number, name in names}
    question = f"SELECT number, root, path FROM documents WHERE {LIVE} AND skipped IS NULL ORDER BY number"
    rows: list[tuple[Any, ...]] = connection.execute(question, (generation,)).fetchall()
    numbers = np.array([number for number, _, _ in rows], np.int64)
    paths = to_name(b"\0".join([path for _, _, path in rows])).split("\0") if rows else ()  # no path holds a zero byte
    return DocumentTable(numbers, tuple([roots[root] for _, root, _ in rows]), tuple(paths))
