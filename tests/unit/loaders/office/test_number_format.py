"""Numbers and dates as a spreadsheet shows them, and the stored form beside them."""

from __future__ import annotations

import random

import pytest

from rag.loaders.office.date_format import EPOCH_1900, EPOCH_1904, iso_form
from rag.loaders.office.number_format import number_text


@pytest.mark.parametrize(
    ("code", "number", "expected"),
    [
        ("", 0.1 + 0.2, "0.3"),
        ("General", 1234567890123456.0, "1234567890123456"),
        ("0.0%", 0.175, "17.5% (0.175)"),
        ("0%", 0.025, "3% (0.025)"),  # halves are rounded away from zero
        ("0.00", 1.5, "1.50"),
        ("#,##0.00", 1234567.891, "1,234,567.89 (1234567.891)"),
        ("[$€-407]#,##0.00", -1234.5, "-€1,234.50 (-1234.5)"),
        ('"$"#,##0.00_);[Red]\\("$"#,##0.00\\)', -1234.5, "($1,234.50) (-1234.5)"),
        ('0" kg"', 80, "80 kg (80)"),
        ("00000", 1234, "01234"),
        ("000-0000", 5551234, "555-1234 (5551234)"),
        ('0.0,,"M"', 12345678, "12.3M (12345678)"),
        ('[>=1000000]0.0,,"M";[>=1000]0.0,"K";0', 2500, "2.5K (2500)"),
        ("# ?/?", 2.75, "2 3/4 (2.75)"),
        ("0.00E+00", 123456, "1.23E+05 (123456)"),
        (";;;", 5, "5"),
        ("yyyy-mm-dd", 45991, "2025-11-30"),
        ("d-mmm-yy", 45991, "30-Nov-25 (2025-11-30)"),
        ("dd.mm.yyyy hh:mm", 45991.6048, "30.11.2025 14:30 (2025-11-30 14:30:55)"),
        ("h:mm AM/PM", 0.604, "2:29 PM (14:29:46)"),
        ("h:mm", 0.5, "12:00"),
        ("[h]:mm", 1.75, "42:00"),
        ("[$-407]d. mmmm yyyy", 45991, "2025-11-30"),  # a German month has no name here
        ("0.0", float("inf"), "inf"),
        ("h:mm", float("nan"), "nan"),
    ],
)
def test_the_displayed_form_stands_before_the_stored_one(code: str, number: float, expected: str) -> None:
    assert number_text(code, EPOCH_1900)(float(number)) == expected


def test_days_are_counted_from_two_dates() -> None:
    assert (iso_form(0.25, EPOCH_1900), iso_form(1, EPOCH_1900), iso_form(61, EPOCH_1900)) == (
        "06:00:00",
        "1900-01-01",
        "1900-03-01",
    )
    assert iso_form(44529, EPOCH_1904) == "2025-11-30"
    assert iso_form(-1, EPOCH_1900) == iso_form(1e9, EPOCH_1900) == ""


def test_any_code_shows_any_number_as_some_text() -> None:
    chance = random.Random(6)
    pieces = [
        "0",
        "#",
        "?",
        ".",
        ",",
        "%",
        "/",
        "E+",
        "E-",
        ";",
        "[",
        "]",
        "[h]",
        "[>1]",
        '"',
        "\\",
        "_",
        "*",
        "y",
        "mmm",
        "d",
        "s",
        "@",
        "x",
        "€",
    ]
    for _ in range(3000):
        code = "".join(chance.choice(pieces) for _ in range(chance.randrange(12)))
        number = chance.choice([0.0, -1.5, 45991.3, 1e300, -1e-300, 5e-324, 123456789.123])
        assert isinstance(number_text(code, EPOCH_1900)(number), str)
