"""Routes for what can be indexed: /v1/access, /v1/folders, /v1/uploads.

Knows allowed folders and uploads; knows no search. All but the first need the key of this start.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from rag.api.allowed_folders import AllowedFolders
from rag.api.library import IndexLibrary
from rag.api.management import UPLOADS, may_manage, needs_start_key
from rag.api.responses import Json, documented
from rag.api.thread_pool import RequestPool
from rag.api.uploaded_files import LONGEST_PATH, Upload

PIECE_BYTES = 1 << 20  # written to disk at once
SILENCE_SECONDS = 60.0  # between two pieces of an upload
_Path = Annotated[str, Query(max_length=LONGEST_PATH)]


class Access(BaseModel):
    """What the client may do besides searching."""

    manage: bool = Field(description="Browse folders, upload, start and stop runs.")
    opens: bool = Field(description="Open files on the desktop of the machine that the server runs on.")


class Folder(BaseModel):
    """A folder in a listing."""

    name: str
    path: str


class Listing(BaseModel):
    """A folder that may be indexed, with the folders in it."""

    path: str
    parent: str | None = Field(description="The folder above; null where that may not be shown.")
    folders: list[Folder]
    more: int = Field(description="How many folders are left out of the list.")
    files: int = Field(description="Files in it, not counting folders below, up to 10,000.")
    roots: list[str] = Field(description="The folders that may be shown, with all below them.")
    samples: str | None = Field(description="The sample corpus, if there is one.")


class Uploaded(BaseModel):
    """A file that was kept."""

    path: str
    folder: str = Field(description="The folder of all uploads of this index: index it next.")


def router(library: IndexLibrary, request_pool: RequestPool, allowed: AllowedFolders, *, opens: bool) -> APIRouter:
    """The routes of folders and uploads. `opens`: whether this server opens files on a desktop."""
    routes = APIRouter(prefix="/v1", tags=["indexes"])
    managed = [Depends(needs_start_key)]

    @routes.get("/access", response_model=Access)
    async def access(request: Request) -> Json:
        """What this client may do besides searching."""
        return Json({"manage": may_manage(request), "opens": opens and may_manage(request)})

    @routes.get("/folders", response_model=Listing, dependencies=managed, responses=documented(400, 401, 422, 429, 503, 504))
    async def folders(path: _Path = "") -> Json:
        """The folders in a folder, by default in the first that may be shown."""
        found = await request_pool.take(allowed.listing, path)
        more: dict[str, Any] = {
            "roots": [str(one) for one in allowed.roots],
            "samples": None if allowed.samples is None else str(allowed.samples),
        }
        return Json(found | more)

    @routes.put(
        UPLOADS.removeprefix("/v1"),
        response_model=Uploaded,
        status_code=201,
        dependencies=managed,
        responses=documented(400, 401, 404, 408, 413, 422, 429, 503, 504),
        openapi_extra={"requestBody": {"content": {"application/octet-stream": {}}}},
    )
    async def upload(request: Request, name: _Path, index: _Path = "") -> Json:
        """Keep the body as a file called `name`, a path with `/`, in the folder of uploads of an index."""
        folder = library.room(index or None).uploads
        with Upload(folder, name, library.settings.max_file_bytes) as file:
            await _receive(request, file, request_pool)
            kept = await request_pool.take(file.keep)
        return Json({"path": str(kept), "folder": str(folder)}, 201)

    return routes


async def _receive(request: Request, file: Upload, request_pool: RequestPool) -> None:
    """Writes the body to the file as it comes. HTTPException: 408 for one that stops coming."""
    stream = aiter(request.stream())
    waiting = bytearray()
    try:
        while True:
            try:
                async with asyncio.timeout(SILENCE_SECONDS):
                    waiting += await anext(stream)
            except StopAsyncIteration:
                break
            if len(waiting) >= PIECE_BYTES:
                await request_pool.take(file.write, bytes(waiting))
                waiting.clear()
    except (TimeoutError, ClientDisconnect):
        raise HTTPException(408) from None
    await request_pool.take(file.write, bytes(waiting))
