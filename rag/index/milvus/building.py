"""Says that vectors are being put under another kind of index, in a note that searches look at when they fail meanwhile.

Knows the note and the lease; knows no collection. Milvus has one index a field, and takes a collection out of memory for another.
Throughout, `notes` are those of the set of collections, `leases` those that hold the lease of the index.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace

from rag.errors import IndexBuilding, IndexFailure
from rag.index.catalog.spaces import FIRST
from rag.index.milvus.engine import NEWEST, now
from rag.index.milvus.lease import is_held
from rag.index.milvus.notes import FACT, Notes, listed

BUILDING = "building"
AFTERWARDS = 60.0  # seconds: a search that failed shortly before the end looks at the note after it


@dataclass(frozen=True, slots=True)
class Building:
    """One change of the kind; it goes on, or was broken off, where `ended` is None. Times in seconds since the epoch."""

    kind: str
    rows: int
    begun: float
    ended: float | None = None
    space: int = FIRST  # whose vectors they are

    @classmethod
    def of(cls, notes: Notes) -> Building | None:
        """The last change; None where there was none."""
        found = listed(notes.read(FACT, BUILDING, NEWEST))
        return None if found is None else cls(**found)

    def write(self, notes: Notes) -> None:
        """Writes the note. StorageFailed."""
        notes.write({(FACT, BUILDING): json.dumps(asdict(self))})

    def end(self, notes: Notes) -> None:
        """Writes that it has ended. StorageFailed."""
        replace(self, ended=now()).write(notes)


def broken_off(notes: Notes) -> Building | None:
    """A change that did not end: it was broken off, where who asks holds the lease."""
    found = Building.of(notes)
    return found if found is not None and found.ended is None else None


def refuse_while_building(notes: Notes, leases: Notes, place: str) -> None:
    """IndexBuilding while the kind is changed; IndexFailure where that was broken off."""
    if broken_off(notes) is not None and (reason := _reason(notes, leases, place)) is not None:
        raise reason


@contextmanager
def explaining(notes: Notes, leases: Notes, place: str) -> Iterator[None]:
    """Where Milvus cannot answer because the kind is changed, raises what `refuse_while_building` raises."""
    try:
        yield
    except IndexFailure as error:
        reason = None
        if type(error) is IndexFailure:  # of the engine: those of ours say more
            with suppress(IndexFailure):
                reason = _reason(notes, leases, place)
        if reason is None:
            raise
        raise reason from error


def _reason(notes: Notes, leases: Notes, place: str) -> IndexFailure | None:
    found = Building.of(notes)
    if found is None or (found.ended is not None and found.ended + AFTERWARDS < now()):
        return None
    if found.ended is None and not is_held(leases):
        return IndexFailure(
            f"{place} cannot be searched: putting its vectors under an index of the kind {found.kind} was broken off",
            remedy=f"rag compact --index {place} completes it, and so does the next rag index",
        )
    since = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(found.begun))
    return IndexBuilding(place, f"its {found.rows:,} vectors are put under an index of the kind {found.kind}, since {since}")
