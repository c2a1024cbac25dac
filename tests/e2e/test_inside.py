"""Files inside files are found, shown and filtered as others are, and cost nothing when nothing changed."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rag
from rag.index.reader.open_index import open_index
from rag.loaders.base import Limits
from rag.media.service import MediaService
from tests.contracts.test_loaders import pdf, picture, video
from tests.e2e.conftest import COUNTING, Calls
from tests.e2e.runs import found, index
from tests.unit.loaders.test_inside import zipped


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    inner = zipped({"plan.pdf": pdf(), "film.mp4": video("mp4", "libx264")})
    (folder / "a.zip").write_bytes(
        zipped({"x/walrus.txt": "The keeper sings at midnight.", "b.png": picture("PNG"), "in.zip": inner})
    )
    (folder / "plain.txt").write_text("Nothing is inside a text.")
    return folder


def test_hits_say_where_they_are_inside(papers: Path, calls: Calls) -> None:
    report = index(papers)
    assert (report.indexed, report.skipped) == (2, ())
    with rag.open_index(backend=COUNTING) as searcher:
        best = searcher.query("keeper sings")[0]
        assert (best.document, best.inner) == ("a.zip", "x/walrus.txt")
        assert searcher.query("walrus.txt")[0].inner == "x/walrus.txt"
        page = searcher.query("harbour", kinds=["page"])[0]
        assert (page.document, page.inner) == ("a.zip", "in.zip/plan.pdf")
        for glob in ("*.txt", "a.zip/**", "a.zip/x/"):
            assert searcher.query("keeper", paths=[glob])[0].inner == "x/walrus.txt"
        assert {hit.inner for hit in searcher.query("harbour", paths=["in.zip/**", "**/in.zip/*"])} == {"in.zip/plan.pdf"}
        assert {hit.document for hit in searcher.query("keeper sings", paths=["a.zip"])} == {"a.zip"}
    calls.since()
    assert (index(papers).unchanged, calls.since()) == (2, 0)
    (papers / "a.zip").rename(papers / "moved.zip")
    assert (index(papers).moved, calls.since()) == (1, 0)
    assert found("keeper sings")[0] == "moved.zip"


def test_ids_differ_between_files_inside(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c/a.zip").write_bytes(zipped({f"{name}.txt": f"the word {name}" for name in "abcd"}))
    index(tmp_path / "c")
    with rag.open_index(backend=COUNTING, reranker="none") as searcher:
        hits = searcher.query("word", fold=False)
        assert len({hit.id for hit in hits}) == len({hit.inner for hit in hits}) == 4


def test_pictures_pages_and_films_inside_are_shown(papers: Path, tmp_path: Path) -> None:
    index(papers)
    with rag.open_index(backend=COUNTING) as searcher, MediaService() as media, open_index(searcher.index.folder) as opened:
        for kind, shape in (("image", (200, 320)), ("page", (417, 834)), ("frame", (96, 160))):
            hit = (
                searcher.query("harbour", kinds=[kind])[0]
                if kind == "page"
                else next(iter(searcher.query("film b", kinds=[kind])))
            )
            stored = opened.by_id(hit.id)
            assert stored is not None and stored.passage.inner == hit.inner != ""
            shown = media.picture(stored, "view", Limits(), tmp_path)
            assert np.asarray(Image.open(io.BytesIO(shown.content))).shape[:2] == shape
            assert media.picture(stored, "thumb", Limits(), tmp_path).type == "image/webp"
            if kind == "page":
                assert media.outlines(stored, "harbour", Limits(), ocr=False)["pages"] == 3
            if kind == "frame":
                assert media.video(stored, Limits()).playable == "direct"
                with media.playing(stored, Limits(), 0.0) as playing:
                    assert abs(playing.size - len(video("mp4", "libx264"))) < 100
