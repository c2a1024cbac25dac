"""The writer's transaction: the first change opens it, every change is atomic, and the first failure ends it.

Knows SQLite; of the tables it knows only `sqlite_sequence`, which counts the numbers given.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from rag.errors import IndexDamaged, StorageFailed
from rag.index.catalog.connection import translate_errors


class Transaction:
    """Wraps the writer's connection. After StorageFailed or IndexDamaged, every further use raises StorageFailed."""

    def __init__(self, folder: Path, connection: apsw.Connection) -> None:
        self.folder = folder
        self.connection = connection
        self._failed = ""
        self._committed_changes = connection.total_changes()

    @property
    def changed(self) -> bool:
        """Whether there is anything to commit. StorageFailed after an earlier failure: nothing more is committed then."""
        if self._failed:
            raise StorageFailed(self.folder, f"this run failed earlier: {self._failed}")
        return self.connection.total_changes() != self._committed_changes

    def reset_changes(self) -> None:
        """Counts changes from here on: what was done before, outside a transaction, need not be committed."""
        self._committed_changes = self.connection.total_changes()

    def value(self, question: str, *bindings: object) -> Any:
        """The first column of the first row; None where there are no rows."""
        return self.connection.execute(question, bindings).get

    def next_number(self, table: str) -> int:
        """The next unused row number of a table, also counting the rows of this transaction."""
        return int(self.value("SELECT seq FROM sqlite_sequence WHERE name = ?", table) or 0) + 1

    def commit(self) -> None:
        """The commit point."""
        with self._ending_on_failure():
            self.connection.execute("COMMIT")
        self.reset_changes()

    def resume(self) -> None:
        """Goes on after damage outside the catalog that was found when everything was committed: the last commit stands."""
        self._failed = ""
        self.reset_changes()

    @contextmanager
    def changing(self) -> Iterator[apsw.Connection]:
        """One atomic change: where it raises, it is rolled back."""
        with self._ending_on_failure():
            if not self.connection.in_transaction:
                self.connection.execute("BEGIN IMMEDIATE")
            with self.connection:
                yield self.connection

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """A query; it sees the changes of this transaction. StorageFailed if the run failed before."""
        if self._failed:
            raise StorageFailed(self.folder, f"this run failed earlier: {self._failed}")
        with translate_errors(self.folder):
            yield self.connection

    @contextmanager
    def _ending_on_failure(self) -> Iterator[None]:
        try:
            with self.reading():
                yield
        except (StorageFailed, IndexDamaged) as error:
            self._failed = self._failed or error.what
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
