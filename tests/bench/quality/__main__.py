"""`make bench-quality DIR=…`: the collections of a folder and the samples, every stage beside three baselines, as Markdown.

Knows the order and the table; knows no ranking.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.config import load_settings
from rag.evaluation.judged import JudgedSet, Run, Values, names_of, qrels_of
from rag.evaluation.measures import means_of, values_of
from rag.evaluation.ranking import DEPTH, rank_all
from rag.evaluation.significance import compare
from rag.search.searcher import Searcher
from tests.bench.quality.baselines import BASELINES, tokens
from tests.bench.quality.judged_sets import Indexed, documents_of, indexed_samples, indexed_set, sets_of, texts_of

MEASURES = ("nDCG@10", "R@100")
SLACK = 0.005  # how much worse a stage may be than the one before it, and the hits than the best baseline


@dataclass(frozen=True)
class Measured:
    """The values of every baseline and stage on one set."""

    name: str
    queries: Sequence[str]  # ids, in the order of the set
    values: Mapping[str, Values]


def measured(one: Indexed) -> Measured:
    """Ranks a set with every baseline and with every stage."""
    judged = one.judged
    with Searcher(one.index, load_settings({"top_k": DEPTH})) as searcher:
        runs: dict[str, Run] = _baseline_runs(judged, searcher)
        started = time.process_time()
        runs |= rank_all(searcher, judged)
        took = (time.process_time() - started) / len(judged.queries)
    qrels = qrels_of(judged)
    made = f"index made in {one.seconds:.0f} s" if one.seconds else "index kept"
    print(f"{judged.name}: {len(qrels)} queries, {made}, {took * 1000:.0f} ms of processor time a query", file=sys.stderr)
    return Measured(judged.name, list(qrels), {name: values_of(qrels, run, MEASURES) for name, run in runs.items()})


def _baseline_runs(judged: JudgedSet, searcher: Searcher) -> dict[str, Run]:
    places, texts = zip(*(documents_of(judged) if judged.documents else texts_of(searcher)), strict=True)
    split = [tokens(text) for text in texts]
    runs: dict[str, Run] = {}
    for name, make in BASELINES.items():
        rank = make(split)
        runs[name] = {
            query.id: names_of(judged, query, (places[at] for at in rank(query.words)))
            for query in judged.queries
            if query.is_answerable
        }
    return runs


def table(found: Sequence[Measured], measure: str, kept: slice) -> None:
    """One row a set: the baselines, the stages; what misses a bound is bold."""
    names = list(found[0].values)
    print(f"| {measure} | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    sums = dict.fromkeys(names, 0.0)
    for one in found:
        queries = one.queries[kept]
        means = {name: means_of(values, queries)[measure] for name, values in one.values.items()}
        missed = misses(means)
        cells = [f"**{value:.3f}**" if name in missed else f"{value:.3f}" for name, value in means.items()]
        print(f"| {one.name} ({len(queries)}) | {' | '.join(cells)} |")
        sums = {name: sums[name] + value for name, value in means.items()}
    if len(found) > 1:
        print(f"| mean of {len(found)} | {' | '.join(f'{value / len(found):.3f}' for value in sums.values())} |")


def misses(means: Mapping[str, float]) -> set[str]:
    """The stages that are worse than they may be: than the better lane, than the fused order, than the best baseline."""
    missed = set()
    if means["fused"] < max(means["dense"], means["lexical"]) - SLACK:
        missed.add("fused")
    if means["hits"] < max(means["fused"], *(means[name] for name in BASELINES)) - SLACK:
        missed.add("hits")
    return missed


def main(folder: Path) -> None:
    """All tables. Constants are chosen on the queries at even places (from 0), so the odd ones stand apart."""
    found = [measured(indexed_set(path)) for path in sets_of(folder)]
    samples = measured(indexed_samples())
    for measure in MEASURES:
        for title, kept in (("all queries", slice(None)), ("the odd queries", slice(1, None, 2))):
            print(f"\n{title}\n")
            table(found, measure, kept)
    print("\nsamples, all kinds of files; baselines are given the words that the index holds of each passage\n")
    table([samples], MEASURES[0], slice(None))
    print()
    for one in found:
        best = max(BASELINES, key=lambda name: means_of(one.values[name], one.queries)[MEASURES[0]])
        tested = compare(one.values["hits"][MEASURES[0]], one.values[best][MEASURES[0]])
        print(f"{one.name}: hits against {best} {tested.difference:+.3f}, p = {tested.p:.3f}")


if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
    raise SystemExit("name a folder of judged collections: make bench-quality DIR=/path/to/collections")
main(Path(sys.argv[1]))
