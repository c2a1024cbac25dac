"""What a search of the page does: the first stages at once, then the better order. An older query of the same person is given up.

Knows the API and the values of the components; knows no elements.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from ui.connection import Connection, Refused
from ui.values import MOST_HITS, STEP, found_value, is_empty, search_request

MOST_PEOPLE = 10_000  # whose newest query is remembered


class Searches:
    """The searches of everybody who has the page open."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._newest: dict[str, int] = {}  # the number of each person's newest query

    async def found(self, query: Mapping[str, Any] | None, who: str) -> AsyncIterator[dict[str, Any]]:
        """Values of `Results` for a query: the order of the first stages, then the reranked one. `who` asks."""
        if query is None or is_empty(query):
            self._note(who, query)
            yield found_value(query)
            return
        if not self._note(who, query):
            return
        began = time.monotonic()
        request = search_request(query, STEP)
        first = None
        try:
            first = await self._search({**request, "rerank": False, "ocr": False}, began)
            if not self._is_newest(who, query):
                return
            yield found_value(query, first, settled=False)
            yield found_value(query, await self._search({**request, "rerank": True}, began))
        except Refused as refused:
            yield found_value(query, first, failure=refused.failure)

    async def longer(self, query: Mapping[str, Any], wanted: int) -> dict[str, Any]:
        """The value of `Results` with up to `wanted` hits."""
        wanted = min(MOST_HITS, wanted)
        try:
            answer = await self._search({**search_request(query, wanted), "rerank": True}, time.monotonic())
        except Refused as refused:
            return found_value(query, failure=refused.failure, wanted=wanted)
        return found_value(query, answer, wanted=wanted)

    async def _search(self, request: Mapping[str, Any], began: float) -> dict[str, Any]:
        """An answer whose total time is what the person waited since `began`, all stages and queues included."""
        answer: dict[str, Any] = await self._connection.post("/v1/search", request)
        return answer | {"seconds": answer["seconds"] | {"total": round(time.monotonic() - began, 3)}}

    def _note(self, who: str, query: Mapping[str, Any] | None) -> bool:
        """Remembers a query; False if a newer one came before it."""
        number = int((query or {}).get("number", 0))
        is_newest = number >= self._newest.get(who, -1)
        if is_newest:
            self._newest.pop(who, None)
            self._newest[who] = number
            while len(self._newest) > MOST_PEOPLE:
                del self._newest[next(iter(self._newest))]
        return is_newest

    def _is_newest(self, who: str, query: Mapping[str, Any]) -> bool:
        return int(query.get("number", 0)) >= self._newest.get(who, -1)
