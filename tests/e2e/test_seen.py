"""A photo is found by what it shows with the built-in models; an index of before learns it by a normal run."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

import rag
from rag.index.reader.open_index import open_index
from rag.indexing.plan import plan_index

FOLDER = Path("indexes/default")
PHOTOS = Path(__file__).parents[2] / "samples" / "corpus" / "photos"


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "corpus"
    folder.mkdir()
    shutil.copy(PHOTOS / "gull-head.jpg", folder / "a.jpg")
    shutil.copy(PHOTOS / "DSC_0113.jpg", folder / "b.jpg")
    (folder / "log.txt").write_text("The gun is fired at sunset.\n")
    return folder


def best(words: str) -> str:
    with rag.open_index(backend="lite") as searcher:
        hits = searcher.query(words)
        return hits[0].document if hits else ""


def seen() -> dict[str, str]:
    with open_index(FOLDER) as index, index.snapshot() as snapshot:
        return {one.passage.document.path: one.passage.context.seen for one in snapshot.passages(snapshot.live.numbers.tolist())}


@pytest.mark.parametrize(("words", "photo"), [("lighthouse", "a.jpg"), ("灯塔", "a.jpg"), ("car", "b.jpg"), ("汽车", "b.jpg")])
def test_a_photo_is_found_by_what_it_shows(corpus: Path, words: str, photo: str) -> None:
    rag.build_index(corpus, backend="lite")
    assert best(words) == photo


def test_where_nothing_is_to_be_recognised_nothing_is_named(corpus: Path) -> None:
    rag.build_index(corpus, backend="lite", ocr="never")
    assert set(seen().values()) == {""}


def test_a_copy_under_another_name_shows_the_same(corpus: Path) -> None:
    rag.build_index(corpus, backend="lite")
    shutil.copy(corpus / "a.jpg", corpus / "Screenshot 1.jpg")
    rag.build_index(corpus, backend="lite")
    words = seen()
    assert words["Screenshot 1.jpg"] == words["a.jpg"] != ""


def test_an_index_of_before_is_brought_up_to_date_and_only_photos_are_opened(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("rag.loaders.picture.seen.REVISION", 0)
        rag.build_index(corpus, backend="lite", jobs=0)
    assert best("lighthouse") != "a.jpg"
    opened: set[str] = set()
    watching = [True]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event == "open" and str(arguments[0]).startswith(str(corpus)):
            opened.add(Path(str(arguments[0])).name)

    sys.addaudithook(hook)
    plan = plan_index(corpus)
    report = rag.build_index(corpus, backend="lite", jobs=0)
    watching.clear()
    assert "more of some files can be read now: 2 documents would be read again (2 picture)" in plan.notes
    assert "more of some files can be read now: 2 documents are read again (2 picture)" in report.notes
    assert opened == {"a.jpg", "b.jpg"}
    assert report.embedded == 0  # the looks are in the index, and the words of photos are no part of their vectors
    assert (best("lighthouse"), best("汽车")) == ("a.jpg", "b.jpg")
    assert rag.build_index(corpus, backend="lite").notes == ()
