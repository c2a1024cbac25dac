"""Quotes in a query: a phrase that is demanded, and a word that a long question stresses."""

from __future__ import annotations

from pathlib import Path

import pytest

import rag
from rag.search.candidates import STRESSED

QUESTION = 'How can a pilot check that the tide table "matches" the depth marks painted on every harbour wall?'


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quotes")
    (folder / "corpus").mkdir()
    (folder / "corpus/tides.txt").write_text("A pilot compares the tide table with the depth marks on the harbour wall.\n")
    (folder / "corpus/box.txt").write_text("A box that matches the colour of the sofa.\n")
    rag.build_index(folder / "corpus", index=folder / "index")
    return folder / "index"


def test_a_word_stressed_in_a_long_question_is_no_condition(index: Path) -> None:
    with rag.open_index(index) as opened:
        found = opened.search(QUESTION)
    assert found.hits[0].document == "tides.txt" and STRESSED in found.notes


def test_a_phrase_that_is_asked_for_is_demanded(index: Path) -> None:
    with rag.open_index(index) as opened:
        found = opened.search('pilot "matches the colour" harbour')
    assert [hit.document for hit in found.hits] == ["box.txt"] and STRESSED not in found.notes
