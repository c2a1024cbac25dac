"""The dense lane: finds the nearest passages over all segments, through the structure of each.

Knows row masks and structures; knows no words and no files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.index.base import Structure
from rag.index.vectors.multi_segment import nearest_in_all
from rag.index.vectors.row_mask import RowMask

if TYPE_CHECKING:
    from rag.types import Vectors


def nearest(reachable: RowMask, structures: Sequence[Structure], queries: Vectors, k: int) -> list[list[tuple[int, float]]]:
    """For each query (queries, dim) the best k (number, inner product) among the reachable passages.

    Passages that share a vector each count. Largest first, ties by smaller number; exactly k where so many are reachable.
    """
    k = min(k, len(reachable.numbers))
    if k <= 0:
        return [[] for _ in queries]
    searched = [(structure, part) for structure, part in zip(structures, reachable.parts, strict=True) if part.count]
    answers: list[list[tuple[int, float]]] = [[] for _ in queries]
    # One more than requested: with exactly k rows from a single segment, the last place would always look like a tie.
    wanted = k + 1
    remaining = np.arange(len(queries))
    while len(remaining):
        found_in = nearest_in_all(searched, queries[remaining], wanted)
        unsettled = []
        for at, query in enumerate(remaining):
            here = [(*answers_of[at], part) for answers_of, (_, part) in zip(found_in, searched, strict=True)]
            scores = np.concatenate([scores for scores, _, _ in here])
            found = np.concatenate([rows + part.first for _, rows, part in here])
            answers[query], last = _passages_of(reachable, found, scores, k)
            # Rows that a segment did not return may tie with the last place, and then the smaller number must win.
            if any(0 < len(scores) < part.count and scores[-1] == last for scores, _, part in here):
                unsettled.append(query)
        remaining = np.array(unsettled, np.int64)
        wanted = min(4 * wanted, max(part.count for _, part in searched))
    return answers


def nearest_by_kind(
    kinds: Sequence[RowMask], structures: Sequence[Structure], queries: Vectors, k: int, per_kind: int
) -> list[list[tuple[int, float]]]:
    """The best k of all, plus the best `per_kind` of each of some disjoint masks, in one order. Each row is searched once."""
    found = [nearest(each, structures, queries, max(k, per_kind)) for each in kinds]
    answers = []
    for at in range(len(queries)):
        ranked = sorted((pair for each in found for pair in each[at]), key=lambda pair: (-pair[1], pair[0]))
        kept = {number for number, _ in ranked[:k]}
        kept.update(number for each in found for number, _ in each[at][:per_kind])
        answers.append([pair for pair in ranked if pair[0] in kept])
    return answers


def _passages_of(reachable: RowMask, found: NDArray[np.int64], scores: Vectors, k: int) -> tuple[list[tuple[int, float]], float]:
    """The k best passages of the found vectors, and the score of the last."""
    if len(scores) > k:  # every vector has a passage, so those below the k-th score cannot be among the best
        kept = scores >= np.partition(scores, len(scores) - k)[len(scores) - k]
        found, scores = found[kept], scores[kept]
    vectors = reachable.vectors
    starts, ends = np.searchsorted(vectors, found, "left"), np.searchsorted(vectors, found, "right")
    counts = ends - starts
    offsets = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    behind = reachable.numbers[np.repeat(starts, counts) + offsets]
    repeated = np.repeat(scores, counts)
    best = np.lexsort((behind, -repeated))[:k]
    return [(int(behind[at]), float(repeated[at])) for at in best], float(repeated[best[-1]])
