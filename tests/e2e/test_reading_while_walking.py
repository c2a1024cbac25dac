"""Documents are read while the walk continues: reading does not wait for the walk, and the resulting index is the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import rag
from rag.corpus import walk
from rag.corpus.walk import Root, ScanEvent
from rag.errors import Interrupted
from rag.indexing.report import Progress
from tests.e2e.conftest import COUNTING, Calls
from tests.e2e.runs import found, index

SECONDS = 60  # until a test is given up


class Steps:
    """A walk that continues past a document only when a number of documents is reported done; keeps the reports."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **done: int) -> None:
        """`done` by document name without suffix; 0 where it is enough that reading has begun."""
        self.told: list[Progress] = []
        self._done = done
        self._changed = threading.Condition()
        monkeypatch.setattr("rag.indexing.scan.walk", self._walk)
        monkeypatch.setattr("rag.indexing.scan.BATCH", 1)

    def tell(self, progress: Progress) -> None:
        with self._changed:
            self.told.append(progress)
            self._changed.notify_all()

    def _walk(self, root: Root, under: str = "") -> Iterator[ScanEvent]:
        for seen in walk.walk(root, under):
            yield seen
            done = self._done.get(Path(seen.path).stem)
            with self._changed:
                if done is not None and not self._changed.wait_for(lambda: self._has(seen.path, done), SECONDS):  # noqa: B023
                    raise TimeoutError(f"{seen.path} was not read while the walk went on")

    def _has(self, path: str, done: int) -> bool:
        return any(one.path == path and one.done >= done for one in self.told)


def notes(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"note{number}.txt").write_text(f"the crane of quay {number}\n")
    return folder


def test_documents_are_read_before_the_walk_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps(monkeypatch, note0=0, note1=0)
    report = index(notes(tmp_path / "docs", 3), tell=steps.tell)
    assert report.indexed == 3
    first = next(one for one in steps.told if one.path == "note0.txt")
    assert (first.total, first.counted, first.seconds_left) == (1, False, None)
    assert (steps.told[-1].done, steps.told[-1].total, steps.told[-1].counted) == (3, 3, True)


def test_a_picture_read_early_gets_captions_found_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: Calls) -> None:
    from PIL import Image

    docs = notes(tmp_path / "docs", 1)
    Image.new("RGB", (48, 32), (200, 30, 30)).save(docs / "a.png")
    (docs / "z.md").write_text("# Fleet\n\n![an icebreaker](a.png)\n")
    monkeypatch.setattr("rag.indexing.read_queue.PATIENCE", 0)
    steps = Steps(monkeypatch, a=1)
    report = index(docs, tell=steps.tell)
    assert steps.told[0].path == "a.png"
    assert (report.indexed, report.unchanged, report.skipped, report.passages) == (3, 0, (), {"text": 2, "image": 1})
    with rag.open_index(backend=COUNTING) as searcher:
        [hit] = searcher.query("icebreaker", kinds=["image"], top_k=1)
        assert (hit.document, "icebreaker" in hit.snippet) == ("a.png", True)
    monkeypatch.setattr("rag.indexing.scan.walk", walk.walk)
    assert (calls.since(), index(docs).unchanged, calls.since()) == (4, 3, 0)


def test_pictures_wait_for_their_captions(tmp_path: Path, calls: Calls) -> None:
    from PIL import Image

    docs = notes(tmp_path / "docs", 1)
    Image.new("RGB", (48, 32), (200, 30, 30)).save(docs / "a.png")
    (docs / "z.md").write_text("# Fleet\n\n![an icebreaker](a.png)\n")
    assert (index(docs).indexed, calls.since()) == (3, 3)


def test_ctrl_c_does_not_wait_for_the_walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docs = notes(tmp_path / "docs", 3)
    never = threading.Event()

    def stuck(root: Root, under: str = "") -> Iterator[ScanEvent]:
        yield from list(walk.walk(root, under))[:1]
        never.wait(SECONDS)

    def stop(progress: Progress) -> None:
        if progress.done:
            raise KeyboardInterrupt

    monkeypatch.setattr("rag.indexing.scan.walk", stuck)
    monkeypatch.setattr("rag.indexing.scan.BATCH", 1)
    with pytest.raises(Interrupted, match="stopped after 1 document;"):
        index(docs, tell=stop)
    never.set()
    monkeypatch.setattr("rag.indexing.scan.walk", walk.walk)
    assert found("crane") == ["note0.txt"]
    assert (index(docs).indexed, sorted(found("crane"))) == (2, ["note0.txt", "note1.txt", "note2.txt"])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_walk_that_fails_removes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docs = notes(tmp_path / "docs", 3)
    index(docs)

    def broken(root: Root, under: str = "") -> Iterator[ScanEvent]:
        yield from list(walk.walk(root, under))[:1]
        raise ZeroDivisionError

    monkeypatch.setattr("rag.indexing.scan.walk", broken)
    with pytest.raises(RuntimeError, match="walks the folders"):
        index(docs)
    assert len(found("crane")) == 3
