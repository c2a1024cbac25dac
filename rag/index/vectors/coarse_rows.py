"""Codes row by row: a FAISS index over the leading dimensions of every row. How a prefix is chosen, and the scan of one.

Knows FAISS and codes; knows no segment and no file.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.index.vectors.kernels import best_products, quantise_queries
from rag.index.vectors.partition import Partition, best_rows, codes_of, partition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.types import Vectors

FULL_RESCORE_FACTOR = 4  # rows rescored per requested row where all dimensions are scanned
# (leading dimensions scanned, rows rescored per requested row), from cheap to expensive at 1,000,000 rows and k = 100. Below 256
# dimensions the scan no longer dominates the cost; 512 dimensions with 4 cost 11 ms more than 256 with 8.
_SETTINGS_TRIED = ((256, 4), (256, 8), (256, 12), (512, 4), (512, 8))
# A setting must find 0.995 of a sample's hundred nearest: at 0.97, 300,000 rows in 100 broad clusters lost 0.03 of the ten
# nearest and 0.12 of the hundred nearest, even after the rescore.
_SAMPLE_ROWS, _SAMPLE_QUERIES, _MIN_RECALL = 20_000, 256, 0.995
_MATRIX_PRODUCT_FROM = 4  # queries; from so many on, matrix products are faster than FAISS's scan, query by query
_GATHER_RATIO = 64  # all rows ÷ allowed rows: above it, gathering the allowed codes is cheaper than skipping the others


@dataclass(frozen=True, slots=True, eq=False)
class RowCodes:
    """An opened index of 8-bit codes, in parts for all cores, and the step of each dimension: number ≈ step × code."""

    parts: Sequence[Partition]
    codes: NDArray[np.uint8]  # (rows, dimensions)
    steps: Vectors  # (dimensions,)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.codes)

    def candidates(self, queries: Vectors, count: int, within: NDArray[np.bool_] | None) -> tuple[Vectors, NDArray[np.int64]]:
        """(estimates, rows), float32 and int64 (queries, count): the best by the leading dimensions, queries in 8 bits too."""
        asked, scale = quantise_queries(queries[:, : len(self.steps)] * self.steps)
        scarce = within is not None and int(np.count_nonzero(within)) * _GATHER_RATIO < self.rows
        if len(queries) < _MATRIX_PRODUCT_FROM and not scarce:
            scores, found = best_rows(self.parts, asked, count, within)
        else:
            scores, found = best_products(self.codes, asked, count, within)
        return scores * scale, found


def row_codes(index: Any, steps: Vectors) -> RowCodes:
    """The codes of an opened FAISS index; steps are float32 (dimensions,)."""
    return RowCodes(partition(index), codes_of(index), steps)


def choose_prefix(vectors: NDArray[np.float16]) -> tuple[int, int]:
    """(leading dimensions to scan, rows to rescore per requested row); all dimensions where no prefix suffices.

    Models trained for it (Matryoshka) put most of the information in front, others do not. The vectors show which, a model's name
    does not: in a sample, the prefix's candidates must include the nearest rows, in proportion to a hundred of all rows.
    """
    count, dim = int(vectors.shape[0]), int(vectors.shape[1])
    if dim <= _SETTINGS_TRIED[0][0] or count <= 2 * _SAMPLE_QUERIES:
        return dim, FULL_RESCORE_FACTOR
    random = np.random.default_rng(0)
    chosen = random.choice(count, min(count, _SAMPLE_ROWS + _SAMPLE_QUERIES), replace=False)
    sample = vectors[np.sort(chosen)].astype(np.float32)
    sample = sample[random.permutation(len(sample))]
    queries, others = sample[:_SAMPLE_QUERIES], sample[_SAMPLE_QUERIES:]
    asked = max(100 * len(others) // count, 1)
    scores = queries @ others.T
    best = np.argpartition(scores, len(others) - asked, axis=1)[:, -asked:]
    for dims, group in groupby((pair for pair in _SETTINGS_TRIED if pair[0] < dim), lambda pair: pair[0]):
        partial = queries[:, :dims] @ others[:, :dims].T
        found = np.take_along_axis(partial, best, 1)
        for _, rescore_factor in group:
            looked_at = min(rescore_factor * asked, len(others))
            last = np.partition(partial, len(others) - looked_at, axis=1)[:, -looked_at]
            if (found >= last[:, None]).mean() >= _MIN_RECALL:
                return dims, rescore_factor
    return dim, FULL_RESCORE_FACTOR


def faiss_header(rows: int, dims: int) -> bytes:
    """The FAISS header before the codes: an empty index's, with the number of rows at byte 8 and of codes in the last 8 bytes."""
    import faiss

    empty = faiss.IndexScalarQuantizer(dims, faiss.ScalarQuantizer.QT_8bit_direct_signed, faiss.METRIC_INNER_PRODUCT)
    empty.is_trained = True
    header = bytearray(faiss.serialize_index(empty).tobytes())
    header[8:16] = rows.to_bytes(8, "little")
    header[-8:] = (rows * dims).to_bytes(8, "little")
    return bytes(header)
