"""Coarse search: scans 8-bit codes, then rescores the best few hundred rows with their 16-bit vectors.

Knows the coarse file and the rows of one segment; knows no catalog. A hit's score never comes from the codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDamaged
from rag.index.base import Rows
from rag.index.vectors.coarse_columns import ColumnCodes, competing_rows
from rag.index.vectors.coarse_file import build_coarse, open_coarse
from rag.index.vectors.exact import ExactStructure
from rag.index.vectors.rescore import rescore, rescore_allowed

if TYPE_CHECKING:
    from rag.types import Vectors

_MIN_K = 75  # a smaller k gets as many candidates as this one
_DIRECT_RATIO = 2  # allowed rows ÷ candidates: up to it, every allowed row is scored exactly


class CoarseStructure:
    """Scans each row at 8 bits for several candidates per hit: its leading dimensions, all where a prefix tells too little, or
    those in which the query is not 0, where the rows are words hashed into dimensions.

    Codes are multiplied with integers only, so a query is scaled by the step of each dimension and rounded to -127…127.
    Few allowed rows, or a large k, are searched exactly.
    """

    def __init__(self, rows: Rows) -> None:
        """Opens the coarse file; builds it where it is absent or damaged. OSError where it cannot be written; IndexDamaged."""
        opened = open_coarse(rows)
        if opened is None:
            build_coarse(rows)
            opened = open_coarse(rows)
        if opened is None or opened.codes.rows != rows.segment.rows:
            raise IndexDamaged(f"the coarse file of {rows.file} changed while it was written", remedy="search again")
        self.rows = rows
        self._codes = opened.codes
        self._rescore_factor = opened.rescore_factor
        self._guard = opened.guard
        by_columns = isinstance(opened.codes, ColumnCodes)
        self.comparable = (type(self), "columns" if by_columns else len(opened.codes.steps))

    def __len__(self) -> int:
        return self._codes.rows

    def nearest(self, queries: Vectors, k: int, within: NDArray[np.bool_] | None) -> tuple[Vectors, NDArray[np.int64]]:
        """See `rag.index.base.Structure`; only candidates are rescored, so a near row among the others is missed."""
        allowed = len(self) if within is None else int(np.count_nonzero(within))
        k = min(k, allowed)
        if within is not None and allowed <= _DIRECT_RATIO * self._candidate_count(k):
            return rescore_allowed(self.rows, np.flatnonzero(within), queries, k)
        if k == 0 or len(queries) == 0:
            return np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
        if not self.estimates_for(allowed, k):
            return ExactStructure(self.rows).nearest(queries, k, within)
        return rescore(self.rows, self.candidates(queries, k, within)[1], queries, k)

    def estimates_for(self, allowed: int, k: int) -> bool:
        """See `rag.index.base.Estimating`; also False where the coarse file was truncated while it is open."""
        return self._candidate_count(k) * _DIRECT_RATIO < allowed and self._guard.is_intact()

    def candidates(self, queries: Vectors, k: int, within: NDArray[np.bool_] | None) -> tuple[Vectors, NDArray[np.int64]]:
        """(estimates, rows), float32 and int64 (queries, n): products with the codes, queries in 8 bits too."""
        return self._codes.candidates(queries, self._candidate_count(k), within)

    @staticmethod
    def competing(
        structures: Sequence[CoarseStructure], queries: Vectors, k: int, masks: Sequence[NDArray[np.bool_] | None]
    ) -> list[list[NDArray[np.int64]]] | None:
        """See `rag.index.base.Competing`: one pass over the codes of all; queries are float32 (queries, dim)."""
        codes = [each._codes for each in structures if isinstance(each._codes, ColumnCodes)]
        if len(codes) < len(structures):
            return None
        return competing_rows(codes, queries, max(each._candidate_count(k) for each in structures), masks)

    def _candidate_count(self, k: int) -> int:
        return self._rescore_factor * max(k, _MIN_K)
