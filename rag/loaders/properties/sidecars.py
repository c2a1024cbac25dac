"""Reads what stands beside a picture or a video: an `.xmp` file, or the JSON of Google Takeout and of programs that download.

Knows these files; knows no picture. A file that is damaged, too large or of another kind says nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rag.loaders.properties.base import Properties, coordinates, listed, said
from rag.loaders.properties.dates import date_of
from rag.loaders.properties.xmp import read_xmp

_MAX_BYTES = 1_000_000
_FARTHEST = 5e9  # seconds from 1970: the years 1811 to 2128


def read_sidecars(companions: Iterable[Path]) -> tuple[Properties, Properties]:
    """What the `.xmp` files say, which people and their photo programs write; and what the JSON says."""
    xmp, exported = Properties(), Properties()
    for file in companions:
        suffix = file.suffix.lower()
        if suffix in (".xmp", ".json"):
            content = _content(file)
            if suffix == ".xmp":
                xmp = xmp.beside(read_xmp(content))
            else:
                exported = exported.beside(_from_json(content))
    return xmp, exported


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except OSError:
        return b""
    return content if len(content) <= _MAX_BYTES else b""


def _from_json(content: bytes) -> Properties:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return Properties()
    if not isinstance(value, dict):
        return Properties()
    title = "" if "photoTakenTime" in value else _word(value.get("title"))  # Takeout's is the name of the file
    favorite = "favorite" if value.get("favorited") is True else ""
    return Properties(
        title=said(title),
        description=listed(_word(value.get(name)) for name in ("description", "caption", "content")),
        keywords=listed((*_words(value.get("keywords")), *_words(value.get("tags")), favorite)),
        people=listed(_word(one.get("name")) for one in _list(value.get("people")) if isinstance(one, dict)),
        authors=listed(_word(value.get(name)) for name in ("author", "artist", "uploader")),
        dated=_date(value),
        location=_location(value.get("geoData")) or _location(value.get("geoDataExif")) or _location(value),
    )


def _date(value: Mapping[str, Any]) -> float | None:
    taken = value.get("photoTakenTime")
    if not isinstance(taken, dict):
        written = value.get("date") or value.get("upload_date")
        return date_of(written) if isinstance(written, str) else None
    try:
        seconds = float(str(taken.get("timestamp")))
    except ValueError:
        return None
    return seconds if seconds and abs(seconds) < _FARTHEST else None


def _location(value: object) -> tuple[float, float] | None:
    if not isinstance(value, dict):
        return None
    try:
        return coordinates(float(value["latitude"]), float(value["longitude"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _list(value: object) -> list[Any]:
    return value[:200] if isinstance(value, list) else []


def _words(value: object) -> list[str]:
    return [_word(one) for one in _list(value)] if isinstance(value, list) else _word(value).split(",")


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""
