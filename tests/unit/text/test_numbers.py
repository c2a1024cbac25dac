"""Numbers in groups: what they mean, however they are written."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.analyzer import stored_terms
from rag.text.highlights import marks
from rag.text.numbers import days_named, groups, readings, spellings
from rag.text.query_syntax import understand


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("12.345,60", [("12345", "60")]),
        ("12,345.60", [("12345", "60")]),
        ("1'234.50", [("1234", "50")]),
        ("98 765", [("98765",)]),
        ("12.345", [("12345",)]),
        ("1.234.567", [("1234567",)]),
        ("192.168.100.200", []),
        ("DE89 3704 0044 0532 0130 00", [("de89370400440532013000",)]),
        ("AB12 THIS WORD THEN", []),
        ("+49 (0)30 1234-5678", [("3012345678",), ("493012345678",)]),
        ("030 12345678", [("3012345678",), ("03012345678",)]),
        ("(555) 123-4567", [("5551234567",)]),
        ("17.03.2024", [("20240317",)]),
        ("3/17/2024", [("20240317",)]),
        ("2024/03/17", [("20240317",)]),
        ("03/04/2024", [("20240403",), ("20240304",)]),
    ],
)
def test_readings(text: str, meant: list[tuple[str, ...]]) -> None:
    assert groups(text) == [(0, len(text))]
    assert list(readings(text)) == meant


@pytest.mark.parametrize(
    "text", ["12345", "3.14", "1,2,3", "2023 2024 2025", "INV-4421", "2026-03-14 14 March", "v1.2.3", "10:30"]
)
def test_no_groups(text: str) -> None:
    assert groups(text) == []


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("a total of 12.345,60 EUR", "12345.60"),
        ("a total of 12.345,60 EUR", "12345,60"),
        ("a total of 12,345.60 USD", "12.345,60"),
        ("98 765 euros", "98765"),
        ("98765 euros", "98 765"),
        ("to DE89 3704 0044 0532 0130 00 please", "DE89370400440532013000"),
        ("to DE89370400440532013000 please", "DE89 3704 0044 0532 0130 00"),
        ("call +49 (0)30 1234-5678 now", "030 12345678"),
        ("call 030 12345678 now", "+49 30 12345678"),
        ("on 17.03.2024", "2024-03-17"),
        ("on March 17th, 2024", "2024-03-17"),
        ("am 17. März 2024", "2024-03-17"),
        ("on 17.03.2024", "17 March 2024"),
    ],
)
def test_a_number_is_found_and_marked_however_it_is_grouped(written: str, asked: str) -> None:
    stored = f" {' '.join(stored_terms(written))} "
    phrases = [phrase.strip('"') for unit in understand(asked).units for phrase in unit.phrases]
    assert any(f" {phrase} " in stored for phrase in phrases)
    assert marks(written, asked)


def test_days() -> None:
    assert days_named(["the", "17", "march", "2024", "and", "march", "9th", "2023"]) == ["20240317", "20230309"]
    assert {("17", "march", "2024"), ("march", "17", "th", "2024"), ("17", "marz", "2024")} <= set(spellings("20240317"))


@given(st.text("0123456789 .,'+()/-AZ", max_size=60))
def test_groups_are_ascending_and_have_a_place(text: str) -> None:
    found = groups(text)
    assert all(0 <= start < end <= len(text) for start, end in found)
    assert all(one[1] <= other[0] for one, other in pairwise(found))
    for start, end in found:
        readings(text[start:end])
    stored_terms(text)


def test_a_long_row_of_signs_takes_no_time() -> None:
    for text in ("1 " * 50_000, "(" * 50_000, "+1" * 50_000, "0" * 50_000, "AB12 " * 20_000):
        groups(text)
