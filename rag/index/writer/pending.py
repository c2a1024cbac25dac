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
        self._arrivals: dict[DocumentId, StagedDocument] = {}
        self._lacked: dict[DocumentId, set[bytes]] = {}  # by the same ids
        self._wanted: dict[bytes, set[DocumentId]] = {}  # the other way round
        self._last_as: dict[tuple[bytes, str], DocumentId] = {}  # by digest and loader: the last that came

    def __len__(self) -> int:
        return len(self._arrivals)

    def __contains__(self, identity: DocumentId) -> bool:
        return identity in self._arrivals

    def get(self, identity: DocumentId) -> StagedDocument | None:
        """The arrival of that document."""
        return self._arrivals.get(identity)

    def ids(self) -> list[DocumentId]:
        """All that wait."""
        return list(self._arrivals)

    def add(self, arrival: StagedDocument, lacked: Iterable[bytes]) -> None:
        """Takes a document that lacks the vectors of these keys, in place of an older version."""
        identity = arrival.document.id
        self.pop(identity)
        self._arrivals[identity] = arrival
        self._lacked[identity] = set(lacked)
        for key in self._lacked[identity]:
            self._wanted.setdefault(key, set()).add(identity)
        self._last_as[arrival.digest, arrival.loader] = identity

    def pop(self, identity: DocumentId) -> StagedDocument | None:
        """Forgets a document; gives what waited, None where nothing did."""
        for key in self._lacked.pop(identity, ()):
            self._wanted[key].discard(identity)
            if not self._wanted[key]:
                del self._wanted[key]
        found = self._arrivals.pop(identity, None)
        if found is not None and self._last_as.get((found.digest, found.loader)) == identity:
            del self._last_as[found.digest, found.loader]
        return found

    def came(self, keys: Iterable[bytes]) -> list[StagedDocument]:
        """Notes that these keys have vectors; gives the documents that lack nothing now, which wait until they are popped."""
        whole = []
        for key in keys:
            for identity in self._wanted.pop(key, ()):
                lacked = self._lacked[identity]
                lacked.discard(key)
                if not lacked:
                    whole.append(self._arrivals[identity])
        return whole

    def whole(self) -> list[StagedDocument]:
        """The documents that lack nothing."""
        return [self._arrivals[identity] for identity, lacked in self._lacked.items() if not lacked]

    def without_stamp(self, identity: DocumentId) -> None:
        """Makes a document count as changed in the next run, where it waits."""
        if arrival := self._arrivals.get(identity):
            self._arrivals[identity] = replace(arrival, document=replace(arrival.document, stamp=""))

    def give_up(self, keys: AbstractSet[bytes]) -> list[IncompleteDocument]:
        """Takes the passages of these keys from the documents; one with nothing left waits no more."""
        found = []
        for identity in {identity: None for key in keys for identity in sorted(self._wanted.get(key, ()), key=str)}:
            arrival, lacked = self._arrivals[identity], self._lacked[identity]
            lost = tuple((passage, key) for passage, key in arrival.passages if key in keys)
            left = tuple((passage, key) for passage, key in arrival.passages if key not in keys)
            found.append(IncompleteDocument(arrival.document, arrival.digest, lost, whole=not left))
            self.pop(identity)
            if left:
                document = replace(arrival.document, stamp="")
                self.add(replace(arrival, document=document, digest=b"", passages=left), lacked - keys)
        return found

    def twin(self, digest: bytes, loader: str) -> TwinDocument | None:
        """The last document that came with that digest, read that way, where it still waits."""
        arrival = self._arrivals.get(self._last_as.get((digest, loader), DocumentId("", "")))
        if arrival is None or (arrival.digest, arrival.loader) != (digest, loader):
            return None
        return TwinDocument(arrival.document.id, arrival.loader, arrival.document.caption, arrival.passages)
