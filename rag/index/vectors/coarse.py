"""Coarse search: a scan of 8-bit codes, then the 16-bit vectors of the best few hundred.

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

_MATRIX_PRODUCT_FROM = 4  # queries from which matrix products are faster than FAISS's scan of one query after the other
_MIN_K = 75  # asked for: where it is fewer, so many candidates are taken as for these
_GATHER_RATIO = 64  # allowed, so many times fewer than all: to gather their codes takes less than to step over the others
_DIRECT_RATIO = 2  # of the candidates: so few allowed rows are looked at one by one


class CoarseStructure:
    """The leading numbers of each row at 8 bits (all, where a prefix says little), scanned for several candidates a hit.

    FAISS multiplies these codes with whole numbers only, so a query is rounded to -127…127 first, after each of its numbers
    was multiplied by the step of its dimension. Few allowed rows, or a large k, are searched exactly.
    """

    def __init__(self, rows: Rows) -> None:
        """Opens the coarse file; makes it where it is absent or damaged. OSError where it cannot be written, IndexDamaged."""
        codes = open_coarse(rows)
        if codes is None:
            build_coarse(rows)
            codes = open_coarse(rows)
        if codes is None or codes.index.ntotal != rows.segment.rows:
            raise IndexDamaged(f"the coarse stage of {rows.file} changed while it was written", remedy="search again")
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
        """The law is in `rag.index.base`; of rows beyond the candidates nothing is known."""
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
        """As the law has it; also where the codes were cut short while they are open."""
        return self._candidate_count(k) * _DIRECT_RATIO < allowed and self._guard.is_intact()

    def candidates(self, queries: Vectors, k: int, within: NDArray[np.bool_] | None) -> tuple[Vectors, NDArray[np.int64]]:
        """As the law has it: products of the leading numbers, the query's in 8 bits as well."""
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
    """Each query in whole numbers, its largest one ±127, so that the order of its products hardly changes; what 1 is worth."""
    largest = np.abs(queries).max(axis=1, keepdims=True)
    largest[largest == 0] = 1
    return np.rint(queries * (127 / largest)).astype(np.float32), largest / np.float32(127)
