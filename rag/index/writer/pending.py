"""Keeps documents that wait for vectors, and reports each when the last of its vectors has arrived.

Knows staged documents and keys; knows no catalog and no vector values.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace

from rag.index.catalog.documents import IncompleteDocument, StagedDocument, TwinDocument
from rag.types import DocumentId


class PendingDocuments:
    """The waiting documents by id, in the order in which they were added."""

    def __init__(self) -> None:
        self._staged: dict[DocumentId, StagedDocument] = {}
        self._missing: dict[DocumentId, set[bytes]] = {}  # keys without a vector, by document
        self._waiting_for: dict[bytes, set[DocumentId]] = {}  # documents by missing key
        self._newest_by_content: dict[tuple[bytes, str], DocumentId] = {}  # the document added last, by digest and loader

    def __len__(self) -> int:
        return len(self._staged)

    def __contains__(self, identity: DocumentId) -> bool:
        return identity in self._staged

    def get(self, identity: DocumentId) -> StagedDocument | None:
        """The waiting document with that id; None where there is none."""
        return self._staged.get(identity)

    def ids(self) -> list[DocumentId]:
        """The ids of all waiting documents."""
        return list(self._staged)

    def add(self, staged: StagedDocument, missing: Iterable[bytes]) -> None:
        """Adds a document that lacks the vectors of these keys, replacing an older version."""
        identity = staged.document.id
        self.pop(identity)
        self._staged[identity] = staged
        self._missing[identity] = set(missing)
        for key in self._missing[identity]:
            self._waiting_for.setdefault(key, set()).add(identity)
        self._newest_by_content[staged.digest, staged.loader] = identity

    def pop(self, identity: DocumentId) -> StagedDocument | None:
        """Removes and returns a document; None where it was not waiting."""
        for key in self._missing.pop(identity, ()):
            self._waiting_for[key].discard(identity)
            if not self._waiting_for[key]:
                del self._waiting_for[key]
        found = self._staged.pop(identity, None)
        if found is not None and self._newest_by_content.get((found.digest, found.loader)) == identity:
            del self._newest_by_content[found.digest, found.loader]
        return found

    def vectors_arrived(self, keys: Iterable[bytes]) -> list[StagedDocument]:
        """Records that these keys have vectors now. Returns the documents that are complete thereby; they stay until popped."""
        complete = []
        for key in keys:
            for identity in self._waiting_for.pop(key, ()):
                missing = self._missing[identity]
                missing.discard(key)
                if not missing:
                    complete.append(self._staged[identity])
        return complete

    def complete(self) -> list[StagedDocument]:
        """The documents that have all their vectors."""
        return [self._staged[identity] for identity, missing in self._missing.items() if not missing]

    def clear_stamp(self, identity: DocumentId) -> None:
        """Clears a waiting document's stamp, so that the next run reads it again."""
        if staged := self._staged.get(identity):
            self._staged[identity] = replace(staged, document=replace(staged.document, stamp=""))

    def give_up(self, keys: AbstractSet[bytes]) -> list[IncompleteDocument]:
        """Removes the passages of these keys from their documents, which are returned; a document with none left is dropped."""
        found = []
        for identity in {identity: None for key in keys for identity in sorted(self._waiting_for.get(key, ()), key=str)}:
            staged, missing = self._staged[identity], self._missing[identity]
            lost = tuple((passage, key) for passage, key in staged.passages if key in keys)
            left = tuple((passage, key) for passage, key in staged.passages if key not in keys)
            found.append(IncompleteDocument(staged.document, staged.digest, lost, whole=not left))
            self.pop(identity)
            if left:
                document = replace(staged.document, stamp="")
                self.add(replace(staged, document=document, digest=b"", passages=left), missing - keys)
        return found

    def twin(self, digest: bytes, loader: str) -> TwinDocument | None:
        """The document added last with that digest and loader, where it still waits."""
        staged = self._staged.get(self._newest_by_content.get((digest, loader), DocumentId("", "")))
        if staged is None or (staged.digest, staged.loader) != (digest, loader):
            return None
        return TwinDocument(staged.document.id, staged.loader, staged.document.caption, staged.passages)
