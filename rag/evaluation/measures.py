"""The measures of runs: for each query, and their means over groups of queries.

Knows names of places and grades; `ir_measures` computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from rag.errors import MissingExtra, WrongRequest
from rag.evaluation.judged import JudgedSet, Qrels, Run, Values

MEASURES = ("Success@5", "nDCG@10", "R@10", "R@100", "RR")
LEADING = "nDCG@10"  # what ranks queries from worst to best


def require_measures() -> None:
    """Raises MissingExtra where ir-measures is not installed. Imports nothing."""
    if find_spec("ir_measures") is None:
        raise MissingExtra("ir-measures is not installed; `rag eval` needs it to compute the measures", "eval")


def check_measures(names: Sequence[str]) -> list[str]:
    """The names. WrongRequest for one that ir-measures does not know; MissingExtra where it is not installed."""
    require_measures()
    import ir_measures

    for name in names:
        try:
            ir_measures.parse_measure(name)
        except (NameError, ValueError, SyntaxError, TypeError, AttributeError) as error:
            raise WrongRequest(
                f"no measure is called {name!r}", remedy="as ir-measures names them: nDCG@10, R@100, AP, RR@10"
            ) from error
    return list(names)


def values_of(qrels: Qrels, run: Run, measures: Sequence[str] = MEASURES) -> Values:
    """The value of each measure for each judged query; 0 where a run found nothing.

    Names are those of ir-measures, such as nDCG@10, AP, P@5, R@100, RR@10. WrongRequest for a name that it does not know;
    MissingExtra where it is not installed.
    """
    require_measures()
    import ir_measures

    parsed = [ir_measures.parse_measure(name) for name in check_measures(measures)]
    named = dict(zip(parsed, measures, strict=True))
    values = {name: dict.fromkeys(qrels, 0.0) for name in measures}
    judged = [ir_measures.Qrel(query, name, grade) for query, grades in qrels.items() for name, grade in grades.items()]
    ranked = [
        ir_measures.ScoredDoc(query, name, float(len(names) - at))
        for query, names in run.items()
        if query in qrels
        for at, name in enumerate(names)
    ]
    if ranked:
        for one in ir_measures.iter_calc(parsed, judged, ranked):
            values[named[one.measure]][one.query_id] = float(one.value)
    return values


def groups_of(judged: JudgedSet) -> dict[str, list[str]]:
    """The answerable queries by group: "all", "all but paraphrases" where there are any, and each tag."""
    answerable = [query for query in judged.queries if query.is_answerable]
    groups = {"all": [query.id for query in answerable]}
    tags = sorted({tag for query in answerable for tag in query.tags})
    if "paraphrase" in tags:
        groups["all but paraphrases"] = [query.id for query in answerable if "paraphrase" not in query.tags]
    return groups | {tag: [query.id for query in answerable if tag in query.tags] for tag in tags}


def means_of(values: Values, queries: Sequence[str]) -> dict[str, float]:
    """The mean of each measure over some queries; 0 for none."""
    return {measure: sum(by_query[query] for query in queries) / max(len(queries), 1) for measure, by_query in values.items()}
