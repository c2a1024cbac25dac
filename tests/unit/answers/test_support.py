"""Whether a text bears out what is said of it. Knows texts only."""

from __future__ import annotations

import pytest

from rag.answers.support import bears_out, contains

FERRY = "In winter the ferry sails at 08:15 and at\n17:40 from the „north quay“. Die Überfahrt dauert zwölf Minuten."


@pytest.mark.parametrize(
    "quote",
    [
        "the ferry sails at 08:15",
        "THE FERRY SAILS",
        "at 17:40",  # over the end of a line
        "from the north quay",  # other quotes
        "Uberfahrt dauert zwolf",  # accents
        "ferry sails … north quay",
        "ferry sails ... zwölf Minuten",
        "ferrysails at0815 and",  # words parted otherwise, long enough
        "08:15",
    ],
)
def test_quoted_words_stand_in_the_text(quote: str) -> None:
    assert contains(FERRY, quote)


@pytest.mark.parametrize("quote", ["ferry sails at 09:15", "quay north", "art", "zwölf … ferry sails", "", "“…”", "erry sails"])
def test_words_that_do_not_stand_there_are_not_found(quote: str) -> None:
    assert not contains(FERRY, quote)


def test_chinese_is_compared_character_by_character() -> None:
    assert contains("冬天渡轮在八点十五分开船。", "渡轮在八点")
    assert not contains("冬天渡轮在八点十五分开船。", "渡轮在九点")


@pytest.mark.parametrize(
    ("claim", "is_borne_out"),
    [
        ("The ferry sails from the north quay in winter.", True),
        ("In winter, ferries sail at 08:15.", True),
        ("In winter the ferry sails at 09:30 from the north quay.", False),  # one number is wrong
        ("The mayor painted the lighthouse.", False),
        ("It is what it was.", False),  # says nothing that can be compared
    ],
)
def test_a_claim_without_a_quote_needs_its_numbers_and_most_of_its_words(claim: str, is_borne_out: bool) -> None:
    assert bears_out(FERRY, claim) is is_borne_out
