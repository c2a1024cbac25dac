"""POST /v1/desktop/open and /reveal: a file of the corpus in its application or in its folder, on the desktop of this machine.

Knows who may ask, which is who has the key of this start, on loopback; knows no desktop, `rag.media.desktop` does.
"""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from rag.api.library import IndexLibrary
from rag.api.management import needs_start_key
from rag.api.responses import Json, documented
from rag.api.thread_pool import RequestPool
from rag.errors import WrongRequest
from rag.media import desktop
from rag.types import StoredPassage


class Wanted(BaseModel):
    """Which file: that of a passage."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(max_length=64, description="The id of a passage.")
    index: str | None = Field(None, max_length=4_096, description="Which index. Default: the first.")


class Done(BaseModel):
    """What was done: a file that a desktop might run is shown in its folder instead."""

    did: Literal["open", "reveal"]


class NoDesktop(WrongRequest):
    """This server opens nothing."""

    def __init__(self) -> None:
        super().__init__(
            "this server opens no files", remedy="run rag ui on your own desktop, without --host, or download the file"
        )


def router(library: IndexLibrary, request_pool: RequestPool, *, is_local: bool) -> APIRouter:
    """The routes; they refuse everybody where the server is not bound to loopback (`is_local`) or has no desktop."""
    routes = APIRouter(prefix="/v1/desktop", tags=["desktop"], dependencies=[Depends(needs_start_key)])
    refused = documented(400, 401, 404, 409, 422, 429, 503, 504)

    def passage_of(wanted: Wanted) -> StoredPassage:
        if not (is_local and desktop.has_desktop()):
            raise NoDesktop
        return library.passage(wanted.id, wanted.index)[1]

    @routes.post("/open", response_model=Done, responses=refused)
    async def open_file(wanted: Wanted) -> Json:
        """Open the file of a passage in its application. A kind that might be run is shown in its folder."""
        return Json({"did": await request_pool.take(lambda: desktop.open_in_application(passage_of(wanted)))})

    @routes.post("/reveal", response_model=Done, responses=refused)
    async def reveal_file(wanted: Wanted) -> Json:
        """Show the file of a passage in its folder."""
        return Json({"did": await request_pool.take(lambda: desktop.reveal(passage_of(wanted)))})

    return routes
