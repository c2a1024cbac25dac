"""Several models of an index in Milvus, as its users have them: added, filled behind, kept up to date and searched."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rag
from rag.errors import BackendError, Interrupted, WrongRequest
from rag.index.locations import existing_room, index_room
from rag.indexing.lite_first import build_lite_first
from rag.indexing.spaces import add_model, drop_model
from rag.indexing.stand_in import end_stand_in, keep_stand_in
from tests.e2e.conftest import CALLS, Calls, _clean, calls, corpus  # noqa: F401 (fixtures)
from tests.e2e.conftest import rag as command  # noqa: F401
from tests.e2e.runs import index
from tests.e2e.test_spaces import CountingHalf, _working  # noqa: F401
from tests.unit.half_model import HalfEmbedder

HALF = "tests.e2e.test_spaces:CountingHalf"


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return f"milvus-lite://{tmp_path}/team.db"


def vectors_by_id(place: str | Path, space: int) -> dict[str, np.ndarray]:
    with closing(existing_room(place).open("auto")) as opened, opened.snapshot() as moment:
        numbers = moment.sample(1_000, np.random.default_rng(1))
        held, rows = moment.vectors_in(space, numbers)
        return {one.id: row for one, row in zip(moment.passages(held), rows, strict=True)}


def shares(place: str) -> dict[str, tuple[int, int]]:
    """Of each further model the passages that it has, and all."""
    with closing(existing_room(place).open("auto")) as opened:
        status = opened.status()
        return {space.name: (space.passages, sum(status.passages.values())) for space in status.spaces}


def test_a_model_is_added_and_follows_what_later_runs_change(team: str, corpus: Path, calls: Calls) -> None:  # noqa: F811
    made = index(corpus, index=team)
    assert calls.since() == made.embedded
    filled = add_model(team, backend=HALF)
    assert (filled.space, filled.vectors, filled.left_out) == ("half", made.embedded, {})
    assert calls.since() == made.embedded
    rag.build_index(corpus, index="alone", backend=HALF, ocr="never")
    alone, beside = vectors_by_id("alone", 0), vectors_by_id(team, 1)
    assert alone.keys() == beside.keys()
    for name, row in alone.items():
        np.testing.assert_allclose(beside[name], row, atol=2e-3)
    calls.since()
    assert (add_model(team, backend=HALF).vectors, calls.since()) == (0, 0)

    (corpus / "new.md").write_text("# Pilots\n\nThe pilot boat Seagull leaves at dawn.\n")
    report = index(corpus, index=team)
    assert calls.since() == 2 and any("half: 1 vector made" in note for note in report.notes)
    (corpus / "new.md").rename(corpus / "moved.md")
    report = index(corpus, index=team)
    assert (report.moved, calls.since()) == (1, 0) and not any("half" in note for note in report.notes)
    held, everything = shares(team)["half"]
    assert held == everything
    with pytest.raises(WrongRequest, match="is made with lite already"):
        add_model(team, backend="tests.e2e.conftest:CountingEmbedder")


def test_a_fill_that_is_stopped_or_fails_goes_on_where_it_was(team: str, corpus: Path, calls: Calls) -> None:  # noqa: F811
    made = index(corpus, index=team, jobs=0)
    calls.since()
    CountingHalf.interrupted = True
    with pytest.raises(Interrupted, match=f"stopped after . of {made.embedded} vectors of half; what is made is committed"):
        add_model(team, backend=HALF, jobs=0)
    stopped = calls.since()
    assert shares(team)["half"][0] == stopped and 0 < stopped < made.embedded
    CountingHalf.interrupted = False
    CALLS.documents = 2
    CountingHalf.failing = BackendError("the model is away", remedy="bring it back")
    report = index(corpus, index=team, jobs=0)  # the documents are not held up by a model that is away
    lacking = made.embedded - stopped
    assert any(f"half lacks {lacking} content" in note and "the model is away" in note for note in report.notes)
    CountingHalf.failing = None
    calls.since()
    assert add_model(team, backend=HALF, jobs=0).vectors == lacking == calls.since()


def test_what_a_search_showed_is_made_first(team: str, corpus: Path, calls: Calls) -> None:  # noqa: F811
    for at in range(8):
        file = corpus / f"note {at}.md"
        file.write_text(f"# Note {at}\n\nThe tide table of quay number {at}, word{at}.\n")
        os.utime(file, (1_000_000_000 + at, 1_000_000_000 + at))  # older than all else
    index(corpus, index=team)
    with existing_room(team).writing() as writer:
        writer.spaces.add("half", HalfEmbedder.fingerprint, {"backend": json.dumps(HALF)})
        writer.commit()
    with rag.open_index(team) as searcher:
        assert searcher.query('"word2"')[0].document == "note 2.md"
        assert searcher.query('"word5"')[0].document == "note 5.md"
    CALLS.seen.clear()
    add_model(team, backend=HALF, jobs=0)
    order = [text.split("word")[1][0] if "word" in text else "-" for text in CALLS.seen]
    assert set(order[:2]) == {"5", "2"} and sorted(at for at in order if at != "-") == list("01234567")


def test_every_model_is_a_lane_also_of_a_folder_and_a_database_searched_as_one(
    team: str,
    corpus: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for at in range(6):
        (other / f"{at}.md").write_text(f"# Note {at}\n\nThe tide table of quay number {at} and its harbour traffic, word{at}.\n")
    for place, folder in ((team, corpus), ("mine", other)):
        rag.build_index(folder, index=place, ocr="never", backend="lite")
        add_model(place, backend=HALF)
    with rag.open_index(team) as searcher:
        results = searcher.search("harbour traffic in spring")
        best = results.hits[0]
        assert best.document == "a/report.txt"
        assert {lane: found.space for lane, found in best.lanes.items()} == {"dense": "lite", "dense:half": "half", "lexical": ""}
        only = searcher.search("harbour traffic in spring", spaces=["half"])
        assert {found.space for found in only.hits[0].lanes.values()} == {"half", ""}
        with pytest.raises(WrongRequest, match="no model called 'whole'"):
            searcher.query("crane", spaces=["whole"])
    with rag.open_index(team, "mine") as together:
        results = together.search("harbour traffic", fold=False)
        assert {hit.index for hit in results.hits} == {"team", "mine"}
        for hit in results.hits:
            assert {"dense", "dense:half"} & hit.lanes.keys()
            assert all(found.space == {"dense": "lite", "dense:half": "half"}.get(lane, "") for lane, found in hit.lanes.items())


def test_the_commands(team: str, corpus: Path, command: Any) -> None:  # noqa: F811
    assert command("index", str(corpus), "--ocr", "never", "--index", team).code == 0
    added = command("index", "--index", team, "--add-model", "half", "--backend", "tests.unit.half_model:HalfEmbedder")
    assert added.code == 0 and added.out.startswith("half: ") and "vectors made in" in added.out
    listed = command("models", "--json", "--index", team).json
    assert [(one["name"], one["share"], one["dim"]) for one in listed] == [("lite", 1.0, 1280), ("half", 1.0, 513)]
    assert "and model   half, revision" in command("status", "--index", team).out
    found = command("query", "harbour traffic", "--explain", "--server", "none", "--index", team)
    assert "dense by lite #1" in found.out and "dense by half #1" in found.out
    assert command("check", "--index", team).code == 0
    assert command("models", "drop", "half", "--index", team).out == "half was dropped\n"
    assert [one["name"] for one in command("models", "--json", "--index", team).json] == ["lite"]
    with pytest.raises(WrongRequest, match="lite is the only model of the index"):
        drop_model("lite", team)


def test_a_dry_run_says_what_a_run_would_do_and_writes_nothing(team: str, corpus: Path, command: Any) -> None:  # noqa: F811
    from rag.indexing.plan import plan_index
    from rag.indexing.progress import keep_rate, read_rate

    before = plan_index(corpus, index=team)
    assert (before.new, before.changed, before.gone) == ({"text": 3, "picture": 2}, {}, 0) and not Path("team.db").exists()
    report = rag.build_index(corpus, index=team, ocr="never")
    room = existing_room(team)
    assert read_rate(room.derived) is None
    keep_rate(room.derived, 400, 100.0)
    (corpus / "a/report.txt").write_text("Ferry tickets become cheaper.\n")
    (corpus / "new.txt").write_text("new\n")
    (corpus / "a/IMG_2.png").unlink()
    plan = plan_index(index=team)
    assert (plan.new, plan.changed, plan.gone, plan.passages, plan.seconds) == ({"text": 1}, {"text": 1}, 1, 2, 0.5)
    assert plan.unchanged == report.indexed - 2
    assert plan_index(index=team).changed == {"text": 1}
    said = command("index", "--dry-run", "--index", team)
    assert said.code == 0 and "time, at the rate of the last long run: about 0 s" in said.out


def test_changing_the_model_is_add_fill_drop_and_lite_goes_first(team: str, corpus: Path, calls: Calls) -> None:  # noqa: F811
    CountingHalf.interrupted = True
    with pytest.raises(Interrupted):
        build_lite_first(corpus, index=team, backend=HALF, ocr="never", jobs=0)
    with rag.open_index(team, backend="lite") as searcher:
        assert searcher.query("pilot boat Seagull")[0].document == "a/IMG_1.jpg"
    CountingHalf.interrupted = False
    report = build_lite_first(corpus, index=team, backend=HALF, ocr="never", jobs=0)
    assert report.unchanged == 5 and report.notes[-1].startswith("half: ")
    with rag.open_index(team) as searcher:
        assert searcher.query("pilot boat Seagull")[0].document == "a/IMG_1.jpg"
        assert drop_model("lite", team) == "lite was dropped; half is the first model of the index now"
    calls.since()
    with rag.open_index(team) as searcher:
        assert searcher.embedder.fingerprint.model == "half"
        assert searcher.query("pilot boat Seagull")[0].document == "a/IMG_1.jpg"
    report = rag.build_index(corpus, index=team)
    assert (report.indexed, report.unchanged, calls.since()) == (0, 5, 0) and shares(team) == {}


def test_lite_stands_in_for_a_slow_model_until_that_has_everything(team: str, corpus: Path) -> None:  # noqa: F811
    room = index_room(team)
    rag.build_index(corpus, index=team, backend="lite", ocr="never")
    keep_stand_in(room, "half", lambda _: None)
    add_model(team, backend=HALF)
    assert end_stand_in(room, lambda _: None) == ("lite has stood in for half, which is the model of the index now",)
    assert room.fingerprint().model == "half" and room.spaces() == () and end_stand_in(room, lambda _: None) == ()
    assert room.check(read_data=True) and rag.build_index(corpus, index=team).unchanged == 5


def test_a_rebuild_keeps_the_models(team: str, corpus: Path, calls: Calls) -> None:  # noqa: F811
    index(corpus, index=team)
    add_model(team, backend=HALF)
    calls.since()
    report = index(corpus, index=team, rebuild=True)
    assert calls.since() == 2 * report.embedded
    held, everything = shares(team)["half"]
    assert held == everything == sum(report.passages.values())
