"""The writer of an index in Milvus: `commit` writes a run's changes by the commit rule, while the run has the lease.

Knows rows and their order; knows no model and no corpus. Two writers at once do each other no harm: see `committing`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexFailure
from rag.index.catalog.spaces import Space
from rag.index.files.uninterruptible import uninterruptible
from rag.index.milvus.changes import MilvusChanges
from rag.index.milvus.committing import Changes, commit_changes, owners_that_end, seen_versions
from rag.index.milvus.engine import Engine, Row, now
from rag.index.milvus.facts import Facts, later_generation
from rag.index.milvus.names import document_key
from rag.index.milvus.notes import FACT, REREAD
from rag.index.milvus.rows import (
    LOOSE,
    document_row,
    loose_row,
    number_at,
    passage_rows,
    skipped_row,
)
from rag.index.milvus.schema import SPACE_FIELDS
from rag.index.milvus.survey import note_name
from rag.text.folding import REVISION
from rag.types import DocumentId

if TYPE_CHECKING:
    from rag.index.writer.renewal import Renew


class MilvusWriter(MilvusChanges):
    """As `IndexWriter`; for one thread at a time."""

    def __init__(
        self,
        engine: Engine,
        index: str,
        facts: Facts,
        confirm: Callable[[], None],
        put_first: Callable[[str, Space], tuple[str, Facts]] | None = None,
    ) -> None:
        """`confirm` is asked before every commit, and raises where this writer may write no more.

        `put_first` puts a space of a set of collections in the place of the first one; it returns the set that stands then.
        """
        super().__init__(engine, index, facts)
        self._confirm, self._put_first = confirm, put_first

    def renew(self, fingerprint: object, vectors: Renew | None) -> tuple[int, int] | None:
        """None where the rules for words are current; else IndexFailure: a database is not analysed anew in place."""
        if self._folding == REVISION and vectors is None:
            return None
        raise IndexFailure(
            f"{self._engine.address.shown} was made by older rules for words, and cannot be brought up to date in place",
            remedy="read its folders anew: rag index --rebuild",
        )

    def put_space_first(self, space: Space) -> None:
        """Puts a further space in the place of the first one, and commits. IndexFailure where it lacks a content's vector.

        Every row is copied to another set of collections, which then takes the place of this one. StorageFailed, IndexLocked.
        """
        self.commit()
        if lacking := len(self.spaces.missing(space)):
            raise IndexFailure(f"{lacking} contents have no vector in {space.name} yet", remedy="fill it first: rag index")
        assert self._put_first is not None, "a writer of one set of collections exchanges none"
        super().__init__(self._engine, *self._put_first(self._index, space))

    # ---- commit ---------------------------------------------------------------------------------

    @uninterruptible()
    def commit(self) -> int:
        """Makes all changes visible, each document at once; returns the generation. Does nothing where nothing changed.

        StorageFailed: what was written before it stays, and no document is half visible. IndexLocked where another run has got
        the lease meanwhile: nothing is written.
        """
        self._insert_complete()
        for changed in (self.pictures.changed, self.memory.changed):
            self._changed |= changed
        self._forgotten |= self.pictures.forgotten
        documents = [*self._ready, *self._skipped, *self._removed]
        if not (documents or self._changed or self._forgotten or self._vectors.fresh or self.spaces.is_changed):
            return self.generation
        self._confirm()
        again = {note_name(document) for document in documents} & self._reread  # their new rows say when they were read
        for name in again:
            self._changed.pop((REREAD, name), None)
        begun = later_generation(self.generation)
        self._notes.write({**self._changed, (FACT, "begun"): str(begun)})
        changes, seen, holding = self._gather(documents)
        commit_changes(self._engine, self._index, changes, seen)
        self._vectors.deleted(owners_that_end(changes, seen))
        self._vectors.written(holding)
        self.spaces.write()
        self._notes.forget(sorted(self._forgotten | {(REREAD, name) for name in again}))
        self._reread -= again
        self.generation = begun
        self._notes.write({(FACT, "generation"): str(self.generation)})
        self._forget_written()
        return self.generation

    def _gather(self, documents: Sequence[DocumentId]) -> tuple[Changes, dict[str, str], list[tuple[bytes, str]]]:
        """What the commit writes, the versions that it replaces, and the rows that hold each key then.

        The rows of passages are made while they are sent, and with them the rows of their documents and what holds each key.
        """
        holding: list[tuple[bytes, str]] = []
        seen = seen_versions(self._engine, self._index, [document_key(each) for each in documents])
        wanted = {key for staged in self._ready.values() for _, key in staged.passages}
        known = {key.hex() for key in wanted - self._vectors.fresh.keys()}  # a further model may have vectors of these
        written: list[Row] = []
        awaited = {key for each in self._waiting.ids() if (one := self._waiting.get(each)) for _, key in one.passages}
        saved = awaited & self._vectors.held_by(f"{key}-{version}" for key, version in seen.items())
        vectors = self._vectors.read(wanted | saved)
        loose = {key: vectors[key] for key in saved - wanted}
        loose |= {key: vector for key, vector in self._vectors.fresh.items() if key not in wanted}
        changes = Changes(removed=list(self._removed), begun=max(self._next_number, number_at(now())))
        changes.documents = [skipped_row(document, reason) for document, reason in self._skipped.values()]
        changes.spent = [f"{LOOSE}{key.hex()}" for key in wanted if self._vectors.is_loose(key)]
        changes.passages = self._passage_rows(vectors, loose, changes, holding)
        changes.spaces = self.spaces.collections()
        if changes.spaces:
            changes.passages = _noted(changes.passages, known, written)
            changes.followed = lambda: self.spaces.follow(written)
        return changes, seen, holding

    def _passage_rows(
        self,
        vectors: Mapping[bytes, NDArray[np.float16]],
        loose: Mapping[bytes, NDArray[np.float16]],
        changes: Changes,
        holding: list[tuple[bytes, str]],
    ) -> Iterator[Row]:
        """The rows of passages and of loose vectors; adds the rows of their documents, and what holds each key."""
        number, cut = changes.begun, 0
        for key, vector in loose.items():
            yield loose_row(key, vector, number)
            holding.append((key, f"{LOOSE}{key.hex()}"))
        for staged in self._ready.values():
            version, rows, too_full = passage_rows(staged)
            cut += too_full
            for row in rows:
                key = bytes.fromhex(row["vkey"])
                row["vector"], row["number"] = vectors[key], number
                yield row
                holding.append((key, row["key"]))
                number += 1
            changes.documents.append(document_row(staged, version))
        self._next_number = number
        if cut:
            self.remarks.append(
                f"{cut} passages have more words than Milvus indexes of one row: the last of them are not searched"
            )

    def _forget_written(self) -> None:
        for written in (self._changed, self.pictures.changed, self.memory.changed, self._ready, self._skipped, self._removed):
            written.clear()
        self._forgotten.clear()
        self.pictures.forgotten.clear()
        self.settled_documents = self.settled_passages = 0


def _noted(passages: Iterable[Row], known: Set[str], written: list[Row]) -> Iterator[Row]:
    """The rows as they are; what a further space keeps of those whose content is `known` is added to `written`."""
    for row in passages:
        if row.get("vkey") in known and row["document"]:
            written.append({name: row[name] for name in SPACE_FIELDS})
        yield row
