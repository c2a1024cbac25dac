"""Documents that wait for vectors, each with the keys that it lacks: the last one that comes sets it free.

Knows arrivals and keys; knows no catalog and no vectors' values.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace

from rag.index.catalog.documents import IncompleteDocument, StagedDocument, TwinDocument
from rag.types import DocumentId


class PendingDocuments:
    """By the ids of the documents, in the order they came."""

    def __init__(self) -> None:
        self._staged: dict[DocumentId, StagedDocument] = {}
        self._missing: dict[DocumentId, set[bytes]] = {}  # by the same ids
        self._waiting_for: dict[bytes, set[DocumentId]] = {}  # the other way round
        self._newest_by_content: dict[tuple[bytes, str], DocumentId] = {}  # by digest and loader: the last that came

    def __len__(self) -> int:
        return len(self._staged)

    def __contains__(self, identity: DocumentId) -> bool:
        return identity in self._staged

    def get(self, identity: DocumentId) -> StagedDocument | None:
        """The arrival of that document."""
        return self._staged.get(identity)

    def ids(self) -> list[DocumentId]:
        """All that wait."""
        return list(self._staged)

    def add(self, staged: StagedDocument, missing: Iterable[bytes]) -> None:
        """Takes a document that lacks the vectors of these keys, in place of an older version."""
        identity = staged.document.id
        self.pop(identity)
        self._staged[identity] = staged
        self._missing[identity] = set(missing)
        for key in self._missing[identity]:
            self._waiting_for.setdefault(key, set()).add(identity)
        self._newest_by_content[staged.digest, staged.loader] = identity

    def pop(self, identity: DocumentId) -> StagedDocument | None:
        """Forgets a document; gives what waited, None where nothing did."""
        for key in self._missing.pop(identity, ()):
            self._waiting_for[key].discard(identity)
            if not self._waiting_for[key]:
                del self._waiting_for[key]
        found = self._staged.pop(identity, None)
        if found is not None and self._newest_by_content.get((found.digest, found.loader)) == identity:
            del self._newest_by_content[found.digest, found.loader]
        return found

    def vectors_arrived(self, keys: Iterable[bytes]) -> list[StagedDocument]:
        """Notes that these keys have vectors; gives the documents that lack nothing now, which wait until they are popped."""
        whole = []
        for key in keys:
            for identity in self._waiting_for.pop(key, ()):
                missing = self._missing[identity]
                missing.discard(key)
                if not missing:
                    whole.append(self._staged[identity])
        return whole

    def complete(self) -> list[StagedDocument]:
        """The documents that lack nothing."""
        return [self._staged[identity] for identity, missing in self._missing.items() if not missing]

    def clear_stamp(self, identity: DocumentId) -> None:
        """Makes a document count as changed in the next run, where it waits."""
        if staged := self._staged.get(identity):
            self._staged[identity] = replace(staged, document=replace(staged.document, stamp=""))

    def give_up(self, keys: AbstractSet[bytes]) -> list[IncompleteDocument]:
        """Takes the passages of these keys from the documents; one with nothing left waits no more."""
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
        """The last document that came with that digest, read that way, where it still waits."""
        staged = self._staged.get(self._newest_by_content.get((digest, loader), DocumentId("", "")))
        if staged is None or (staged.digest, staged.loader) != (digest, loader):
            return None
        return TwinDocument(staged.document.id, staged.loader, staged.document.caption, staged.passages)
