"""Indexing jobs over HTTP: real runs, followed and stopped, and only by who has the key of this start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import rag
from rag.indexing.live_run import live_run, shown_to_others
from rag.indexing.report import Progress
from tests.unit.api_server import asking, make_signs, managing


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/one.txt").write_text("a lighthouse on the northern cape\n")
    rag.build_index(tmp_path / "corpus", index=str(tmp_path / "indexes/small"))
    return tmp_path / "corpus"


def until(look: Callable[[], Any], seconds: float = 60.0) -> Any:
    """The first true value of `look`."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
    return found


def ended(client: TestClient, id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        job: dict[str, Any] = client.get(f"/v1/index/jobs/{id}").json()
        return job if job["state"] != "running" else None

    found: dict[str, Any] = until(look)
    return found


def test_a_job_indexes_what_is_new_and_the_next_search_finds_it(corpus: Path, tmp_path: Path) -> None:
    with managing(tmp_path / "indexes/small") as client:
        assert client.post("/v1/search", json={"text": "buoy"}).json()["good"] is False
        (corpus / "two.txt").write_text("a buoy off the harbour mouth\n")
        started = client.post("/v1/index", json={"root": "corpus"})
        assert started.status_code == 202
        job = ended(client, started.json()["job"])
        assert (job["state"], job["error"], job["report"]["indexed"], job["report"]["unchanged"]) == ("done", None, 1, 1)
        assert client.post("/v1/search", json={"text": "buoy"}).json()["hits"][0]["document"] == "two.txt"
        assert client.get("/v1/indexes").json()[0]["documents"] == 2


def test_the_events_of_a_job_end_with_its_report(corpus: Path, tmp_path: Path) -> None:
    with managing(tmp_path / "indexes/small") as client:
        id = client.post("/v1/index", json={}).json()["job"]
        lines = client.get(f"/v1/index/events/{id}").text.splitlines()
    names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    last = json.loads([line for line in lines if line.startswith("data: ")][-1].removeprefix("data: "))
    assert names[-1] == "end" and set(names[:-1]) <= {"progress"}
    assert (last["state"], last["report"]["unchanged"]) == ("done", 1)


def test_one_job_per_index_and_stopping_commits_finished_work(corpus: Path, tmp_path: Path) -> None:
    """A real run, stopped in the middle: OCR takes some tenths of a second for each sign."""
    make_signs(corpus, 80)
    with managing(tmp_path / "indexes/small") as client:
        id = client.post("/v1/index", json={}).json()["job"]
        again = client.post("/v1/index", json={})
        assert (again.status_code, again.json()["error"]["code"]) == (409, "job_runs")
        assert client.get("/v1/indexes").json()[0]["job"] == id
        until(lambda: client.get(f"/v1/index/jobs/{id}").json()["done"] > 0)
        for _ in range(3):  # repeated clicks send one Ctrl-C
            assert client.delete(f"/v1/index/jobs/{id}").json()["stopping"] is True
        job = ended(client, id)
        assert (job["state"], job["report"], job["error"]) == ("stopped", None, None)
        committed = client.get("/v1/status").json()["documents"]
        assert 1 <= committed < 81
        assert client.get("/v1/indexes").json()[0]["job"] is None


def test_a_run_in_a_terminal_is_told_of_while_it_goes_on(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    make_signs(corpus, 80)
    index = tmp_path / "indexes/small"
    with managing(index) as client:
        assert client.get("/v1/indexes").json()[0]["run"] is None
        command = [sys.executable, "-m", "rag.cli", "index", "--index", str(index), "--quiet"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as terminal:
            until(lambda: (client.get("/v1/indexes").json()[0]["run"] or {}).get("done", 0) > 0)
            info = client.get("/v1/indexes").json()[0]
            assert info["job"] is None
            run = info["run"]
            assert (run["process"], run["state"], run["counted"]) == (terminal.pid, "running", True)
            assert 0 < run["done"] <= run["total"] <= 81
            assert client.delete(f"/v1/index/jobs/{run['id']}").status_code == 404
            terminal.send_signal(signal.SIGINT)
        assert client.get("/v1/indexes").json()[0]["run"] is None
        assert list((tmp_path / "run/multimodal-rag").glob(".index-*")) == []


def test_a_run_that_was_killed_is_not_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    told = []
    with shown_to_others(tmp_path / "index", told.append) as tell:
        [file] = (tmp_path / "multimodal-rag").glob(".index-*.json")
        tell(Progress(3, 9, "a.txt"))
        found = live_run(tmp_path / "index")
        assert found is not None and found.process == os.getpid()
        assert live_run(tmp_path / "another") is None
        kept = json.loads(file.read_text())
    assert (told, file.exists()) == ([Progress(3, 9, "a.txt")], False)
    ended = subprocess.Popen(["true"])
    ended.wait()
    file.write_text(json.dumps(kept | {"pid": ended.pid}))
    assert live_run(tmp_path / "index") is None
    assert not file.exists()


def test_a_run_goes_on_where_nothing_can_be_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "file"))
    with shown_to_others(tmp_path / "index", None) as tell:
        tell(Progress(1, 2, "a.txt"))
    assert live_run(tmp_path / "index") is None


def test_others_on_the_machine_can_follow_a_job_but_neither_start_nor_stop_one(corpus: Path, tmp_path: Path) -> None:
    with asking(tmp_path / "indexes/small") as client:
        for answer in (client.post("/v1/index", json={}), client.delete("/v1/index/jobs/x")):
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "start_key_needed")
        assert client.get("/v1/index/jobs/x").status_code == 404


def test_only_roots_of_the_index_can_be_indexed(corpus: Path, tmp_path: Path) -> None:
    with managing(tmp_path / "indexes/small") as client:
        for root in ("/etc", "..", str(corpus)):
            answer = client.post("/v1/index", json={"root": root})
            assert (answer.status_code, answer.json()["error"]["remedy"]) == (400, "the roots are: corpus")


def test_a_new_index_is_served_when_it_appears(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/one.txt").write_text("a lighthouse on the northern cape\n")
    index = tmp_path / "indexes/later"
    with managing(index) as client:
        answer = client.post("/v1/search", json={"text": "lighthouse"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "index_not_found")
        assert "rag index FOLDER" in answer.json()["error"]["remedy"]
        [info] = client.get("/v1/indexes").json()
        assert (info["exists"], info["problem"]["code"]) == (False, "index_not_found")
        assert client.post("/v1/index", json={}).status_code == 404
        rag.build_index(tmp_path / "corpus", index=str(index))
        assert client.post("/v1/search", json={"text": "lighthouse"}).json()["hits"][0]["document"] == "one.txt"


def test_a_rebuilt_index_is_reopened(corpus: Path, tmp_path: Path) -> None:
    index = tmp_path / "indexes/small"
    with managing(index) as client:
        assert len(client.post("/v1/search", json={"text": "lighthouse"}).json()["hits"]) == 1
        (corpus / "one.txt").write_text("a beacon\n")
        rag.build_index(index=str(index), rebuild=True)
        assert client.post("/v1/search", json={"text": "beacon"}).json()["hits"][0]["score"] > 0.5


def test_a_failed_job_says_why(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with managing(tmp_path / "indexes/small") as client:
        monkeypatch.setenv("RAG_COLOUR", "red")  # for the job only: this process has read its settings already
        job = ended(client, client.post("/v1/index", json={}).json()["job"])
    assert job["state"] == "failed"
    assert job["error"]["what"] == "environment: RAG_COLOUR is not a setting"
    assert job["error"]["remedy"].startswith("unset it")


def test_a_folder_named_rag_in_the_current_folder_is_not_imported(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rag").mkdir()
    (tmp_path / "rag/__init__.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(rag.__file__).parents[1]))
    with managing(tmp_path / "indexes/small") as client:
        assert ended(client, client.post("/v1/index", json={}).json()["job"])["state"] == "done"
    assert sys.modules["rag"] is rag


def test_an_unknown_job_is_not_found(library: Path) -> None:
    with managing(library) as api:
        for answer in (api.get("/v1/index/jobs/none"), api.delete("/v1/index/jobs/none"), api.get("/v1/index/events/none")):
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_such_job")
