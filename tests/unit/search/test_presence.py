"""Equal results: what is there comes first."""

from __future__ import annotations

from pathlib import Path

from rag.search.dedup import DuplicateGroup
from rag.search.grouping import Group, Scored
from rag.search.presence import present_first, shown_if_present, whose_folder_is_there
from rag.types import DocumentId, Lines, Passage, StoredPassage


def result(folder: Path, path: str, words: str, score: float) -> Group:
    passage = Passage(DocumentId(folder.name, path), 0, Lines(1, 1), "text", "text", words)
    scored = Scored(StoredPassage(abs(hash((folder, path))), path, passage, folder / path, 0.0), score)
    return Group(scored, passage.locator, (scored,))


def test_equal_words_of_a_folder_that_is_gone_stand_below(tmp_path: Path) -> None:
    here, gone = tmp_path / "here", tmp_path / "gone"
    here.mkdir()
    groups = [
        result(gone, "old/a.txt", "harbour dues", 0.9),
        result(gone, "only.txt", "harbour master", 0.8),
        result(here, "x/y/a.txt", "harbour dues", 0.7),
    ]
    ordered = present_first(groups, whose_folder_is_there())
    assert [one.best.stored.file for one in ordered] == [here / "x/y/a.txt", gone / "only.txt", gone / "old/a.txt"]
    here.rmdir()
    assert present_first(groups, whose_folder_is_there()) == groups


def test_a_folded_result_shows_what_is_there(tmp_path: Path) -> None:
    here, gone = tmp_path / "here", tmp_path / "gone"
    here.mkdir()
    old, older, new = (result(folder, name, "dues", 0.9) for folder, name in ((gone, "1"), (gone, "2"), (here, "3")))
    (shown,) = shown_if_present([DuplicateGroup(old, (older, new))], whose_folder_is_there())
    assert (shown.shown, shown.others) == (new, (old, older))
    assert shown_if_present([DuplicateGroup(old, (older,))], whose_folder_is_there()) == [DuplicateGroup(old, (older,))]
