"""The figures of `rag eval`, on rankings small enough to reckon by hand."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

from rag.errors import MissingExtra, WrongRequest
from rag.evaluation import STAGES, PassageRef, evaluate, load_queries, overlap
from rag.types import Lines, Page, Seconds, Whole


def queries_file(folder: Path, *lines: str) -> Path:
    file = folder / "queries.jsonl"
    file.write_text("\n".join(lines), "utf-8")
    return file


def test_without_the_measures_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    queries = load_queries(queries_file(tmp_path, '{"id": "1", "query": "a", "relevant": [{"document": "a.pdf"}]}'))
    with pytest.raises(MissingExtra, match="ir-measures is not installed") as raised:
        evaluate(queries, {"1": {stage: [] for stage in STAGES}})
    assert raised.value.remedy == "install it from the checkout of this program: pip install '.[eval]'"


def test_success_ndcg_recall_and_mrr(tmp_path: Path) -> None:
    file = queries_file(
        tmp_path,
        '{"id": "1", "query": "a", "tags": ["page"], "relevant": [{"document": "a.pdf", "locator": {"page": 2}, "grade": 3},'
        ' {"document": "b.txt", "grade": 1}]}',
        '{"id": "2", "query": "b", "tags": ["unanswerable"], "relevant": []}',
    )
    queries = load_queries(file)
    ranking = [(PassageRef("a.pdf", Page(1)), 0.9), (PassageRef("a.pdf", Page(2)), 0.8), (PassageRef("b.txt", Lines(1, 5)), 0.7)]
    table = evaluate(queries, {"1": dict.fromkeys(STAGES, ranking)})
    found = table["all"]["hits"]
    ideal = 3 + 1 / math.log2(3)
    assert found["queries"] == 1
    assert found["Success@5"] == 1.0
    assert found["RR"] == pytest.approx(1 / 2)
    assert found["R@10"] == 1.0
    assert found["nDCG@10"] == pytest.approx((3 / math.log2(3) + 1 / 2) / ideal)
    assert table["page"]["hits"] == found
    assert "unanswerable" not in table


def test_a_judgement_is_found_once(tmp_path: Path) -> None:
    file = queries_file(tmp_path, '{"id": "1", "query": "a", "relevant": [{"document": "a.txt"}, {"document": "b.txt"}]}')
    ranking = [(PassageRef("a.txt", Lines(1, 5)), 0.9), (PassageRef("a.txt", Lines(6, 9)), 0.8)]
    table = evaluate(load_queries(file), {"1": dict.fromkeys(STAGES, ranking)})
    assert table["all"]["hits"]["R@10"] == 0.5


def test_places_meet() -> None:
    assert overlap(Whole(), Page(3)) and overlap(Seconds(4, 8), Seconds(7, 9)) and overlap(Lines(1, 5), Lines(5, 9))
    assert not overlap(Page(2), Page(3)) and not overlap(Lines(1, 4), Lines(5, 9)) and not overlap(Page(1), Lines(1, 1))


def test_a_line_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = queries_file(tmp_path, '{"id": "1", "query": "a", "relevant": []}', '{"query": "no id"}')
    with pytest.raises(WrongRequest, match="line 2"):
        load_queries(file)
