"""The commit rule: passages first, then the document's one row, then what that row named before.

Knows rows and their order; knows no run. A kill between any two steps leaves every document as it was or as it is to be.

    1  upsert the passages of the new version     nobody sees them: no document names that version; with them go the vectors
                                                  that further models have of their contents already
    2  upsert the document's row                  the commit point
    3  delete the passages of the version that was seen before, and of no other: two writers of one document would otherwise
       delete each other's passages. Not even those if they were written after that: another writer has brought the version
       back meanwhile. What nobody names is swept later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rag.index.milvus.engine import OWN, Engine, Row
from rag.index.milvus.names import among, both, document_key, either
from rag.index.milvus.schema import DOCUMENTS, PASSAGES, collection
from rag.types import DocumentId

_AT_ONCE = 50  # documents whose old passages one request deletes


@dataclass(slots=True)
class Changes:
    """What one commit writes."""

    passages: Iterable[Row] = ()  # may be made while they are sent, and add to `documents`
    documents: list[Row] = field(default_factory=list)  # their new rows
    removed: list[DocumentId] = field(default_factory=list)
    followed: Callable[[], Iterable[tuple[str, Iterable[Row]]]] = tuple  # of each further space: its collection, and its new rows
    spaces: Sequence[str] = ()  # collections of further spaces
    spent: list[str] = field(default_factory=list)  # keys of loose vectors that passages hold now
    begun: int = 0  # the number of a row that is written when this commit begins


def seen_versions(engine: Engine, index: str, keys: Sequence[str]) -> dict[str, str]:
    """The version that each of these documents names now; those without passages, or that do not exist, are left out."""
    found = engine.get(collection(index, DOCUMENTS), keys, ("key", "version"), OWN, 1_000)
    return {row["key"]: row["version"] for row in found if row["version"]}


def owners_that_end(changes: Changes, seen: Mapping[str, str]) -> set[str]:
    """The documents and versions whose passages the commit deletes, as the keys of their rows begin."""
    staying = {(row["key"], row["version"]) for row in changes.documents}
    ending = {row["key"] for row in changes.documents} | {document_key(each) for each in changes.removed}
    return {f"{key}-{seen[key]}" for key in ending & seen.keys() if (key, seen[key]) not in staying}


def commit_changes(engine: Engine, index: str, changes: Changes, seen: Mapping[str, str]) -> None:
    """Writes the changes by the rule above. StorageFailed; what was written before it stays, and none of it is half visible."""
    passages, documents = collection(index, PASSAGES), collection(index, DOCUMENTS)
    engine.upsert(passages, changes.passages)
    for space, new in changes.followed():
        engine.upsert(space, new)
    engine.upsert(documents, changes.documents)
    removed = [document_key(each) for each in changes.removed]
    for start in range(0, len(removed), 1_000):
        engine.delete(documents, among("key", removed[start : start + 1_000]))
    ended = sorted(owners_that_end(changes, seen))
    for start in range(0, len(ended), _AT_ONCE):
        pairs = (owner.split("-") for owner in ended[start : start + _AT_ONCE])
        owned = either([f'document == "{document}" and version == "{version}"' for document, version in pairs])
        for rows in (passages, *changes.spaces):
            engine.delete(rows, both(owned, f"number < {changes.begun}"))
    for start in range(0, len(changes.spent), 1_000):
        engine.delete(passages, among("key", changes.spent[start : start + 1_000]))
