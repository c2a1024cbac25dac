"""Finds what belongs to each hit: its own passages, and the passages around them in its document.

Knows open indexes and results; knows no tokens and no model.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.types import Hit, StoredPassage

if TYPE_CHECKING:
    from rag.index.room import Moment, OpenedIndex
    from rag.search.pipeline import Results

REACH = 2  # passages before and after the hit


@dataclass(frozen=True, slots=True)
class Lead:
    """A hit with what may become its source."""

    hit: Hit
    best: StoredPassage  # the passage it was found by
    own: tuple[StoredPassage, ...]  # all that it groups, in document order
    around: tuple[StoredPassage, ...] = ()  # texts before and after, the nearest first


def leads_of(results: Results, indexes: Mapping[str, OpenedIndex], reach: int = REACH) -> list[Lead]:
    """One lead for each hit, in the order of the hits. `indexes` by the name that hits have.

    Only texts have a surrounding: what is beside a picture is another picture, and frames near in time are grouped already.
    """
    found = {(stored.index, stored.id): stored for stored in results.candidates}
    with ExitStack() as stack:
        snapshots = {name: stack.enter_context(index.snapshot()) for name, index in indexes.items()}
        return [_lead(hit, found, snapshots.get(hit.index), reach) for hit in results.hits]


def _lead(hit: Hit, found: Mapping[tuple[str, str], StoredPassage], snapshot: Moment | None, reach: int) -> Lead:
    best = found[hit.index, hit.id]
    own = tuple(found[hit.index, member.id] for member in hit.members if (hit.index, member.id) in found) or (best,)
    if best.passage.modality != "text" or snapshot is None:
        return Lead(hit, best, own)
    inside = {one.id for one in own}
    around: dict[str, tuple[int, StoredPassage]] = {}
    for edge in {own[0].id, own[-1].id}:
        here = snapshot.by_id(edge)  # None if the file was indexed anew meanwhile
        for one in snapshot.neighbours(here.number, reach) if here else ():
            if one.id not in inside and _goes_on(best, one):
                distance = min(abs(one.passage.ordinal - each.passage.ordinal) for each in own)
                around[one.id] = (distance, one)
    nearest = sorted(around.values(), key=lambda one: (one[0], -one[1].passage.ordinal))  # of two as near, what follows
    return Lead(hit, best, own, tuple(stored for _, stored in nearest))


def _goes_on(best: StoredPassage, other: StoredPassage) -> bool:
    """Whether another passage of the document belongs to the same text."""
    return other.passage.modality == "text" and other.passage.inner == best.passage.inner
