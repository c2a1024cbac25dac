"""What the index tab shows: every index with its state and its last job. Starts and stops jobs.

Knows the API; knows no elements.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ui.connection import Connection, Refused


class Shelves:
    """The indexes of a server, and the jobs that were seen running on them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._jobs: dict[str, str] = {}  # the last job of each index

    async def facts(self) -> list[dict[str, Any]]:
        """Every index as GET /v1/indexes tells it; nothing where that fails."""
        try:
            found: list[dict[str, Any]] = await self._connection.get("/v1/indexes")
        except Refused:
            return []
        return found

    async def value(self, cookies: str, failure: dict[str, str] | None = None) -> dict[str, Any]:
        """The value of `IndexPanel` for a visitor with these cookies, with a failure to show above it."""
        try:
            facts = await self._connection.get("/v1/indexes")
            access = await self._connection.visited_with(cookies).get("/v1/access")
        except Refused as refused:
            return {"indexes": [], "manage": False, "failure": refused.failure}
        return {"indexes": [await self._shelf(one) for one in facts], "manage": access["manage"], "failure": failure}

    async def start(self, cookies: str, what: Mapping[str, Any]) -> dict[str, str] | None:
        """Starts a job on an `index`: for one `root`, a `folder`, or all it knows. Its failure, or None."""
        asked = {"index": what["index"], "root": what.get("root"), "folder": what.get("folder")}
        try:
            started = await self._connection.visited_with(cookies).post("/v1/index", asked)
        except Refused as refused:
            return refused.failure
        self._jobs[what["index"]] = started["job"]
        return None

    async def stop(self, cookies: str, job: str) -> dict[str, str] | None:
        """Stops a job; its failure, or None."""
        try:
            await self._connection.visited_with(cookies).delete(f"/v1/index/jobs/{quote(job, safe='')}")
        except Refused as refused:
            return refused.failure
        return None

    async def _shelf(self, facts: dict[str, Any]) -> dict[str, Any]:
        name = facts["name"]
        if facts["job"]:
            self._jobs[name] = facts["job"]
        status = await self._found("/v1/status", index=name) if facts["exists"] and not facts["problem"] else None
        job = facts["run"]
        if job is None and name in self._jobs:
            job = await self._found(f"/v1/index/jobs/{quote(self._jobs[name], safe='')}")
        return {"facts": facts, "status": status, "job": job}

    async def _found(self, path: str, **values: str) -> Any:
        try:
            return await self._connection.get(path, **values)
        except Refused:  # gone since the list was made: the next look shows it
            return None
