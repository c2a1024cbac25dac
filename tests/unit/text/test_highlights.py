"""Marks in a text: exactly what the lexical lane matches."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.analyzer import compounds, placed_terms, stems
from rag.text.folding import folded
from rag.text.highlights import marks

SEPARATORS = str.maketrans("", "", ".,' ")  # of thousands


def marked(text: str, query: str) -> list[str]:
    return [text[start:end] for start, end in marks(text, query)]


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("Harbour dues; the harbours' dues rose.", "HARBOUR due", ["Harbour", "dues", "harbours", "dues"]),
        ("the crane of the port", "the crane", ["crane"]),
        ("the port of the", "of the", ["the", "of", "the"]),
        ("Smørrebrød at the Café, the cafe\u0301 and CAFES", "cafés", ["Café", "cafe\u0301", "CAFES"]),
        ("Invoice INV-4421, inv4421 and INV 4421; 4421 alone", "INV-4421", ["INV-4421", "inv4421", "INV 4421"]),
        ("call parseHTTPRequest here", "http", ["HTTP"]),
        ("我在北京大学读书，北京很大", "北京大学", ["北京大学", "北京"]),
        ("港口安全手册", "港", ["港"]),
        ("the pilot boat and a boat of the pilot", '"pilot boat"', ["pilot boat"]),
        ("a boat of the pilot", '"pilot boat"', ["boat", "pilot"]),
        ("a draft of the plan", "plan -draft", ["plan"]),
        ("ＦＵＬＬ　ｗｉｄｔｈ and ﬁsh", "full fish", ["ＦＵＬＬ", "ﬁsh"]),
        ("nothing here", "crane", []),
        ("", "crane", []),
        ("crane", "", []),
        ("crane", "🙂 …", []),
    ],
)
def test_marks(text: str, query: str, expected: list[str]) -> None:
    assert marked(text, query) == expected


@given(st.text(max_size=200))
def test_parts_with_places_are_the_terms_of_the_full_text(text: str) -> None:
    """So that what is marked and what the lane finds are the same."""
    plain = folded(text)
    placed = list(placed_terms(plain))
    assert [term for term, *_ in placed] == stems([part for compound in compounds(text) for part in compound.parts])
    written = [plain[start:end].casefold().translate(SEPARATORS)[:64] for _, start, end, _ in placed]
    assert [term for term, *_ in placed] == stems(written)


@given(st.text(max_size=80), st.text(max_size=20))
def test_marks_are_ascending_spans_of_the_text(text: str, query: str) -> None:
    found = marks(text, query)
    assert all(0 <= start < end <= len(text) for start, end in found)
    assert all(before[1] < after[0] for before, after in pairwise(found))
