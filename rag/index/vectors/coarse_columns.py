"""Codes dimension by dimension, of which a scan reads only those in which a query is not 0.

Knows codes; knows no segment and no file. Where words are hashed into rows, a query of a few words has a few such dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.index.vectors.columns import BLOCK_ROWS, Scan, best_of_scans
from rag.index.vectors.kernels import quantise_queries

if TYPE_CHECKING:
    from rag.types import Vectors


@dataclass(frozen=True, slots=True, eq=False)
class ColumnCodes:
    """The 8-bit codes of the dimensions that are not 0 in every row: number ≈ step × code."""

    blocks: Sequence[NDArray[np.int8]]  # of BLOCK_ROWS consecutive rows each, the last of fewer: (dimensions, rows)
    rows: int
    dims: NDArray[np.int64]  # which dimensions of a vector these are
    steps: Vectors  # (dimensions,)

    def candidates(self, queries: Vectors, count: int, within: NDArray[np.bool_] | None) -> tuple[Vectors, NDArray[np.int64]]:
        """(estimates, rows), float32 and int64 (queries, count); `count` is at most the number of allowed rows."""
        (found,) = best_of_scans([self.scan(queries, within)], count)
        return np.stack([estimates for estimates, _ in found]), np.stack([rows for _, rows in found])

    def scan(self, queries: Vectors, within: NDArray[np.bool_] | None) -> Scan:
        """What these queries (queries, dim) ask of these codes."""
        asked, scale = quantise_queries(queries[:, self.dims] * self.steps)
        return Scan(self.blocks, self.rows, asked, scale, within)


def column_codes(payload: NDArray[np.int8], rows: int, dims: NDArray[np.int64], steps: Vectors) -> ColumnCodes:
    """The codes as they are stored, int8 of shape (rows × dimensions,): block after block, each dimension by dimension."""
    starts = range(0, rows, BLOCK_ROWS)
    sizes = [min(BLOCK_ROWS, rows - start) for start in starts]
    blocks = [
        payload[start * len(dims) : (start + size) * len(dims)].reshape(len(dims), size)
        for start, size in zip(starts, sizes, strict=True)
    ]
    return ColumnCodes(blocks, rows, dims, steps)


def competing_rows(
    codes: Sequence[ColumnCodes], queries: Vectors, count: int, masks: Sequence[NDArray[np.bool_] | None]
) -> list[list[NDArray[np.int64]]]:
    """For each of the codes and queries the rows that are among the best `count` of all, in one pass over all."""
    scans = [each.scan(queries, mask) for each, mask in zip(codes, masks, strict=True)]
    return [[rows for _, rows in found] for found in best_of_scans(scans, count)]
