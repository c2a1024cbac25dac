"""Where a list ends: candidates that are no match are dropped, and it is said whether the best is a good one.

Knows the scores of candidates, and which were measured; knows no index, no order and no hit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rag.backends.base import Embedder, Reranker, capabilities_of
from rag.search.candidates import CandidateSet
from rag.search.grouping import Scored
from rag.search.reranking import Judged
from rag.types import KINDS, Kind, Query, StoredPassage

GOOD_FROM = {"lite": 0.25}  # rerank score: below it the lite reranker matched only some of the words
OTHERS_GOOD_FROM = 0.3  # a probability of "yes"; a cautious guess, not measured: the setting `good_from` overrides both
SURE_FROM = 1 / 3  # evidence of the best candidate: on three judged collections 95 % of their own queries have more, and of
# those that belong to another collection 95 % have less
FAINT = 0.12  # certainty of a cosine, without any word of the query: hashed words that meet by chance have less


def seen_by(embedder: Embedder, query: Query) -> frozenset[Kind]:
    """The kinds that can match the query by what their pixels show."""
    names_looks = capabilities_of(embedder).names_looks
    if query.content.pixels or names_looks is None or names_looks(query.words):
        return frozenset(KINDS) - {"text", "page"}
    return frozenset()


def drop_faint(judged: Sequence[Judged], shares: Mapping[int, float], seen: frozenset[Kind]) -> list[Judged]:
    """The candidates without those that a measured embedder takes for noise: no word of the query, and no cosine to speak of.

    Kinds that are `seen` to match are kept: colours have small cosines.
    """
    return [
        one
        for one in judged
        if one.candidate.evidence >= FAINT
        or one.candidate.number in shares
        or one.candidate.kind in seen
        or (one.rerank_score is not None and one.score > 0)
    ]


def drop_low(
    judged: Sequence[Judged],
    present: Mapping[int, StoredPassage],
    least: float,
    keeps: Callable[[Judged], bool],
    *,
    drop_zero: bool,
) -> list[Scored]:
    """The candidates that score at least `least`, best first. What `keeps` finds nothing in is dropped if any other scores.

    With `drop_zero` it is always dropped: a model that compares words has nothing else to go by.
    """
    enough = [one for one in judged if one.score >= least]
    if drop_zero or (enough and enough[0].score > 0):
        enough = [one for one in enough if keeps(one)]
    return [Scored(present[one.candidate.number], one.score) for one in enough]


def has_something(one: Judged) -> bool:
    """Whether it has anything in common with the query; a fused score of 0 says only that all others have more."""
    return one.score > 0 or (one.rerank_score is None and one.candidate.evidence > 0)


def countable(found: CandidateSet) -> Callable[[Judged], bool]:
    """The same for whole lists, whose counts must not depend on what else was found: a fused score does."""

    def counts(one: Judged) -> bool:
        if one.rerank_score is None:
            return one.candidate.evidence > 0 or found.similarity(one.candidate.number) > 0
        return one.score > 0

    return counts


def is_good(best: Sequence[float | None], reranker: Reranker | None, good_from: float | str, sure: float | None) -> bool | None:
    """Whether the best is a good match: by the rerank scores of the best, else by the surest evidence of a first stage."""
    if not best:
        return False
    if reranker is None:
        return None if sure is None else sure >= (SURE_FROM if isinstance(good_from, str) else good_from)
    judged = [score for score in best if score is not None]
    least = GOOD_FROM.get(reranker.name, OTHERS_GOOD_FROM) if isinstance(good_from, str) else good_from
    return max(judged) >= least if judged else None
