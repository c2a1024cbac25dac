"""Multiplies many queries with 8-bit codes: each block of rows is converted to float once, for all queries.

Knows arrays; knows no FAISS and no segment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.index.files.parallel import parallel_map, single_threaded_blas, strides

if TYPE_CHECKING:
    from rag.types import Vectors

_BLOCK_NUMBERS = 1 << 21  # per block, 32 bits each: it fits in a core's cache
_CODE_OF_ZERO = 128


def best_products(
    codes: NDArray[np.uint8], queries: Vectors, k: int, within: NDArray[np.bool_] | None
) -> tuple[Vectors, NDArray[np.int64]]:
    """(scores, rows), each (queries, k), of the largest products, unordered; k ≤ the number of allowed rows.

    Queries and codes are integers below 128, so sums are exact up to 2^24, and a result does not depend on the batch.
    """
    step = max(_BLOCK_NUMBERS // codes.shape[1], 1)
    starts = range(0, len(codes), step)

    def search(blocks: range) -> tuple[Vectors, NDArray[np.int64]]:
        best = TopK(len(queries), k)
        for block in blocks:
            start = starts[block]
            here = codes[start : start + step]
            rows = np.arange(start, start + len(here))
            if within is not None:
                rows = np.flatnonzero(within[start : start + step])
                here, rows = here[rows], rows + start
            if len(rows):
                numbers = here.astype(np.float32)
                numbers -= _CODE_OF_ZERO
                best.take(numbers @ queries.T, rows)
        return best.found()

    with single_threaded_blas():
        found = parallel_map(search, strides(len(starts)))
    scores = np.concatenate([each for each, _ in found], axis=1)
    rows = np.concatenate([each for _, each in found], axis=1)
    kept = np.argpartition(scores, scores.shape[1] - k, axis=1)[:, -k:]
    return np.take_along_axis(scores, kept, 1), np.take_along_axis(rows, kept, 1)


def quantise_queries(queries: Vectors) -> tuple[Vectors, Vectors]:
    """Rounds each query to integers with its largest at ±127, which hardly changes the ranking.

    Returns float32 (queries, dim), and the scale (queries, 1): query ≈ integers × scale.
    """
    largest = np.abs(queries).max(axis=1, keepdims=True)
    largest[largest == 0] = 1
    return np.rint(queries * (127 / largest)).astype(np.float32), largest / np.float32(127)


class TopK:
    """Keeps the k best rows of each query; holds a few times as many between prunings."""

    def __init__(self, queries: int, k: int) -> None:
        self._k = k
        self._queries = queries
        self._thresholds = np.full(queries, -np.inf, np.float32)  # per query: scores up to it no longer count
        self._kept: list[tuple[NDArray[np.int64], NDArray[np.int64], Vectors]] = []  # (query, row, score)
        self._count = 0

    def take(self, scores: Vectors, rows: NDArray[np.int64]) -> None:
        """Adds n rows with their scores (n, queries)."""
        places = np.flatnonzero(scores > self._thresholds)
        at, query = np.divmod(places, self._queries)
        self._kept.append((query, rows[at], scores.ravel()[places]))
        self._count += len(places)
        if self._count > 4 * self._k * self._queries:
            self._prune()

    def found(self) -> tuple[Vectors, NDArray[np.int64]]:
        """(scores, rows), each (queries, k), unordered; padded with -inf and row 0 where fewer rows were added."""
        scores = np.full((self._queries, self._k), -np.inf, np.float32)
        rows = np.zeros((self._queries, self._k), np.int64)
        self._prune()
        for query, placed, values in self._kept:
            start = np.searchsorted(query, np.arange(self._queries))
            column = np.arange(len(query)) - start[query]
            scores[query, column], rows[query, column] = values, placed
        return scores, rows

    def _prune(self) -> None:
        """Drops all but the k best of each query, and orders them by query."""
        if not self._kept:
            return
        query, rows, scores = (np.concatenate(column) for column in zip(*self._kept, strict=True))
        order = np.argsort(query, kind="stable")
        bounds = np.searchsorted(query[order], np.arange(self._queries + 1)).tolist()
        kept = []
        for at in range(self._queries):
            mine = order[bounds[at] : bounds[at + 1]]
            if len(mine) > self._k:
                mine = mine[np.argpartition(scores[mine], len(mine) - self._k)[-self._k :]]
            if len(mine) == self._k:
                self._thresholds[at] = scores[mine].min()
            kept.append(mine)
        left = np.concatenate(kept)
        self._kept = [(query[left], rows[left], scores[left])]
        self._count = len(left)
