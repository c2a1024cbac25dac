"""Runs as files, the paired test, and the worst queries."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from rag.errors import WrongRequest
from rag.evaluation.against import KeptRuns, OtherSearch, parse_against
from rag.evaluation.judged import JudgedQuery, JudgedSet, Judgement
from rag.evaluation.report import make_report, write_runs
from rag.evaluation.significance import compare
from rag.evaluation.trec import load_qrels, load_run
from rag.types import Lines, Whole


def two_queries() -> JudgedSet:
    return JudgedSet(
        "set",
        (
            JudgedQuery("q 1", "first words", None, (Judgement("a b.txt", Lines(1, 2), 3), Judgement("100%.txt", Whole(), 1))),
            JudgedQuery("q2", "second words", None, (Judgement("c.txt", Whole(), 1),)),
        ),
    )


def test_the_exact_p_of_few_queries() -> None:
    """Of all 2^6 assignments of signs, the share with a mean at least as far from 0."""
    ours, theirs = [0.9, 0.8, 0.7, 0.9, 0.4, 0.6], [0.1, 0.3, 0.2, 0.5, 0.5, 0.2]
    differences = [one - other for one, other in zip(ours, theirs, strict=True)]
    sums = [sum(sign * one for sign, one in zip(signs, differences, strict=True)) for signs in product((1, -1), repeat=6)]
    exact = sum(abs(one) >= sum(differences) - 1e-12 for one in sums) / len(sums)
    found = compare({str(n): v for n, v in enumerate(ours)}, {str(n): v for n, v in enumerate(theirs)})
    assert found.p == pytest.approx(exact) == 4 / 64
    assert (found.better, found.worse, found.equal) == (5, 1, 0)
    assert found.difference == pytest.approx(sum(differences) / 6)


def test_p_of_many_queries_is_near_that_of_a_t_test_and_equal_runs_do_not_differ() -> None:
    import numpy as np
    from scipy.stats import ttest_rel

    rng = np.random.default_rng(1)
    theirs = rng.uniform(size=200)
    ours = theirs + rng.normal(0.02, 0.15, size=200)
    named = [{str(n): float(v) for n, v in enumerate(values)} for values in (ours, theirs)]
    assert compare(*named).p == pytest.approx(ttest_rel(ours, theirs).pvalue, abs=0.015)
    assert compare(*named).p == compare(*named).p
    assert compare(named[0], named[0]).p == 1.0


def test_a_run_is_written_as_trec_eval_reads_it_and_read_again(tmp_path: Path) -> None:
    run = {"q 1": ["c.txt", "a b.txt#lines=1-2", "100%.txt"], "q2": []}
    write_runs(tmp_path / "runs", two_queries(), {"hits": run})
    lines = (tmp_path / "runs/hits.run").read_text("utf-8").splitlines()
    assert lines[1] == "q%201 Q0 a%20b.txt#lines=1-2 2 2 rag-hits"
    assert load_run(tmp_path / "runs/hits.run") == {"q 1": run["q 1"]}
    assert load_qrels(tmp_path / "runs/qrels") == {"q%201": {"a%20b.txt#lines=1-2": 3, "100%25.txt": 1}, "q2": {"c.txt": 1}}


def test_what_a_comparison_names(tmp_path: Path) -> None:
    assert parse_against("other") == OtherSearch("other", {})
    assert parse_against("reranker=none, fold-from=0.9") == OtherSearch("", {"reranker": "none", "fold_from": "0.9"})
    assert parse_against("index=b,blend=never") == OtherSearch("b", {"blend": "never"})
    with pytest.raises(WrongRequest, match="'never' is not a setting and its value"):
        parse_against("blend=auto,never")
    (tmp_path / "hits.run").write_text("1 Q0 b 2 0.5 x\n1 Q0 a 1 0.9 x\n")
    assert parse_against(str(tmp_path)) == parse_against(str(tmp_path / "hits.run")) == KeptRuns({"hits": {"1": ["a", "b"]}})
    (tmp_path / "hits.run").write_text("1 a 0.9\n")
    with pytest.raises(WrongRequest, match="line 1: is not a query, Q0, a document, a rank and a score"):
        parse_against(str(tmp_path))


def test_the_report_has_failures_the_comparison_and_the_worst_with_their_ranks() -> None:
    hits = {"q 1": ["a b.txt#lines=1-2"], "q2": ["1", "2", "3", "4", "5", "c.txt"]}
    lexical = {"q 1": ["100%.txt"], "q2": ["c.txt"]}
    found = make_report(two_queries(), {"lexical": lexical, "hits": hits}, ["RR"], {"hits": {"q2": ["c.txt"]}}, worst=5)
    assert found.means["all"]["hits"] == {"RR": pytest.approx((1 + 1 / 6) / 2), "queries": 2}
    assert [query.id for query in found.failures] == ["q2"]
    compared = found.against["hits"]["RR"]
    assert (compared.ours, compared.theirs, compared.better, compared.worse) == (pytest.approx(7 / 12), 0.5, 1, 1)
    [worst] = found.worst
    assert (worst.id, worst.other, worst.first) == ("q2", 1.0, "1")
    assert worst.places[0].ranks == {"lexical": 1, "hits": 6}
    alone = make_report(two_queries(), {"lexical": lexical, "hits": hits}, ["RR"], worst=1)
    assert [(one.id, one.other) for one in alone.worst] == [("q2", None)]
