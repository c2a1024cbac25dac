"""`rag index --watch` as a real process: changes are indexed, a folder that goes away loses nothing, Ctrl-C stops it."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rag

TIMEOUT_SECONDS = 60.0  # until a test gives up; the machine may be busy


class Watch:
    """A running `rag index --watch`, with its reports and messages."""

    def __init__(self, folder: Path, *words: str) -> None:
        command = [sys.executable, "-m", "rag.cli", "index", *words, "--watch", "--format", "jsonl"]
        environment = {**os.environ, "PYTHONPATH": str(Path(rag.__file__).parents[1])}
        self.process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        self.reports: queue.Queue[dict[str, Any]] = queue.Queue()
        self.said: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._listen, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.reports.put(json.loads(line))

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.put(line.strip())

    def report(self) -> dict[str, Any]:
        return self.reports.get(timeout=TIMEOUT_SECONDS)

    def wait_for(self, words: str) -> str:
        heard = []
        end = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < end:
            try:
                heard.append(self.said.get(timeout=1.0))
            except queue.Empty:
                continue
            if words in heard[-1]:
                return heard[-1]
        raise AssertionError(heard)


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    monkeypatch.chdir(tmp_path)
    corpus = tmp_path / "corpus"
    (corpus / "deep").mkdir(parents=True)
    (corpus / "one.txt").write_text("The harbour cranes run at night.\n")
    started = Watch(tmp_path, "corpus")
    try:
        assert started.report()["indexed"] == 1
        started.wait_for("following")
        yield started
    finally:
        started.process.kill()
        started.process.wait()


def found(words: str) -> list[str]:
    with rag.open_index() as searcher:
        return [hit.document for hit in searcher.query(words)]


def test_changes_are_indexed(watch: Watch, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    (corpus / "deep/two.txt").write_text("A lighthouse keeper paints the lantern.\n")
    assert watch.report()["indexed"] == 1
    assert found("lighthouse keeper") == ["deep/two.txt"]
    (corpus / "one.txt").write_text("Pontoons are washed in spring.\n")
    assert watch.report()["indexed"] == 1
    assert found("pontoons") == ["one.txt"] and found("cranes") == []
    (corpus / "deep/two.txt").rename(corpus / "three.txt")
    assert watch.report()["moved"] == 1
    (corpus / "three.txt").unlink()
    assert watch.report()["removed"] == 1
    assert found("lighthouse keeper") == []


def test_a_folder_that_goes_away_loses_nothing_and_is_watched_again_when_it_is_back(watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "corpus").rename(tmp_path / "away")
    watch.wait_for("is gone: what the index holds of it is kept")
    with rag.open_index() as searcher:
        assert searcher.status().documents == 1
    (tmp_path / "away/later.txt").write_text("A buoy with a bell.\n")
    (tmp_path / "away").rename(tmp_path / "corpus")
    watch.wait_for("is there again")
    assert watch.report()["indexed"] == 1
    (tmp_path / "corpus/last.txt").write_text("The ferry timetable of the winter.\n")
    assert watch.report()["indexed"] == 1
    assert found("ferry timetable") == ["last.txt"] and found("buoy") == ["later.txt"]


def test_ctrl_c_stops_it_cleanly(watch: Watch) -> None:
    watch.process.send_signal(signal.SIGINT)
    assert watch.process.wait(timeout=TIMEOUT_SECONDS) == 130
    assert "finished work is committed" in watch.wait_for("stopped watching")
    assert found("cranes") == ["one.txt"]


def test_it_does_not_watch_its_own_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.txt").write_text("The harbour cranes run at night.\n")
    started = Watch(tmp_path, ".")
    try:
        assert started.report()["indexed"] == 1
        started.wait_for("following")
        (tmp_path / "two.txt").write_text("A lighthouse.\n")
        assert started.report()["indexed"] == 1
        with pytest.raises(queue.Empty):
            started.reports.get(timeout=3.0)
    finally:
        started.process.kill()
        started.process.wait()
