"""The samples indexed into a folder and into Milvus by the same write path: the same hits and stages, nothing read twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import rag
from rag.cli.app import app
from rag.errors import RagError, WrongRequest
from rag.evaluation.judged import qrels_of
from rag.evaluation.measures import means_of, values_of
from rag.evaluation.open_set import open_set
from rag.evaluation.ranking import DEPTH, rank_all
from rag.index.milvus.room import MilvusRoom
from tests.scale.conftest import SAMPLES

QUERIES = [json.loads(line) for line in (SAMPLES / "queries.jsonl").read_text("utf-8").splitlines()]
RUN = [sys.executable, "-W", "ignore", "-m", "rag.cli"]


def asked(query: dict) -> dict:
    return {"text": query.get("query") or "", **({"image": str(SAMPLES / query["image"])} if query.get("image") else {})}


def test_the_hits_and_the_lanes_are_those_of_the_folder(indexes: tuple[Path, str]) -> None:
    """Equal scores are ordered by when their documents were read, which differs from run to run: among those any may be there."""
    folder, address = indexes
    calls = []
    with rag.open_index(folder) as ours, rag.open_index(address) as theirs:
        for query in QUERIES:
            expected = ours.search(**asked(query))
            before = theirs.index.engine.calls
            found = theirs.search(**asked(query))
            calls.append(theirs.index.engine.calls - before)
            assert [round(hit.score, 3) for hit in found.hits] == [round(hit.score, 3) for hit in expected.hits], query["id"]
            assert above_the_last(found.hits) == above_the_last(expected.hits), query["id"]
            assert found.notes == expected.notes and found.stages.keys() == expected.stages.keys()
            for lane in ("dense", "lexical"):
                scores, truth = ([score for _, score in each.stages[lane]][:100] for each in (found, expected))
                assert scores == pytest.approx(truth, abs=5e-4), (query["id"], lane)
    assert sum(calls[1:]) / len(calls[1:]) <= 8 and max(calls[1:]) <= 12


def above_the_last(hits: list[rag.Hit]) -> set[str]:
    return {hit.id for hit in hits if hit.score > hits[-1].score + 1e-6}


def test_what_was_judged_is_found_as_well(indexes: tuple[Path, str]) -> None:
    judged = open_set(SAMPLES / "queries.jsonl")
    queries = [query.id for query in judged.queries if query.is_answerable]
    measured = []
    for index in indexes:
        with rag.open_index(index, top_k=DEPTH) as searcher:
            runs = rank_all(searcher, judged)
        measured.append({stage: means_of(values_of(qrels_of(judged), run), queries) for stage, run in runs.items()})
    ours, theirs = measured
    assert {"dense", "lexical", "fused", "hits"} <= ours.keys() == theirs.keys()
    for stage, values in ours.items():
        for measure in ("Success@5", "R@10"):
            assert theirs[stage][measure] == pytest.approx(values[measure], abs=0.03), (stage, measure)  # one query, for ties


@pytest.mark.parametrize(
    "options",
    [
        {"kinds": ["page"]},
        {"paths": ["*.md"]},
        {"after": "2026-02-01"},
        {"whole": True, "top_k": 50},
        {"whole": True, "order": "name"},
    ],
    ids=str,
)
def test_filters_and_whole_lists_are_those_of_the_folder(indexes: tuple[Path, str], options: dict) -> None:
    folder, address = indexes
    with rag.open_index(folder) as ours, rag.open_index(address) as theirs:
        for words in ("harbour dues", "crane inspection", '"storm" -winter'):
            expected, found = ours.search(words, **options), theirs.search(words, **options)
            assert [hit.id for hit in found.hits] == [hit.id for hit in expected.hits]
            assert found.total == expected.total


def test_a_folder_and_milvus_are_searched_as_one(indexes: tuple[Path, str]) -> None:
    folder, address = indexes
    with rag.open_index(folder, address) as both:
        hits = both.query("crane inspection moved to which date", top_k=4, fold=False)
    assert {hit.index for hit in hits} == {"folder", "team"} and hits[0].document == hits[1].document


def test_the_next_run_reads_nothing_and_what_is_forgotten_comes_back_without_a_model(indexes: tuple[Path, str]) -> None:
    _, address = indexes
    again = rag.build_index(index=address)
    assert (again.indexed, again.embedded, again.removed) == (0, 0, 0) and again.unchanged > 200
    assert list(MilvusRoom(address).check(read_data=True)) == []


def test_a_run_that_is_killed_goes_on(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number in range(300):
        (corpus / f"note{number}.txt").write_text(f"note {number}: the tide and the harbour, told the {number}th time")
    address = f"milvus-lite://{tmp_path}/killed.db"
    command = [*RUN, "index", str(corpus), "--index", address, "--commit-seconds", "0.1", "--jobs", "0", "-q"]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    time.sleep(6)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    report = _with_patience(lambda: rag.build_index(corpus, index=address))
    assert report.indexed + report.unchanged + report.reused == 300
    with rag.open_index(address) as searcher:
        assert searcher.status().documents == 300
        assert searcher.query("note 217")[0].document == "note217.txt"
    assert list(MilvusRoom(address).check(read_data=True)) == []


def _with_patience(run):  # the server of a process that was killed needs a moment to end
    for _ in range(20):
        try:
            return run()
        except RagError:
            time.sleep(1)
    return run()


def command(*words: str) -> str:
    done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_commands_take_an_address(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for name in ("tide", "crane"):
        (corpus / f"{name}.txt").write_text(f"all about the {name}")
    address = f"milvus-lite://{tmp_path}/small.db"
    assert "2 indexed" in command("index", str(corpus), "--index", address, "--jobs", "0", "-q")
    [hit] = json.loads(command("query", "tide", "--index", address, "--json", "-k", "1"))
    assert hit["document"] == "tide.txt" and hit["index"] == "small"
    assert "all about the tide" in command("show", hit["id"], "--index", address)
    status = json.loads(command("status", "--index", address, "--json"))
    assert (status["documents"], status["index"], status["folder"]) == (2, "small", address)
    assert "machine" in command("doctor", "--index", address)
    assert "forgot 1 document" in command("rm", "tide.txt", "--index", address)
    assert "is intact" in command("check", "--index", address, "--read-data")
    assert "removed 0 rows" in command("compact", "--index", address)
    assert CliRunner().invoke(app, ["query", "tide", "--index", address]).exit_code == 1  # nothing is found


def test_what_cannot_be_done_there_says_so(indexes: tuple[Path, str]) -> None:
    _, address = indexes
    with pytest.raises(WrongRequest) as error:
        CliRunner().invoke(app, ["repair", "--index", address], catch_exceptions=False)
    assert address in error.value.what and error.value.remedy


def test_a_watching_command_prints_each_run(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "first.txt").write_text("the first note")
    words = ["index", str(corpus), "--watch", "--index", f"milvus-lite://{tmp_path}/watched.db", "--jobs", "0"]
    process = subprocess.Popen([*RUN, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("1 indexed in ")
    (corpus / "second.txt").write_text("the second note, of a lighthouse")
    assert any(line.startswith("1 indexed, 1 unchanged in ") for line in iter(process.stdout.readline, ""))
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130


def test_changes_are_followed(tmp_path: Path) -> None:
    from rag.indexing.watch import watch_index

    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "first.txt").write_text("the first note")
    address = f"milvus-lite://{tmp_path}/watched.db"
    stop, reports = threading.Event(), []

    def seen(report: rag.Report) -> None:
        reports.append(report)
        if len(reports) == 1:
            (corpus / "second.txt").write_text("the second note, of a lighthouse")
        else:
            stop.set()

    limit = threading.Timer(120, stop.set)
    limit.start()
    watch_index(str(corpus), index=address, seen=seen, say=lambda _: None, stop=stop, jobs=0)
    limit.cancel()
    assert [report.indexed for report in reports] == [1, 1]
    with rag.open_index(address) as searcher:
        assert searcher.query("lighthouse")[0].document == "second.txt"
