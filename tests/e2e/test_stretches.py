"""Long documents are read by several processes at once, and the index is the one that a single reader makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import rag
from rag.decoding import idle_workers
from rag.decoding.messages import Job, ReadAll, ReadRange
from rag.decoding.pool import Pool
from rag.decoding.tasks import stretches
from rag.decoding.worker_process import WorkerProcess
from rag.loaders.base import STRETCH, Limits
from rag.loaders.pdf.pdf import PdfLoader
from rag.loaders.picture.picture import PictureLoader
from rag.loaders.video.video import VideoLoader
from rag.types import Content, Document, DocumentId, Dropped, Passage, Whole
from tests.unit.loaders.video.test_video import film

COUNT = 3 * STRETCH + 3
BLANK = {5, STRETCH, STRETCH + 1, 2 * STRETCH - 2, COUNT - 1}
REPEATED = {3, 4, STRETCH + 3, 2 * STRETCH, 2 * STRETCH + 1, 2 * STRETCH + 2}  # as the one before


def shown(number: int) -> np.ndarray:
    while number in REPEATED:
        number -= 1
    if number in BLANK:
        return np.full((96, 160, 3), 255, np.uint8)
    return np.random.default_rng(number).integers(0, 255, (6, 10, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PDF, a TIFF and a film of as many pages and seconds."""
    folder = tmp_path_factory.mktemp("long")
    for name in ("a.pdf", "a.tiff"):
        pages = [Image.fromarray(shown(number)) for number in range(COUNT)]  # saving changes them
        pages[0].save(folder / name, save_all=True, append_images=pages[1:])
    film(folder / "a.mp4", [shown(number) for number in range(COUNT) for _ in range(5)], every=5)
    return folder


LOADERS = {"a.pdf": PdfLoader(), "a.tiff": PictureLoader(), "a.mp4": VideoLoader()}


@pytest.mark.parametrize("name", LOADERS)
def test_stretches_read_apart_equal_the_document_read_at_once(name: str, long: Path) -> None:
    document, loader, limits = Document(DocumentId("r", name), long / name), LOADERS[name], Limits(frame_seconds=1.0)
    passages = list(loader.split(document, limits))
    at_once = list(loader.read(document, passages, limits))
    apart = [one for stretch in stretches(passages, 2) for one in loader.read(document, stretch, limits)]
    assert len(apart) == len(at_once) == COUNT
    for one, other in zip(apart, at_once, strict=True):
        assert type(one) is type(other)
        if isinstance(one, Content) and isinstance(other, Content):
            np.testing.assert_array_equal(one.pixels[0], other.pixels[0])
        else:
            assert one == other
    dropped = [number for number, one in enumerate(apart) if isinstance(one, Dropped)]
    assert dropped == {"a.pdf": sorted(BLANK), "a.tiff": [], "a.mp4": sorted(BLANK | REPEATED - {2 * STRETCH})}[name]


@given(st.integers(0, 3000), st.integers(2, 64))
def test_stretches_begin_at_allowed_places_and_have_several_passages(count: int, readers: int) -> None:
    passages = [Passage(DocumentId("r", "a"), number, Whole(), "page", "image") for number in range(count)]
    cut = list(stretches(passages, readers))
    assert [passage for stretch in cut for passage in stretch] == passages
    assert all(stretch[0].ordinal % STRETCH == 0 for stretch in cut)
    assert count == 1 or all(len(stretch) > 1 for stretch in cut)
    assert all(len(stretch) <= max(STRETCH + 1, count // (2 * readers)) for stretch in cut)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """The jobs that were sent to worker processes."""
    sent: list[Job] = []
    submit = Pool.submit

    def counted(self: Pool, ticket: int, job: Job) -> None:
        sent.append(job)
        submit(self, ticket, job)

    monkeypatch.setattr(Pool, "submit", counted)
    return sent


def indexed(folder: Path, home: Path, jobs: int) -> list[tuple[Any, ...]]:
    report = rag.build_index(folder, index=str(home), ocr="never", jobs=jobs, frame_seconds=1.0)
    assert (report.indexed, report.skipped, report.notes) == (3, (), ())
    catalog = apsw.Connection(str(home / "catalog.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    return list(
        catalog.execute(
            "SELECT d.path, t.ordinal, t.locator, t.text, v.key FROM documents d JOIN passages p ON p.document = d.number"
            " JOIN texts t ON t.passage = p.number JOIN vectors v ON v.number = p.vector ORDER BY 1, 2"
        )
    )


def test_several_readers_make_the_same_index_as_one(long: Path, tmp_path: Path, asked: list[Job]) -> None:
    alone = indexed(long, tmp_path / "alone", jobs=0)
    assert not asked
    together = indexed(long, tmp_path / "together", jobs=3)
    assert sum(isinstance(job, ReadRange) for job in asked) == 3 * 4
    assert together == alone


def test_a_reader_that_dies_in_a_stretch_loses_no_passage(
    long: Path, tmp_path: Path, asked: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    talk, struck = Pool._talk, list[int]()

    def mortal(self: Pool, process: WorkerProcess, ticket: int, job: Job) -> None:
        if isinstance(job, ReadAll | ReadRange) and job.document.file.suffix == ".pdf" and ticket not in struck:
            struck.append(ticket)
            process.strike()
        talk(self, process, ticket, job)

    alone = indexed(long, tmp_path / "alone", jobs=0)
    monkeypatch.setattr(Pool, "_talk", mortal)
    assert indexed(long, tmp_path / "together", jobs=2) == alone
    assert len(struck) == 1 + 4


def test_a_page_that_crashes_its_reader_skips_only_its_document(
    long: Path, tmp_path: Path, asked: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(
        "import rag.loaders as l; l.LOADERS['pdf'] = 'tests.unit.bad_loaders:LastPage'"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setattr(idle_workers, "_spares", [])
    report = rag.build_index(long, index=str(tmp_path / "index"), ocr="never", jobs=2, frame_seconds=1.0)
    assert [(one.document.path, one.reason) for one in report.skipped] == [("a.pdf", "its reader crashed (SIGSEGV)")]
    assert report.indexed == 2
    asked.clear()
    rag.build_index(long, index=str(tmp_path / "index"), ocr="never", jobs=2, frame_seconds=1.0)
    assert not asked
