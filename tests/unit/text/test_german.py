"""Words inside compounds."""

from __future__ import annotations

import pytest

from rag.text.german import holds, may_be_part
from rag.text.highlights import marks


@pytest.mark.parametrize(
    ("word", "part", "expected"),
    [
        ("mietvertrag", "vertrag", True),
        ("vertragspartner", "vertrag", True),
        ("lebensversicherungsschein", "versicherung", True),
        ("versicherungen", "versicherung", True),
        ("vertrag", "vertrag", False),
        ("xvertrag", "vertrag", False),
        ("vertragx", "vertrag", False),
        ("mietvertrag2", "vertrag", False),
    ],
)
def test_holds(word: str, part: str, expected: bool) -> None:
    assert holds(word, part) is expected


@pytest.mark.parametrize(("word", "expected"), [("vertrag", True), ("table", False), ("miet", False), ("北京大学的", False)])
def test_english_and_short_words_are_no_parts(word: str, expected: bool) -> None:
    assert may_be_part(word) is expected


def test_compounds_are_marked() -> None:
    text = "Der Mietvertrag und das Vertragsende; a vegetable table"
    assert [text[start:end] for start, end in marks(text, "Vertrag")] == ["Mietvertrag", "Vertragsende"]
    assert [text[start:end] for start, end in marks(text, "table")] == ["table"]
