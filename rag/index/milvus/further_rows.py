"""The rows of an index's further vector spaces at one moment, by the number of the space.

Knows spaces, collections and rows; knows no query and no model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rag.errors import IndexFailure, MovedOn
from rag.index.catalog.spaces import Space
from rag.index.milvus.engine import Engine
from rag.index.milvus.live_rows import LiveRows
from rag.index.milvus.schema import space_collection


class FurtherRows:
    """For the one thread of a snapshot; `rows` are those of the passages."""

    def __init__(self, engine: Engine, index: str, spaces: Sequence[Space], rows: LiveRows, generation: int) -> None:
        self._engine, self._index, self._generation = engine, index, generation
        self._spaces = {space.number: space for space in spaces}
        self._rows = rows
        self._opened: dict[int, LiveRows] = {}

    def dim(self, space: int) -> int:
        """The dimension of a space. IndexFailure where there is none with that number."""
        if space not in self._spaces:
            raise IndexFailure(f"{self._index} has no vector space {space}", remedy="search again")
        return self._spaces[space].fingerprint.dim

    @contextmanager
    def of(self, space: int) -> Iterator[LiveRows]:
        """The rows of a space. IndexFailure as `dim`; MovedOn where it was dropped meanwhile: the next moment lacks it."""
        rows = space_collection(self._index, space)
        if space not in self._opened:
            self._opened[space] = self._rows.of_space(rows, self.dim(space))
        try:
            yield self._opened[space]
        except IndexFailure as error:
            if rows in self._engine.collections():
                raise
            raise MovedOn(self._engine.address.shown, self._generation) from error
