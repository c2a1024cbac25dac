"""What a search of the page asks the API, and what it gives up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

pytest.importorskip("httpx")

from ui.connection import Connection, Refused
from ui.searching import Searches
from ui.values import EMPTY_QUERY, STEP, facets_value, found_value, is_empty, search_request

DOWN = {"what": "the reranker does not answer", "remedy": "start it", "code": "backend_error"}


class Counting(Connection):
    """Counts what is asked, and refuses to rerank if told so."""

    def __init__(self, *, reranks: bool = True) -> None:
        self.asked: list[dict[str, Any]] = []
        self.reranks = reranks
        self.meanwhile: Any = None

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        assert path == "/v1/search"
        self.asked.append(dict(body))
        await asyncio.sleep(0.005)
        if self.meanwhile is not None:
            await self.meanwhile()
        if body["rerank"] and not self.reranks:
            raise Refused(DOWN)
        return {"hits": [{"id": "1f", "dated": None}], "counts": {"kinds": {"text": 1}}, "seconds": {"total": 0.0, "dense": 0.01}}


def query(words: str, number: int = 1, **more: Any) -> dict[str, Any]:
    return {**EMPTY_QUERY, "words": words, "number": number, **more}


def values(searches: Searches, asked: dict[str, Any] | None, who: str = "me") -> list[dict[str, Any]]:
    async def every() -> list[dict[str, Any]]:
        shown = [await searches.first(asked, who), await searches.settled(asked, who)]
        return [one for one in shown if one is not None]

    return asyncio.run(every())


def test_the_first_stages_answer_at_once_and_the_reranked_order_follows() -> None:
    connection = Counting()
    first, second = values(Searches(connection), query("boat", kinds=["page"]))
    assert [(one["rerank"], one.get("ocr")) for one in connection.asked] == [(False, False), (True, None)]
    assert all(one["kinds"] == ["page"] and one["top_k"] == STEP for one in connection.asked)
    assert (first["settled"], second["settled"]) == (False, True)
    assert second["answer"]["seconds"]["total"] >= first["answer"]["seconds"]["total"] > 0  # what the person waited
    assert second["answer"]["seconds"]["dense"] == 0.01


def test_an_empty_query_asks_nothing() -> None:
    connection = Counting()
    assert [one["answer"] for one in values(Searches(connection), query("  "))] == [None]
    assert [one["answer"] for one in values(Searches(connection), None)] == [None]
    assert connection.asked == []


def test_a_failure_to_rerank_leaves_the_first_order() -> None:
    first, second = values(Searches(Counting(reranks=False)), query("boat"))
    assert second["failure"] == DOWN
    assert second["answer"] == first["answer"]


def test_a_query_that_was_typed_over_is_given_up_and_only_its_own_person_s() -> None:
    connection = Counting()
    searches = Searches(connection)

    async def type_on() -> None:
        connection.meanwhile = None
        await searches.first(query("boats", 2), "me")

    connection.meanwhile = type_on
    assert values(searches, query("boat", 1)) == []  # neither shown nor reranked
    assert [one["text"] for one in connection.asked if one["rerank"]] == []
    assert values(searches, query("late", 1)) == []
    assert len(values(searches, query("other", 1), who="somebody else")) == 2


def test_the_reranked_order_follows_its_own_query_once() -> None:
    searches = Searches(Counting())

    async def twice() -> list[bool]:
        await searches.first(query("boat", 1), "me")
        asked = [(query("boat", 0), "me"), (query("boat", 1), "me"), (query("boat", 1), "me")]
        return [await searches.settled(*one) is not None for one in asked]

    assert asyncio.run(twice()) == [False, True, False]


def test_another_process_goes_on_with_a_query_that_it_has_not_seen() -> None:
    """Behind a balancer the reranked order may be asked of a process that did not give the first answer."""
    one, other = Searches(Counting()), Searches(Counting())

    async def apart() -> list[dict[str, Any] | None]:
        await one.first(query("boat", 1), "me")
        again = [await other.settled(query("boat", 1), "me") for _ in range(2)]
        return [*again, await other.first(query("boats", 2), "me"), await other.settled(query(" ", 3), "me")]

    settled, twice, first, empty = asyncio.run(apart())
    assert settled is not None and (settled["settled"], settled["answer"]["hits"][0]["id"]) == (True, "1f")
    assert (twice, first is not None and first["settled"], empty) == (None, False, None)


def test_more_asks_for_the_hits_at_the_cursor() -> None:
    connection = Counting()
    found = asyncio.run(Searches(connection).more(query("boat", sort="new"), "24-0"))
    [asked] = connection.asked
    assert (asked["cursor"], asked["order"], asked["whole"], asked["top_k"]) == ("24-0", "new", True, STEP)
    assert (found["settled"], found["answer"]["hits"][0]["id"]) == (True, "1f")


def test_values() -> None:
    assert is_empty(None) and is_empty({"words": " "}) and not is_empty({"like": "1f"}) and not is_empty({"pictures": ["data:"]})
    assert search_request({"words": "boat"})["images"] == [] and search_request({"words": "boat"})["order"] == "best"
    assert found_value({"words": "boat", "pictures": ["data:image/jpeg;base64,AA"]})["query"]["pictures"] == []  # not sent back
    answer = {"hits": [{"dated": 3.0}], "counts": {"kinds": {}}}
    assert facets_value({"number": 4}, answer) == {"number": 4, "counts": {"kinds": {}}, "dated": True}
    nothing = {"hits": [], "counts": {"kinds": {"text": 83}}}
    assert facets_value({"number": 5}, nothing) == {"number": 5, "counts": {}, "dated": False}
