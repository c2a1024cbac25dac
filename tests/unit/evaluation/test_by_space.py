"""Whether several models pay: what the verdict says of made-up rankings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from rag.evaluation.by_space import compare_spaces
from rag.evaluation.judged import JudgedSet, Run
from rag.evaluation.open_set import open_set
from tests.unit.evaluation.test_sets import written


@pytest.fixture
def judged(tmp_path) -> JudgedSet:
    lines = [f'{{"document": "{at}.txt", "text": "t"}}' for at in range(20)]
    lines += [f'{{"query": "{at}", "text": "q", "relevant": {{"{at}.txt": 1}}}}' for at in range(20)]
    return open_set(written(tmp_path, "set.jsonl", *lines), None, None)


def ranked(judged: JudgedSet, place: int) -> Mapping[str, Run]:
    """Runs in which the relevant document of every query has that place, from 0."""
    run: dict[str, list[str]] = {}
    for query in judged.queries:
        others = [f"{at}.txt" for at in range(20) if f"{at}.txt" != f"{query.id}.txt"]
        run[query.id] = [*others[:place], f"{query.id}.txt", *others[place:]]
    return {"fused": run, "hits": run}


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ({"a": 3, "b": 4, "all": 0}, "all of them pay: RR 1.000 with all, 0.250 with a alone (p 0.000)"),
        ({"a": 3, "b": 0, "all": 3}, "b alone is better: RR 0.250 with all, 1.000 with b alone (p 0.000)"),
        (
            {"a": 3, "b": 0, "all": 0},
            "no difference that these queries can tell: RR 1.000 with all, 1.000 with b alone (p 1.000)",
        ),
    ],
)
def test_the_verdict_compares_all_with_the_best_one_alone(judged: JudgedSet, places: Mapping[str, int], said: str) -> None:
    def rank(asked: Sequence[str]) -> Mapping[str, Run]:
        return ranked(judged, places[asked[0] if asked else "all"])

    found = compare_spaces(["a", "b"], rank, judged, ["RR"])
    assert found.verdict("RR") == said
    assert found.means["a"]["hits"]["RR"] == pytest.approx(0.25)
