"""GET /v1/media/…: the picture of a passage, its video as a browser plays it, clips, and the original as a download.

Knows routes and headers; `rag.media` makes what is shown. Only pictures and videos that it made or checked are sent inline.
"""

from __future__ import annotations

import io
import os
from contextlib import AbstractContextManager
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from rag.api.byte_ranges import IMMUTABLE, REVALIDATE, Described, attachment, not_modified, send_bytes, send_file
from rag.api.library import IndexLibrary
from rag.api.passages import Region
from rag.api.responses import Json, documented
from rag.api.search import MOST_QUERY_CHARACTERS
from rag.api.thread_pool import RequestPool
from rag.api.urls import picture_address
from rag.errors import WrongRequest
from rag.loaders.policy import policy_of
from rag.media.crop import Crop, crop_around, regions_within
from rag.media.results import Playing, Size, other_place
from rag.media.safe_open import open_original, version_of
from rag.media.service import MediaService
from rag.types import Locator, Seconds, StoredPassage

Id = Annotated[str, Path(max_length=64, description="The id of a passage.")]
Index = Annotated[str | None, Query(max_length=4_096, description="Which index. Default: the first.")]
Moment = Annotated[float, Query(ge=0, le=1_000_000, allow_inf_nan=False, description="Seconds from the start of the video.")]
_CROP = r"^([01](\.\d{1,6})?,){3}[01](\.\d{1,6})?$"
_SHORTEST = 8  # characters of a version in a URL
_REFUSED = documented(400, 404, 409, 422, 429, 503, 504)
_VIDEO: dict[int | str, dict[str, Any]] = {
    200: {"content": {"video/mp4": {}, "video/webm": {}}, "description": "The whole file."},
    206: {"content": {"video/mp4": {}, "video/webm": {}}, "description": "The requested range of bytes."},
    304: {"description": "The client has it already."},
    416: {"description": "The file ends before the range."},
}


class Match(BaseModel):
    """The part of a page that shows the matches; without a picture where there is none to see."""

    picture: str | None = Field(description="The URL of that part of the page.")
    regions: list[Region] = Field(description="In 0…1 of the part.")


def router(library: IndexLibrary, media_service: MediaService, request_pool: RequestPool) -> APIRouter:
    """The routes. `request_pool` should not be that of the searches, which must not wait for a decoder."""
    routes = APIRouter(prefix="/v1/media", tags=["media"])

    @routes.get(
        "/{id}",
        response_class=Response,
        responses={
            200: {"content": {"image/webp": {}, "image/jpeg": {}}},
            304: {"description": "The client has it already."},
            **_REFUSED,
        },
    )
    async def picture(
        request: Request,
        id: Id,
        index: Index = None,
        size: Annotated[Size, Query(description="Longer side in pixels: 768, 1,600, or its own up to 6,000.")] = "view",
        page: Annotated[int | None, Query(ge=1, le=1_000_000, description="Another page of the same document.")] = None,
        at: Annotated[Moment | None, Query()] = None,
        crop: Annotated[
            str, Query(max_length=64, pattern=_CROP, description="A part of it: x,y,width,height in 0…1, from the upper left.")
        ] = "",
        v: Annotated[
            str, Query(max_length=64, description="The version of the file; the response may then be cached for good.")
        ] = "",
    ) -> Response:
        """The picture of a passage, re-encoded by this program: a page, a video frame, or a picture."""
        place, part = other_place(page, at), _part_of(crop)
        return await request_pool.take(_picture, library, media_service, request, id, index, size, place, part, v)

    @routes.get("/{id}/match", response_model=Match, responses=documented(400, 404, 409, 422, 429, 503, 504))
    async def match(
        id: Id,
        words: Annotated[str, Query(max_length=MOST_QUERY_CHARACTERS, description="A query.")],
        index: Index = None,
    ) -> Json:
        """The part of a page that shows the matches of a query, and where they are in it. Text in pixels is not looked for."""
        return Json(await request_pool.take(_match, library, media_service, id, index, words))

    @routes.get("/{id}/video", response_class=Response, responses={**_VIDEO, **_REFUSED})
    async def video(request: Request, id: Id, index: Index = None, at: Annotated[Moment | None, Query()] = None) -> Response:
        """The video of a frame: the file itself, remuxed, or (`"transcode"` in its passage) a clip around the second `at`."""

        def playing(stored: StoredPassage, limits: Any) -> AbstractContextManager[Playing]:
            own = stored.passage.locator.start if isinstance(stored.passage.locator, Seconds) else 0.0
            return media_service.playing(stored, limits, own if at is None else at)

        return await request_pool.take(_video_response, library, request, id, index, playing)

    @routes.get("/{id}/clip", response_class=Response, responses={**_VIDEO, **_REFUSED})
    async def clip(request: Request, id: Id, start: Moment, end: Moment, index: Index = None) -> Response:
        """The video from second `start` to `end`, at most a minute, as MP4."""

        def playing(stored: StoredPassage, limits: Any) -> AbstractContextManager[Playing]:
            return media_service.clip(stored, limits, start, end)

        return await request_pool.take(_video_response, library, request, id, index, playing)

    @routes.get(
        "/{id}/original",
        response_class=Response,
        responses={200: {"content": {"application/octet-stream": {}}}, **{code: _VIDEO[code] for code in (304, 416)}, **_REFUSED},
    )
    async def original(request: Request, id: Id, index: Index = None) -> Response:
        """The file itself, as a download; never shown inline."""
        return await request_pool.take(_original, library, request, id, index)

    for path, route in (("/{id}", picture), ("/{id}/video", video), ("/{id}/clip", clip), ("/{id}/original", original)):
        routes.add_api_route(path, route, methods=["HEAD"], include_in_schema=False, response_class=Response)
    return routes


def _picture(
    library: IndexLibrary,
    media_service: MediaService,
    request: Request,
    id: str,
    index: str | None,
    size: Size,
    at: Locator | None,
    crop: Crop | None,
    v: str,
) -> Response:
    opened_index, stored = library.passage(id, index)
    limits = policy_of(opened_index.settings).limits
    version = media_service.version(stored, size, limits, at, crop)
    caching = IMMUTABLE if len(v) >= _SHORTEST and version.name.startswith(v) else REVALIDATE
    known = not_modified(request.headers, Described("", version.name, version.modified, caching))
    if known is not None:
        return known
    shown = media_service.picture(stored, size, limits, opened_index.derived, at, crop)
    return send_bytes(shown.content, Described(shown.type, shown.version, shown.modified, caching))


def _match(library: IndexLibrary, media_service: MediaService, id: str, index: str | None, words: str) -> dict[str, Any]:
    opened_index, stored = library.passage(id, index)
    limits = policy_of(opened_index.settings).limits
    nothing: dict[str, Any] = {"picture": None, "regions": []}
    if stored.passage.kind != "page":
        return nothing
    found = media_service.outlines(stored, words, limits, ocr=False)
    part = crop_around(found["regions"], found["size"])
    if part is None:
        return nothing
    address = picture_address(media_service, stored, library.name(index), limits, "thumb", part)
    return {"picture": address, "regions": regions_within(part, found["regions"])}


def _part_of(crop: str) -> Crop | None:
    """The part that `x,y,width,height` names; None for "". WrongRequest where it is not inside the picture."""
    if not crop:
        return None
    part = Crop(*map(float, crop.split(",")))
    if min(part.width, part.height) <= 0 or part.x + part.width > 1.001 or part.y + part.height > 1.001:
        raise WrongRequest(f"{crop} is not a part of a picture", remedy="give x,y,width,height in 0…1, from the upper left")
    return part


def _video_response(library: IndexLibrary, request: Request, id: str, index: str | None, playing: Any) -> Response:
    opened_index, stored = library.passage(id, index)
    with playing(stored, policy_of(opened_index.settings).limits) as one:
        described = Described(one.type, one.version, one.modified)
        return _file_response(one.fd, one.size, described, request)


def _original(library: IndexLibrary, request: Request, id: str, index: str | None) -> Response:
    _, stored = library.passage(id, index)
    with open_original(stored) as one:
        described = Described(
            "application/octet-stream", version_of(one, "original"), one.modified, disposition=attachment(one.name)
        )
        return _file_response(one.fd, one.size, described, request)


def _file_response(fd: int, size: int, described: Described, request: Request) -> Response:
    known = not_modified(request.headers, described)
    if known is not None:
        return known
    file = io.FileIO(os.dup(fd))  # outlives this call; closed with the object if it is never sent
    return send_file(file, size, described, request.method, request.headers)
