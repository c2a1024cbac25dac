"""The figures of `rag eval`, on rankings small enough to reckon by hand."""

from __future__ import annotations

import math
import sys

import pytest

from rag.errors import MissingExtra, WrongRequest
from rag.evaluation.judged import JudgedQuery, JudgedSet, Judgement, PassageRef, names_of, overlap, qrels_of
from rag.evaluation.measures import check_measures, groups_of, means_of, values_of
from rag.types import Lines, Locator, Page, Seconds, Whole


def judged(*judgements: Judgement, tags: frozenset[str] = frozenset()) -> JudgedSet:
    return JudgedSet("set", (JudgedQuery("1", "words", None, judgements, tags), JudgedQuery("2", "none", None, ())))


def places(*found: tuple[str, Locator]) -> list[PassageRef]:
    return [PassageRef(document, locator) for document, locator in found]


def test_without_the_measures_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    with pytest.raises(MissingExtra, match="ir-measures is not installed") as raised:
        values_of({"1": {"a.pdf": 1}}, {})
    assert raised.value.remedy == "install it from the checkout of this program: pip install '.[eval]'"


def test_an_unknown_measure_is_named() -> None:
    with pytest.raises(WrongRequest, match="no measure is called 'nDGC@10'"):
        check_measures(["AP", "nDGC@10"])


def test_success_ndcg_recall_and_mrr() -> None:
    one = judged(Judgement("a.pdf", Page(2), 3), Judgement("b.txt", Whole(), 1), tags=frozenset({"page"}))
    ranking = places(("a.pdf", Page(1)), ("a.pdf", Page(2)), ("b.txt", Lines(1, 5)))
    names = names_of(one, one.queries[0], ranking)
    assert names == ["a.pdf#page=1", "a.pdf#page=2", "b.txt"]
    values = values_of(qrels_of(one), {"1": names})
    groups = groups_of(one)
    found = means_of(values, groups["all"])
    assert found["Success@5"] == 1.0
    assert found["RR"] == pytest.approx(1 / 2)
    assert found["R@10"] == found["R@100"] == 1.0
    assert found["nDCG@10"] == pytest.approx((3 / math.log2(3) + 1 / 2) / (3 + 1 / math.log2(3)))
    assert groups == {"all": ["1"], "page": ["1"]}


def test_a_query_that_a_run_left_out_counts_as_nothing_found() -> None:
    values = values_of({"1": {"a": 1}, "2": {"b": 1}}, {"1": ["a"]})
    assert values["nDCG@10"] == {"1": 1.0, "2": 0.0}
    assert means_of(values, ["1", "2"])["RR"] == 0.5


def test_a_judged_place_is_found_once_and_every_other_place_has_a_rank_of_its_own() -> None:
    one = judged(Judgement("a.txt", Lines(1, 9), 1), Judgement("b.txt", Whole(), 1))
    ranking = places(("a.txt", Lines(1, 5)), ("a.txt", Lines(6, 9)), ("b.txt", Lines(1, 2)), ("b.txt", Lines(3, 4)))
    names = names_of(one, one.queries[0], ranking)
    assert names == ["a.txt#lines=1-9", "a.txt#lines=6-9", "b.txt", "b.txt#lines=3-4"]


def test_of_judged_documents_only_the_best_place_counts() -> None:
    one = judged(Judgement("a.txt", Whole(), 1))
    ranking = places(("b.txt", Lines(1, 5)), ("b.txt", Lines(6, 9)), ("a.txt", Lines(1, 2)), ("b.txt", Lines(10, 11)))
    assert names_of(one, one.queries[0], ranking) == ["b.txt", "a.txt"]


def test_the_better_of_two_grades_is_met_first_and_a_grade_of_nothing_is_not_relevant() -> None:
    one = judged(Judgement("a.txt", Lines(1, 9), 0), Judgement("a.txt", Lines(5, 6), 2))
    assert names_of(one, one.queries[0], places(("a.txt", Lines(5, 9)))) == ["a.txt#lines=5-6"]
    only_bad = judged(Judgement("a.txt", Lines(1, 9), 0))
    assert qrels_of(only_bad) == {}


def test_a_file_inside_a_document_is_a_place_of_its_own() -> None:
    one = judged(Judgement("a.zip", Page(1), 1, inner="b.pdf"))
    ranking = [PassageRef("a.zip", Page(1), "c.pdf"), PassageRef("a.zip", Page(1), "b.pdf")]
    assert names_of(one, one.queries[0], ranking) == ["a.zip#inner=c.pdf&page=1", "a.zip#inner=b.pdf&page=1"]


def test_places_meet() -> None:
    assert overlap(Whole(), Page(3)) and overlap(Seconds(4, 8), Seconds(7, 9)) and overlap(Lines(1, 5), Lines(5, 9))
    assert not overlap(Page(2), Page(3)) and not overlap(Lines(1, 4), Lines(5, 9)) and not overlap(Page(1), Lines(1, 1))
