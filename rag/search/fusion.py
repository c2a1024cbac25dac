"""Joins the lanes into one order, and chooses which candidates reach the reranker.

Knows ranks and kinds; knows no index, no model and no file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.types import Kind, Lane, LaneRank

K = 60  # the constant of reciprocal rank fusion (Cormack, Clarke, Büttcher, SIGIR 2009)
FADES = 1.5  # a lane that found half of the question has 0.35 of its say. On the samples 1 to 1.5 rank alike, and 2 worse
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
    """Weighted reciprocal rank fusion over the lanes that answered, best first, scaled to 0…1.

        score(p) = Σ w(lane) · h(lane, p)^1.5 · (K + 1) / (K + rank(lane, p))  ÷  Σ w(lane) · h(lane)^1.5

    h, how much of the question a passage holds, is its share in `shares` in the lexical lane (the idf mass of the words it
    matches over that of all words asked) and 1 in the dense one; h(lane) is the largest in the lane. So rank 1 in every lane,
    with all the words, gives 1; a lane that found only words everybody uses has next to no say, and one that found nothing none.
    A lane that does not hold p adds nothing, with one exception: a `wordless` passage (a photo) cannot be expected in the
    lexical lane, so it counts there as if it stood at the better of its ranks, with h(lane).
    The score never falls when a rank improves. Passages that a lane scores equally share the better rank: copies of one text are
    then equal, in whatever order they came into the index. Equal fused scores keep the order of the smaller number.
    """
    held = shares or {}
    asked = [lane for lane, found in lanes.items() if found]
    ranks: dict[int, dict[Lane, LaneRank]] = {}
    most: dict[Lane, float] = {}
    for lane in asked:
        rank, before = 0, None
        for place, (number, score) in enumerate(lanes[lane], start=1):
            rank, before = (rank, before) if score == before else (place, score)
            share = held.get(number, 1.0) if lane == "lexical" else 1.0
            ranks.setdefault(number, {})[lane] = LaneRank(rank, score, share)
            most[lane] = max(most.get(lane, 0.0), share)
    total = sum(WEIGHTS[lane] * most[lane] ** FADES for lane in asked) or 1.0
    candidates = []
    for number, seen in ranks.items():
        best = min(place.rank for place in seen.values())
        score = 0.0
        for lane in asked:
            if lane == "lexical" and number in wordless:
                score += WEIGHTS[lane] * most[lane] ** FADES * (K + 1) / (K + best)
            elif lane in seen:
                score += WEIGHTS[lane] * seen[lane].share ** FADES * (K + 1) / (K + seen[lane].rank)
        candidates.append(Candidate(number, kinds[number], seen, min(1.0, score / total)))
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
