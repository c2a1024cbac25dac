"""Exact search over the 16-bit vectors of one segment: correct by definition.

Knows FAISS, which scans large segments; knows no catalog.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDamaged
from rag.index.base import Rows
from rag.index.vectors.partition import best_rows, partition
from rag.index.vectors.small import SMALL_NUMBERS, best_products

if TYPE_CHECKING:
    from rag.types import Vectors


class ExactStructure:
    """Scans every allowed row: the inner product of the float32 query with the stored half-precision row.

    Measured on 2 cores: 7 ms for a query over 100,000 × 512. FAISS's `distance_compute_blas_threshold` does not apply:
    the scalar quantiser has no BLAS path (same times at the default and at 4 × dim).
    """

    def __init__(self, rows: Rows) -> None:
        """Verifies and maps every row. IndexDamaged where one is damaged."""
        stored = rows.all()
        self._rows = rows
        if stored.size <= SMALL_NUMBERS:
            self._best = partial(best_products, np.asarray(stored, np.float32))
        else:
            self._best = partial(best_rows, partition(open_mapped(rows.file)))

    def __len__(self) -> int:
        return self._rows.segment.rows

    def nearest(self, queries: Vectors, k: int, within: NDArray[np.bool_] | None) -> tuple[Vectors, NDArray[np.int64]]:
        """(scores, rows), float32 and int64 (queries, k), as `rag.index.base.Structure` demands."""
        allowed = len(self) if within is None else int(np.count_nonzero(within))
        k = min(k, allowed)
        if k == 0 or len(queries) == 0:
            return np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
        self._rows.all()
        # One more than requested: FAISS keeps any of the rows that tie at the last place, and the next score shows such a tie.
        scores, rows = self._best(queries, min(k + 1, allowed), within)
        if k < allowed:
            for at in np.flatnonzero(scores[:, k - 1] == scores[:, k]):
                scores[at], rows[at] = self._with_all_ties(queries[at : at + 1], k, allowed, within)
        return scores[:, :k], rows[:, :k]

    def _with_all_ties(
        self, query: Vectors, k: int, allowed: int, within: NDArray[np.bool_] | None
    ) -> tuple[Vectors, NDArray[np.int64]]:
        """The first k + 1 rows of one query (1, dim), from a search wide enough to hold every row that ties at place k."""
        width = k + 1
        while True:
            width = min(4 * width, allowed)
            scores, rows = self._best(query, width, within)
            if width == allowed or scores[0, -1] < scores[0, k - 1]:
                return scores[0, : k + 1], rows[0, : k + 1]


def open_mapped(file: Path) -> Any:
    """A flat FAISS index over the mapped file, which must have been verified. IndexDamaged where FAISS cannot open it."""
    import faiss

    try:
        return faiss.read_index(str(file), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:
        raise IndexDamaged(f"{file} cannot be opened: {error}", remedy="run rag check") from error
