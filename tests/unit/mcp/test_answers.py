"""What an agent is told of passages and what stands around them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import WrongRequest
from rag.mcp.answers import MOST_CHARACTERS, passage_told
from rag.types import DocumentId, Lines, Passage, StoredPassage


def stored(ordinal: int, words: str) -> StoredPassage:
    place = Lines(10 * ordinal + 1, 10 * ordinal + 9)
    passage = Passage(DocumentId("corpus", "log.txt"), ordinal, place, "text", "text", text=words)
    return StoredPassage(ordinal, f"id{ordinal}", passage, Path("/corpus/log.txt"), 0.0)


LOG = [stored(number, f"words {number}\n> not a quotation of ours") for number in range(7)]


def test_the_words_around_a_passage_in_the_order_of_the_document() -> None:
    told = passage_told(LOG[3], [LOG[1], LOG[2], LOG[4], LOG[5]], 0, 2)
    places = [told.words.index(f"words {number}") for number in range(1, 6)]
    assert places == sorted(places)
    assert [one["id"] for one in told.values["around"]] == ["id1", "id2", "id4", "id5"]
    assert told.values["neighbours"] == [{"id": "id2", "side": "before"}, {"id": "id4", "side": "after"}]
    said = [line for line in told.words.splitlines() if "words" in line or "quotation" in line]
    assert all(line.startswith("> ") for line in said)
    assert passage_told(LOG[3], [LOG[2], LOG[4]], 0, 0).values["around"] == []


def test_the_nearest_come_first_where_not_all_have_room() -> None:
    long = stored(4, "y" * (MOST_CHARACTERS - 40))
    told = passage_told(LOG[3], [LOG[1], LOG[2], long, LOG[5]], 0, 2)
    assert [one["id"] for one in told.values["around"]] == ["id2"]


def test_a_long_passage_is_told_in_parts() -> None:
    long = stored(0, "x" * (MOST_CHARACTERS + 5))
    first = passage_told(long, [LOG[1]], 0, 1)
    assert (len(first.values["text"]), first.values["around"]) == (MOST_CHARACTERS, [])
    assert f"5 characters more: get it with start={MOST_CHARACTERS}" in first.words
    assert passage_told(long, [], MOST_CHARACTERS, 0).values["text"] == "xxxxx"
    with pytest.raises(WrongRequest, match="has 40,005 characters"):
        passage_told(long, [], MOST_CHARACTERS + 5, 0)
