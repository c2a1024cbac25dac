"""Words that nothing holds: read as their neighbours, and said so."""

from __future__ import annotations

from pathlib import Path

import pytest

import rag


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("words")
    (folder / "corpus").mkdir()
    (folder / "corpus/a.txt").write_text("The lighthouses and the harbour were painted.\n")
    (folder / "corpus/b.txt").write_text("Apples, pears and quinces.\n")
    rag.build_index(folder / "corpus", index=folder / "index")
    (folder / "other").mkdir()
    (folder / "other/c.txt").write_text("Habrour is the name of our boat.\n")
    rag.build_index(folder / "other", index=folder / "boats")
    return folder


def notes(index: Path, words: str) -> tuple[str, ...]:
    with rag.open_index(index) as opened:
        return opened.search(words).notes


def test_a_typing_error_is_read_as_the_word_it_may_be_and_said(library: Path) -> None:
    with rag.open_index(library / "index") as opened:
        found = opened.search("habrour lighthuose")
    assert [hit.document for hit in found.hits][:1] == ["a.txt"]
    assert found.notes == (
        "no passage contains 'habrour'; it was read as 'harbour'",
        "no passage contains 'lighthuose'; it was read as 'lighthouse'",
    )


def test_words_that_are_there_english_words_and_short_ones_are_left_alone(library: Path) -> None:
    assert notes(library / "index", "harbour apples") == ()
    assert notes(library / "index", "armour") == ()  # an English word: that it is missing is a fact about the corpus
    assert notes(library / "index", "aple") == ()


def test_a_word_that_one_of_two_indexes_holds_is_no_error(library: Path) -> None:
    with rag.open_index(str(library / "index"), str(library / "boats")) as both:
        assert [note for note in both.search("habrour").notes if "read as" in note] == []
