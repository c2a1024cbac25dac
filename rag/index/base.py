"""Search structures: they find the nearest vectors of one segment. Knows vectors; knows no catalog, no passages and no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.types import Vectors


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment's row in the catalog. Row r of its file holds the vector with number `first` + r."""

    number: int
    first: int
    rows: int
    size: int  # bytes
    header: int  # bytes before the vectors
    header_checksum: bytes
    checksum: bytes  # of its blocks' checksums, and so of the whole file
    space: int = 0  # of which vector space: 0 is the first one


class Rows(Protocol):
    """The 16-bit vectors of one segment. No vector is returned before its checksum was verified."""

    @property
    def segment(self) -> Segment:
        """The segment's row in the catalog."""

    @property
    def file(self) -> Path:
        """The FAISS file; its header has been verified."""

    def take(self, rows: NDArray[np.int64]) -> Vectors:
        """The given rows as float32 (n, dim), in the given order."""

    def all(self) -> NDArray[np.float16]:
        """All rows, float16 (rows, dim), memory-mapped: read from disk when they are accessed."""


class Structure(Protocol):
    """A search structure over the rows of one segment.

    Laws, checked for every row of STRUCTURES by tests/contracts/test_structures.py:
    - ``nearest`` returns (scores, rows): float32 and int64 of shape (queries, k'), k' = min(k, rows allowed). Scores are inner
      products, largest first, ties by smaller row; rows are positions in the segment, from 0.
    - ``within`` is a bool array over the rows, applied before the search: with ten rows allowed, all ten are found.
    - Scores are computed from the 16-bit rows, however the rows were found: up to rounding, a row scores what `exact` gives it.
    - It is built from the segment's `Rows` alone. Files derived from them lie beside the segment and are verified when opened.
    - A query's result does not depend on the other queries in the call. Several threads may search at once.
    - `exact` is correct by definition (the 16-bit vectors times the query); every other structure is compared with it, in values
      and in recall.
    """

    def __init__(self, rows: Rows) -> None: ...

    def __len__(self) -> int: ...

    def nearest(self, queries: Vectors, k: int, within: NDArray[np.bool_] | None) -> tuple[Vectors, NDArray[np.int64]]: ...


@runtime_checkable
class Estimating(Protocol):
    """A structure that estimates scores before it reads any row, so that several segments rescore no more rows than one would.

    - ``candidates`` returns (estimates, rows), float32 and int64 (queries, n), unordered: the rows ``nearest`` would rescore.
    - Estimates of structures with equal ``comparable`` are on the same scale.
    - ``estimates_for`` is False where ``nearest`` would score every allowed row instead.
    """

    rows: Rows
    comparable: object

    def estimates_for(self, allowed: int, k: int) -> bool: ...

    def candidates(self, queries: Vectors, k: int, within: NDArray[np.bool_] | None) -> tuple[Vectors, NDArray[np.int64]]: ...


@runtime_checkable
class Competing(Estimating, Protocol):
    """An estimating structure that several segments can share one pass of, where what is far in one need not be kept in another.

    - ``competing`` returns for each structure and query the rows, int64, among the best candidates of all structures, as many as
      one alone would rescore; the structures have equal ``comparable``. None where it has no such pass for them.
    """

    @staticmethod
    def competing(
        structures: Sequence[Any], queries: Vectors, k: int, masks: Sequence[NDArray[np.bool_] | None]
    ) -> list[list[NDArray[np.int64]]] | None: ...
