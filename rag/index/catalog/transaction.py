"""The writer's transaction: opened by the first change, every change whole or not at all, and over after the first failure.

Knows SQLite; knows no tables but the one that counts the numbers given.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from rag.errors import IndexDamaged, StorageFailed
from rag.index.catalog.connection import translated


class Transaction:
    """Wraps the writer's connection. After a StorageFailed or IndexDamaged every further use raises StorageFailed."""

    def __init__(self, folder: Path, connection: apsw.Connection) -> None:
        self.folder = folder
        self.connection = connection
        self._failed = ""
        self._committed = connection.total_changes()

    @property
    def changed(self) -> bool:
        """Whether there is anything to commit. StorageFailed where writing has failed before: nothing more is committed then."""
        if self._failed:
            raise StorageFailed(self.folder, f"this run ended with: {self._failed}")
        return self.connection.total_changes() != self._committed

    def nothing_changed(self) -> None:
        """What was done so far, outside of a transaction, is no change to commit."""
        self._committed = self.connection.total_changes()

    def value(self, question: str, *bindings: object) -> Any:
        """The first column of the first row; None where there is none."""
        return self.connection.execute(question, bindings).get

    def next(self, table: str) -> int:
        """The number after the last one ever given in a table, this transaction's included."""
        return int(self.value("SELECT seq FROM sqlite_sequence WHERE name = ?", table) or 0) + 1

    def commit(self) -> None:
        """The commit point."""
        with self._failing():
            self.connection.execute("COMMIT")
        self.nothing_changed()

    def go_on(self) -> None:
        """After damage that was found while everything was committed, and is no matter of the catalog: the last commit stands."""
        self._failed = ""
        self.nothing_changed()

    @contextmanager
    def changing(self) -> Iterator[apsw.Connection]:
        """One change; where it raises, nothing of it stays."""
        with self._failing():
            if not self.connection.in_transaction:
                self.connection.execute("BEGIN IMMEDIATE")
            with self.connection:
                yield self.connection

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """A question; it sees what this transaction changed. StorageFailed where the transaction has failed before."""
        if self._failed:
            raise StorageFailed(self.folder, f"this run ended with: {self._failed}")
        with translated(self.folder):
            yield self.connection

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            with self.reading():
                yield
        except (StorageFailed, IndexDamaged) as error:
            self._failed = self._failed or error.what
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
