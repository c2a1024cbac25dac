"""Whether several models of an index pay: each alone, then all of them, on the same judged queries.

Knows runs, measures and the test of significance; knows no model and no terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rag.errors import WrongRequest
from rag.evaluation.judged import JudgedSet, Run, Values, qrels_of
from rag.evaluation.measures import means_of, values_of
from rag.evaluation.significance import Comparison, compare

SHOWN = ("fused", "hits")  # stages that follow the lanes: before the reranker, and what a person sees
ALL = "all"  # the name of the row that asks every model
SURE = 0.05  # p below which a difference counts


@dataclass(frozen=True, slots=True)
class SpaceComparison:
    """Means by model, stage of SHOWN and measure, the last row being ALL; and how ALL compares with each model alone, by hits."""

    means: Mapping[str, Mapping[str, Mapping[str, float]]]
    against: Mapping[str, Mapping[str, Comparison]]  # by model and measure

    def verdict(self, measure: str) -> str:
        """A sentence: whether all of them are better than the best one alone, by that measure."""
        best = max(self.against, key=lambda name: self.means[name]["hits"][measure])
        one = self.against[best][measure]
        said = f"{measure} {one.ours:.3f} with all, {one.theirs:.3f} with {best} alone (p {one.p:.3f})"
        if one.p >= SURE:
            return f"no difference that these queries can tell: {said}"
        return f"{'all of them pay' if one.difference > 0 else f'{best} alone is better'}: {said}"


def compare_spaces(
    models: Sequence[str], rank: Callable[[Sequence[str]], Mapping[str, Run]], judged: JudgedSet, measures: Sequence[str]
) -> SpaceComparison:
    """Ranks with each of the models alone and with all; `rank` is given the names to ask and gives runs by stage.

    WrongRequest where there is one model only.
    """
    if len(models) < 2:
        raise WrongRequest(f"the index has one model: {', '.join(models)}", remedy="add another: rag index --add-model NAME")
    qrels = qrels_of(judged)
    values: dict[str, dict[str, Values]] = {}
    for name, asked in [*((model, [model]) for model in models), (ALL, [])]:
        runs = rank(asked)
        values[name] = {stage: values_of(qrels, runs[stage], measures) for stage in SHOWN}
    means = {name: {stage: means_of(found, list(qrels)) for stage, found in stages.items()} for name, stages in values.items()}
    against = {
        model: {measure: compare(values[ALL]["hits"][measure], values[model]["hits"][measure]) for measure in measures}
        for model in models
    }
    return SpaceComparison(means, against)
