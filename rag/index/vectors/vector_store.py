"""Stores the writer's vectors by key, the hash of their content: which exist, and the new ones that await a segment.

Knows the table `vectors` and segments; knows no passages and no model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import apsw
import numpy as np
from numpy.typing import NDArray

from rag.errors import BackendError, IndexDamaged, StorageFailed
from rag.index.base import Segment
from rag.index.catalog.transaction import Transaction
from rag.index.files.layout import segment_file
from rag.index.vectors.segments import record_segment, write_segment

if TYPE_CHECKING:
    from rag.types import Vectors


class VectorStore:
    """The writer's vectors: numbered when they arrive, in memory until `write` puts them into one segment."""

    def __init__(self, transaction: Transaction, dim: int) -> None:
        self._transaction = transaction
        self._dim = dim
        self._parts: list[NDArray[np.float16]] = []
        self._first = transaction.next_number("vectors")  # of the next segment

    def numbers(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """The vector numbers of those keys that have a vector, committed or new."""
        question = "SELECT number FROM vectors WHERE key = ?"
        with self._transaction.reading():
            found = {key: self._transaction.value(question, key) for key in keys}
        return {key: int(number) for key, number in found.items() if number is not None}

    def put(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        """Stores a vector for each key, float32 (keys, dim); a key that has one already keeps it.

        BackendError where the shape is wrong or a number is not finite at 16 bits: such a row would match nothing, or everything.
        """
        if not len(keys):
            return
        rows = as_rows(vectors, len(keys), self._dim)
        known = self.numbers(keys)
        fresh = {key: at for at, key in reversed(list(enumerate(keys))) if key not in known}
        if fresh:
            with self._transaction.changing() as connection:
                numbered = list(enumerate(fresh, self._transaction.next_number("vectors")))
                connection.executemany("INSERT INTO vectors(number, key) VALUES (?, ?)", numbered)
                self._parts.append(rows[list(fresh.values())])

    def write(self, connection: apsw.Connection, born: int) -> None:
        """Writes the new vectors as a durable segment and records it in the open transaction. StorageFailed."""
        rows = sum(len(part) for part in self._parts)
        if self._transaction.next_number("vectors") != self._first + rows:
            raise StorageFailed(self._transaction.folder, "the run was interrupted in the middle of a change")
        if rows:
            add_segment(self._transaction, connection, self._first, rows, self._parts, self._dim, born)

    def committed(self) -> None:
        """Call after the commit: starts the next segment."""
        self._first = self._transaction.next_number("vectors")
        self._parts.clear()


def as_rows(vectors: Vectors, count: int, dim: int) -> NDArray[np.float16]:
    """The vectors as rows of a segment, float16 (count, dim).

    BackendError where the shape is wrong or a number is not finite at 16 bits: such a row would match nothing, or everything.
    """
    with np.errstate(over="ignore"):
        rows = np.asarray(vectors).astype(np.float16)
    if rows.shape != (count, dim) or not np.isfinite(rows).all():
        what = f"expected {count} vectors of {dim} finite numbers; the model gave {rows.shape}, or some are not finite"
        raise BackendError(what, remedy="check the model or its server: rag status says which model the index was made with")
    return rows


def add_segment(
    transaction: Transaction,
    connection: apsw.Connection,
    first: int,
    rows: int,
    parts: Iterable[NDArray[np.float16]],
    dim: int,
    born: int,
    space: int = 0,
) -> Segment:
    """Writes a segment durably and records it in the open transaction.

    StorageFailed, and whatever `parts` raises while they are read (IndexDamaged, apsw.CorruptError), leaves no file behind.
    """
    number = transaction.next_number("segments")
    try:
        segment, sums = write_segment(transaction.folder, number, first, rows, parts, dim, space)
    except (OSError, IndexDamaged, apsw.Error) as error:
        file = segment_file(transaction.folder, number)
        for left in (file, file.with_name(f"{file.name}.new")):
            left.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise StorageFailed(transaction.folder, error.strerror or str(error)) from error
    record_segment(connection, segment, sums, born)
    return segment
