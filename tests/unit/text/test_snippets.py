"""Snippets: the part of a text that holds the words of the query."""

from __future__ import annotations

from rag.text.snippets import LENGTH, snippet


def test_a_short_text_is_shown_whole_on_one_line() -> None:
    assert snippet("one\n  two\tthree", "two") == "one two three"


def test_the_window_holds_the_words_of_the_query() -> None:
    text = "filler words here. " * 100 + "The harbour dues rise in April. " + "more filler text. " * 100
    shown = snippet(text, "harbour dues April")
    assert "harbour dues rise in April" in shown
    assert len(shown) <= LENGTH + 2
    assert shown.startswith("…") and shown.endswith("…")


def test_inflections_and_chinese_are_found() -> None:
    assert "harbours" in snippet("x " * 400 + "many harbours here" + " y" * 400, "harbour")
    assert "潮汐" in snippet("无关的文字。" * 100 + "潮汐表在这里" + "别的内容。" * 100, "潮汐表")


def test_without_a_match_the_beginning_is_shown() -> None:
    assert snippet("first words " * 50, "zebra").startswith("first words")
