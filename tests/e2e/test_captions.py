"""Captions that documents give to pictures reach those pictures, and change with their sources."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import rag
from tests.e2e.conftest import COUNTING, Calls
from tests.e2e.runs import found, index


def test_the_caption_of_a_picture_follows_its_sources(corpus: Path, calls: Calls) -> None:
    index(corpus)
    assert found("pilot boat Seagull")[0] == "a/IMG_1.jpg"
    assert found("tug called Heron", kinds=["image"])[0] == "a/IMG_2.png"
    calls.since()
    (corpus / "page.md").write_text("# Fleet\n\n![an icebreaker called Walrus](a/IMG_2.png)\n")
    index(corpus)
    assert calls.since() == 2
    with rag.open_index(backend=COUNTING) as searcher:
        best = searcher.query("icebreaker Walrus", kinds=["image"])[0]
        assert (best.document, best.snippet) == ("a/IMG_2.png", "an icebreaker called Walrus")
    (corpus / "a/IMG_1.jpg.txt").unlink()
    (corpus / "page.md").unlink()
    index(corpus)
    with rag.open_index(backend=COUNTING, reranker="none") as searcher:
        assert {hit.snippet for hit in searcher.query("IMG", kinds=["image"])} == {""}


def caption(name: str) -> str:
    with rag.open_index(backend=COUNTING, reranker="none") as searcher:
        return next(hit.snippet for hit in searcher.query("IMG", kinds=["image"]) if hit.document == name)


def test_a_caption_arrives_even_if_the_run_stopped_before_its_picture(corpus: Path) -> None:
    index(corpus)
    (corpus / "page.md").write_text("![an icebreaker called Walrus](a/IMG_2.png)\n")

    def tell(seen: Any) -> None:
        if seen.path == "a/IMG_2.png":
            raise KeyboardInterrupt

    with pytest.raises(rag.RagError, match="stopped after 1 doc"):
        index(corpus, tell=tell)
    assert caption("a/IMG_2.png") == "a tug called Heron"
    assert (index(corpus).indexed, caption("a/IMG_2.png")) == (1, "an icebreaker called Walrus")


def test_indexing_a_subfolder_does_not_change_pictures_outside_it(corpus: Path) -> None:
    from PIL import Image

    (corpus / "b").mkdir()
    (corpus / "b/page.md").write_text("![the Heron at night](../a/IMG_2.png) ![new](../a/IMG_3.png)\n")
    Image.new("RGB", (64, 48), (9, 200, 9)).save(corpus / "a/IMG_3.png")
    index(corpus / "a")
    assert caption("IMG_2.png") == ""
    index(corpus)
    assert caption("a/IMG_2.png") == "the Heron at night a tug called Heron"
    (corpus / "b/page.md").write_text("![the Heron at dawn](../a/IMG_2.png)\n")
    report = index(corpus / "b")
    assert (report.indexed, report.unchanged, caption("a/IMG_2.png")) == (1, 0, "the Heron at night a tug called Heron")
    report = index(corpus)
    assert (report.indexed, report.reused, report.unchanged) == (1, 1, 5)  # the third had no caption once
    assert caption("a/IMG_2.png") == "the Heron at dawn a tug called Heron"


def test_a_picture_outside_the_folder_is_not_indexed_because_a_document_shows_it(corpus: Path, tmp_path: Path) -> None:
    for folder in (corpus / ".hidden", tmp_path / "outside"):
        folder.mkdir()
        shutil.copy(corpus / "a/IMG_2.png", folder / "secret.png")
    (corpus / "link").symlink_to(tmp_path / "outside")
    index(corpus)
    (corpus / "page.md").write_text("![one](.hidden/secret.png) ![two](link/secret.png)\n")
    index(corpus)
    with rag.open_index(backend=COUNTING) as searcher:
        assert searcher.status().documents == 5
