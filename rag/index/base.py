"""What finds the nearest vectors of one segment. Knows vectors; knows no catalog, no passages and no model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.index.vectors.segments import Segment
    from rag.types import Vectors


class Rows(Protocol):
    """The 16-bit vectors of one segment, none of which is given before it was compared with its checksum."""

    @property
    def segment(self) -> Segment:
        """What the catalog says of it."""

    @property
    def file(self) -> Path:
        """The FAISS file, its header trusted."""

    def take(self, rows: NDArray[np.int64]) -> Vectors:
        """Some rows as float32 (n, dim), in the order asked."""

    def all(self) -> NDArray[np.float16]:
        """Every row, (rows, dim), read from disk as they are touched."""


class Structure(Protocol):
    """A search structure over the rows of one segment.

    Laws, checked for every row of STRUCTURES by tests/contracts/test_structures.py:
    - ``nearest`` gives (scores, rows): float32 and int64 of shape (queries, k'), k' = min(k, rows allowed), inner products,
      larger first, equal scores by smaller row; rows are positions in the segment from 0.
    - ``within`` is a bool array over the rows, applied before the search: with ten rows allowed, all ten are found.
    - Scores are those of the 16-bit rows, whatever found them: but for rounding, a row has the score `exact` gives it.
    - It is made from the `Rows` of the segment alone; what it derives from them lies beside their file, checked when opened.
    - A query's answer does not depend on the queries beside it. Several threads may ask at once.
    - `exact` is right by definition (the 16-bit vectors times the query); every other structure is compared with it, in values
      and in recall.
    """

    def __init__(self, rows: Rows) -> None: ...

    def __len__(self) -> int: ...

    def nearest(self, queries: Vectors, k: int, within: NDArray[np.bool_] | None) -> tuple[Vectors, NDArray[np.int64]]: ...


@runtime_checkable
class Estimating(Protocol):
    """A structure that can say what looks near before it reads a row, so that several segments rescore no more than one would.

    - ``candidates`` gives (estimates, rows), both (queries, n), in no order: what ``nearest`` would rescore.
    - Estimates of structures whose ``comparable`` is equal are of one scale.
    - ``estimates_for`` is False where it would look at all allowed rows instead.
    """

    rows: Rows
    comparable: object

    def estimates_for(self, allowed: int, k: int) -> bool: ...

    def candidates(self, queries: Vectors, k: int, within: NDArray[np.bool_] | None) -> tuple[Vectors, NDArray[np.int64]]: ...
