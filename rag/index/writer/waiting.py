"""The part of every writer that keeps documents until all of their vectors are there, wherever the index is kept.

Knows staged documents and keys; knows neither a catalog nor a database.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from rag.index.catalog.documents import IncompleteDocument, StagedDocument
from rag.index.files.uninterruptible import uninterruptible
from rag.index.writer.pending import PendingDocuments

if TYPE_CHECKING:
    from rag.index.writing import PictureTexts
    from rag.types import Vectors


class WaitingDocuments(ABC):
    """What `IndexWriter` says of vectors. A kind of writer says which are known, keeps new ones, and takes complete documents."""

    pictures: PictureTexts

    def __init__(self) -> None:
        self._waiting = PendingDocuments()
        self.remarks: list[str] = []  # for people: problems that did not prevent a commit
        self.settled_documents = self.settled_passages = 0  # since the last commit

    @abstractmethod
    def known(self, keys: Sequence[bytes]) -> set[bytes]:
        """The keys that have a vector, committed or pending."""

    @abstractmethod
    def _keep_vectors(self, keys: Sequence[bytes], vectors: Vectors) -> None: ...

    @abstractmethod
    def _insert(self, staged: StagedDocument) -> None: ...

    @uninterruptible()
    def put_vectors(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        """Keeps a vector for each key, float32 (keys, dim); a key that has one already keeps it. BackendError.

        Documents that become complete go into the next commit.
        """
        self._keep_vectors(keys, vectors)
        for staged in self._waiting.vectors_arrived(keys):
            self._insert(staged)

    @uninterruptible()
    def give_up_vectors(self, keys: AbstractSet[bytes]) -> list[IncompleteDocument]:
        """Removes the passages of these keys, whose vectors cannot be made, from the documents that wait for them; returns those.

        The rest of a document is committed without stamp and digest, so that the next run tries it again; a document with no
        passages left is dropped.
        """
        return self._waiting.give_up(keys)

    @property
    def waiting_documents(self) -> int:
        """The number of documents that lack vectors."""
        return len(self._waiting)

    @uninterruptible()
    def give_up_waiting(self) -> int:
        """Drops the documents whose vectors have not arrived, and the captions they gave; returns their number."""
        self._insert_complete()
        count = len(self._waiting)
        for document in self._waiting.ids():
            self.pictures.put_captions(document.root, document.path, [])
            self._waiting.pop(document)
        return count

    def _missing(self, staged: StagedDocument) -> set[bytes]:
        """The keys of a document that have no vector."""
        keys = [key for _, key in staged.passages]
        return set(keys) - self.known(keys)

    def _insert_or_wait(self, staged: StagedDocument, missing: AbstractSet[bytes]) -> None:
        """Takes a document that misses no vector; else it waits for these."""
        if missing:
            self._waiting.add(staged, missing)
        else:
            self._insert(staged)

    def _insert_complete(self) -> None:
        for staged in self._waiting.complete():
            self._insert(staged)

    def _stop_waiting(self, documents: Iterable[StagedDocument]) -> None:
        """These documents are in the next commit."""
        for staged in documents:
            self._waiting.pop(staged.document.id)
            self.settled_documents += 1
            self.settled_passages += len(staged.passages)
