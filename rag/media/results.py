"""What the media service gives: pictures, versions, videos, and which place of a document is meant.

Knows passages and their locators; makes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rag.errors import NotShown, WrongRequest
from rag.types import Locator, Page, Seconds, StoredPassage

Size = Literal["thumb", "view", "full"]
Playable = Literal["direct", "remux", "transcode", "frames"]

_CLIP_LEAD, _CLIP_SECONDS = 2.0, 30.0  # a clip around a hit begins this long before it, and lasts this long


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture encoded by this program. Equal versions mean equal bytes."""

    content: bytes
    type: str  # "image/webp" or "image/jpeg"
    version: str
    modified: float  # of the file it shows, seconds since the epoch


@dataclass(frozen=True, slots=True)
class Version:
    """The version of a picture, and when its file was changed, seconds since the epoch."""

    name: str
    modified: float


@dataclass(frozen=True, slots=True)
class Video:
    """What a browser can do with a video."""

    duration: float | None  # seconds
    width: int
    height: int
    playable: Playable
    type: str  # what it is sent as; "" where it cannot be played


@dataclass(frozen=True, slots=True)
class VideoRange:
    """From when to when, in seconds of the video."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Playing:
    """An open file that a browser plays. The descriptor is closed at the end of the `with`."""

    fd: int
    size: int  # bytes
    type: str
    version: str
    modified: float  # of the original, seconds since the epoch


def other_place(page: int | None, at: float | None) -> Locator | None:
    """Another place of a document: a page from 1, or a second of a video; None for neither. WrongRequest for both."""
    if page is not None and at is not None:
        raise WrongRequest("both a page and a second were given", remedy="give one of them")
    return Page(page) if page is not None else None if at is None else Seconds(at, at)


def clip_around(at: float, video: Video) -> VideoRange:
    """The clip around a hit: from 2 seconds before it, for up to 30 seconds."""
    start = max(0.0, at - _CLIP_LEAD)
    end = start + _CLIP_SECONDS if video.duration is None else max(min(start + _CLIP_SECONDS, video.duration), start + 1.0)
    return VideoRange(round(start, 3), round(end, 3))


def place_of(stored: StoredPassage, at: Locator | None) -> Locator:
    """The locator to decode. NotShown where the document has no such places."""
    own = stored.passage.locator
    if at is None or type(at) is type(own):
        return own if at is None else at
    wanted = "pages" if isinstance(at, Page) else "seconds" if isinstance(at, Seconds) else "places"
    raise NotShown(f"{stored.passage.document} has no {wanted}", remedy="get the picture of the passage itself")
