"""A run that fills a model lets every other writer in, as real processes; nothing that is killed leaves a request behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rag
from rag.errors import IndexLocked
from rag.index.files.lock import is_asked_for
from rag.index.reader.open_index import open_index
from rag.index.upkeep.check import check_bytes, check_structure
from rag.index.writer.writer import writing
from rag.indexing.background_fill import BackgroundFill
from rag.indexing.spaces import drop_model
from tests.unit.gated_model import GATE

GATED = "tests.unit.gated_model:GatedEmbedder"
FOLDER = Path("indexes/default")


@pytest.fixture
def filling(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """`rag index --add-model gated` in another process, which waits for the gate after its first commit of vectors."""
    monkeypatch.setenv(GATE, str(Path("gate").absolute()))
    rag.build_index(corpus, ocr="never", backend="lite")
    words = ["index", "--add-model", "gated", "--backend", GATED, "--commit-seconds", "0.1", "--jobs", "0"]
    root = str(Path(rag.__file__).parents[1])
    run = subprocess.Popen(
        [sys.executable, "-m", "rag.cli", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip
    try:
        wait_until(lambda: run.poll() is not None or share() > 0)
        yield run
    finally:
        run.kill()
        run.communicate()


def wait_until(happened: Any) -> None:
    end = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < end, "it has not happened within a minute"
        time.sleep(0.02)


def share() -> int:
    with open_index(FOLDER) as opened:
        return sum(space.passages for space in opened.status().spaces)


def passages() -> int:
    with open_index(FOLDER) as opened:
        return sum(opened.status().passages.values())


def ended(run: subprocess.Popen[str]) -> str:
    """Opens the gate; what the fill said."""
    Path("gate").touch()
    said, complaints = run.communicate(timeout=60)
    assert run.returncode == 0, complaints
    assert check_structure(FOLDER) == [] and check_bytes(FOLDER) == []
    return said + complaints


def test_other_writers_are_let_in_while_the_model_is_asked(corpus: Path, filling: Any) -> None:
    (corpus / "new.md").write_text("# Pilots\n\nThe pilot boat Seagull leaves at dawn.\n")
    heard: list[str] = []
    report = rag.build_index(corpus, ocr="never", say=heard.append)
    assert report.indexed == 1 and 0 < share() < passages()
    assert heard[0].startswith(f"waiting for process {filling.pid} on ") and "steps aside" in heard[0]
    assert any("which fills the other models" in note and f"process {filling.pid} " in note for note in report.notes)
    assert rag.remove_documents(str(corpus / "a" / "report.txt")) == 1
    with writing(FOLDER) as writer:
        assert writer.compact().passages > 0
    said = ended(filling)
    assert "gated: " in said and share() == passages()


def test_a_command_says_what_it_waits_for(corpus: Path, filling: Any, rag: Any) -> None:
    done = rag("rm", str(corpus / "a" / "report.txt"))
    assert done.code == 0 and f"waiting for process {filling.pid} on " in done.err
    compacted = rag("compact")
    assert compacted.code == 0 and "removed" in compacted.out
    ended(filling)
    assert share() == passages()


def test_the_model_is_dropped_meanwhile(corpus: Path, filling: Any) -> None:
    assert drop_model("gated") == "gated was dropped"
    assert "gated was dropped meanwhile" in ended(filling)
    with open_index(FOLDER) as opened:
        assert opened.spaces() == ()


def test_the_index_is_built_anew_meanwhile(corpus: Path, filling: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.unit.gated_model import GatedEmbedder

    monkeypatch.setattr(GatedEmbedder, "calls", -1_000)  # in this process it does not wait
    report = rag.build_index(corpus, ocr="never", backend="lite", rebuild=True)
    assert report.indexed == 5 and share() == passages()
    Path("gate").touch()
    _, complaints = filling.communicate(timeout=60)
    assert filling.returncode != 0 and "was rebuilt while it was open" in complaints
    assert check_structure(FOLDER) == [] and share() == passages()


def test_a_stopped_fill_goes_on_and_a_killed_one_leaves_no_lock(corpus: Path, filling: Any) -> None:
    before = share()
    os.kill(filling.pid, signal.SIGKILL)
    filling.wait()
    with writing(FOLDER):
        assert not is_asked_for(FOLDER)
    Path("gate").touch()
    notes = rag.build_index(corpus, ocr="never").notes
    assert any(note.startswith("gated: ") for note in notes) and share() == passages() > before


def test_one_who_asks_and_is_killed_stops_nobody_for_long(corpus: Path, filling: Any) -> None:
    os.kill(filling.pid, signal.SIGSTOP)  # so that the request stays
    asker = subprocess.Popen([sys.executable, "-m", "rag.cli", "compact"], stderr=subprocess.PIPE, text=True)
    assert asker.stderr is not None and "waiting for process" in asker.stderr.readline()
    wait_until(lambda: is_asked_for(FOLDER))
    asker.kill()
    asker.communicate()
    assert not is_asked_for(FOLDER)
    os.kill(filling.pid, signal.SIGCONT)
    ended(filling)
    assert share() == passages()


def test_one_that_does_not_step_aside_is_waited_for_no_longer_than_that(
    corpus: Path, filling: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.kill(filling.pid, signal.SIGSTOP)
    monkeypatch.setattr("rag.index.files.lock.PATIENCE", 0.2)
    with pytest.raises(IndexLocked, match="was asked to step aside and has not within 0 s"), writing(FOLDER):
        pass
    os.kill(filling.pid, signal.SIGCONT)
    ended(filling)


def test_two_models_are_filled_one_after_the_other(corpus: Path, filling: Any, rag: Any) -> None:
    other = subprocess.Popen(
        [sys.executable, "-m", "rag.cli", "index", "--add-model", "half", "--backend", "tests.unit.half_model:HalfEmbedder"],
        stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert other.stderr is not None
    wait_until(lambda: "which fills models; this run goes on when that ends" in other.stderr.readline())
    ended(filling)
    other.communicate(timeout=60)
    assert [one["share"] for one in rag("models", "--json").json] == [1.0, 1.0, 1.0]


def test_a_fill_behind_a_watcher_lets_the_changes_in(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one process: the runs are in one thread, the fill is in another."""
    from tests.unit.gated_model import GatedEmbedder

    monkeypatch.setenv(GATE, str(Path("gate").absolute()))
    monkeypatch.setattr(GatedEmbedder, "calls", 0)
    rag.build_index(corpus, ocr="never", backend="lite")
    with writing(FOLDER) as writer:
        writer.spaces.add("gated", GatedEmbedder.fingerprint, {"backend": json.dumps(GATED)})
        writer.commit()
    fill = BackgroundFill("", lambda _: None, commit_seconds=0.1, jobs=0)
    fill.start()
    wait_until(lambda: share() > 0)
    (corpus / "new.md").write_text("# Pilots\n\nThe pilot boat Seagull leaves at dawn.\n")
    assert rag.build_index(corpus, ocr="never").indexed == 1
    assert 0 < share() < passages()
    Path("gate").touch()
    wait_until(lambda: share() == passages())
    fill.close()
