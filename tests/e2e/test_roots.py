"""Several roots in one index: which one takes over another, and what is forgotten with them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import rag
from rag.errors import WrongRequest
from tests.e2e.conftest import COUNTING, Calls
from tests.e2e.runs import index


def documents() -> int:
    with rag.open_index(backend=COUNTING) as searcher:
        return searcher.status().documents


def roots() -> list[str]:
    with rag.open_index(backend=COUNTING) as searcher:
        return list(searcher.status().roots)


def test_a_file_above_a_known_root_does_not_take_it_over(corpus: Path) -> None:
    index(corpus / "a")
    index(corpus / "page.md")
    assert (roots(), documents()) == (["a", "corpus"], 5)
    assert index(corpus / "a").unchanged == 4  # the innermost root
    assert index(corpus).unchanged == 1
    assert roots() == ["corpus"]


def test_an_absent_root_is_not_taken_over(corpus: Path, tmp_path: Path) -> None:
    index(corpus / "a")
    (corpus / "a").rename(tmp_path / "disk")
    index(corpus)
    assert roots() == ["a", "corpus"]
    (tmp_path / "disk").rename(corpus / "a")
    index(corpus)
    assert roots() == ["corpus"]


def test_overlapping_folders_are_walked_once(corpus: Path) -> None:
    report = index(corpus / "a", corpus, corpus / "a/report.txt")
    assert (report.indexed + report.reused, report.unchanged) == (9, 0)  # `a` was a root of its own before the one above came
    assert roots() == ["corpus"]
    assert index(corpus / "a", corpus, corpus / "a/report.txt").unchanged == 5


def test_forgetting_prefers_the_path_on_disk(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    shutil.copytree(corpus, other)
    index(corpus, other)
    for nothing in ("/", "", "."):
        with pytest.raises(WrongRequest):
            rag.remove_documents(nothing)
    (tmp_path / "link").symlink_to(other)
    monkeypatch.chdir(tmp_path / "link")
    assert rag.remove_documents("a/../a", str(tmp_path / "indexes/default")) == 4
    assert rag.remove_documents("./page.md", str(tmp_path / "indexes/default")) == 1
    with rag.open_index(str(tmp_path / "indexes/default"), backend=COUNTING) as searcher:
        assert searcher.status().documents == 5
    assert rag.remove_documents(str(tmp_path / "link"), str(tmp_path / "indexes/default")) == 0


# ---- a corpus that moves ----------------------------------------------------------------------------


def places(words: str) -> list[tuple[str, bool]]:
    with rag.open_index(backend=COUNTING) as searcher:
        return [(hit.path, Path(hit.path).exists()) for hit in searcher.query(words, fold=False)]


def test_a_renamed_root_keeps_its_documents_at_the_new_place(corpus: Path, tmp_path: Path, calls: Calls) -> None:
    index(corpus)
    before = documents()
    assert calls.since() > 0
    with rag.open_index(backend=COUNTING) as searcher:
        ids = [hit.id for hit in searcher.query("harbour")]
    new = tmp_path / "diskB" / "papers"
    new.parent.mkdir()
    corpus.rename(new)
    report = index(new)
    assert (report.unchanged, report.indexed, report.removed) == (before, 0, 0)
    assert f"{corpus} is now {new}: its documents keep their passages and vectors" in report.notes
    assert calls.since() == 0
    found = places("harbour")
    assert found and all(there for _, there in found) and len(found) == len(dict.fromkeys(found))
    with rag.open_index(backend=COUNTING) as searcher:
        assert [hit.id for hit in searcher.query("harbour")] == ids


def test_a_root_copied_to_another_disk_is_read_but_not_embedded(corpus: Path, tmp_path: Path, calls: Calls) -> None:
    index(corpus)
    before = documents()
    assert calls.since() > 0
    new = tmp_path / "copy"
    shutil.copytree(corpus, new, copy_function=shutil.copyfile)  # new times, new inodes
    shutil.rmtree(corpus)
    report = index(new)
    assert (report.indexed, documents(), roots()) == (0, before, ["corpus"])
    assert calls.since() == 0


def test_a_root_found_in_a_wider_folder_becomes_part_of_it(corpus: Path, tmp_path: Path) -> None:
    index(corpus)
    before = documents()
    wider = tmp_path / "wider"
    wider.mkdir()
    corpus.rename(wider / "corpus")
    (wider / "more.md").write_text("# More\n\nOf the same.\n")
    index(wider)
    assert (roots(), documents()) == (["wider"], before + 1)


def test_another_folder_with_files_of_the_same_names_is_no_move(corpus: Path, tmp_path: Path) -> None:
    index(corpus)
    other = tmp_path / "other"
    shutil.copytree(corpus, other)
    for file in other.rglob("*"):
        if file.is_file():
            file.write_bytes(bytes(reversed(file.read_bytes())))  # of the same sizes
    shutil.move(corpus, tmp_path / "unplugged")
    index(other)
    assert roots() == ["corpus", "other"]


# ---- rebuild ---------------------------------------------------------------------------------------
