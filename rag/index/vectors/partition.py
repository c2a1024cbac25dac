"""Partitions a flat FAISS index, so that all cores can work on one query, and merges the best rows of all parts.

Knows FAISS and threads; knows no segment and no catalog.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.index.files.parallel import cores, parallel_map

if TYPE_CHECKING:
    from rag.types import Vectors

_MIN_PART_BYTES = 8 << 20  # below it a thread takes longer to wake up than to search
_PARTS_PER_CORE = 4  # so that a core busy with another program does not delay the rest


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """A range of rows, as a FAISS index of its own over the same memory."""

    first: int
    rows: int
    index: Any


def partition(index: Any) -> tuple[Partition, ...]:
    """The parts of a memory-mapped IndexScalarQuantizer; they keep the mapping open."""
    import faiss

    rows, width = int(index.ntotal), int(index.code_size)
    count = min(max(rows * width // _MIN_PART_BYTES, 1), _PARTS_PER_CORE * cores())
    if count == 1:
        return (Partition(0, rows, index),)
    codes = codes_of(index)
    bounds = np.linspace(0, rows, count + 1).astype(np.int64).tolist()
    parts = []
    for first, end in pairwise(bounds):
        view: Any = faiss.IndexScalarQuantizer(index.d, index.sq.qtype, index.metric_type)
        memory: Any = faiss.swig_ptr(codes[first])
        # The owner is the mapping of the whole file, which lives as long as any part does.
        views: Any = faiss.MaybeOwnedVectorUInt8
        view.codes = views.create_view(memory, (end - first) * width, index.codes.owner)
        view.ntotal = end - first
        parts.append(Partition(first, end - first, view))
    return tuple(parts)


def codes_of(index: Any) -> NDArray[np.uint8]:
    """The codes of a flat index, uint8 (rows, bytes per row), over its own memory."""
    import faiss

    rows, width = int(index.ntotal), int(index.code_size)
    found: NDArray[np.uint8] = faiss.rev_swig_ptr(index.codes.data(), rows * width)
    return found.reshape(rows, width)


def best_rows(
    parts: Sequence[Partition], queries: Vectors, k: int, within: NDArray[np.bool_] | None
) -> tuple[Vectors, NDArray[np.int64]]:
    """(scores, rows), each (queries, k), of the best allowed rows of all parts: largest first, ties by smaller row.

    Of rows that tie at the last place, any may be returned.
    """

    def search(part: Partition) -> tuple[Vectors, NDArray[np.int64]]:
        here = None if within is None else within[part.first : part.first + part.rows]
        allowed = part.rows if here is None else int(np.count_nonzero(here))
        if not allowed:
            return np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
        scores, rows = part.index.search(queries, min(k, allowed), params=None if here is None else _search_parameters(here))
        return scores, rows + part.first

    found = parallel_map(search, parts)
    scores = np.concatenate([each for each, _ in found], axis=1)
    rows = np.concatenate([each for _, each in found], axis=1)
    if scores.shape[1] > 2 * k:
        kept = np.argpartition(scores, scores.shape[1] - k, axis=1)[:, -k:]
        scores, rows = np.take_along_axis(scores, kept, 1), np.take_along_axis(rows, kept, 1)
    order = np.lexsort((rows, -scores))[:, :k]
    return np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)


def _search_parameters(allowed: NDArray[np.bool_]) -> Any:
    import faiss

    # Both take arguments that their stubs lack, and keep alive what they point to.
    parameters: Any = faiss.SearchParameters
    selector: Any = faiss.IDSelectorBitmap
    return parameters(sel=selector(np.packbits(allowed, bitorder="little")))
