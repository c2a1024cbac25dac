"""A flat FAISS index cut into parts, so that every core works on one query, and the best of all parts.

Knows FAISS and threads; knows no segment and no catalog.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

    from rag.types import Vectors

_SMALLEST = 8 << 20  # bytes of codes in a part: below it a thread takes longer to wake than to search
_A_CORE = 4  # parts for each core: one that another program holds up does not hold up the rest

_Given = TypeVar("_Given")
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some rows of the index, as an index of its own over the same memory."""

    first: int
    rows: int
    index: Any


def cut(index: Any) -> tuple[Part, ...]:
    """The parts of a memory-mapped IndexScalarQuantizer, which they keep open."""
    import faiss

    rows, width = int(index.ntotal), int(index.code_size)
    count = min(max(rows * width // _SMALLEST, 1), _A_CORE * cores())
    if count == 1:
        return (Part(0, rows, index),)
    codes = codes_of(index)
    bounds = np.linspace(0, rows, count + 1).astype(np.int64).tolist()
    parts = []
    for first, end in pairwise(bounds):
        view: Any = faiss.IndexScalarQuantizer(index.d, index.sq.qtype, index.metric_type)
        memory: Any = faiss.swig_ptr(codes[first])
        # The owner is the mapping of the whole file: it lives as long as any part does.
        views: Any = faiss.MaybeOwnedVectorUInt8
        view.codes = views.create_view(memory, (end - first) * width, index.codes.owner)
        view.ntotal = end - first
        parts.append(Part(first, end - first, view))
    return tuple(parts)


def codes_of(index: Any) -> NDArray[np.uint8]:
    """The codes of a flat index, (rows, bytes a row), over its own memory."""
    import faiss

    rows, width = int(index.ntotal), int(index.code_size)
    found: NDArray[np.uint8] = faiss.rev_swig_ptr(index.codes.data(), rows * width)
    return found.reshape(rows, width)


def best_rows(
    parts: Sequence[Part], queries: Vectors, k: int, within: NDArray[np.bool_] | None
) -> tuple[Vectors, NDArray[np.int64]]:
    """(scores, rows) of the k best allowed rows of all parts, in the law's order; any of those that tie at the last place."""

    def search(part: Part) -> tuple[Vectors, NDArray[np.int64]]:
        here = None if within is None else within[part.first : part.first + part.rows]
        allowed = part.rows if here is None else int(np.count_nonzero(here))
        if not allowed:
            return np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
        scores, rows = part.index.search(queries, min(k, allowed), params=None if here is None else _only(here))
        return scores, rows + part.first

    found = spread(search, parts)
    scores = np.concatenate([each for each, _ in found], axis=1)
    rows = np.concatenate([each for _, each in found], axis=1)
    if scores.shape[1] > 2 * k:
        kept = np.argpartition(scores, scores.shape[1] - k, axis=1)[:, -k:]
        scores, rows = np.take_along_axis(scores, kept, 1), np.take_along_axis(rows, kept, 1)
    order = np.lexsort((rows, -scores))[:, :k]
    return np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)


def spread(work: Callable[[_Given], _Found], given: Sequence[_Given]) -> list[_Found]:
    """The work on each of the given things, in their order, by as many threads as there are cores in the whole process.

    FAISS is told to use one thread of its own: its threads without a query only wait, and on a busy machine that is dear (a
    search of twenty small segments took 187 ms with two of them, 13 ms with one).
    """
    if len(given) <= 1 or cores() == 1:
        _alone()
        return [work(each) for each in given]
    return list(_threads(os.getpid()).map(work, given))


def strides(count: int) -> list[range]:
    """The numbers below `count`, dealt out to the cores."""
    return [range(core, count, cores()) for core in range(min(cores(), count))]


def blas_alone() -> AbstractContextManager[object]:
    """While it is open, NumPy's products use one thread each: `spread` has given every core its work already.

    Threads of both kinds in one another's way took four times as long as one thread alone.
    """
    limit: AbstractContextManager[object] = _blas().limit(limits=1, user_api="blas")
    return limit


@cache
def _blas() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@cache
def cores() -> int:
    """On how many cores this process may run."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _threads(_process: int) -> ThreadPoolExecutor:
    """The threads of this process; a forked child gets its own."""
    return ThreadPoolExecutor(cores(), "search", _alone)


def _alone() -> None:
    import faiss

    faiss.omp_set_num_threads(1)  # of the calling thread only


def _only(allowed: NDArray[np.bool_]) -> Any:
    import faiss

    # Both take arguments their stubs do not know, and keep alive what they point at.
    parameters: Any = faiss.SearchParameters
    selector: Any = faiss.IDSelectorBitmap
    return parameters(sel=selector(np.packbits(allowed, bitorder="little")))
