"""Fuses the lanes into one ranking, and chooses which candidates reach the reranker.

Knows ranks and kinds; knows no index, no model and no file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.types import Kind, Lane, LaneRank

K = 60  # the constant of reciprocal rank fusion (Cormack, Clarke, Büttcher, SIGIR 2009)
SHARE_EXPONENT = 1.5  # a lane that matches half of the query has 0.35 of its weight. On the samples 1 to 1.5 rank alike, 2 worse
WEIGHTS: Mapping[Lane, float] = {"dense": 1.0, "lexical": 1.0}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage found by a first stage: the lanes that found it, and its fused score, 0…1."""

    number: int
    kind: Kind
    lanes: Mapping[Lane, LaneRank]
    fused: float


def fuse(
    lanes: Mapping[Lane, Sequence[tuple[int, float]]],
    kinds: Mapping[int, Kind],
    wordless: frozenset[int],
    shares: Mapping[int, float] | None = None,
) -> list[Candidate]:
    """Weighted reciprocal rank fusion over the lanes that found anything, best first, scaled to 0…1.

        score(p) = Σ w(lane) · h(lane, p)^1.5 · (K + 1) / (K + rank(lane, p))  ÷  Σ w(lane) · h(lane)^1.5

    h(lane, p) is the share of the query that passage p matches: in the lexical lane the one in `shares` (the idf mass of the
    words it matches over that of all query words), in the dense lane 1; h(lane) is the largest in the lane. So rank 1 in every
    lane, with all the words, gives 1; a lane that matched only common words has little weight, and one that found nothing none.
    A lane that did not find p adds nothing, with one exception: the lexical lane cannot find a `wordless` passage (a photo), so
    that counts there with the better of its ranks, and with h(lane).
    The score never falls when a rank improves. Passages that a lane scores equally share the better rank, so that copies of one
    text are equal, whichever was indexed first. Ties of the fused score are in the order of passage numbers.
    """
    shares = shares or {}
    active = [lane for lane, found in lanes.items() if found]
    ranks: dict[int, dict[Lane, LaneRank]] = {}
    most: dict[Lane, float] = {}
    for lane in active:
        rank, before = 0, None
        for place, (number, score) in enumerate(lanes[lane], start=1):
            rank, before = (rank, before) if score == before else (place, score)
            share = shares.get(number, 1.0) if lane == "lexical" else 1.0
            ranks.setdefault(number, {})[lane] = LaneRank(rank, score, share)
            most[lane] = max(most.get(lane, 0.0), share)
    total = sum(WEIGHTS[lane] * most[lane] ** SHARE_EXPONENT for lane in active) or 1.0
    candidates = []
    for number, found in ranks.items():
        best = min(place.rank for place in found.values())
        score = 0.0
        for lane in active:
            if lane == "lexical" and number in wordless:
                score += WEIGHTS[lane] * most[lane] ** SHARE_EXPONENT * (K + 1) / (K + best)
            elif lane in found:
                score += WEIGHTS[lane] * found[lane].share ** SHARE_EXPONENT * (K + 1) / (K + found[lane].rank)
        candidates.append(Candidate(number, kinds[number], found, min(1.0, score / total)))
    return sorted(candidates, key=lambda candidate: (-candidate.fused, candidate.number))


def choose(candidates: Sequence[Candidate], count: int, promised: int) -> list[Candidate]:
    """The `count` candidates that reach the reranker, in order: the best `promised` of each kind, the rest by score.

    Otherwise the largest kind could fill every place. If `count` is too small for all promises, each kind gets an equal part.
    """
    kinds = {candidate.kind for candidate in candidates}
    share = min(promised, count // max(len(kinds), 1))
    taken: Counter[Kind] = Counter()
    kept: set[int] = set()
    for candidate in candidates:
        if taken[candidate.kind] < share:
            taken[candidate.kind] += 1
            kept.add(candidate.number)
    for candidate in candidates:
        if len(kept) >= count:
            break
        kept.add(candidate.number)
    return [candidate for candidate in candidates if candidate.number in kept]
