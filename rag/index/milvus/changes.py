"""What a run has changed of an index in Milvus and has not committed: kept in memory, and answered from beside what is stored.

Knows rows and notes; knows no commit, no model and no corpus.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.errors import IndexFailure
from rag.index.catalog.documents import StagedDocument, TwinDocument
from rag.index.catalog.row_codec import to_bytes
from rag.index.files.uninterruptible import uninterruptible
from rag.index.milvus.engine import OWN, Engine
from rag.index.milvus.facts import Facts
from rag.index.milvus.names import document_key, to_field
from rag.index.milvus.notes import REREAD, ROOT, UNREAD, Notes
from rag.index.milvus.pictures import Pictures
from rag.index.milvus.remembering import KeptNotes, Remembering
from rag.index.milvus.rows import (
    identity,
    more_of,
    passage_of,
    too_long,
)
from rag.index.milvus.schema import DOCUMENTS, PASSAGES, collection
from rag.index.milvus.spaces import MilvusSpaces
from rag.index.milvus.survey import note_name, noted_to_read, read_stamps
from rag.index.milvus.vectors import KnownVectors
from rag.index.writer.waiting import WaitingDocuments
from rag.location import Location
from rag.types import Document, DocumentId, Passage

if TYPE_CHECKING:
    from rag.types import Vectors

_TWIN = ("ordinal", "vkey", "root", "path", "kind", "text", "more")


class MilvusChanges(WaitingDocuments):
    """The changes of a `MilvusWriter` before it commits them."""

    pictures: Pictures

    def __init__(self, engine: Engine, index: str, facts: Facts) -> None:
        super().__init__()
        self._engine, self._index = engine, index
        self._passages, self._documents = collection(index, PASSAGES), collection(index, DOCUMENTS)
        self.fingerprint, self.generation, self._folding = facts.fingerprint, facts.generation, facts.folding
        self._notes = Notes(engine, index)
        self._reread = noted_to_read(self._notes)
        self._changed: dict[tuple[str, str], str] = {}  # notes
        self._forgotten: set[tuple[str, str]] = set()
        self.pictures = Pictures(self._notes, self._read_again)
        self.memory = Remembering(engine, index, self._notes, self._read_again)
        self.kept = KeptNotes(self._notes)
        self.spaces = MilvusSpaces(engine, index, facts, self.roots)
        self._roots = dict(facts.roots)
        self._ready: dict[DocumentId, StagedDocument] = {}
        self._skipped: dict[DocumentId, tuple[Document, str]] = {}
        self._removed: dict[DocumentId, None] = {}
        self._vectors = KnownVectors(engine, self._passages, self.fingerprint.dim)
        self._next_number = 0  # of a row: larger than those of this run's earlier commits

    # ---- roots ----------------------------------------------------------------------------------

    def roots(self) -> dict[str, Location]:
        """The folder of each root, by name."""
        return dict(sorted(self._roots.items()))

    @uninterruptible()
    def add_root(self, name: str, folder: Location) -> None:
        """Adds a root, or gives an existing one this folder."""
        if self._roots.get(name) != folder:
            self._roots[name] = folder
            self._changed[ROOT, name] = to_field(str(folder))
            self._forgotten.discard((ROOT, name))

    @uninterruptible()
    def remove_root(self, name: str) -> None:
        """Removes a root with all its documents. IndexFailure where there is none with that name."""
        for path, _ in self.stamps(name):
            self.remove(name, path)
        for waiting in self._waiting.ids():
            if waiting.root == name:
                self._waiting.pop(waiting)
        self.pictures.forget_root(name)
        del self._roots[name]
        self._changed.pop((ROOT, name), None)
        self._forgotten.add((ROOT, name))

    # ---- documents ------------------------------------------------------------------------------

    def stamps(self, root: str, under: str = "") -> Iterator[tuple[str, str]]:
        """As `IndexWriter.stamps`. IndexFailure where there is no such root."""
        if root not in self._roots:
            raise IndexFailure(f"{self._engine.address.shown} has no root called {root!r}", remedy="rag status lists the roots")
        folder = under.rstrip("/")
        stored = read_stamps(self._engine, self._index, root, under, self._reread)
        found = {document.path: stamp for document, stamp in stored.items()}
        of_run = {each: one.document for each, one in self._ready.items()} | {
            each: one for each, (one, _) in self._skipped.items()
        }
        for document, one in of_run.items():
            if document.root == root and (not folder or document.path == folder or document.path.startswith(f"{folder}/")):
                found[document.path] = one.stamp
        for document in self._removed:
            if document.root == root:
                found.pop(document.path, None)
        return iter(sorted(found.items(), key=lambda one: to_bytes(one[0])))

    def twin(self, digest: bytes, loader: str) -> TwinDocument | None:
        """A document with the same digest, read by the same loader: waiting, new or live."""
        if not digest:
            return None
        if waiting := self._waiting.twin(digest, loader):
            return waiting
        for staged in self._ready.values():
            if (staged.digest, staged.loader) == (digest, loader):
                return TwinDocument(staged.document.id, loader, staged.document.caption, staged.passages)
        fields = ("key", "root", "path", "loader", "version", "more")
        for row in self._engine.select(self._documents, f'digest == "{digest.hex()}"', fields, OWN, 100):
            if row["loader"] == loader and row["version"]:
                asked = f'document == "{row["key"]}" and version == "{row["version"]}"'
                rows = sorted(self._engine.every(self._passages, asked, _TWIN, OWN), key=lambda one: int(one["ordinal"]))
                if rows:
                    passages = tuple((passage_of(each), bytes.fromhex(each["vkey"])) for each in rows)
                    return TwinDocument(identity(row), loader, str(more_of(row)["caption"]), passages)
        return None

    def digest(self, document: DocumentId) -> bytes | None:
        """The digest of that document, waiting, new or live; None where there is none, or it could not be read."""
        if staged := self._waiting.get(document) or self._ready.get(document):
            return staged.digest
        if document in self._removed or document in self._skipped:
            return None
        rows = self._engine.get(self._documents, [document_key(document)], ("digest",), OWN)
        return bytes.fromhex(rows[0]["digest"]) or None if rows else None

    @uninterruptible()
    def put_document(
        self, document: Document, *, digest: bytes, loader: str, passages: Sequence[tuple[Passage, bytes]], path_words: str
    ) -> None:
        """As `IndexWriter.put_document`; one that no row can hold is recorded as skipped, with a remark."""
        if reason := too_long(passages):
            self.remarks.append(f"{document.id}: {reason}; it was left out")
            self.put_skipped(document, reason)
            return
        staged = StagedDocument(document, digest, loader, tuple(passages), path_words)
        missing = self._missing(staged)
        self._drop(document.id)
        self._insert_or_wait(staged, missing)

    @uninterruptible()
    def put_unread(self, digest: bytes, reasons: Sequence[str]) -> None:
        """Records why parts of the document with these bytes could not be read; nothing where all of it was."""
        name = (UNREAD, digest.hex())
        if reasons:
            self._changed[name] = json.dumps([len(reasons), list(reasons)[:50]])
            self._forgotten.discard(name)

    @uninterruptible()
    def put_skipped(self, document: Document, reason: str) -> None:
        """Records a file that could not be read, with its stamp, replacing the document with that id."""
        self.pictures.put_captions(document.id.root, document.id.path, [])
        self._drop(document.id)
        self._skipped[document.id] = (document, reason)

    @uninterruptible()
    def remove(self, root: str, path: str) -> bool:
        """Removes the document at that path, with the captions it gave; False where there was none."""
        document = DocumentId(root, path)
        self.pictures.put_captions(root, path, [])
        was_here = document in self._waiting or document in self._ready or document in self._skipped
        was_removed = document in self._removed
        self._drop(document)
        there = bool(self._engine.get(self._documents, [document_key(document)], ("key",), OWN))
        if there:
            self._removed[document] = None
        return was_here or (there and not was_removed)

    def _drop(self, document: DocumentId) -> None:
        """Forgets what this run was about to do with a document."""
        self._waiting.pop(document)
        self._ready.pop(document, None)
        self._skipped.pop(document, None)
        self._removed.pop(document, None)

    def _read_again(self, document: DocumentId) -> None:
        self._reread.add(note_name(document))
        self._changed[REREAD, note_name(document)] = ""
        for path in {document.path, unicodedata.normalize("NFD", document.path)}:
            same = DocumentId(document.root, path)
            self._waiting.clear_stamp(same)
            if staged := self._ready.get(same):
                self._ready[same] = replace(staged, document=replace(staged.document, stamp=""))

    # ---- vectors --------------------------------------------------------------------------------

    def known(self, keys: Sequence[bytes]) -> set[bytes]:
        """The keys that have a vector, committed or pending."""
        return self._vectors.known(keys)

    def _keep_vectors(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        self._vectors.put(keys, vectors)

    def _insert(self, staged: StagedDocument) -> None:
        self._drop(staged.document.id)
        self._ready[staged.document.id] = staged
        self._stop_waiting([staged])
