"""Searching under load: queries come from the index, each load has its own, and every search counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import rag
from rag.benchmark.load import ClosedLoop, FixedRate
from rag.benchmark.searching import draw_queries, measure_searching
from rag.errors import WrongRequest


@pytest.fixture
def searcher(library: Path) -> Iterator[rag.Searcher]:
    with rag.open_index(str(library)) as opened:
        yield opened


def test_queries_are_words_of_passages(searcher) -> None:
    queries = draw_queries(searcher, 40, np.random.default_rng(1))
    assert len(queries) == 40 and len(set(queries)) > 20
    assert all(1 <= len(query.split()) <= 4 for query in queries)
    with searcher.index.snapshot() as snapshot:
        passages = [one.passage for one in snapshot.passages([int(number) for number in snapshot.live.numbers])]
    known = " ".join(f"{one.text} {one.caption} {one.document.path}" for one in passages)
    assert all(word.strip('"') in known for query in queries for word in query.split())
    assert queries != draw_queries(searcher, 40, np.random.default_rng(2))


def test_every_search_counts_and_every_load_has_its_own(searcher, monkeypatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(searcher, "search", asked.append)
    queries = [f"query {number}" for number in range(100)]
    found = list(measure_searching(searcher, queries, 10, [ClosedLoop(1), ClosedLoop(4), FixedRate(500)]))
    assert [(one.what, one.pattern, one.completed, one.failed) for one in found] == [
        ("searching", ClosedLoop(1), 10, 0),
        ("searching", ClosedLoop(4), 10, 0),
        ("searching", FixedRate(500), 10, 0),
    ]
    assert sorted(asked, key=lambda query: int(query.split()[1])) == queries[: 8 + 3 * 10]


def test_real_searches_are_timed(searcher) -> None:
    queries = draw_queries(searcher, 14, np.random.default_rng(3))
    [found] = measure_searching(searcher, queries, 6, [ClosedLoop(3)])
    assert (found.completed, found.failed, found.model, found.tokens) == (6, 0, "lite", None)
    assert 0 < found.percentile(50) <= found.percentile(99) <= 1000 * found.load.seconds


def test_an_index_without_words_needs_queries(searcher, monkeypatch) -> None:
    monkeypatch.setattr("rag.benchmark.searching._texts", lambda *_: ["", "— …"])
    with pytest.raises(WrongRequest, match="holds no words to search for") as refused:
        draw_queries(searcher, 3, np.random.default_rng(1))
    assert "--queries" in refused.value.remedy
