"""Stores the writer's vectors of a further space: each for a content, in memory until `write` puts them into one segment.

Knows the table `members` and segments; knows no passages and no model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.errors import StorageFailed
from rag.index.catalog.spaces import Space, given_numbers, keep_given
from rag.index.catalog.transaction import Transaction
from rag.index.vectors.vector_store import add_segment, as_rows

if TYPE_CHECKING:
    from rag.types import Vectors


class SpaceStore:
    """The new vectors of one space: numbered when they arrive."""

    def __init__(self, transaction: Transaction, space: Space) -> None:
        self._transaction = transaction
        self.space = space
        self._parts: list[NDArray[np.float16]] = []
        with transaction.reading() as connection:
            self._given = given_numbers(connection, space.number)  # at the last commit

    def put(self, places: Mapping[int, int], vectors: Vectors) -> int:
        """Stores vectors, float32 (n, dim): `places` names the row of each content. A content that has one already keeps it.

        Returns how many are new. BackendError where the shape is wrong or a number is not finite at 16 bits.
        """
        rows = as_rows(vectors, len(vectors), self.space.fingerprint.dim)
        number = self.space.number
        question = "SELECT 1 FROM members WHERE space = ? AND vector = ?"
        fresh = [content for content in places if not self._transaction.value(question, number, content)]
        if fresh:
            with self._transaction.changing() as connection:
                given = given_numbers(connection, number)
                members = [(number, content, at) for at, content in enumerate(fresh, given + 1)]
                connection.executemany("INSERT INTO members VALUES (?, ?, ?)", members)
                keep_given(connection, number, given + len(fresh))
                self._parts.append(rows[[places[content] for content in fresh]])
        return len(fresh)

    def write(self, connection: apsw.Connection, born: int) -> None:
        """Writes the new vectors as a durable segment and records it in the open transaction. StorageFailed."""
        rows = sum(len(part) for part in self._parts)
        if given_numbers(connection, self.space.number) != self._given + rows:
            raise StorageFailed(self._transaction.folder, "the run was interrupted in the middle of a change")
        if rows:
            dim, number = self.space.fingerprint.dim, self.space.number
            add_segment(self._transaction, connection, self._given + 1, rows, self._parts, dim, born, number)

    def committed(self) -> None:
        """Call after the commit: starts the next segment."""
        with self._transaction.reading() as connection:
            self._given = given_numbers(connection, self.space.number)
        self._parts.clear()
