"""Puts the places of one document under the best of them, so that the first hits are not all one document.

Knows ranked results; knows no index, no model and no file.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

from rag.search.dedup import DuplicateGroup
from rag.search.grouping import Group, Scored

LISTED = 0.5  # of the best score: a place with less is left out under its document, as it would come far down the list


def by_document(results: Sequence[DuplicateGroup]) -> list[DuplicateGroup]:
    """One result for each document, in the order of their best places; a file inside another is a document of its own.

    The members of a result are the places of the document that score at least half of its best, in document order, and what
    repeats any of them is folded under it. Its locator stays that of the best place.
    """
    found: dict[Hashable, list[DuplicateGroup]] = {}
    for one in results:
        stored = one.shown.best.stored
        found.setdefault((stored.index, stored.passage.document, stored.passage.inner), []).append(one)
    return [_joined(places) for places in found.values()]


def _joined(places: Sequence[DuplicateGroup]) -> DuplicateGroup:
    first = places[0]
    kept = [first, *(one for one in places[1:] if one.shown.best.score >= LISTED * first.shown.best.score)]
    if len(kept) == 1:
        return first
    members: list[Scored] = [member for one in kept for member in one.shown.members]
    members.sort(key=lambda one: one.stored.passage.ordinal)
    others: list[Group] = [other for one in kept for other in one.others]
    return replace(first, shown=replace(first.shown, members=tuple(members)), others=tuple(others))
