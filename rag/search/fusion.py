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


@dataclass(frozen=True, slots=True)
class DenseLane:
    """What one vector space says of the candidates: cosines of those it has, how sure they are, and its weight."""

    name: str  # of the lane: "dense" for the first that is asked
    similarities: Mapping[int, float]  # of every candidate that has a vector there
    certainty: Callable[[float], float]
    weight: float | None  # beside 1 for the full text; None: `balance` reads it off the scores
    space: str = ""  # its name, where the index has several


def fuse(
    lanes: Mapping[Lane, Sequence[tuple[int, float]]],
    kinds: Mapping[int, Kind],
    wordless: frozenset[int],
    lexical: Mapping[int, float],
    shares: Mapping[int, float],
    spaces: Sequence[DenseLane],
) -> list[Candidate]:
    """The candidates by how sure each lane is of them, best first; scores 0…1.

        score(p) = c · (l(p) + Σ w · d(p)) / (1 + Σ w)  l(p) = b(p) / max b      d(p) = (s(p) − min s) / (max s − min s)

    The sums are over the vector `spaces`, usually one. w is the `weight` of a dense lane, measured for an embedder, or what
    `balance` reads off the scores. b is BM25, which `lexical` gives as b / (1 + b); s is the inner product with the query's
    vector. Both are known of every candidate, whichever lane found it. What cannot be known is not counted, above and below the
    line: a `wordless` passage (a photo) has no l, and where no candidate holds a word of the query, none has; a passage that
    lacks a vector in a space has no d there. c is the largest evidence of a candidate: the share of the query that it
    holds, or the `certainty` of an s. It keeps the order, and says how good the best is. Ties are in the order of passage
    numbers, so that copies of one text are equal, whichever was indexed first.
    """
    ranks: dict[int, dict[Lane, LaneRank]] = {}
    names = {each.name: each.space for each in spaces}
    for lane, found in lanes.items():
        rank, before = 0, None
        for place, (number, score) in enumerate(found, start=1):
            rank, before = (rank, before) if score == before else (place, score)
            share = shares.get(number, 1.0) if lane == "lexical" else 1.0
            ranks.setdefault(number, {})[lane] = LaneRank(rank, score, share, names.get(lane, ""))
    weights = {number: score / (1 - score) for number, score in lexical.items()}
    beside = [(number, weights.get(number, 0.0)) for number, _ in lanes["lexical"]]
    near = [(_weight_of(each, lanes[each.name], wordless, beside), _nearness(each.similarities)) for each in spaces]
    most = max(weights.values(), default=0.0)
    certain = {
        number: max(
            shares.get(number, 0.0),
            *(each.certainty(each.similarities[number]) for each in spaces if number in each.similarities),
            0.0,
        )
        for number in ranks
    }
    sure = max(certain.values(), default=0.0)
    candidates = []
    for number, found_by in ranks.items():
        word = weights.get(number, 0.0) / most if most > 0 and number not in wordless else None
        score = _mean(word, [(weight, close[number]) for weight, close in near if number in close])
        candidates.append(Candidate(number, kinds[number], found_by, sure * score, certain[number]))
    return sorted(candidates, key=lambda candidate: (-candidate.fused, candidate.number))


def _weight_of(
    lane: DenseLane, found: Sequence[tuple[int, float]], wordless: frozenset[int], lexical: Sequence[tuple[int, float]]
) -> float:
    """The weight of a dense lane beside 1 for the full text."""
    if lane.weight is not None:
        return lane.weight
    return balance([one for one in found if one[0] not in wordless][:LANE], lexical)


def _nearness(similarities: Mapping[int, float]) -> dict[int, float]:
    """d of every candidate that a space has, 0…1."""
    low, high = min(similarities.values(), default=0.0), max(similarities.values(), default=0.0)
    return {number: (one - low) / (high - low) if high > low else 1.0 for number, one in similarities.items()}


def _mean(word: float | None, near: Sequence[tuple[float, float]]) -> float:
    """The weighted mean of what is known: the word's share with weight 1, and (weight, nearness) of each space; 0 for nothing."""
    total = sum(weight for weight, _ in near)
    if word is not None:
        return (word + sum(weight * close for weight, close in near)) / (1 + total)
    if len(near) == 1 or not total:
        return near[0][1] if near else 0.0
    return sum(weight * close for weight, close in near) / total


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
