"""Maps the passages that a search may find to masks over the rows of each segment.

Knows arrays of numbers; knows no catalog and no vector values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.index.base import Segment


@dataclass(frozen=True, slots=True, eq=False)
class MaskPart:
    """The allowed rows of one segment."""

    first: int  # number of the vector in row 0
    count: int  # allowed rows
    mask: NDArray[np.bool_] | None  # bool (rows,); None: every row, or no row where `count` is 0


@dataclass(frozen=True, slots=True, eq=False)
class RowMask:
    """The allowed passages, ordered by vector number and then passage number, and the mask of each segment."""

    vectors: NDArray[np.int64]
    numbers: NDArray[np.int64]
    parts: tuple[MaskPart, ...]  # one per segment


def make_row_mask(segments: Sequence[Segment], vectors: NDArray[np.int64], numbers: NDArray[np.int64]) -> RowMask:
    """The mask of passages, given their vector numbers and numbers, both (passages,), by ascending number."""
    if (vectors[1:] < vectors[:-1]).any():
        order = _order(vectors)
        vectors, numbers = vectors[order], numbers[order]
    return RowMask(vectors, numbers, tuple(_part(vectors, segment) for segment in segments))


def _order(vectors: NDArray[np.int64]) -> NDArray[np.int64]:
    """As a stable argsort, int64 (n,); four times as fast where little is in order: a vector and its place are one number."""
    bits = len(vectors).bit_length()
    runs = int(np.count_nonzero(vectors[1:] < vectors[:-1]))
    if runs < len(vectors) // 64 or int(vectors.max()) >> (62 - bits):
        return np.argsort(vectors, kind="stable")
    return np.sort((vectors << bits) | np.arange(len(vectors))) & ((1 << bits) - 1)


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
