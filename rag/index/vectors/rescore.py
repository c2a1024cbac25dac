"""Rescores chosen rows exactly: the 16-bit vectors times the query.

Knows the rows of one segment; knows no structure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.index.base import Rows
from rag.index.files.parallel import parallel_map

if TYPE_CHECKING:
    from rag.types import Vectors

_ROWS_AT_ONCE = 4096  # rows converted to 32 bits together


def rescore(rows: Rows, candidates: NDArray[np.int64], queries: Vectors, k: int) -> tuple[Vectors, NDArray[np.int64]]:
    """(scores, rows), each (queries, k): the best of each query's own candidates (queries, n), n ≥ k, largest first."""

    found = parallel_map(lambda at: rescore_query(rows, candidates[at], queries[at], k), range(len(queries)))
    return np.stack([scores for scores, _ in found]), np.stack([placed for _, placed in found])


def rescore_query(rows: Rows, candidates: NDArray[np.int64], query: Vectors, k: int) -> tuple[Vectors, NDArray[np.int64]]:
    """(scores, rows), each (k,) or shorter: the best of the candidate rows for one query (dim,), ties by smaller row."""
    placed = np.sort(candidates)
    return _top_k(products(rows.take(placed), query), placed, k)


def rescore_allowed(rows: Rows, allowed: NDArray[np.int64], queries: Vectors, k: int) -> tuple[Vectors, NDArray[np.int64]]:
    """As `rescore`, where all queries have the same candidates: the rows `allowed`, ascending."""
    scores = np.empty((len(queries), len(allowed)), np.float32)
    for start in range(0, len(allowed), _ROWS_AT_ONCE):
        taken = rows.take(allowed[start : start + _ROWS_AT_ONCE])
        for at, query in enumerate(queries):
            scores[at, start : start + _ROWS_AT_ONCE] = products(taken, query)
    found = [_top_k(each, allowed, k) for each in scores]
    if not found:
        return np.empty((0, k), np.float32), np.empty((0, k), np.int64)
    return np.stack([each for each, _ in found]), np.stack([placed for _, placed in found])


def products(vectors: Vectors, query: Vectors) -> Vectors:
    """One product per row, all summed in the same order, so that equal rows get equal scores: BLAS does not guarantee that."""
    found: Vectors = np.einsum("ij,j->i", vectors, query)
    return found


def _top_k(scores: Vectors, rows: NDArray[np.int64], k: int) -> tuple[Vectors, NDArray[np.int64]]:
    order = np.argsort(-scores, kind="stable")[:k]
    return scores[order], rows[order]
