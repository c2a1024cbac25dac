"""The passages a search may find, as the segments see them: which of their rows count.

Knows arrays of numbers; knows no catalog and no vectors' values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.index.vectors.segments import Segment


@dataclass(frozen=True, slots=True, eq=False)
class MaskPart:
    """The rows of one segment that count."""

    first: int  # the number of the vector in row 0
    count: int  # how many do
    mask: NDArray[np.bool_] | None  # which; None: every row, or none where `count` is 0


@dataclass(frozen=True, slots=True, eq=False)
class RowMask:
    """Passages by the number of their vector and then by their own, and the rows of each segment that hold those vectors."""

    vectors: NDArray[np.int64]
    numbers: NDArray[np.int64]
    parts: tuple[MaskPart, ...]  # one a segment


def make_row_mask(segments: Sequence[Segment], vectors: NDArray[np.int64], numbers: NDArray[np.int64]) -> RowMask:
    """From the vectors and numbers of passages, by ascending number."""
    if (vectors[1:] < vectors[:-1]).any():
        order = np.argsort(vectors, kind="stable")
        vectors, numbers = vectors[order], numbers[order]
    return RowMask(vectors, numbers, tuple(_part(vectors, segment) for segment in segments))


def _part(vectors: NDArray[np.int64], segment: Segment) -> MaskPart:
    start, end = np.searchsorted(vectors, (segment.first, segment.first + segment.rows))
    if start == end:
        return MaskPart(segment.first, 0, None)
    here = vectors[start:end]
    count = 1 + int(np.count_nonzero(here[1:] != here[:-1]))
    if count == segment.rows:
        return MaskPart(segment.first, count, None)
    mask = np.zeros(segment.rows, np.bool_)
    mask[here - segment.first] = True
    return MaskPart(segment.first, count, mask)
