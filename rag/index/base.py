"""What finds the nearest vectors of one segment. Knows vectors; knows no catalog, no files and no model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.types import Vectors


class Structure(Protocol):
    """A search structure over the rows of one segment file.

    Laws, checked for every row of STRUCTURES by tests/contracts/test_structures.py:
    - ``nearest`` gives (scores, rows): float32 and int64 of shape (queries, k'), k' = min(k, rows allowed), inner products,
      larger first, equal scores by smaller row; rows are positions in the segment from 0.
    - ``within`` is a bool array over the rows, applied before the search: with ten rows allowed, all ten are found.
    - `exact` is right by definition (the 16-bit vectors times the query); every other structure is compared with it.
    """

    def __init__(self, file: Path, dim: int) -> None: ...

    def __len__(self) -> int: ...

    def nearest(self, queries: Vectors, k: int, within: NDArray[np.bool_] | None) -> tuple[Vectors, NDArray[np.int64]]: ...
