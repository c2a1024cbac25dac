"""Runs work in parallel on the cores of this process, with FAISS and BLAS limited to one thread each.

Knows threads; knows no vectors and no files.
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


_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def parallel_map(work: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
    """The results of `work` for each item, in order, computed by as many threads as the process has cores.

    FAISS is limited to one thread: its threads without a query only wait, which is expensive on a busy machine (a search of
    twenty small segments took 187 ms with two FAISS threads, 13 ms with one).
    """
    if len(items) <= 1 or cores() == 1:
        _limit_faiss()
        return [work(each) for each in items]
    return list(_threads(os.getpid()).map(work, items))


def strides(count: int) -> list[range]:
    """The numbers below `count`, distributed over the cores round-robin."""
    return [range(core, count, cores()) for core in range(min(cores(), count))]


def single_threaded_blas() -> AbstractContextManager[object]:
    """A context in which NumPy's matrix products use one thread each: `parallel_map` keeps every core busy already.

    Both kinds of threads at once took four times as long as one thread alone.
    """
    limit: AbstractContextManager[object] = _blas().limit(limits=1, user_api="blas")
    return limit


@cache
def _blas() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@cache
def cores() -> int:
    """How many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _threads(_process: int) -> ThreadPoolExecutor:
    """The thread pool of this process; a forked child gets its own."""
    return ThreadPoolExecutor(cores(), "search", _limit_faiss)


def _limit_faiss() -> None:
    import faiss

    faiss.omp_set_num_threads(1)  # affects the calling thread only
