"""Documents that a run does not visit, or cannot read, stay in the index; only deleted and forgotten ones go."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import rag
from rag.errors import WrongRequest
from rag.types import Document
from tests.e2e.conftest import COUNTING, Calls
from tests.e2e.runs import found, index


def test_indexing_a_subfolder_changes_nothing_else(corpus: Path) -> None:
    index(corpus)
    (corpus / "page.md").unlink()
    (corpus / "a/new.txt").write_text("A lighthouse keeper's diary.\n")
    report = index(corpus / "a")
    assert (report.indexed, report.removed, report.unchanged) == (1, 0, 4)
    assert found("lighthouse keeper")[0] == "a/new.txt"
    with rag.open_index(backend=COUNTING) as searcher:
        assert searcher.status().documents == 6


def test_an_emptied_root_wipes_nothing(corpus: Path, tmp_path: Path) -> None:
    index(corpus)
    corpus.rename(tmp_path / "elsewhere")
    with pytest.raises(WrongRequest, match="no such folder"):
        index(corpus)
    report = index()
    assert (report.removed, "is not there" in report.notes[0]) == (0, True)
    corpus.mkdir()
    report = index(corpus)
    assert (report.removed, "which are kept" in report.notes[0]) == (0, True)
    corpus.rmdir()
    (tmp_path / "elsewhere").rename(corpus)
    assert index(corpus).unchanged == 5


def test_a_folder_that_cannot_be_read_loses_nothing(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index(corpus)
    real = os.scandir

    def refusing(path: str) -> object:
        if str(path).rstrip("/").endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refusing)
    report = index(corpus)
    assert report.removed == 0
    assert [(str(one.document), one.reason) for one in report.skipped] == [
        ("corpus/a", "the folder cannot be read: Permission denied")
    ]


def test_several_roots_in_one_index(corpus: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "recipe.txt").write_text("Soup of leeks and potatoes.\n")
    index(corpus)
    index(other)
    assert found("soup of leeks")[0] == "recipe.txt"
    assert found("harbour traffic soup", roots=["other"]) == ["recipe.txt"]
    assert found("harbour traffic", roots=["other"]) == []
    with pytest.raises(WrongRequest, match="no root is called 'nowhere'"):
        found("x", roots=["nowhere"])
    assert index().unchanged == 6


def test_a_folder_above_a_known_root_takes_it_over_without_a_model_call(corpus: Path, calls: Calls) -> None:
    (corpus / "page.md").write_text("# Fleet without a picture\n")
    index(corpus / "a")
    calls.since()
    report = index(corpus)
    assert calls.since() == report.indexed == 1
    with rag.open_index(backend=COUNTING) as searcher:
        assert list(searcher.status().roots) == ["corpus"]
        assert searcher.status().documents == 5


def test_forgetting_documents_folders_and_roots(corpus: Path) -> None:
    index(corpus)
    assert rag.remove_documents(str(corpus / "a/report.txt")) == 1
    assert rag.remove_documents("a") == 3
    assert found("crane") != ["a/minutes.txt"]
    assert rag.remove_documents(str(corpus)) == 1
    with pytest.raises(WrongRequest, match="holds nothing called"):
        rag.remove_documents("nothing.txt")
    assert index(corpus).reused + index(corpus).unchanged >= 5


def test_a_read_that_the_system_refused_is_tried_again(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rag.corpus.digests import content_digest

    def refused(document: Document) -> bytes:
        if document.id.path == "a/report.txt":
            raise PermissionError(13, "Permission denied")
        return content_digest(document)

    with monkeypatch.context() as patch:
        patch.setattr("rag.decoding.tasks.content_digest", refused)
        assert [one.reason for one in index(corpus).skipped] == ["cannot be opened: Permission denied"]
        assert len(index(corpus).skipped) == 1
    report = index(corpus)
    assert (report.indexed, report.unchanged, report.skipped) == (1, 4, ())


def test_a_file_that_vanishes_during_the_run_is_not_reported_as_skipped(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def vanishing(seen: Any) -> None:
        (corpus / "a/report.txt").unlink(missing_ok=True)
        (corpus / "a/IMG_1.jpg.txt").unlink(missing_ok=True)

    report = index(corpus, tell=vanishing)
    assert (report.indexed, [(one.document.path, one.reason) for one in report.skipped]) == (
        4,
        [("a/IMG_1.jpg.txt", "as a caption: cannot be opened: No such file or directory")],
    )
