"""GET /v1/passages/{id}: one passage: its words, what stands beside it, where the words of a query are, how it plays.

Knows the contract of a passage; what is outlined and played is `rag.media`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from rag.api.library import IndexLibrary
from rag.api.responses import ErrorBody, Json, documented
from rag.api.search import MOST_WORDS
from rag.api.thread_pool import RequestPool
from rag.api.urls import media_of, picture_address
from rag.errors import NotShown, UnreadableDocument
from rag.humanize import place
from rag.loaders.base import Limits
from rag.loaders.policy import ReadingPolicy, policy_of
from rag.media.service import MediaService, clip_around
from rag.serialization import failure_json, locator_json
from rag.text.highlights import marks
from rag.types import Seconds, StoredPassage

MOST_NEIGHBOURS = 20
BESIDE = 2_000  # characters of a neighbour's words


class Neighbour(BaseModel):
    """A passage before or after it in the same document."""

    id: str
    locator: dict[str, Any]
    place: str = Field(description="The locator as a person reads it.")
    kind: str
    thumbnail: str | None
    text: str = Field(description=f"The first {BESIDE:,} characters of its words.")


class Neighbours(BaseModel):
    """In the order of the document."""

    before: list[Neighbour]
    after: list[Neighbour]


class Region(BaseModel):
    """A rectangle in 0…1 of the picture's width and height, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    words: str


class Clip(BaseModel):
    """Seconds of the video."""

    start: float
    end: float


class VideoView(BaseModel):
    """How a browser plays the video."""

    duration: float | None
    start: float = Field(description="The second of the passage.")
    playable: Literal["direct", "remux", "transcode", "frames"]
    type: str = Field(description="The media type it is sent as; empty where it cannot be played.")
    clip: Clip | None = Field(description="What …/video plays where it is `transcode`; its own clock begins at 0.")


class PassageView(BaseModel):
    """One passage, and what is around it."""

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
    marks: list[list[int]] = Field(description="[start, end] in code points of `text`: what the words match.")
    caption_marks: list[list[int]]
    neighbours: Neighbours
    regions: list[Region]
    video: VideoView | None
    pages: int | None = Field(description="Of the PDF or the TIFF.")
    size: list[float] | None = Field(description="Width and height: points of a page, pixels of a picture or a video.")
    picture: str | None = Field(description="Where its picture is.")
    thumbnail: str | None
    modified: float | None = Field(description="Of the file, seconds since the epoch.")
    dated: float = Field(description="What date filters compare: when a picture was taken, else when the file was modified.")
    trouble: ErrorBody | None = Field(description="Why there is no picture or video; the words are there all the same.")


def router(library: IndexLibrary, media_service: MediaService, request_pool: RequestPool) -> APIRouter:
    """The route; `request_pool` should be others than those of searches, which must not wait for a decoder."""
    routes = APIRouter(prefix="/v1/passages", tags=["passages"])

    @routes.get("/{id}", response_model=PassageView, responses=documented(400, 404, 409, 422, 429, 503, 504))
    async def passage(
        id: Annotated[str, Path(max_length=64)],
        index: Annotated[str | None, Query(max_length=4_096, description="Which index; the first where none is named.")] = None,
        words: Annotated[str, Query(max_length=MOST_WORDS, description="The query: its words are marked and outlined.")] = "",
        regions: Annotated[
            bool, Query(description="false: nothing is outlined, which takes seconds where OCR must look.")
        ] = True,
        reach: Annotated[int, Query(ge=0, le=MOST_NEIGHBOURS, description="How many neighbours before and after.")] = 3,
    ) -> Json:
        """A passage with its words, its neighbours, and where the words of a query stand in its text and in its picture."""
        return Json(await request_pool.take(describe, library, media_service, id, index, words, regions, reach))

    return routes


def describe(
    library: IndexLibrary, media_service: MediaService, id: str, index: str | None, words: str, regions: bool, reach: int
) -> dict[str, Any]:
    """The body of the answer. NoSuchPassage, and what opening an index raises."""
    opened, stored, beside = library.around(id, index, reach)
    policy = policy_of(opened.settings)
    name = library.name(index)
    one = stored.passage
    matched = marks(one.text, words)
    found: dict[str, Any] = {
        "id": stored.id,
        "index": name,
        "root": one.document.root,
        "document": one.document.path,
        "path": str(stored.file),
        "kind": one.kind,
        "modality": one.modality,
        "media": media_of(one.kind, one.locator),
        "locator": locator_json(one.locator),
        "place": place(one.locator),
        "text": one.text,
        "caption": one.caption,
        "context": {
            "title": one.context.title,
            "heading": one.context.heading,
            "slide": one.context.slide,
            "sheet": one.context.sheet,
        },
        "marks": matched,
        "caption_marks": marks(one.caption, words),
        "neighbours": _neighbours(media_service, stored, beside, name, policy.limits),
        "regions": [],
        "video": None,
        "pages": None,
        "size": None,
        "picture": picture_address(media_service, stored, name, policy.limits, "view"),
        "thumbnail": picture_address(media_service, stored, name, policy.limits, "thumb"),
        "modified": None,
        "dated": stored.dated,
        "trouble": None,
    }
    try:
        found["modified"] = media_service.modified(stored)
        if one.modality != "text":
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
    said = {
        "duration": video.duration,
        "start": at,
        "playable": video.playable,
        "type": video.type,
        "clip": {"start": around.start, "end": around.end} if around else None,
    }
    return {"video": said, "size": [video.width, video.height] if video.width else None, "regions": found["regions"]}


def _neighbours(
    media_service: MediaService, stored: StoredPassage, beside: Sequence[StoredPassage], index: str, limits: Limits
) -> dict[str, list[dict[str, Any]]]:
    sides: dict[str, list[dict[str, Any]]] = {"before": [], "after": []}
    for other in beside:
        side = "before" if other.passage.ordinal < stored.passage.ordinal else "after"
        sides[side].append(
            {
                "id": other.id,
                "locator": locator_json(other.passage.locator),
                "place": place(other.passage.locator),
                "kind": other.passage.kind,
                "thumbnail": picture_address(media_service, other, index, limits, "thumb"),
                "text": other.passage.text[:BESIDE],
            }
        )
    return sides
