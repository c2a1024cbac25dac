"""What a search of the page does: the first stages at once, then the better order. An older query of the same person is given up.

Knows the API and the values of the components; knows no elements.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from ui.connection import Connection, Refused
from ui.values import found_value, is_empty, search_request

MOST_PEOPLE = 10_000  # whose newest query is remembered
MOST_WAITING = 256  # first answers kept until their reranked order is asked for


class First(NamedTuple):
    """The first answer to a query, kept while its reranked order is on its way."""

    number: int  # of the query, as its page counts
    began: float  # seconds of the monotonic clock
    answer: dict[str, Any] | None  # None: another process gave it


class Searches:
    """The searches of everybody who has the page open. What is kept saves work: another process can go on with a query."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._newest: dict[str, int] = {}  # the number of each person's newest query
        self._firsts: dict[str, First] = {}  # of each person, oldest first

    async def first(self, query: Mapping[str, Any] | None, who: str) -> dict[str, Any] | None:
        """The value of `Results` in the order of the first stages, before `settled`; None if `who` typed on meanwhile."""
        self._firsts.pop(who, None)
        if query is None or is_empty(query):
            self._note(who, query)
            return found_value(query)
        if not self._note(who, query):
            return None
        began = time.monotonic()
        try:
            answer = await self._search({**search_request(query), "rerank": False, "ocr": False}, began)
        except Refused as refused:
            return found_value(query, failure=refused.failure)
        if not self._is_newest(who, query):
            return None
        self._firsts[who] = First(number_of(query), began, answer)
        while len(self._firsts) > MOST_WAITING:
            del self._firsts[next(iter(self._firsts))]
        return found_value(query, answer, settled=False)

    async def settled(self, query: Mapping[str, Any] | None, who: str) -> dict[str, Any] | None:
        """The value of `Results` in the reranked order; None if this process has begun the query and no answer waits for it.

        One that it has not seen was begun by another process behind the same address: it is answered all the same.
        """
        if query is None or is_empty(query):
            return None
        first = self._firsts.get(who)
        if first is not None and first.number == number_of(query):
            del self._firsts[who]
        elif number_of(query) > self._newest.get(who, -1):
            self._note(who, query)
            first = First(number_of(query), time.monotonic(), None)
        else:
            return None
        try:
            answer = await self._search({**search_request(query), "rerank": True}, first.began)
        except Refused as refused:
            return found_value(query, first.answer, failure=refused.failure)
        return found_value(query, answer) if self._is_newest(who, query) else None

    async def more(self, query: Mapping[str, Any], cursor: str) -> dict[str, Any]:
        """The value of `Results` with the hits at `cursor`, those after the ones before."""
        try:
            answer = await self._search({**search_request(query, cursor), "rerank": True}, time.monotonic())
        except Refused as refused:
            return found_value(query, failure=refused.failure)
        return found_value(query, answer)

    async def _search(self, request: Mapping[str, Any], began: float) -> dict[str, Any]:
        """An answer whose total time is what the person waited since `began`, all stages and queues included."""
        answer: dict[str, Any] = await self._connection.post("/v1/search", request)
        return answer | {"seconds": answer["seconds"] | {"total": round(time.monotonic() - began, 3)}}

    def _note(self, who: str, query: Mapping[str, Any] | None) -> bool:
        """Remembers a query; False if a newer one came before it."""
        number = number_of(query or {})
        is_newest = number >= self._newest.get(who, -1)
        if is_newest:
            self._newest.pop(who, None)
            self._newest[who] = number
            while len(self._newest) > MOST_PEOPLE:
                del self._newest[next(iter(self._newest))]
        return is_newest

    def _is_newest(self, who: str, query: Mapping[str, Any]) -> bool:
        return number_of(query) >= self._newest.get(who, -1)


def number_of(query: Mapping[str, Any]) -> int:
    """How many queries its page had asked when it asked this one."""
    return int(query.get("number", 0))
