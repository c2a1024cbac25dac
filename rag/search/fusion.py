"""Fuses the lanes into one ranking, and chooses which candidates reach the reranker.

Knows scores and kinds; knows no index, no model and no file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rag.search.balance import balance
from rag.types import Kind, Lane, LaneRank

K = 60  # the constant of reciprocal rank fusion (Cormack, Clarke, Büttcher, SIGIR 2009), for lists that share no score
LANE = 100  # passages of the dense lane whose scores are looked at: those beyond were promised to their kind


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage found by a first stage: the lanes that found it, and its fused score, 0…1."""

    number: int
    kind: Kind
    lanes: Mapping[Lane, LaneRank]
    fused: float
    evidence: float = 1.0  # how sure the surer lane is, 0…1: the share of the query it holds, or the certainty of its cosine


def fuse(
    lanes: Mapping[Lane, Sequence[tuple[int, float]]],
    kinds: Mapping[int, Kind],
    wordless: frozenset[int],
    similarities: Mapping[int, float],
    lexical: Mapping[int, float],
    shares: Mapping[int, float],
    certainty: Callable[[float], float],
    weight: float | None,
) -> list[Candidate]:
    """The candidates by how sure each lane is of them, best first; scores 0…1.

        score(p) = c · (l(p) + w · d(p)) / (1 + w)      l(p) = b(p) / max b      d(p) = (s(p) − min s) / (max s − min s)

    w is the `weight` of the dense lane, measured for an embedder, or what `balance` reads off the scores. b is BM25, which
    `lexical` gives as b / (1 + b); s is the inner product with the query's vector. Both are known of every candidate, whichever
    lane found it. What cannot be known is not counted: a `wordless` passage (a photo) has no l, and where no candidate holds a
    word of the query, none has; its score is c · d(p). c is the largest evidence of a candidate: the share of the query that it
    holds, or the `certainty` of its s. It keeps the order, and says how good the best is. Ties are in the order of passage
    numbers, so that copies of one text are equal, whichever was indexed first.
    """
    ranks: dict[int, dict[Lane, LaneRank]] = {}
    for lane, found in lanes.items():
        rank, before = 0, None
        for place, (number, score) in enumerate(found, start=1):
            rank, before = (rank, before) if score == before else (place, score)
            share = shares.get(number, 1.0) if lane == "lexical" else 1.0
            ranks.setdefault(number, {})[lane] = LaneRank(rank, score, share)
    weights = {number: score / (1 - score) for number, score in lexical.items()}
    if weight is None:
        worded = [one for one in lanes["dense"] if one[0] not in wordless][:LANE]
        weight = balance(worded, [(number, weights.get(number, 0.0)) for number, _ in lanes["lexical"]])
    most = max(weights.values(), default=0.0)
    low, high = min(similarities.values(), default=0.0), max(similarities.values(), default=0.0)
    certain = {number: max(shares.get(number, 0.0), certainty(similarities[number])) for number in ranks}
    sure = max(certain.values(), default=0.0)
    candidates = []
    for number, found_by in ranks.items():
        near = (similarities[number] - low) / (high - low) if high > low else 1.0
        known = most > 0 and number not in wordless
        score = (weights.get(number, 0.0) / most + weight * near) / (1 + weight) if known else near
        candidates.append(Candidate(number, kinds[number], found_by, sure * score, certain[number]))
    return sorted(candidates, key=lambda candidate: (-candidate.fused, candidate.number))


def cosine_itself(cosine: float) -> float:
    """The certainty of an embedder of which nothing was measured: its cosine, 0…1."""
    return min(1.0, max(0.0, cosine))


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
