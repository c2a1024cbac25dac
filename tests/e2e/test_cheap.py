"""Expensive work, OCR and calls of the model, is done once and only where it is needed. Both are counted."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rag
from rag.indexing.report import Report
from rag.loaders.picture import ocr
from tests.contracts.test_loaders import pdf
from tests.e2e.conftest import COUNTING, Calls
from tests.unit.loaders.picture.test_ocr import written
from tests.unit.loaders.video.test_video import RATE, film, slide


@pytest.fixture
def ocr_calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes of the pictures that OCR read."""
    seen: list[tuple[int, ...]] = []
    recognise = ocr.recognise

    def counted(pixels: np.ndarray, *, threads: int = 0) -> ocr.OcrResult:
        seen.append(pixels.shape)
        return recognise(pixels, threads=threads)

    monkeypatch.setattr(ocr, "recognise", counted)
    return seen


def test_ocr_runs_once_per_picture_and_only_where_there_is_no_text(tmp_path: Path, ocr_calls: list[tuple[int, ...]]) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    sign = Image.fromarray(written([(40, 40, 32, "Harbour traffic")]))
    sign.save(corpus / "sign.png")
    sign.save(corpus / "sign.bmp")  # other bytes, the same pixels
    shutil.copy(corpus / "sign.png", corpus / "copy.png")
    (corpus / "text.pdf").write_bytes(pdf())  # three pages with a text layer
    Image.fromarray(written([(40, 40, 32, "A scanned letter")], size=(660, 360))).save(corpus / "scan.pdf")
    index = str(tmp_path / "index")

    report = rag.build_index(corpus, index=index, jobs=0)
    assert (report.indexed + report.reused, report.passages) == (5, {"image": 3, "page": 4})
    assert len(ocr_calls) == 2  # the sign, and the scan
    with rag.open_index(index) as searcher:
        assert {hit.document for hit in searcher.query("scanned letter", top_k=1)} == {"scan.pdf"}

    ocr_calls.clear()
    os.utime(corpus / "scan.pdf", (1, 1))
    (corpus / "sign.png").rename(corpus / "moved.png")
    sign.save(corpus / "sign.tiff")
    rag.build_index(corpus, index=index, jobs=0)
    rag.build_index(corpus, index=index, jobs=0, rebuild=True)
    assert ocr_calls == []

    rag.build_index(corpus, index=index, jobs=0, rebuild=True, ocr="always")
    assert len(ocr_calls) == 3  # only the pages with a text layer; none of the others again


def test_ocr_never_runs_if_it_is_off(tmp_path: Path, ocr_calls: list[tuple[int, ...]]) -> None:
    Image.fromarray(written([(40, 40, 32, "Harbour traffic")])).save(tmp_path / "sign.png")
    rag.build_index(tmp_path, index=str(tmp_path / "indexes/none"), jobs=0, ocr="never")
    assert ocr_calls == []


def test_the_model_gets_no_frame_twice(tmp_path: Path, calls: Calls) -> None:
    """Six seconds of two slides, a frame a second, and a copy of the film in another container."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    frames = [pixels for pixels in [slide(3)] * 3 + [slide(4)] * 3 for _ in range(RATE)]
    film(corpus / "talk.mp4", frames, every=RATE)
    shutil.copy(corpus / "talk.mp4", corpus / "talk again.mp4")

    def index() -> Report:
        return rag.build_index(corpus, index=str(tmp_path / "index"), backend=COUNTING, ocr="never", frame_seconds=1.0)

    report = index()
    assert (report.indexed, report.reused, calls.since()) == (1, 1, 2)
    os.utime(corpus / "talk.mp4", (1, 1))
    assert (index().reused, calls.since()) == (1, 0)
