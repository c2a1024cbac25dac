"""Which segments a compaction merges, and which of their rows it copies.

Knows segments and numbers; knows no table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.index.base import Segment
from rag.index.vectors.verified_rows import open_rows

# A segment's rows for the vector numbers in the ranges [first, end), in order.
ReadRows = Callable[[Segment, Sequence[tuple[int, int]]], Iterable[NDArray[np.float16]]]


def group_of_one_size(segments: Sequence[Segment], limit: int, merge_from: int) -> list[Segment]:
    """Segments of one order of magnitude, where there are `merge_from`: so each row is rewritten once per order of magnitude.

    At most `limit` rows together; empty where there are too few.
    """
    sizes: dict[int, list[Segment]] = {}
    for segment in segments:
        sizes.setdefault((segment.rows - 1).bit_length() // merge_from.bit_length(), []).append(segment)
    for _, group in sorted(sizes.items()):
        if len(group) >= merge_from and (first := next(neighbour_groups(group, limit))) and len(first) > 1:
            return first
    return []


def neighbour_groups(segments: Sequence[Segment], limit: int) -> Iterator[list[Segment]]:
    """Runs of consecutive segments with at most `limit` rows together; a larger segment is a run of its own."""
    group: list[Segment] = []
    for segment in segments:
        if group and sum(each.rows for each in group) + segment.rows > limit:
            yield group
            group = []
        group.append(segment)
    if group:
        yield group


def runs_of(rows: Iterable[tuple[Any, ...]]) -> list[tuple[int, int]]:
    """Ascending numbers, one a row, as consecutive ranges [first, end)."""
    numbers = np.fromiter((number for (number,) in rows), np.int64)
    if not len(numbers):
        return []
    breaks = [0, *(np.flatnonzero(np.diff(numbers) != 1) + 1).tolist(), len(numbers)]
    return [(int(numbers[start]), int(numbers[end - 1]) + 1) for start, end in pairwise(breaks)]


def read_runs(
    folder: Path, connection: apsw.Connection, dim: int, segment: Segment, runs: Sequence[tuple[int, int]]
) -> Iterator[NDArray[np.float16]]:
    """The rows of the vectors in the ranges [first, end), each block verified. IndexDamaged."""
    rows = open_rows(folder, connection, segment, dim)
    for start, end in runs:
        yield from rows.read_range(start - segment.first, end - segment.first)
