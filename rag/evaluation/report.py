"""Everything that `rag eval` reports: means by group and stage, values by query, failures, a comparison, the worst queries.

Knows runs and measures; knows no index and no terminal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.evaluation.judged import JudgedQuery, JudgedSet, Run, Values, qrels_of
from rag.evaluation.measures import groups_of, means_of, values_of
from rag.evaluation.significance import Comparison, compare
from rag.evaluation.trec import write_qrels, write_run
from rag.evaluation.worst import WorstQuery, worst_queries

FIRST = 5  # hits a person looks at: a query without a relevant one among them failed


@dataclass(frozen=True, slots=True)
class EvalReport:
    """Means by group, stage and measure; values by stage, measure and query; the rest where it was asked for."""

    judged: JudgedSet
    means: Mapping[str, Mapping[str, Mapping[str, float]]]
    values: Mapping[str, Values]
    failures: tuple[JudgedQuery, ...]
    against: Mapping[str, Mapping[str, Comparison]]  # by stage and measure
    worst: tuple[WorstQuery, ...]


def make_report(
    judged: JudgedSet,
    runs: Mapping[str, Run],
    measures: Sequence[str],
    theirs: Mapping[str, Run] | None = None,
    *,
    worst: int = 0,
) -> EvalReport:
    """Measures the runs, and compares them with `theirs` stage by stage. MissingExtra, and WrongRequest as `values_of`."""
    qrels = qrels_of(judged)
    values = {stage: values_of(qrels, run, measures) for stage, run in runs.items()}
    means = {
        group: {stage: means_of(values[stage], queries) | {"queries": len(queries)} for stage in runs}
        for group, queries in groups_of(judged).items()
    }
    compared: dict[str, dict[str, Comparison]] = {}
    for stage, run in (theirs or {}).items():
        other = values_of(qrels, run, measures)
        compared[stage] = {measure: compare(values[stage][measure], other[measure]) for measure in measures}
    first = {query: frozenset(names[:FIRST]) for query, names in runs["hits"].items()}
    failures = tuple(
        query
        for query in judged.queries
        if query.is_answerable and not any(name in first[query.id] for name, grade in qrels[query.id].items() if grade > 0)
    )
    lost = None if theirs is None else theirs.get("hits")
    return EvalReport(judged, means, values, failures, compared, tuple(worst_queries(judged, runs, worst, lost)))


def write_runs(folder: Path, judged: JudgedSet, runs: Mapping[str, Run]) -> None:
    """Writes `STAGE.run` for each stage and `qrels`, as trec_eval reads them: `trec_eval qrels hits.run`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_qrels(folder / "qrels", qrels_of(judged))
    for stage, run in runs.items():
        write_run(folder / f"{stage}.run", run, f"rag-{stage}")
