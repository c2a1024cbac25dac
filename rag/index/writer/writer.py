"""The one writer of an index: `commit` makes all its changes visible at once, or none.

Knows the catalog and the segments; knows no model and no corpus. A kill at any moment leaves the last commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw

from rag.errors import IndexDamaged
from rag.index.catalog.connection import (
    advance_generation,
    folding_of,
    open_to_read,
    open_to_write,
    translate_errors,
)
from rag.index.catalog.documents import TwinDocument
from rag.index.catalog.row_codec import fingerprint_to_json
from rag.index.catalog.spaces import Space
from rag.index.files.lock import Say, locked, silent
from rag.index.files.uninterruptible import uninterruptible
from rag.index.upkeep.compaction import Compacted, compact_all, compact_some, shrink
from rag.index.upkeep.garbage import remove_garbage
from rag.index.vectors.segments import REMEDY
from rag.index.vectors.vector_store import VectorStore
from rag.index.writer.changes import Changes
from rag.index.writer.renewal import Renew, analyse_words, renew_vectors
from rag.text.folding import REVISION
from rag.types import Fingerprint

__all__ = ["TwinDocument", "Writer", "writing"]


@contextmanager
def writing(folder: Path, say: Say = silent) -> Iterator[Writer]:
    """Opens an index for writing, and removes what killed runs left. Changes that are not committed at the end are dropped.

    A run that fills models steps aside: `say` is told while it is waited for. IndexNotFound, IndexTooNew, IndexTooOld,
    IndexDamaged; IndexLocked while another process writes it; IndexFailure where it is read-only.
    """
    with closing(open_to_read(folder)):
        pass  # so that nothing, not even a lock file, is created where there is no index
    with locked(folder, say), opened_writer(folder) as writer:
        yield writer


@contextmanager
def opened_writer(folder: Path) -> Iterator[Writer]:
    """The writer of an index whose lock is held."""
    with closing(open_to_write(folder)) as connection:
        with translate_errors(folder):
            remove_garbage(folder, connection)
            writer = Writer(folder, connection)
        try:
            yield writer
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


class Writer(Changes):
    """Made by `writing`; for one thread at a time. After StorageFailed only the last commit stands.

    Every change is atomic, also where Ctrl-C arrives in the middle of it.
    """

    # ---- the rules for words --------------------------------------------------------------------

    @uninterruptible()
    def renew(self, fingerprint: Fingerprint, vectors: Renew | None) -> tuple[int, int] | None:
        """Brings the full text, and with `vectors` the vectors, to the current rules and that fingerprint, and commits.

        Returns how many passages and vectors there are; None where the rules are current. Where it fails, the old state stands.
        """
        with self._transaction.reading() as connection:
            current = folding_of(connection) == REVISION
        if current and vectors is None:
            return None
        made = 0
        with self._transaction.changing() as connection:
            if not current:
                analyse_words(connection, self._next_generation)
            if vectors is not None:
                dim = self.fingerprint.dim
                made = renew_vectors(self.folder, self._transaction, connection, self._next_generation, dim, vectors)
                connection.execute("UPDATE facts SET value = ? WHERE name = 'fingerprint'", (fingerprint_to_json(fingerprint),))
        passages = int(self._transaction.value("SELECT count(*) FROM passages WHERE ended IS NULL"))
        self._commit()
        self.fingerprint = fingerprint
        return passages, made

    @uninterruptible()
    def put_space_first(self, space: Space) -> None:
        """Puts a further space in the place of the first one, and commits. IndexFailure where it lacks a passage's vector."""
        self.commit()
        self.spaces.put_first(space)
        self._commit()
        self.fingerprint = space.fingerprint
        self._vectors = VectorStore(self._transaction, space.fingerprint.dim)

    # ---- commit ---------------------------------------------------------------------------------

    @uninterruptible()
    def commit(self) -> int:
        """Makes all changes visible and durable; returns the generation. Does nothing where nothing changed.

        The segment is made durable first, then one transaction records it. After StorageFailed the last commit stands, and this
        writer is unusable.
        """
        self._insert_complete()
        if self._transaction.changed:
            with self._transaction.changing() as connection:
                self._vectors.write(connection, self._next_generation)
                self.spaces.write(connection, self._next_generation)
                self._write_term_counts(connection)
            self._commit()
            if not self.remarks:
                self._compact_some()
        return self.generation

    def _compact_some(self) -> None:
        """One bounded round of compaction. Damaged segments stay as they are, with a remark; the commit before it stands."""
        try:
            if compact_some(self._transaction, self.generation, self.fingerprint.dim):
                self._commit()
        except IndexDamaged as error:
            if isinstance(error.__cause__, apsw.Error):  # damage in the catalog itself: nothing more is written to it
                raise
            self._transaction.resume()
            self.remarks.append(f"{error.what}; everything indexed so far is committed. rag check lists the damage; {REMEDY}")

    def compact(self) -> Compacted:
        """Commits; then removes ended rows and unused vectors, and merges segments into few large ones, in another commit.

        Open snapshots go on, unless they need a segment file that is deleted (MovedOn). Raises as `commit`; IndexDamaged.
        """
        self.commit()
        done = compact_all(self._transaction, self.generation, self.fingerprint.dim, keep_unused=bool(self._waiting))
        if self._transaction.changed:
            self._commit()
        shrink(self._transaction)
        return done

    def _commit(self) -> None:
        with self._transaction.changing() as connection:
            advance_generation(connection, self._next_generation)
        # Even where this fails the segment must stay: the log may hold the complete commit, and recovery would then keep it.
        self._transaction.commit()
        self.generation = self._next_generation
        self._vectors.committed()
        self.spaces.committed()
        self.settled_documents = self.settled_passages = 0
