"""What agents get of a passage and its neighbours."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import WrongRequest
from rag.mcp.answers import MOST_CHARACTERS, describe_passage
from rag.types import DocumentId, Lines, Passage, StoredPassage


def stored(ordinal: int, words: str) -> StoredPassage:
    place = Lines(10 * ordinal + 1, 10 * ordinal + 9)
    passage = Passage(DocumentId("corpus", "log.txt"), ordinal, place, "text", "text", text=words)
    return StoredPassage(ordinal, f"id{ordinal}", passage, Path("/corpus/log.txt"), 0.0)


LOG = [stored(number, f"words {number}\n> not a quotation of ours") for number in range(7)]


def test_neighbours_are_quoted_in_the_order_of_the_document() -> None:
    answer = describe_passage(LOG[3], [LOG[1], LOG[2], LOG[4], LOG[5]], 0, 2)
    places = [answer.words.index(f"words {number}") for number in range(1, 6)]
    assert places == sorted(places)
    assert [one["id"] for one in answer.values["around"]] == ["id1", "id2", "id4", "id5"]
    assert answer.values["neighbours"] == [{"id": "id2", "side": "before"}, {"id": "id4", "side": "after"}]
    lines = [line for line in answer.words.splitlines() if "words" in line or "quotation" in line]
    assert all(line.startswith("> ") for line in lines)
    assert describe_passage(LOG[3], [LOG[2], LOG[4]], 0, 0).values["around"] == []


def test_the_nearest_neighbours_win_where_not_all_fit() -> None:
    long = stored(4, "y" * (MOST_CHARACTERS - 40))
    answer = describe_passage(LOG[3], [LOG[1], LOG[2], long, LOG[5]], 0, 2)
    assert [one["id"] for one in answer.values["around"]] == ["id2"]


def test_a_long_passage_comes_in_parts() -> None:
    long = stored(0, "x" * (MOST_CHARACTERS + 5))
    first = describe_passage(long, [LOG[1]], 0, 1)
    assert (len(first.values["text"]), first.values["around"]) == (MOST_CHARACTERS, [])
    assert f"5 more characters: get them with start={MOST_CHARACTERS}" in first.words
    assert describe_passage(long, [], MOST_CHARACTERS, 0).values["text"] == "xxxxx"
    with pytest.raises(WrongRequest, match="has 40,005 characters"):
        describe_passage(long, [], MOST_CHARACTERS + 5, 0)
