"""GET /v1/passages/{id}: one passage with its text, its neighbours, the matches of a query, and how its video plays.

Knows the JSON of a passage; `rag.media` finds the outlines and plays the videos.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from rag.api.library import IndexLibrary
from rag.api.responses import ErrorBody, Json, documented
from rag.api.search import MOST_QUERY_CHARACTERS
from rag.api.thread_pool import RequestPool
from rag.api.urls import media_of, picture_address
from rag.errors import NotShown, UnreadableDocument
from rag.humanize import place
from rag.loaders.base import Limits
from rag.loaders.policy import ReadingPolicy, policy_of
from rag.media.results import clip_around
from rag.media.service import MediaService
from rag.serialization import context_json, failure_json, location_json, locator_json
from rag.text.highlights import marks
from rag.types import Seconds, StoredPassage

MOST_NEIGHBOURS = 20
NEIGHBOUR_CHARACTERS = 2_000  # of its text


class Neighbour(BaseModel):
    """A passage before or after it in the same document."""

    id: str
    locator: dict[str, Any]
    place: str = Field(description="The locator as a person reads it.")
    kind: str
    thumbnail: str | None
    text: str = Field(description=f"The first {NEIGHBOUR_CHARACTERS:,} characters of its text.")


class Neighbours(BaseModel):
    """The neighbours, in the order of the document."""

    before: list[Neighbour]
    after: list[Neighbour]


class Region(BaseModel):
    """A rectangle around a match, in 0…1 of the picture's width and height, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    words: str


class Clip(BaseModel):
    """A range of seconds of the video."""

    start: float
    end: float


class VideoView(BaseModel):
    """How a browser plays the video."""

    duration: float | None
    start: float = Field(description="The second of the passage.")
    playable: Literal["direct", "remux", "transcode", "frames"]
    type: str = Field(description="The media type it is sent as; empty if it cannot be played.")
    clip: Clip | None = Field(description="What …/video plays if `playable` is `transcode`; its own clock starts at 0.")


class PassageView(BaseModel):
    """One passage and its neighbours."""

    id: str
    index: str
    root: str
    document: str
    path: str
    kind: str
    modality: str
    media: str = Field(description="image, page, video, slide or text.")
    locator: dict[str, Any]
    place: str
    text: str
    caption: str
    context: dict[str, Any]
    marks: list[list[int]] = Field(description="The matches of the query: [start, end] in code points of `text`.")
    caption_marks: list[list[int]]
    neighbours: Neighbours
    regions: list[Region]
    video: VideoView | None
    pages: int | None = Field(description="Number of pages of the PDF or TIFF.")
    size: list[float] | None = Field(description="Width and height: points of a page, pixels of a picture or a video.")
    picture: str | None = Field(description="The URL of its picture.")
    thumbnail: str | None
    modified: float | None = Field(description="When the file was modified, in seconds since the epoch.")
    dated: float = Field(description="What date filters compare: when the content was made, else when the file was modified.")
    location: dict[str, float] | None = Field(description="Where a picture or a video was taken: lat and lon in degrees.")
    trouble: ErrorBody | None = Field(description="Why there is no picture or video; the text is there all the same.")


def router(library: IndexLibrary, media_service: MediaService, request_pool: RequestPool) -> APIRouter:
    """The route. `request_pool` should not be that of the searches, which must not wait for a decoder."""
    routes = APIRouter(prefix="/v1/passages", tags=["passages"])

    @routes.get("/{id}", response_model=PassageView, responses=documented(400, 404, 409, 422, 429, 503, 504))
    async def passage(
        id: Annotated[str, Path(max_length=64)],
        index: Annotated[str | None, Query(max_length=4_096, description="Which index. Default: the first.")] = None,
        words: Annotated[
            str, Query(max_length=MOST_QUERY_CHARACTERS, description="A query: its matches are marked and outlined.")
        ] = "",
        regions: Annotated[bool, Query(description="false: no outlines, which take seconds if OCR must find them.")] = True,
        reach: Annotated[int, Query(ge=0, le=MOST_NEIGHBOURS, description="How many neighbours before and after.")] = 3,
    ) -> Json:
        """A passage with its text, its neighbours, and the matches of a query in its text and picture."""
        return Json(await request_pool.take(describe, library, media_service, id, index, words, regions, reach))

    return routes


def describe(
    library: IndexLibrary, media_service: MediaService, id: str, index: str | None, words: str, regions: bool, reach: int
) -> dict[str, Any]:
    """The response body. NoSuchPassage, and the errors of opening an index."""
    opened, stored, beside = library.around(id, index, reach)
    policy = policy_of(opened.settings)
    name = library.name(index)
    passage = stored.passage
    matched = marks(passage.text, words)
    found: dict[str, Any] = {
        "id": stored.id,
        "index": name,
        "root": passage.document.root,
        "document": passage.document.path,
        "path": str(stored.file),
        "kind": passage.kind,
        "modality": passage.modality,
        "media": media_of(passage.kind, passage.locator),
        "locator": locator_json(passage.locator, passage.inner),
        "place": place(passage.locator, passage.inner),
        "text": passage.text,
        "caption": passage.caption,
        "context": context_json(passage.context),
        "marks": matched,
        "caption_marks": marks(passage.caption, words),
        "neighbours": _neighbours(media_service, stored, beside, name, policy.limits),
        "regions": [],
        "video": None,
        "pages": None,
        "size": None,
        "picture": picture_address(media_service, stored, name, policy.limits, "view"),
        "thumbnail": picture_address(media_service, stored, name, policy.limits, "thumb"),
        "modified": None,
        "dated": stored.dated,
        "location": location_json(passage.context),
        "trouble": None,
    }
    try:
        found["modified"] = media_service.modified(stored)
        if passage.modality != "text":
            found |= _shown(policy, media_service, stored, words if regions and matched else "")
    except (NotShown, UnreadableDocument) as error:
        found["trouble"] = failure_json(error)
    return found


def _shown(policy: ReadingPolicy, media_service: MediaService, stored: StoredPassage, words: str) -> dict[str, Any]:
    limits = policy.limits
    found = media_service.outlines(stored, words, limits, ocr=policy.ocr != "never")
    if stored.passage.kind != "frame":
        return found
    video = media_service.video(stored, limits)
    at = stored.passage.locator.start if isinstance(stored.passage.locator, Seconds) else 0.0
    around = clip_around(at, video) if video.playable == "transcode" else None
    view = {
        "duration": video.duration,
        "start": at,
        "playable": video.playable,
        "type": video.type,
        "clip": {"start": around.start, "end": around.end} if around else None,
    }
    return {"video": view, "size": [video.width, video.height] if video.width else None, "regions": found["regions"]}


def _neighbours(
    media_service: MediaService, stored: StoredPassage, beside: Sequence[StoredPassage], index: str, limits: Limits
) -> dict[str, list[dict[str, Any]]]:
    sides: dict[str, list[dict[str, Any]]] = {"before": [], "after": []}
    for other in beside:
        side = "before" if other.passage.ordinal < stored.passage.ordinal else "after"
        sides[side].append(
            {
                "id": other.id,
                "locator": locator_json(other.passage.locator, other.passage.inner),
                "place": place(other.passage.locator, other.passage.inner),
                "kind": other.passage.kind,
                "thumbnail": picture_address(media_service, other, index, limits, "thumb"),
                "text": other.passage.text[:NEIGHBOUR_CHARACTERS],
            }
        )
    return sides
