"""Later runs: what changed is read, what did not is not opened."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

import rag
from rag.index.catalog.connection import connect
from rag.index.reader.snapshot import Snapshot
from rag.indexing.plan import plan_index
from tests.e2e.conftest import COUNTING, Calls
from tests.e2e.runs import found, index


def test_an_unchanged_folder_costs_no_model_call_and_opens_no_file(corpus: Path, calls: Calls) -> None:
    first = index(corpus)
    assert (first.indexed, calls.since()) == (5, first.embedded)
    opened: list[str] = []
    watching = [True]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event == "open" and str(arguments[0]).startswith(str(corpus)):
            opened.append(str(arguments[0]))

    sys.addaudithook(hook)
    again = index(corpus)
    watching.clear()
    assert (again.unchanged, again.indexed, calls.since(), opened) == (5, 0, 0, [])


def test_a_changed_file_is_read_again_and_its_old_words_are_gone(corpus: Path, calls: Calls) -> None:
    index(corpus)
    calls.since()
    (corpus / "a/report.txt").write_text("Ferry tickets become cheaper in autumn.\n")
    assert (index(corpus).indexed, calls.since()) == (1, 1)
    assert found("ferry tickets")[0] == "a/report.txt"
    with rag.open_index(backend=COUNTING) as searcher:
        assert all("Harbour traffic" not in hit.snippet for hit in searcher.query("harbour traffic"))


def test_a_moved_and_a_copied_file_cost_no_model_call(corpus: Path, calls: Calls) -> None:
    index(corpus)
    calls.since()
    (corpus / "b").mkdir()
    (corpus / "a/report.txt").rename(corpus / "b/renamed.txt")
    report = index(corpus)
    assert (report.moved, report.reused, report.removed, calls.since()) == (1, 0, 0, 0)
    assert found("harbour traffic")[0] == "b/renamed.txt"
    assert "a/report.txt" not in found("harbour traffic")
    shutil.copy(corpus / "b/renamed.txt", corpus / "b/copy.txt")
    report = index(corpus)
    assert (report.moved, report.reused, calls.since()) == (0, 1, 0)
    assert set(found("harbour traffic", fold=False)[:2]) == {"b/copy.txt", "b/renamed.txt"}
    assert "b/renamed.txt" not in found("harbour traffic")  # folded under its copy, whose path sorts first


def test_a_touched_file_costs_no_model_call(corpus: Path, calls: Calls) -> None:
    index(corpus)
    calls.since()
    os.utime(corpus / "a/report.txt", (1, 1))
    report = index(corpus)
    assert (report.reused, report.indexed, calls.since()) == (1, 0, 0)
    assert index(corpus).unchanged == 5


def test_a_deleted_file_is_forgotten(corpus: Path) -> None:
    index(corpus)
    (corpus / "a/report.txt").unlink()
    assert index(corpus).removed == 1
    assert "a/report.txt" not in found("harbour traffic")


def test_a_hit_whose_file_is_gone_is_not_shown(corpus: Path) -> None:
    index(corpus)
    (corpus / "a/report.txt").unlink()
    with rag.open_index(backend=COUNTING) as searcher:
        results = searcher.search("harbour traffic")
    assert "a/report.txt" not in [hit.document for hit in results.hits]
    assert "gone" in results.notes[0]


def test_an_interrupted_run_continues_where_it_stopped(corpus: Path, calls: Calls) -> None:
    for number in range(40):
        (corpus / f"n{number:02}.txt").write_text(f"note number {number} on the subject of buoy {number}\n")
    stops = iter(range(20))

    def tell(seen: object) -> None:
        if next(stops, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(rag.RagError, match="stopped after") as caught:
        index(corpus, tell=tell)
    assert caught.value.remedy == "run the same command to go on"
    before = calls.since()
    assert 0 < before < 45
    report = index(corpus)
    assert calls.since() == 45 - before
    assert report.unchanged + report.reused == before  # reused: a picture whose caption was not committed with it
    assert found("note on buoy 39")[0] == "n39.txt"


def test_a_query_during_a_commit_answers_from_one_commit(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index(corpus)
    with rag.open_index(backend=COUNTING, reranker="none") as searcher:
        reader = searcher.index
        read, moves = Snapshot.passages, iter(range(1))

        def passages(moment: Snapshot, numbers: Sequence[int]) -> Any:
            if next(moves, None) is not None:
                for file in corpus.rglob("*.txt"):
                    file.write_text(file.read_text() + "And a lighthouse.\n")
                index(corpus)
                with ThreadPoolExecutor() as pool:
                    assert pool.submit(reader.refresh).result()
            return read(moment, numbers)

        monkeypatch.setattr(Snapshot, "passages", passages)
        before = searcher.search("harbour", paths=["*.txt"])
        assert before.hits and not any("lighthouse" in words for words in before.texts().values())
        after = searcher.search("harbour", paths=["*.txt"])
        assert after.hits and all("lighthouse" in words for words in after.texts().values())
        assert before.generations["default"] < after.generations["default"] == reader.generation


def test_each_document_is_counted_once_in_the_right_place(corpus: Path, calls: Calls) -> None:
    for name in ("one", "two"):
        (corpus / f"{name}.txt").write_text("The same words twice over.\n")
    index(corpus)
    calls.since()
    for name in ("one", "two"):
        (corpus / f"{name}.txt").rename(corpus / f"new-{name}.txt")
    report = index(corpus)
    assert (report.moved, report.reused, report.removed, calls.since()) == (2, 0, 0, 0)
    (corpus / "new-one.txt").unlink()
    os.utime(corpus / "new-two.txt", (1, 1))
    report = index(corpus)
    assert (report.moved, report.reused, report.removed) == (0, 1, 1)
    (corpus / "page.md").write_text("![a tug called Egret](a/IMG_2.png)\n")
    report = index(corpus)
    assert (report.indexed, report.unchanged) == (2, 4)


def test_the_same_bytes_with_another_suffix_are_read_differently(corpus: Path) -> None:
    (corpus / "ships.txt").write_text("ship,length\nHeron,31\n")
    index(corpus)
    (corpus / "ships.txt").rename(corpus / "ships.csv")
    index(corpus)
    with rag.open_index(backend=COUNTING) as searcher:
        assert searcher.query("Heron length", paths=["ships.csv"])[0].snippet == "ship: Heron · length: 31"


def test_what_an_older_loader_read_is_read_again_and_nothing_else(corpus: Path, calls: Calls) -> None:
    (corpus / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    index(corpus)
    assert calls.since() > 0
    with closing(connect(Path("indexes/default"), apsw.SQLITE_OPEN_READWRITE)) as catalog:
        catalog.execute("UPDATE documents SET loader = replace(loader, 'markdown.md:2:', 'markdown.md:1:')")
        catalog.execute("DELETE FROM facts WHERE name = 'loaders'")
    plan = plan_index(corpus)
    assert plan.notes == (
        "more of some files can be read now: 1 document would be read again (1 markdown)",
        "1 file that could not be read would be tried again",
    )
    report = index(corpus)
    assert report.notes == tuple(note.replace("would be", "is") for note in plan.notes)
    assert (report.indexed, report.unchanged, len(report.skipped), calls.since()) == (1, 4, 1, 0)
    assert index(corpus).notes == ()
