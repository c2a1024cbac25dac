"""Words broken at the end of a line are whole again, compounds keep their hyphen, spaced letters are words."""

from __future__ import annotations

import time

import pytest

from rag.text.line_ends import despaced, joined, spaced_words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a trans-\nportation act", "a transportation act"),
        ("a trans\x02portation act", "a transportation act"),
        ("trans\ufffe\r\nship\x02ment", "transshipment"),
        ("soft\u00adhyphen at a line\u00ad\nend", "softhyphen at a lineend"),
        ("a well-\nknown act", "a well-known act"),
        ("Jean-\nLuc and Müller\x02Lüdenscheidt", "Jean-Luc and Müller-Lüdenscheidt"),
        ("the state-of-the-\nart engine", "the state-of-the-art engine"),
        ("an MP3-\nplayer, a USB-\nstick", "an MP3-player, a USB-stick"),
        ("TRANS-\nPORTATION", "TRANSPORTATION"),
        ("the ferry port. A ferry-\nport, again", "the ferry port. A ferry-port, again"),  # both parts stand alone
        ("the ferry port and the ferryport. A ferry-\nport", "the ferry port and the ferryport. A ferryport"),
        ("pages 10-\n20", "pages 10-\n20"),
        ("first -\nsecond", "first -\nsecond"),
        ("nothing to do", "nothing to do"),
    ],
)
def test_words_broken_at_a_line_end(text: str, expected: str) -> None:
    assert joined(text) == expected


@pytest.mark.parametrize("text", ["a" * 300_000 + "-\nb", "a-" * 150_000 + "\n", "-\n" * 100_000, "\x02" * 200_000])
def test_endless_words_cost_little(text: str) -> None:
    begun = time.process_time()
    joined(text)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("H E A D I N G", "HEADING"),
        ("A N N U A L  R E P O R T", "ANNUAL REPORT"),
        ("目 录", "目录"),
        ("A B C", "A B C"),
        ("I am a word", "I am a word"),
    ],
)
def test_spaced_letters_of_a_line(text: str, expected: str) -> None:
    assert despaced(text) == expected


def test_spaced_letters_are_found_among_words() -> None:
    assert spaced_words("see C O N T E N T S below") == [(4, 19)]
    assert spaced_words("plan A or B") == []
