"""Work spread over the cores of this process, with FAISS and BLAS kept to one thread each.

Knows threads; knows no vector and no file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


_Given = TypeVar("_Given")
_Found = TypeVar("_Found")


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
