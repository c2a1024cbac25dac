"""What a run leaves for the next one and for `rag status`, beside the documents: a changed setting, and what was left out.

Knows the writer's open transaction; the rows are the catalog's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from rag.index.catalog.ignored import write_ignored
from rag.index.catalog.reader_versions import clear_outdated
from rag.index.catalog.row_codec import clean
from rag.index.catalog.transaction import Transaction
from rag.index.files.uninterruptible import uninterruptible


class RunMemory:
    """Part of a `Writer`: what is kept here becomes visible with its next commit. What is kept already changes nothing."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    @uninterruptible()
    def keep_setting(self, name: str, value: str) -> None:
        """Keeps a setting that may change between runs, as JSON."""
        kept = self._transaction.value("SELECT value FROM settings WHERE name = ?", name)
        if kept != value:
            with self._transaction.changing() as connection:
                connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (clean(name), clean(value)))

    @uninterruptible()
    def keep_ignored(self, root: str, counts: Mapping[str, int]) -> None:
        """Keeps how much a run over all of a root left out, by reason."""
        with self._transaction.changing() as connection:
            write_ignored(connection, root, {clean(reason): count for reason, count in counts.items()})

    @uninterruptible()
    def read_again(self, versions: Mapping[str, int]) -> Counter[str]:
        """Lets the run read anew what older versions of the loaders read, and try what they could not read. Counts both.

        Keys are families of LOADERS, and `UNREAD`.
        """
        with self._transaction.changing() as connection:
            return clear_outdated(connection, versions)
