"""What vectors lie under in Milvus: chosen by counts, asked of the engine, exact below a filter; and notes of older formats."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

import rag
from rag.errors import IndexFailure, IndexTooNew
from rag.index.milvus import dense_lane
from rag.index.milvus.engine import NEWEST, Engine
from rag.index.milvus.facts import read_facts
from rag.index.milvus.index_kinds import EXACT_UP_TO, FLAT, HNSW, IVF_RABITQ, KINDS, kind_for
from rag.index.milvus.notes import FACT, Notes
from rag.index.milvus.room import MilvusRoom
from rag.index.milvus.schema import FORMAT, PASSAGES, collection
from rag.types import Filters
from tests.scale.test_contract import FILTERS, allowed_by, filled, places
from tests.unit.index_samples import FINGERPRINT, unit_rows


@pytest.mark.parametrize(
    ("rows", "has", "kind"),
    [
        (200_000, {HNSW, IVF_RABITQ}, FLAT),
        (200_001, {HNSW, IVF_RABITQ}, HNSW),
        (20_000_001, {HNSW, IVF_RABITQ}, IVF_RABITQ),
        (20_000_001, {HNSW}, HNSW),
        (20_000_001, set(), FLAT),
    ],
)
def test_the_kind_is_chosen_by_the_number_of_rows_of_those_there_are(rows: int, has: set[str], kind: str) -> None:
    assert kind_for(rows, has.__contains__) == kind


def test_a_graph_is_asked_for_more_where_a_filter_leaves_less() -> None:
    assert KINDS[HNSW].search(100, 1.0) == {"ef": 200}
    assert KINDS[HNSW].search(100, 0.1) == {"ef": 1_500}
    assert KINDS[HNSW].search(16_384, 0.01)["ef"] >= 16_384  # or servers refuse it
    assert KINDS[IVF_RABITQ].search(100, 0.1)["nprobe"] == 1_280
    assert KINDS[IVF_RABITQ].build(100_000_000)["nlist"] == 40_000


def test_what_an_engine_lacks_is_said_and_nothing_changes(milvus: MilvusRoom) -> None:
    oracle = filled(milvus, 20)
    [said] = milvus.warm_up(rag.load_settings({"index_kind": "hnsw"}), lambda _: None)
    assert "has no index of the kind HNSW" in said and "--index-kind" in said
    assert milvus.warm_up(rag.load_settings({}), lambda _: None) == ()
    assert not [name for name in milvus.engine.collections() if "probe" in name]
    with closing(milvus.open("auto")) as opened, opened.snapshot() as moment:
        assert len(moment.nearest_by_kind(unit_rows(1, 1), 1_000, 0)[0]) == len(oracle.all())


@pytest.mark.parametrize("wanted", [each for each in FILTERS if each != Filters()], ids=str)
def test_what_a_filter_leaves_few_of_is_compared_one_by_one(milvus: MilvusRoom, wanted: Filters) -> None:
    """As if the vectors lay under a graph, which this core lacks: the answers come from comparing, not from the engine."""
    oracle = filled(milvus)
    assert len(oracle.all()) < EXACT_UP_TO
    Notes(milvus.engine, milvus.name).write({(FACT, "kind"): HNSW})
    [query] = unit_rows(1, 5)
    truth = oracle.nearest(query, allowed_by(wanted))
    with closing(milvus.open("auto")) as opened, opened.snapshot() as moment:
        milvus.engine.search = None  # type: ignore[method-assign, assignment]  # nothing is asked of it
        [found] = moment.nearest_by_kind(query[None], 20, 4, moment.matching(wanted))
        assert places(moment, [number for number, _ in found[:20]]) == [place for place, _ in truth[:20]]
        np.testing.assert_allclose([score for _, score in found[:20]], [score for _, score in truth[:20]], atol=1e-5)
        del milvus.engine.search


@pytest.mark.parametrize("wanted", [each for each in FILTERS if each != Filters()], ids=str)
def test_of_a_graph_half_of_what_a_filter_leaves_is_asked_for(
    milvus: MilvusRoom, wanted: Filters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then Milvus compares all of it. This core has no graph: what is asked is looked at, and that the answers stay right."""
    oracle = filled(milvus, 120)
    monkeypatch.setattr(dense_lane, "EXACT_UP_TO", 0)
    monkeypatch.setattr(dense_lane, "SCANNED", 1)
    Notes(milvus.engine, milvus.name).write({(FACT, "kind"): HNSW})
    [query] = unit_rows(1, 5)
    truth = oracle.nearest(query, allowed_by(wanted))
    asked: list[tuple[int, int]] = []

    def search(searched: str, field: str, query: np.ndarray, k: int, expression: str, *given: object) -> list:
        asked.append((k, milvus.engine.count(searched, expression, NEWEST)))
        return Engine.search(milvus.engine, searched, field, query, k, expression, *given)  # type: ignore[arg-type]

    with closing(milvus.open("auto")) as opened, opened.snapshot() as moment:
        milvus.engine.search = search  # type: ignore[method-assign, assignment]
        try:
            [found] = moment.nearest_by_kind(query[None], 2, 0, moment.matching(wanted))
            assert places(moment, [number for number, _ in found]) == [place for place, _ in truth[:2]]
        finally:
            del milvus.engine.search
    assert [most for most, _ in asked] == [max(24, rows // 2 + 1) for _, rows in asked]
    assert len(asked) == bool(truth) and milvus.engine.count(collection(milvus.name, PASSAGES), "", NEWEST) > 300
    assert KINDS[HNSW].least(32_001) == 0 and KINDS[IVF_RABITQ].least(10_000) == 0


def test_notes_of_an_older_format_are_brought_up_to_date_and_of_a_newer_one_refused(milvus: MilvusRoom) -> None:
    milvus.create(FINGERPRINT, {})
    notes = Notes(milvus.engine, milvus.name)
    notes.forget([(FACT, "format"), (FACT, "kind")])  # as format 1 had it
    older = read_facts(notes, milvus.place, NEWEST)
    assert older is not None and older.format == 1
    newer = read_facts(notes, milvus.up_to_date().place, NEWEST)
    assert newer is not None and (newer.format, newer.kinds) == (FORMAT, {0: FLAT})
    with closing(milvus.open("auto")) as opened:
        assert opened.status().format == FORMAT
    notes.write({(FACT, "format"): "0"})
    with pytest.raises(IndexFailure, match="format 0, from which no step leads") as refused:
        milvus.up_to_date()
    assert "rag index FOLDER --index milvus://" in refused.value.remedy
    notes.write({(FACT, "format"): str(FORMAT + 1)})
    with pytest.raises(IndexTooNew):
        milvus.up_to_date()
