"""DjVu and XPS are found by their words, cited by page and shown as PDFs are; without their programs there is a reason."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rag
from rag.index.reader.open_index import open_index
from rag.loaders import programs
from rag.loaders.base import Limits
from rag.media.service import MediaService
from rag.types import Page
from tests.e2e.conftest import COUNTING, Calls, Ran
from tests.e2e.runs import found, index
from tests.unit.loaders.test_inside import zipped
from tests.unit.program_samples import djvu, needs_djvu, needs_xps, xps

pytestmark = [needs_djvu, needs_xps]


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "book.djvu").write_bytes(djvu())
    (folder / "print.xps").write_bytes(xps())
    return folder


def mailed(content: bytes) -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"] = "The scan", "a@b.c"
    message.set_content("It is attached.")
    message.add_attachment(content, maintype="image", subtype="vnd.djvu", filename="scan.djvu")
    return bytes(message)


def test_pages_are_found_by_their_words_and_cited(pages: Path, rag: Callable[..., Ran]) -> None:
    assert rag("index", "pages").code == 0
    for words, name, page in (
        ("salt unloaded quay", "book.djvu", 2),
        ("lighthouse", "book.djvu", 3),
        ("ropes sails", "print.xps", 3),
    ):
        best = rag("query", words, "--json").json[0]
        assert (best["document"], best["locator"], best["kind"]) == (name, {"page": page}, "page"), words
        shown = rag("show", best["id"]).out
        assert f"{name}, p. {page} (page)" in shown
    only = rag("query", "salt", "--json", "--kind", "page", "--path", "*.djvu").json
    assert {hit["document"] for hit in only} == {"book.djvu"}


def test_pages_are_drawn_and_their_matches_outlined(pages: Path, tmp_path: Path) -> None:
    index(pages)
    with rag.open_index(backend=COUNTING) as searcher, MediaService() as media, open_index(searcher.index.folder) as opened:
        for words, shape, region in (
            ("unloaded", (550, 425), (0.26, 0.25, 0.17, 0.055)),
            ("crane", (469, 625), (0.14, 0.13, 0.16, 0.08)),
        ):
            stored = opened.by_id(searcher.query(words)[0].id)
            assert stored is not None
            shown = media.picture(stored, "view", Limits(), tmp_path)
            assert np.asarray(Image.open(io.BytesIO(shown.content))).shape[:2] == shape
            assert media.picture(stored, "thumb", Limits(), tmp_path).type == "image/webp"
            outlined = media.outlines(stored, words, Limits(), ocr=False)
            assert outlined["pages"] == 3
            [one] = outlined["regions"]
            assert one["words"] == words
            assert np.allclose([one[side] for side in ("x", "y", "width", "height")], region, atol=0.04)
            other = media.picture(stored, "view", Limits(), tmp_path, at=Page(3))
            assert other.content != shown.content


def test_inside_other_files_they_are_as_all_files(tmp_path: Path, calls: Calls) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "a.zip").write_bytes(zipped({"x/book.djvu": djvu(), "print.oxps": xps("oxps")}))
    (folder / "b.eml").write_bytes(mailed(djvu()))
    (folder / "c.djvu.gz").write_bytes(gzip.compress(djvu()))
    report = index(folder)
    assert (report.indexed, report.skipped) == (3, ())
    with rag.open_index(backend=COUNTING) as searcher, MediaService() as media, open_index(searcher.index.folder) as opened:
        places = {(hit.document, hit.inner) for hit in searcher.query("salt unloaded quay", fold=False) if hit.locator == Page(2)}
        assert places >= {("a.zip", "x/book.djvu"), ("b.eml", "scan.djvu"), ("c.djvu.gz", "")}
        hit = searcher.query("ropes sails")[0]
        assert (hit.document, hit.inner, hit.locator) == ("a.zip", "print.oxps", Page(3))
        for hit in searcher.query("salt unloaded quay", kinds=["page"], fold=False):
            stored = opened.by_id(hit.id)
            assert stored is not None and media.picture(stored, "view", Limits(), tmp_path).content
    calls.since()
    assert (index(folder).unchanged, calls.since()) == (3, 0)


@pytest.fixture
def uninstalled(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """No program is installed until what is given is called."""
    before = list(programs._lent)
    folders = programs.FOLDERS
    monkeypatch.setattr(programs, "FOLDERS", ("/nonexistent",))
    yield lambda: monkeypatch.setattr(programs, "FOLDERS", folders)
    programs._lent[:] = before


def test_without_the_program_there_is_a_reason_until_it_is_installed(pages: Path, uninstalled: Callable[[], None]) -> None:
    (pages / "a.zip").write_bytes(zipped({"in.djvu": djvu(), "note.txt": "The keeper sings at midnight."}))
    (pages / "plain.txt").write_text("A plain text.")
    report = index(pages, jobs=0)
    said = {one.document.path: one.reason for one in report.skipped}
    djvu_said = "DjVu is read by a program that is not installed (djvutxt, djvused, ddjvu): install the package djvulibre-bin"
    assert said == {
        "book.djvu": djvu_said,
        "print.xps": "XPS is read by a program that is not installed (xpstopdf): install the package libgxps-utils",
        "a.zip": f"inside it: in.djvu: {djvu_said}",
    }
    assert index(pages, jobs=0).unchanged == 4
    uninstalled()
    report = index(pages, jobs=0)
    assert (report.indexed, report.unchanged, report.skipped) == (3, 1, ())
    assert "2 files that could not be read are tried again" in report.notes
    assert found("ropes sails")[0] == "print.xps"
    assert index(pages, jobs=0).unchanged == 4
