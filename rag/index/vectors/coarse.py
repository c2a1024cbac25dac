"""Coarse search: scans 8-bit codes, then rescores the best few hundred rows with their 16-bit vectors.

Knows the coarse file and the rows of one segment; knows no catalog. A hit's score never comes from the codes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDamaged
from rag.index.base import Rows
from rag.index.vectors.coarse_file import build_coarse, open_coarse
from rag.index.vectors.exact import ExactStructure
from rag.index.vectors.kernels import best_products
from rag.index.vectors.partition import best_rows, codes_of, partition
from rag.index.vectors.rescore import rescore, rescore_allowed

if TYPE_CHECKING:
    from rag.types import Vectors

_MATRIX_PRODUCT_FROM = 4  # queries; from so many on, matrix products are faster than FAISS's scan, query by query
_MIN_K = 75  # a smaller k gets as many candidates as this one
_GATHER_RATIO = 64  # all rows ÷ allowed rows: above it, gathering the allowed codes is cheaper than skipping the others
_DIRECT_RATIO = 2  # allowed rows ÷ candidates: up to it, every allowed row is scored exactly


class CoarseStructure:
    """Scans the leading dimensions of each row at 8 bits (all, where a prefix tells too little) for several candidates per hit.

    FAISS multiplies these codes with integers only, so a query is scaled by the step of each dimension and rounded to -127…127.
    Few allowed rows, or a large k, are searched exactly.
    """

    def __init__(self, rows: Rows) -> None:
        """Opens the coarse file; builds it where it is absent or damaged. OSError where it cannot be written; IndexDamaged."""
        codes = open_coarse(rows)
        if codes is None:
            build_coarse(rows)
            codes = open_coarse(rows)
        if codes is None or codes.index.ntotal != rows.segment.rows:
            raise IndexDamaged(f"the coarse file of {rows.file} changed while it was written", remedy="search again")
        self.rows = rows
        self.comparable = (type(self), codes.index.d)
        self._steps = codes.steps
        self._rescore_factor = codes.rescore_factor
        self._parts = partition(codes.index)
        self._index = codes.index
        self._codes = codes_of(codes.index)
        self._guard = codes.guard

    def __len__(self) -> int:
        return len(self._codes)

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
        """(estimates, rows), float32 and int64 (queries, n): products of the leading dimensions, queries in 8 bits too."""
        asked, scale = quantise_queries(queries[:, : len(self._steps)] * self._steps)
        scarce = within is not None and int(np.count_nonzero(within)) * _GATHER_RATIO < len(self)
        if len(queries) < _MATRIX_PRODUCT_FROM and not scarce:
            scores, found = best_rows(self._parts, asked, self._candidate_count(k), within)
        else:
            scores, found = best_products(self._codes, asked, self._candidate_count(k), within)
        return scores * scale, found

    def _candidate_count(self, k: int) -> int:
        return self._rescore_factor * max(k, _MIN_K)


def quantise_queries(queries: Vectors) -> tuple[Vectors, Vectors]:
    """Rounds each query to integers with its largest at ±127, which hardly changes the ranking.

    Returns float32 (queries, dim), and the scale (queries, 1): query ≈ integers × scale.
    """
    largest = np.abs(queries).max(axis=1, keepdims=True)
    largest[largest == 0] = 1
    return np.rint(queries * (127 / largest)).astype(np.float32), largest / np.float32(127)
