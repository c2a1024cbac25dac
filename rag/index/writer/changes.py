"""What a run changes in the writer's open transaction: roots, documents and vectors.

Knows the catalog and the vectors that await a segment; knows no commit, no compaction and no model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from rag.errors import IndexFailure
from rag.index.catalog.connection import generation_of
from rag.index.catalog.documents import (
    StagedDocument,
    TwinDocument,
    digest_of,
    end_document,
    find_twin,
    insert_document,
    insert_skipped,
    read_stamps,
    update_term_counts,
)
from rag.index.catalog.index_folder import read_fingerprint
from rag.index.catalog.row_codec import to_bytes
from rag.index.catalog.status import read_roots
from rag.index.catalog.transaction import Transaction
from rag.index.catalog.unread_parts import write_unread
from rag.index.files.kept_texts import KeptTexts
from rag.index.files.uninterruptible import uninterruptible
from rag.index.vectors.vector_store import VectorStore
from rag.index.writer.picture_text_writer import PictureWords
from rag.index.writer.run_memory import RunMemory
from rag.index.writer.space_writer import SpaceWriter
from rag.index.writer.waiting import WaitingDocuments
from rag.location import Location
from rag.types import Document, DocumentId, Fingerprint, Passage

if TYPE_CHECKING:
    from rag.types import Vectors

TERMS = 32_768  # changed term counts that are written before the commit, so that it has little left to do


class Changes(WaitingDocuments):
    """The changes of a `Writer` before it commits them.

    Every change is atomic, also where Ctrl-C arrives in the middle of it.
    """

    pictures: PictureWords

    def __init__(self, folder: Path, connection: apsw.Connection) -> None:
        super().__init__()
        self.folder = folder
        self.fingerprint: Fingerprint = read_fingerprint(folder, connection)
        self.generation = generation_of(connection)
        self._transaction = Transaction(folder, connection)
        self.pictures = PictureWords(self._transaction, self._waiting, self._root)
        self.memory = RunMemory(self._transaction)
        self.kept = KeptTexts(folder)
        self.spaces = SpaceWriter(self._transaction, lambda: self._next_generation)
        self._vectors = VectorStore(self._transaction, self.fingerprint.dim)
        self._terms: Counter[str] = Counter()  # changes to the table `terms` that are not written yet

    # ---- roots ----------------------------------------------------------------------------------

    def roots(self) -> dict[str, Location]:
        """The folder of each root, by name."""
        with self._transaction.reading() as connection:
            return read_roots(connection, self._next_generation)

    @uninterruptible()
    def add_root(self, name: str, folder: Location) -> None:
        """Adds a root, or gives an existing one this folder."""
        known = self.roots().get(name)
        if known == folder:
            return
        place = to_bytes(str(folder))
        with self._transaction.changing() as connection:
            if known is None:
                statement = "INSERT INTO roots(name, folder, born) VALUES (?, ?, ?)"
                connection.execute(statement, (to_bytes(name), place, self._next_generation))
            else:
                connection.execute("UPDATE roots SET folder = ? WHERE name = ? AND ended IS NULL", (place, to_bytes(name)))

    @uninterruptible()
    def remove_root(self, name: str) -> None:
        """Removes a root with all its documents. IndexFailure where there is none with that name."""
        root = self._root(name)
        for path, _ in self.stamps(name):
            self.remove(name, path)
        for identity in self._waiting.ids():
            if identity.root == name:
                self._waiting.pop(identity)
        with self._transaction.changing() as connection:
            connection.execute("DELETE FROM captions WHERE root = ?", (root,))
            connection.execute("UPDATE roots SET ended = ? WHERE number = ?", (self._next_generation, root))

    # ---- documents ------------------------------------------------------------------------------

    def stamps(self, root: str, under: str = "") -> Iterator[tuple[str, str]]:
        """(path, stamp) of the documents of a root, skipped ones too, ordered by the path's bytes. Changes may be made meanwhile.

        `under` limits them to that file, or to the files below that folder. IndexFailure where there is no such root.
        """
        number = self._root(root)
        with self._transaction.reading() as connection:
            yield from read_stamps(connection, number, under)

    def twin(self, digest: bytes, loader: str) -> TwinDocument | None:
        """A document with the same digest, read by the same loader: waiting, live, or ended but not yet compacted. Else None."""
        if twin := self._waiting.twin(digest, loader):
            return twin
        with self._transaction.reading() as connection:
            return find_twin(connection, digest, loader)

    def digest(self, document: DocumentId) -> bytes | None:
        """The digest of that document, waiting or live; None where there is none, or it could not be read."""
        if staged := self._waiting.get(document):
            return staged.digest
        root = self._root(document.root)
        with self._transaction.reading() as connection:
            return digest_of(connection, root, document.path)

    @uninterruptible()
    def put_document(
        self, document: Document, *, digest: bytes, loader: str, passages: Sequence[tuple[Passage, bytes]], path_words: str
    ) -> None:
        """Puts a document, replacing its older version; each passage comes with the key of its vector.

        The vectors may arrive later: the last of them inserts the document, and until then the older version stays live.
        """
        staged = StagedDocument(document, digest, loader, tuple(passages), path_words)
        missing = self._missing(staged)
        self._waiting.pop(document.id)
        self._insert_or_wait(staged, missing)

    @uninterruptible()
    def put_unread(self, digest: bytes, reasons: Sequence[str]) -> None:
        """Records why parts of the document with these bytes could not be read; nothing where all of it was."""
        with self._transaction.changing() as connection:
            write_unread(connection, digest, reasons)

    @uninterruptible()
    def put_skipped(self, document: Document, reason: str) -> None:
        """Records a file that could not be read, with its stamp, replacing the live document with that id."""
        root = self._root(document.id.root)
        self.remove(document.id.root, document.id.path)
        with self._transaction.changing() as connection:
            insert_skipped(connection, document, reason, root, self._next_generation)

    @uninterruptible()
    def remove(self, root: str, path: str) -> bool:
        """Ends the document at that path, and deletes the captions it gave; False where there was none."""
        number = self._root(root)
        self.pictures.put_captions(root, path, [])
        waited = self._waiting.pop(DocumentId(root, path)) is not None
        with self._transaction.changing() as connection:
            counts = end_document(connection, number, path, self._next_generation)
            self._terms.subtract(counts or {})
        return waited or counts is not None

    # ---- vectors --------------------------------------------------------------------------------

    def known(self, keys: Sequence[bytes]) -> set[bytes]:
        """The keys that have a vector, committed or pending."""
        return set(self._vectors.numbers(keys))

    def _keep_vectors(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        self._vectors.put(keys, vectors)

    # ---- complete documents -----------------------------------------------------------------------

    @property
    def _next_generation(self) -> int:
        return self.generation + 1

    def _insert(self, staged: StagedDocument) -> None:
        """Inserts a complete document into the open transaction; it no longer waits."""
        identity = staged.document.id
        root = self._root(identity.root)
        vectors = self._vectors.numbers([key for _, key in staged.passages])
        with self._transaction.changing() as connection:
            ended = end_document(connection, root, identity.path, self._next_generation)
            counts = insert_document(
                connection, staged, root, self._next_generation, self._transaction.next_number("passages"), vectors
            )
            self._terms.update(counts)
            self._terms.subtract(ended or {})
            if len(self._terms) > TERMS:
                self._write_term_counts(connection)
        self._stop_waiting([staged])

    def _write_term_counts(self, connection: apsw.Connection) -> None:
        update_term_counts(connection, self._terms)
        self._terms.clear()

    def _root(self, name: str) -> int:
        with self._transaction.reading():
            number = self._transaction.value("SELECT number FROM roots WHERE name = ? AND ended IS NULL", to_bytes(name))
        if number is None:
            raise IndexFailure(f"{self.folder} has no root called {name!r}", remedy="rag status lists the roots")
        return int(number)
