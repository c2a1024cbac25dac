"""The queries that were answered worst, with the rank of every relevant place in each stage.

Knows runs and judgements; knows no index and no terminal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.evaluation.judged import JudgedSet, Run, qrels_of
from rag.evaluation.measures import LEADING, values_of


@dataclass(frozen=True, slots=True)
class RelevantPlace:
    """A relevant place, its grade, and its rank from 1 in each stage; None where the stage did not find it."""

    name: str
    grade: int
    ranks: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class WorstQuery:
    """A query, the value of its hits, that of what it is compared with, and where its answers stand."""

    id: str
    words: str
    value: float
    other: float | None
    places: tuple[RelevantPlace, ...]
    first: str  # the name of what stands first instead; "" for nothing


def worst_queries(judged: JudgedSet, runs: Mapping[str, Run], count: int, against: Run | None = None) -> list[WorstQuery]:
    """The `count` queries with the lowest nDCG@10 of their hits, or with the largest loss `against` another run of hits."""
    qrels = qrels_of(judged)
    ours = values_of(qrels, runs["hits"], [LEADING])[LEADING]
    theirs = None if against is None else values_of(qrels, against, [LEADING])[LEADING]
    words = {query.id: query.words or f"picture {query.image}" for query in judged.queries}
    order = sorted(qrels, key=lambda query: ours[query] - (theirs[query] if theirs else 0.0))
    if theirs is not None:
        order = [query for query in order if ours[query] < theirs[query]]
    return [
        WorstQuery(
            query,
            words[query],
            ours[query],
            theirs[query] if theirs else None,
            tuple(
                RelevantPlace(name, grade, {stage: _rank(run.get(query, ()), name) for stage, run in runs.items()})
                for name, grade in sorted(qrels[query].items(), key=lambda one: -one[1])
                if grade > 0
            ),
            next(iter(runs["hits"].get(query, ())), ""),
        )
        for query in order[:count]
    ]


def _rank(names: Sequence[str], name: str) -> int | None:
    return names.index(name) + 1 if name in names else None
