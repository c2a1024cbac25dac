"""The dense lane: nearest passages over all segments, through the structure of each.

Knows pinned arrays and structures; knows no words and no files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.index.base import Structure
from rag.index.pinned import Pinned

if TYPE_CHECKING:
    from rag.types import Vectors


def nearest(
    pinned: Pinned, structures: Sequence[Structure], queries: Vectors, k: int, places: NDArray[np.int64]
) -> list[list[tuple[int, float]]]:
    """For each query the best k (number, inner product) among the passages at `places` (by vector, then by number).

    Passages that share a vector all count. Larger first, equal scores by smaller number; exactly k where k are allowed.
    """
    vectors, numbers = pinned.vectors[places], pinned.numbers[places]
    k = min(k, len(numbers))
    if k <= 0:
        return [[] for _ in queries]
    masks = [_rows_allowed(vectors, segment.first, segment.rows) for segment in pinned.segments]
    searched = [
        (structure, segment.first, None if mask.all() else mask, int(mask.sum()))
        for structure, segment, mask in zip(structures, pinned.segments, masks, strict=True)
        if mask.any()
    ]
    answers: list[list[tuple[int, float]]] = [[] for _ in queries]
    wanted = k
    remaining = np.arange(len(queries))
    while len(remaining):
        parts = [(*structure.nearest(queries[remaining], wanted, mask), first, rows) for structure, first, mask, rows in searched]
        unsettled = []
        for at, query in enumerate(remaining):
            scores = np.concatenate([part[0][at] for part in parts])
            found = np.concatenate([part[1][at] + part[2] for part in parts])
            answers[query], last = _passages_of(vectors, numbers, found, scores, k)
            # Rows beyond a segment's last one may tie with the last place, and then the smaller number must win.
            if any(part[0].shape[1] < part[3] and part[0][at, -1] == last for part in parts):
                unsettled.append(query)
        remaining = np.array(unsettled, np.int64)
        wanted = max(rows for *_, rows in searched)
    return answers


def _rows_allowed(vectors: NDArray[np.int64], first: int, rows: int) -> NDArray[np.bool_]:
    start, end = np.searchsorted(vectors, (first, first + rows))
    mask = np.zeros(rows, np.bool_)
    mask[vectors[start:end] - first] = True
    return mask


def _passages_of(
    vectors: NDArray[np.int64], numbers: NDArray[np.int64], found: NDArray[np.int64], scores: Vectors, k: int
) -> tuple[list[tuple[int, float]], float]:
    """The k best passages behind the found vectors, and the score of the last."""
    if len(scores) > k:  # every vector has a passage: those below the k-th score cannot be among the best
        kept = scores >= np.partition(scores, len(scores) - k)[len(scores) - k]
        found, scores = found[kept], scores[kept]
    starts, ends = np.searchsorted(vectors, found, "left"), np.searchsorted(vectors, found, "right")
    counts = ends - starts
    offsets = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    behind = numbers[np.repeat(starts, counts) + offsets]
    repeated = np.repeat(scores, counts)
    best = np.lexsort((behind, -repeated))[:k]
    return [(int(behind[at]), float(repeated[at])) for at in best], float(repeated[best[-1]])
