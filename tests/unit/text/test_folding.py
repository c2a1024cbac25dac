"""Folding of letters and digits: one spelling for what people take for the same, in every script."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.analyzer import stored_terms
from rag.text.folding import cleaned, folded, spelled_out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Café ÜBER", "Cafe UBER"),
        ("Đường Điện", "Duong Dien"),
        ("Łódź Białystok", "Lodz Bialystok"),
        ("København Ærø", "Kobenhavn AEro"),
        ("IŞIKLAR ışıklar İstanbul", "ISIKLAR isiklar Istanbul"),
        ("œuvre Straße ẞ þorn ð ħ", "oeuvre Strasse SS thorn d h"),
        ("ﬁsh Ｗｉｄｅ ① m² №", "fish Wide 1 m2 No"),
        ("3½ kg", "3 1/2 kg"),
        ("co\u00adoperate zero\u200bwidth \ufeffmark\u2060ed", "cooperate zerowidth marked"),
        ("مُحَمَّد كتـــاب", "محمد كتاب"),
        ("أحمد إلى آخر مدرسة", "احمد الي اخر مدرسه"),
        ("کتاب فارسی", "كتاب فارسي"),
        ("שָׁלוֹם", "שלום"),
        ("٣٤٥ ۳۴۵ १२३ ๑๒๓ １２３", "345 345 123 123 123"),
        ("наПример Ёлка", "наПример Елка"),
        ("ｶﾞｷﾞ が", "ガギ が"),
        ("\u1112\u1161\u11ab", "한"),
        ("हिन्दी ภาษาไทย ខ្មែរ", "हिन्दी ภาษาไทย ខ្មែរ"),
        ("\ud800", "?"),
    ],
)
def test_folded(text: str, expected: str) -> None:
    assert folded(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("Brücke", "Bruecke"), ("Ærø Århus", "AEroe Aarhus"), ("bridge é", "")])
def test_umlauts_are_spelled_out(text: str, expected: str) -> None:
    assert spelled_out(text) == expected


@given(st.text(max_size=100))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert cleaned(cleaned(text)) == cleaned(text)
    assert folded(folded(text)) == folded(text)
    assert folded(cleaned(text)) == folded(text)


def test_every_character_folds_to_what_stays() -> None:
    changing = [hex(code) for code in range(sys.maxunicode + 1) if folded(folded(chr(code))) != folded(chr(code))]
    assert changing == []


@given(st.text(st.characters(max_codepoint=127), max_size=100))
def test_ascii_passes_unchanged(text: str) -> None:
    assert folded(text) == text


@given(st.text(max_size=60))
def test_upper_case_and_composition_make_no_difference_to_terms(text: str) -> None:
    assert stored_terms(cleaned(text)) == stored_terms(text)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Łódź", "lodz"), ("Ærø", "AERO"), ("Đường", "duong"), ("Straße", "STRASSE"), ("Brücke", "bruecke"), ("Møde", "moede"),
        ("KIŞLIK", "kışlık"), ("المدرسة", "المدرسه"), ("كِتَاب", "كتاب"), ("זְמַן", "זמן"), ("٢٠٢٤", "2024"),
        ("co\u00adworker", "coworker"),
    ],
)  # fmt: skip
def test_a_query_gives_a_term_of_the_text(text: str, query: str) -> None:
    assert set(stored_terms(query)[:1]) <= set(stored_terms(text))
