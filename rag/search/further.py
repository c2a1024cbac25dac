"""Reads the passages of further results of a page, and gives them the form of ranked ones.

Knows an index and the forms of the read path; knows no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rag.errors import MovedOn
from rag.search.candidates import without_deleted
from rag.search.dedup import DuplicateGroup
from rag.search.fusion import Candidate
from rag.search.grouping import Group, Scored
from rag.search.listing import FurtherResult
from rag.search.reranking import Judged
from rag.types import Lane, LaneRank, StoredPassage

if TYPE_CHECKING:
    from rag.index.room import Searchable

DECIDED = "its lexical score alone: it came after the candidates that were ranked"


class FurtherPassage(NamedTuple):
    """A further result with its passage."""

    stored: StoredPassage
    result: FurtherResult


def read_further(index: Searchable, wanted: Sequence[FurtherResult], generations: Mapping[str, int]) -> dict[int, FurtherPassage]:
    """The passages by number, without those whose file is gone. MovedOn where the index has a newer commit than `generations`."""
    if not wanted:
        return {}
    with index.snapshot() as snapshot:
        if dict(snapshot.generations) != dict(generations):
            raise MovedOn(index.folder, min(generations.values()))
        found = without_deleted(snapshot.passages([one.outline.number for one in wanted]))
    results = {one.outline.number: one for one in wanted}
    return {stored.number: FurtherPassage(stored, results[stored.number]) for stored in found}


def as_judged(one: FurtherPassage) -> Judged:
    """The scores of a further result."""
    stored, result = one
    lanes: dict[Lane, LaneRank] = {"lexical": LaneRank(result.rank, result.lexical, result.share)}
    candidate = Candidate(stored.number, stored.passage.kind, lanes, result.score, result.share)
    return Judged(candidate, result.score, None, DECIDED)


def as_result(one: FurtherPassage) -> DuplicateGroup:
    """A further result as a result of one passage."""
    best = Scored(one.stored, one.result.score)
    return DuplicateGroup(Group(best, one.stored.passage.locator, (best,)), ())
