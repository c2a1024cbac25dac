"""Loads one generation of the catalog into arrays: which passages are live, and which vector each one has.

Knows the tables `passages` and `documents`; knows no words and no vector values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.index.base import Segment
from rag.index.catalog.connection import compacted_of
from rag.index.catalog.row_codec import to_name
from rag.index.catalog.schema import LIVE
from rag.index.lexical.bm25 import mean_length
from rag.index.reader.columns import read_columns
from rag.index.reader.members import Members
from rag.index.vectors.row_mask import RowMask, make_row_mask
from rag.index.vectors.segments import read_segments

_INSIDE = """
SELECT passage, json_extract(locator, '$.inner') AS inner FROM texts
WHERE instr(locator, '"inner"') AND inner IS NOT NULL ORDER BY passage
"""


@dataclass(frozen=True, eq=False)
class LivePassages:
    """The passages live at one generation, by ascending number; every array has shape (passages,)."""

    generation: int
    segments: tuple[Segment, ...]
    numbers: NDArray[np.int64]
    documents: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    vectors: NDArray[np.int64]  # vector numbers
    dated: NDArray[np.float64]
    mean_length: float  # mean number of terms in a passage

    @cached_property
    def full_mask(self) -> RowMask:
        """The mask of all passages, for a search without filters."""
        return make_row_mask(self.segments, self.vectors, self.numbers)

    @cached_property
    def full_masks_by_kind(self) -> tuple[RowMask, ...]:
        """The masks of all passages, one per kind."""
        return self.masks_by_kind(np.ones(len(self.numbers), np.bool_))

    def mask(self, kept: NDArray[np.bool_]) -> RowMask:
        """The mask of the passages that are True in `kept`, bool (passages,)."""
        return make_row_mask(self.segments, self.vectors[kept], self.numbers[kept])

    def masks_by_kind(self, kept: NDArray[np.bool_]) -> tuple[RowMask, ...]:
        """The same for `kept`, a bool per passage: one mask for each kind among them."""
        return tuple(self.mask(kept & (self.kinds == kind)) for kind in np.flatnonzero(np.bincount(self.kinds[kept])))

    def places(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """The positions of passage numbers in the arrays, int64; -1 where a number is not live."""
        if not len(self.numbers):
            return np.full(len(numbers), -1, np.int64)
        found = np.searchsorted(self.numbers, numbers).clip(max=len(self.numbers) - 1)
        return np.where(self.numbers[found] == numbers, found, -1)


@dataclass(frozen=True, slots=True, eq=False)
class DocumentTable:
    """The documents live at one generation, without skipped ones, by ascending number."""

    numbers: NDArray[np.int64]
    roots: tuple[str, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class InnerPaths:
    """The passages of files inside documents, with the paths of these files inside them."""

    numbers: NDArray[np.int64]
    codes: NDArray[np.int64]  # of each passage: the place of its path among `paths`
    paths: tuple[str, ...]


def read_live_passages(folder: Path, connection: apsw.Connection, generation: int) -> LivePassages:
    """The live passages of a generation. apsw.CorruptError where one has a vector in no segment.

    `rag.index.reader.columns` says how long this takes.
    """
    with connection:  # one transaction: a compaction renumbers vectors
        found = read_columns(folder, connection, generation, compacted_of(connection))
        segments = read_segments(connection, generation)
        terms = mean_length(connection)
    _refuse_lost(segments, found.vectors, found.numbers)
    return LivePassages(generation, segments, found.numbers, found.documents, found.kinds, found.vectors, found.dated, terms)


def read_live_in_space(connection: apsw.Connection, live: LivePassages, space: int, members: Members) -> LivePassages:
    """Those of the live passages that have a vector in a further space, with their vectors there.

    apsw.CorruptError where one has a vector in no segment of the space.
    """
    vectors = members.of(live.vectors)
    segments = read_segments(connection, live.generation, space)
    if len(vectors) and vectors.min() > 0:
        _refuse_lost(segments, vectors, live.numbers)
        return replace(live, segments=segments, vectors=vectors)
    kept = vectors > 0
    vectors, numbers = vectors[kept], live.numbers[kept]
    _refuse_lost(segments, vectors, numbers)
    return replace(
        live,
        segments=segments,
        numbers=numbers,
        documents=live.documents[kept],
        kinds=live.kinds[kept],
        vectors=vectors,
        dated=live.dated[kept],
    )


def _refuse_lost(segments: Sequence[Segment], vectors: NDArray[np.int64], passages: NDArray[np.int64]) -> None:
    """apsw.CorruptError where a passage has a vector that is in none of the segments."""
    by_first = sorted(segments, key=lambda segment: segment.first)
    ends = np.array([0, *(segment.first + segment.rows for segment in by_first)])
    starts = np.array([0, *(segment.first for segment in by_first)])
    without_gaps = len(by_first) > 0 and bool((starts[2:] == ends[1:-1]).all())
    if without_gaps and len(vectors) and vectors.min() >= starts[1] and vectors.max() < ends[-1]:
        return
    lost = np.flatnonzero(vectors >= ends[np.searchsorted(starts, vectors, "right") - 1])
    if len(lost):
        at = int(lost[0])
        raise apsw.CorruptError(f"passage {passages[at]} has vector {vectors[at]}, which no segment holds")


def read_documents(connection: apsw.Connection, generation: int) -> DocumentTable:
    """The documents of a generation, for filters on paths and roots."""
    names: list[tuple[Any, ...]] = connection.execute("SELECT number, name FROM roots").fetchall()
    roots = {number: to_name(name) for number, name in names}
    question = f"SELECT number, root, path FROM documents WHERE {LIVE} AND skipped IS NULL ORDER BY number"
    rows: list[tuple[Any, ...]] = connection.execute(question, (generation,)).fetchall()
    numbers = np.array([number for number, _, _ in rows], np.int64)
    paths = to_name(b"\0".join([path for _, _, path in rows])).split("\0") if rows else ()  # no path holds a zero byte
    return DocumentTable(numbers, tuple([roots[root] for _, root, _ in rows]), tuple(paths))


def read_inner_paths(connection: apsw.Connection) -> InnerPaths:
    """The passages of files inside documents, of all generations. Reads every locator: 0.1 s for 100,000 passages."""
    rows: list[tuple[Any, ...]] = connection.execute(_INSIDE).fetchall()
    codes: dict[str, int] = {}
    placed = [codes.setdefault(path, len(codes)) for _, path in rows]
    numbers = np.array([number for number, _ in rows], np.int64)
    return InnerPaths(numbers, np.array(placed, np.int64), tuple(codes))
