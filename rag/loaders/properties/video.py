"""What a video says of itself: tags of its container, and the titles of its chapters.

Knows the tags that FFmpeg gives; decodes nothing. Times are seconds on the clock of the container.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rag.loaders.properties.base import Properties, coordinates, listed, said
from rag.loaders.properties.dates import date_of
from rag.loaders.properties.sidecars import read_sidecars
from rag.types import Passage, Seconds

_ISO_6709 = re.compile(r"([+-]\d{1,3}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)(?:[+-]\d+(?:\.\d+)?)?(?:CRS.*)?/?")
_APPLE = "com.apple.quicktime."
_DATES = (f"{_APPLE}creationdate", "creation_time", "date_recorded", "date", "date_released", "creation_date", "year")
_MAX_CHAPTERS = 2_000


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of a video with a title."""

    start: float
    end: float
    title: str


def video_properties(tags: Mapping[str, str], companions: Iterable[Path]) -> Properties:
    """From the tags of the container and what stands beside the file."""
    xmp, exported = read_sidecars(companions)
    return xmp.beside(_tagged(tags)).beside(exported)


def _tagged(tags: Mapping[str, str]) -> Properties:
    """From the tags. Apple's own date comes first: it has a time zone."""
    value = {str(name).lower(): str(text) for name, text in tags.items()}

    def of(*names: str) -> list[str]:
        return [value[name] for name in (*names, *(f"{_APPLE}{name}" for name in names)) if name in value]

    return Properties(
        title=said("".join(of("title", "displayname")[:1])),
        description=listed(of("description", "comment", "synopsis", "summary", "subtitle", "show", "album", "information")),
        keywords=listed(part for text in of("keywords", "genre", "subject") for part in re.split(r"[,;]", text)),
        authors=listed(of("artist", "author", "director", "album_artist", "performer")),
        places=listed(of("location_name", "recording_location")),
        dated=next((date for name in _DATES if (date := date_of(value.get(name))) is not None), None),
        location=next(filter(None, map(_place, of("location.iso6709", "location", "location-eng"))), None),
    )


def chapters_of(container: Any, origin: float) -> tuple[Chapter, ...]:
    """The chapters that have a title, in order; `origin` is what the container's clock shows where the video begins."""
    found = []
    for one in container.chapters()[:_MAX_CHAPTERS]:
        title, unit = said((one.get("metadata") or {}).get("title", "")), float(one["time_base"] or 0)
        if title and unit > 0:
            found.append(Chapter(one["start"] * unit - origin, one["end"] * unit - origin, title))
    return tuple(sorted(found, key=lambda chapter: chapter.start))


def with_chapters(passages: Iterable[Passage], chapters: tuple[Chapter, ...]) -> Iterator[Passage]:
    """The passages, each under the titles of the chapters that it is of."""
    for passage in passages:
        if chapters and isinstance(passage.locator, Seconds):
            start, end = passage.locator.start, passage.locator.end
            titles = [one.title for one in chapters if one.start < end and one.end > start]
            heading = " · ".join(dict.fromkeys(titles[:3])) or passage.context.heading
            passage = replace(passage, context=replace(passage.context, heading=heading))
        yield passage


def _place(written: str) -> tuple[float, float] | None:
    match = _ISO_6709.fullmatch(written.strip())
    return coordinates(float(match[1]), float(match[2])) if match else None
