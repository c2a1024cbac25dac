"""While vectors are put under another kind of index: what searches and requests are told, and what a kill leaves.

Milvus' core has one kind for 16-bit vectors: the other one of these tests is the same kind under another name, built in earnest.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import rag
from rag.api.app import create_app
from rag.api.guard import Trust
from rag.api.library import IndexLibrary
from rag.errors import IndexBuilding, IndexFailure
from rag.index.milvus.building import Building
from rag.index.milvus.engine import NEWEST, Engine
from rag.index.milvus.facts import read_facts
from rag.index.milvus.index_kinds import FLAT, KINDS, IndexKind
from rag.index.milvus.lease import leased
from rag.index.milvus.notes import Notes
from rag.index.milvus.reindexing import put_under
from rag.index.milvus.room import MilvusRoom
from tests.scale.test_commit_rule import Killed
from tests.scale.test_contract import filled, texts
from tests.scale.test_spaces import OTHER_DIM, TEXTS, best
from tests.scale.test_spaces import filled as fill_other
from tests.unit.index_samples import FINGERPRINT, put, unit_rows

OTHER = "OTHER"


@pytest.fixture(autouse=True)
def other_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, OTHER, IndexKind(FLAT, lambda rows: {}, lambda k, share: {}, "all of the nearest"))  # type: ignore[misc]
    monkeypatch.setitem(KINDS, "NONE", IndexKind("NONE", lambda rows: {}, lambda k, share: {}, "nothing"))  # type: ignore[misc]


def change(room: MilvusRoom, kind: str, meanwhile: Callable[[], None] = lambda: None, space: int = 0) -> None:
    """Changes the kind as a run does; `meanwhile` happens when the old index is gone and the new one is not there."""

    def index_vectors(collection: str, *given: object) -> None:
        room.engine._client.drop_index(collection, "vector")
        meanwhile()
        Engine.index_vectors(room.engine, collection, *given)  # type: ignore[arg-type]

    room.engine.index_vectors = index_vectors  # type: ignore[method-assign, assignment]
    try:
        with leased(Notes(room.engine, room.name), room.place, 30.0, lambda _: None):
            put_under(room.engine, room.name, kind, lambda _: None, space)
    finally:
        del room.engine.index_vectors


def kind_of(room: MilvusRoom) -> str:
    facts = read_facts(Notes(room.engine, room.name), room.place, NEWEST)
    assert facts is not None
    return facts.kinds[0]


def test_a_search_meanwhile_says_that_it_ends_by_itself_and_then_finds_all(milvus: MilvusRoom) -> None:
    oracle, told = filled(milvus, 20), []
    with closing(milvus.open("auto")) as opened:

        def search() -> None:
            with pytest.raises(IndexBuilding) as refused, opened.snapshot() as moment:
                moment.nearest_by_kind(unit_rows(1, 1), 10, 0)
            told.append((refused.value.what, refused.value.remedy))
            with pytest.raises(IndexBuilding):
                milvus.open("auto")
            with pytest.raises(IndexFailure, match="is being written by process"), milvus.writing():
                pass

        change(milvus, OTHER, search)
        [(what, remedy)] = told
        assert what.startswith(f"{milvus.place} cannot be searched now: its ")
        assert " vectors are put under an index of the kind OTHER, since 20" in what and "index not found" not in what
        assert remedy.startswith("this ends by itself")
        with opened.snapshot() as moment:
            found = moment.nearest_by_kind(unit_rows(1, 1), 1_000, 0)[0]
        assert len(found) == len(oracle.all()) and kind_of(milvus) == OTHER


def test_over_http_it_is_503_with_the_time_to_ask_again(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/harbour.txt").write_text("harbour dues of the winter")
    address = f"milvus-lite://{tmp_path}/team.db"
    rag.build_index(tmp_path / "corpus", index=address)
    trust = Trust("127.0.0.1", 7860, "0123456789abcdef")
    library = IndexLibrary([address], rag.load_settings({"ocr": "never"}), token=trust.token)
    headers = {"Authorization": f"Bearer {trust.token}"}
    with TestClient(create_app(library, trust), base_url="http://127.0.0.1:7860", headers=headers) as client:

        def ask() -> object:
            return client.post("/v1/search", json={"text": "harbour dues"})

        assert ask().json()["hits"][0]["document"] == "harbour.txt"  # type: ignore[attr-defined]
        answers: list = []
        change(MilvusRoom(address), OTHER, lambda: answers.extend([ask(), client.get("/readyz")]))
        refused, ready = answers
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
        assert refused.json()["error"]["code"] == "index_building"
        assert "under an index of the kind OTHER" in refused.json()["error"]["what"]
        assert ready.status_code == 200  # every process is refused alike: none is worse than another
        assert ask().json()["hits"][0]["document"] == "harbour.txt"  # type: ignore[attr-defined]


def test_after_a_kill_searches_say_what_completes_it_and_the_next_run_does(milvus: MilvusRoom) -> None:
    filled(milvus, 20)
    expected = texts(milvus)

    def killed() -> None:
        raise Killed

    with closing(milvus.open("auto")) as opened:
        with pytest.raises(Killed):
            change(milvus, OTHER, killed)
        with pytest.raises(IndexFailure, match="kind OTHER was broken off") as refused, opened.snapshot() as moment:
            moment.nearest_by_kind(unit_rows(1, 1), 10, 0)
        assert refused.value.remedy.startswith(f"rag compact --index {milvus.place} completes it")
    with pytest.raises(IndexFailure, match="was broken off"):
        milvus.open("auto")
    said: list[str] = []
    with milvus.writing(said.append):
        assert said[-1].startswith("building the index of the kind OTHER that was broken off, over ")
    assert (texts(milvus), kind_of(milvus)) == (expected, OTHER)
    assert milvus.warm_up(rag.load_settings({}), said.append)[0].startswith("vectors lie under FLAT now")
    with pytest.raises(Killed):
        change(milvus, OTHER, killed)
    assert milvus.warm_up(rag.load_settings({}), said.append)[0].startswith("vectors lie under FLAT now")
    assert (texts(milvus), kind_of(milvus)) == (expected, FLAT)


def test_a_kind_that_cannot_be_built_leaves_the_one_before(milvus: MilvusRoom) -> None:
    filled(milvus, 20)
    expected = texts(milvus)
    with pytest.raises(IndexFailure, match="NONE"):
        change(milvus, "NONE")
    ended = Building.of(Notes(milvus.engine, milvus.name))
    assert ended is not None and ended.ended is not None
    assert (texts(milvus), kind_of(milvus)) == (expected, FLAT)


def test_a_further_space_lies_under_a_kind_of_its_own(milvus: MilvusRoom) -> None:
    milvus.create(FINGERPRINT, {})
    with milvus.writing() as writer:
        writer.add_root("docs", Path("/corpus"))
        put(writer, "a.md", TEXTS[:9])
        writer.commit()
        assert fill_other(writer) == 9
        writer.commit()
    with closing(milvus.open("auto")) as opened:

        def search() -> None:
            with opened.snapshot() as moment:
                assert len(moment.nearest_by_kind(unit_rows(1, 1), 10, 0)[0]) == 9
            with pytest.raises(IndexBuilding), opened.snapshot() as moment:
                moment.nearest_by_kind(unit_rows(1, 1, OTHER_DIM), 10, 0, None, 1)

        change(milvus, OTHER, search, space=1)
        facts = read_facts(Notes(milvus.engine, milvus.name), milvus.place, NEWEST)
        assert facts is not None and facts.kinds == {0: FLAT, 1: OTHER}
        assert best(milvus, "text 4", 1, space=1) == ["text 4"]
