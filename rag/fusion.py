"""Joins the lanes into one order, and chooses which candidates reach the reranker.

Knows ranks and kinds; knows no index, no model and no file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.types import Kind, Lane, LaneRank

K = 60  # the constant of reciprocal rank fusion (Cormack, Clarke, Büttcher, SIGIR 2009)
WEIGHTS: Mapping[Lane, float] = {"dense": 1.0, "lexical": 1.0}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage found by a first stage: the lanes that found it, and its fused score, 0…1."""

    number: int
    kind: Kind
    lanes: Mapping[Lane, LaneRank]
    fused: float


def fuse(
    lanes: Mapping[Lane, Sequence[tuple[int, float]]], kinds: Mapping[int, Kind], wordless: frozenset[int]
) -> list[Candidate]:
    """Weighted reciprocal rank fusion over the lanes that answered, best first, scaled to 0…1.

        score(p) = Σ w(lane) · (K + 1) / (K + rank(lane, p))  ÷  Σ w(lane)

    so that rank 1 in every lane gives 1. A lane that does not hold p adds nothing, with one exception: a `wordless` passage
    (a photo) cannot be expected in the lexical lane, so it counts there as if it stood at the better of its ranks.
    The score never falls when a rank improves. Equal scores keep the order of the smaller number.
    """
    asked = [lane for lane, found in lanes.items() if found]
    ranks: dict[int, dict[Lane, LaneRank]] = {}
    for lane in asked:
        for rank, (number, score) in enumerate(lanes[lane], start=1):
            ranks.setdefault(number, {})[lane] = LaneRank(rank, score)
    total = sum(WEIGHTS[lane] for lane in asked) or 1.0
    candidates = []
    for number, seen in ranks.items():
        best = min(place.rank for place in seen.values())
        score = 0.0
        for lane in asked:
            if lane == "lexical" and number in wordless:
                score += WEIGHTS[lane] * (K + 1) / (K + best)
            elif lane in seen:
                score += WEIGHTS[lane] * (K + 1) / (K + seen[lane].rank)
        candidates.append(Candidate(number, kinds[number], seen, score / total))
    return sorted(candidates, key=lambda candidate: (-candidate.fused, candidate.number))


def choose(candidates: Sequence[Candidate], count: int, promised: int) -> list[Candidate]:
    """The `count` candidates that reach the reranker, in order: each kind gets its best `promised` ones, the rest by score.

    Without it the largest modality fills every place. With fewer places than promises, each kind gets an equal part.
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
