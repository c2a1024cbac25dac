"""Scans the vectors of a small segment with NumPy alone: a first query need not wait until FAISS is imported.

Knows arrays; knows no FAISS, no file and no catalog.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rag.types import Vectors

SMALL_NUMBERS = 1 << 22  # of a segment: 4,096 × 1024, kept as 16 MB of float32. A scan takes 2 ms, importing FAISS 50


def best_products(
    matrix: Vectors, queries: Vectors, k: int, within: NDArray[np.bool_] | None
) -> tuple[Vectors, NDArray[np.int64]]:
    """(scores, rows), float32 and int64 (queries, k): the largest inner products with the allowed rows of `matrix` (rows, dim).

    Largest first, ties by smaller row; k ≤ the number of allowed rows. Each product is a sum by itself, so that equal rows
    score equally wherever they stand, which a product of matrices does not promise.
    """
    rows = np.arange(len(matrix)) if within is None else np.flatnonzero(within)
    allowed = matrix if within is None else matrix[rows]
    scores, found = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
    for at, query in enumerate(queries):
        products = np.vecdot(allowed, query)
        best = np.argsort(-products, kind="stable")[:k]
        scores[at], found[at] = products[best], rows[best]
    return scores, found
