"""`--rebuild`: the new index replaces the old one as a whole, or not at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

import rag
from rag.errors import IndexDamaged, IndexReplaced, Interrupted
from tests.e2e.conftest import COUNTING
from tests.e2e.runs import found, index


def test_a_rebuild_keeps_the_names_of_roots_and_the_ids(corpus: Path, tmp_path: Path) -> None:
    shutil.copytree(corpus, tmp_path / "z/corpus")
    index(tmp_path / "z/corpus")
    index(corpus)

    def ids() -> set[tuple[str, str]]:
        with rag.open_index(backend=COUNTING, reranker="none") as searcher:
            return {(hit.id, hit.path) for hit in searcher.query("harbour minutes IMG", top_k=100, fold=False)}

    before = ids()
    index(corpus, rebuild=True)
    assert (ids(), len(before)) == (before, 10)


def test_a_stopped_rebuild_leaves_the_old_index(corpus: Path, tmp_path: Path) -> None:
    index(corpus)

    def stop(seen: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="the old index stands"):
        index(corpus, rebuild=True, tell=stop)
    assert [each.name for each in (tmp_path / "indexes").iterdir()] == ["default"]
    assert index(corpus).unchanged == 5


@pytest.mark.parametrize("steps", [1, 2])
def test_a_rebuild_killed_while_it_replaces_the_old_index_is_finished(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    index(corpus)
    (corpus / "new.txt").write_text("A lighthouse keeper's diary.\n")
    rename, done = Path.rename, []

    def killed(self: Path, target: Path) -> Path:
        if target.name in (".default.old", "default") and len(done) == steps:
            os._exit(9)
        done.extend([target] if target.name in (".default.old", "default") else [])
        return rename(self, target)

    if (child := os.fork()) == 0:
        monkeypatch.setattr(Path, "rename", killed)
        monkeypatch.setattr(shutil, "rmtree", lambda place, **_: os._exit(9) if steps == 2 and done[1:] else None)
        index(corpus, rebuild=True)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert found("lighthouse keeper")[0] == "new.txt"
    index(corpus, rebuild=True)
    assert [each.name for each in (tmp_path / "indexes").iterdir()] == ["default"]


def test_a_reader_of_the_old_index_never_answers_from_the_new_one(corpus: Path) -> None:
    index(corpus)
    before = found("harbour traffic")
    with rag.open_index(backend=COUNTING) as searched, rag.open_index(backend=COUNTING) as fresh:
        searched.query("harbour traffic")
        index(corpus, rebuild=True)
        assert [hit.document for hit in searched.query("harbour traffic")] == before
        for ask in (searched.index.refresh, lambda: fresh.query("harbour traffic")):
            with pytest.raises(IndexReplaced):
                ask()


def test_a_damaged_index_can_be_rebuilt_if_its_folders_are_given(corpus: Path) -> None:
    index(corpus)
    Path("indexes/default/catalog.sqlite").write_bytes(b"nonsense" * 1000)
    for leftover in Path("indexes/default").glob("catalog.sqlite-*"):
        leftover.unlink()
    with pytest.raises(IndexDamaged) as caught:
        index(rebuild=True)
    assert "name all its folders" in caught.value.remedy
    assert index(corpus, rebuild=True).indexed == 5
    assert found("harbour traffic")[0] == "a/report.txt"
