"""Reads what an index in Milvus knows of its documents: for a plan, which writes nothing, and for a run.

Knows rows of documents and notes; knows no walk and no vectors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Set
from functools import cached_property

from rag.corpus.composed_paths import composed
from rag.index.catalog.reader_versions import UNREAD, family_of_loader, is_outdated
from rag.index.catalog.row_codec import to_bytes
from rag.index.milvus.engine import NEWEST, Engine
from rag.index.milvus.facts import Facts
from rag.index.milvus.names import both, document_key, from_field, to_field
from rag.index.milvus.notes import FACT, REREAD, Notes, listed
from rag.index.milvus.rows import identity, more_of
from rag.index.milvus.schema import DOCUMENTS, collection
from rag.location import Location
from rag.types import DocumentId

LOADERS = "loaders"  # the fact with the versions of loaders that were the newest at the last run


def note_name(document: DocumentId) -> str:
    """The name of a note on a document, however its accents are composed."""
    return f"{document.root}\0{composed(document.path)}"


def read_stamps(engine: Engine, index: str, root: str, under: str, to_read: Set[str]) -> dict[DocumentId, str]:
    """The stamp of every document of a root, or of a file or folder of it; "" of those that are `to_read` again, by note name."""
    folder = under.rstrip("/")
    begins = f'path == "{to_field(folder)}" or path like "{to_field(folder)}/%"' if folder else ""
    asked = both(f'root == "{to_field(root)}"', begins)
    found = {}
    for row in engine.every(collection(index, DOCUMENTS), asked, ("root", "path", "stamp"), NEWEST, 10_000):
        document = identity(row)
        found[document] = "" if note_name(document) in to_read else row["stamp"]
    return found


def noted_to_read(notes: Notes) -> set[str]:
    """The documents that are to be read again whatever their stamps say, by note name."""
    return {from_field(name) for name in notes.all_of(REREAD, NEWEST)}


class MilvusSurvey:
    """As `Survey`."""

    def __init__(self, engine: Engine, index: str, facts: Facts) -> None:
        self.roots: Mapping[str, Location] = facts.roots
        self._engine, self._index, self._notes = engine, index, Notes(engine, index)

    @cached_property
    def _to_read(self) -> set[str]:
        return noted_to_read(self._notes)

    def stamps(self, root: str, under: str = "") -> Iterator[tuple[str, str]]:
        """As `Survey.stamps`."""
        found = read_stamps(self._engine, self._index, root, under, self._to_read)
        return iter(sorted(((document.path, stamp) for document, stamp in found.items()), key=lambda one: to_bytes(one[0])))

    def digest(self, document: DocumentId) -> bytes | None:
        """As `Survey.digest`."""
        rows = self._engine.get(collection(self._index, DOCUMENTS), [document_key(document)], ("digest",), NEWEST)
        return bytes.fromhex(rows[0]["digest"]) or None if rows else None

    def outdated(self, versions: Mapping[str, int]) -> Counter[str]:
        """As `Survey.outdated`: nothing where the last run had these versions already."""
        counts: Counter[str] = Counter()
        if listed(self._notes.read(FACT, LOADERS, NEWEST)) != dict(versions):
            for row in self._engine.every(collection(self._index, DOCUMENTS), "", ("loader", "skipped"), NEWEST):
                if row["skipped"] or is_outdated(row["loader"], versions):
                    counts[UNREAD if row["skipped"] else family_of_loader(row["loader"])] += 1
        return counts

    def passages_each(self, family_of: Callable[[str], str]) -> dict[str, float]:
        """As `Survey.passages_each`."""
        documents, passages = Counter[str](), Counter[str]()
        rows = self._engine.every(collection(self._index, DOCUMENTS), 'version != ""', ("root", "path", "more"), NEWEST)
        for row in rows:
            family = family_of(identity(row).path)
            documents[family] += 1
            passages[family] += sum(more_of(row)["kinds"].values())
        return {family: passages[family] / count for family, count in documents.items()}
