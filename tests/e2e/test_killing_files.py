"""Files that crash their reader: the others are indexed, and these are not tried again until they change."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import rag
from rag.decoding import idle_workers
from rag.decoding.cost_limits import CostLimits
from rag.decoding.messages import Job, ReadAll
from rag.decoding.pool import Pool
from tests.e2e.conftest import SAMPLES, Ran

CRASHED = "its reader crashed (SIGSEGV)"


@pytest.fixture
def killing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In worker processes, every PDF follows a null pointer."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import rag.loaders as l; l.LOADERS['pdf'] = 'tests.unit.bad_loaders:Segfault'")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(idle_workers, "_spares", [])


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The documents that were sent to worker processes."""
    sent: list[str] = []
    submit = Pool.submit

    def counted(self: Pool, ticket: int, job: Job) -> None:
        if isinstance(job, ReadAll):
            sent.append(job.document.id.path)
        submit(self, ticket, job)

    monkeypatch.setattr(Pool, "submit", counted)
    return sent


@pytest.mark.usefixtures("killing")
def test_a_file_that_crashes_its_reader_is_skipped_and_not_tried_again(corpus: Path, reads: list[str]) -> None:
    (corpus / "bad.pdf").write_bytes(b"%PDF-1.7 one")
    (corpus / "copy.pdf").write_bytes(b"%PDF-1.7 one")
    report = rag.build_index(corpus, ocr="never")
    assert {one.document.path: one.reason for one in report.skipped} == {"bad.pdf": CRASHED, "copy.pdf": CRASHED}
    assert report.indexed == 5
    assert [path for path in reads if path.endswith("pdf")] == ["bad.pdf"]

    reads.clear()
    os.utime(corpus / "bad.pdf", (1, 1))
    again = rag.build_index(corpus, ocr="never")
    assert ([one.reason for one in again.skipped], reads) == ([CRASHED], [])

    (corpus / "bad.pdf").write_bytes(b"%PDF-1.7 two")
    rag.build_index(corpus, ocr="never")
    assert reads == ["bad.pdf"]

    reads.clear()
    rag.build_index(corpus, rebuild=True, ocr="never")
    assert {"bad.pdf", "copy.pdf"} <= set(reads)


@pytest.mark.skipif(sys.platform != "linux", reason="what a reader costs is read from /proc")
def test_what_took_too_long_is_read_by_the_next_run(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone, and with four times as much; what is too much even then is left alone until it changes."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text("import rag.loaders as l; l.LOADERS['pdf'] = 'tests.unit.bad_loaders:Burn'")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(idle_workers, "_spares", [])
    monkeypatch.setattr("rag.decoding.pool.LIMITS", CostLimits(processor=0.15))
    (corpus / "slow.pdf").write_bytes(b"%PDF-1.7 slow")
    report = rag.build_index(corpus, ocr="never")
    assert [(one.document.path, "the next run reads it alone" in one.reason) for one in report.skipped] == [("slow.pdf", True)]
    again = rag.build_index(corpus, ocr="never")
    assert (again.indexed, again.skipped) == (1, ())

    monkeypatch.setattr("rag.decoding.pool.LIMITS", CostLimits(processor=0.01))
    (corpus / "slow.pdf").write_bytes(b"%PDF-1.7 slower")
    for _ in range(2):
        [skipped] = rag.build_index(corpus, ocr="never").skipped
    assert skipped.reason.startswith("its reader took more than 0.04")
    assert rag.build_index(corpus, ocr="never").unchanged == 6


def test_a_small_folder_of_texts_starts_no_process(tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Pool, **_: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(Pool, "_start", refused)
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number}.md").write_text(f"# {number}\n\nwords\n")
    assert rag.build_index(folder).indexed == 20
    assert rag.build_index(folder).unchanged == 20
    assert reads == []


def test_a_run_killed_while_it_reads_leaves_no_process_and_the_next_one_continues(corpus: Path, rag: Callable[..., Ran]) -> None:
    from PIL import Image

    for number in range(60):
        Image.effect_noise((900, 700), 90 + number).convert("RGB").save(corpus / f"p{number}.png")
    words = [sys.executable, "-m", "rag.cli", "index", str(corpus), "--ocr", "never", "--commit-seconds", "0.1"]
    started = subprocess.Popen(words, env={**os.environ, "PYTHONPATH": str(SAMPLES.parent)}, stderr=subprocess.DEVNULL)
    catalog = Path("indexes/default/catalog.sqlite")
    end = time.monotonic() + 60
    while not (catalog.exists() and _children(started.pid)):
        assert time.monotonic() < end
        time.sleep(0.01)
    children = _children(started.pid)
    started.send_signal(signal.SIGKILL)
    started.wait()
    ran = rag("index", str(corpus), "--ocr", "never", "--json")
    assert ran.json["indexed"] + ran.json["unchanged"] == 65
    while any(Path(f"/proc/{child}/exe").exists() for child in children):
        assert time.monotonic() < end
        time.sleep(0.01)


def _children(process: int) -> list[int]:
    return [int(one) for file in Path(f"/proc/{process}/task").glob("*/children") for one in file.read_text().split()]
