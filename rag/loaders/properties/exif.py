"""Reads the EXIF tags that describe a picture: dates, coordinates, and what a person wrote.

Knows EXIF 2.32 and Windows' own tags as Pillow gives them; decodes no pixel. Whatever the tags hold, nothing is raised.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from PIL import Image

from rag.loaders.picture.open_image import DAMAGE
from rag.loaders.properties.base import Properties, coordinates, listed, said
from rag.loaders.properties.dates import date_of

_EXIF, _GPS = 0x8769, 0x8825  # where these are
_DESCRIPTION, _ARTIST, _DATE_TIME, _RATING = 0x010E, 0x013B, 0x0132, 0x4746
_XP_TITLE, _XP_COMMENT, _XP_AUTHOR, _XP_KEYWORDS, _XP_SUBJECT = 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F  # UTF-16
_ORIGINAL, _DIGITIZED, _COMMENT = 0x9003, 0x9004, 0x9286
_OFFSET, _OFFSET_ORIGINAL, _OFFSET_DIGITIZED = 0x9010, 0x9011, 0x9012
_ENCODINGS = {b"ASCII\0\0\0": "utf-8", b"UNICODE\0": "utf-16", b"JIS\0\0\0\0\0": "iso2022_jp", b"\0" * 8: "utf-8"}
_MAX_BYTES = 10_000  # of a text


def read_exif(image: Image.Image) -> tuple[Properties, float | None]:
    """What the tags say; and apart the date of the last change, which is that of the picture only where no other is known."""
    try:
        tags = image.getexif()
        inner = tags.get_ifd(_EXIF)
    except DAMAGE:
        return Properties(), None
    taken = date_of(inner.get(_ORIGINAL), inner.get(_OFFSET_ORIGINAL) or inner.get(_OFFSET))
    if taken is None:
        taken = date_of(inner.get(_DIGITIZED), inner.get(_OFFSET_DIGITIZED) or inner.get(_OFFSET))
    comments = (_comment(inner.get(_COMMENT)), _utf16(tags.get(_XP_COMMENT)), _utf16(tags.get(_XP_SUBJECT)))
    found = Properties(
        title=said(_utf16(tags.get(_XP_TITLE))),
        description=listed((_text(tags.get(_DESCRIPTION)), *comments)),
        keywords=listed(_utf16(tags.get(_XP_KEYWORDS)).split(";")),
        authors=listed((_text(tags.get(_ARTIST)), *_utf16(tags.get(_XP_AUTHOR)).split(";"))),
        rating=rating_of(tags.get(_RATING)),
        dated=taken,
        location=_location(tags),
    )
    return found, date_of(tags.get(_DATE_TIME), inner.get(_OFFSET))


def rating_of(written: object) -> int:
    """1 to 5 stars; 0 for none, and for what was rejected."""
    try:
        stars = float(str(written))
    except ValueError:
        return 0
    return round(stars) if 1 <= stars <= 5 else 0


def _location(tags: Image.Exif) -> tuple[float, float] | None:
    try:
        gps: Mapping[int, Any] = tags.get_ifd(_GPS)
        latitude, longitude = (_degrees(gps[tag], gps.get(tag - 1)) for tag in (2, 4))
    except DAMAGE:
        return None
    return coordinates(latitude, longitude)


def _degrees(parts: Any, side: object) -> float:
    """Degrees from up to three rationals: degrees, minutes and seconds. South and west are negative."""
    values = [float(part) for part in parts][:3]
    if not values or not all(math.isfinite(value) for value in values):
        return math.nan
    degrees = math.fsum(value / 60**place for place, value in enumerate(values))
    return -degrees if _text(side).strip("\0 ").upper() in ("S", "W") else degrees


def _text(written: object) -> str:
    """A text tag. It should be ASCII; what programs write is UTF-8, which Pillow takes for Latin-1."""
    if isinstance(written, bytes):
        return written[:_MAX_BYTES].rstrip(b"\0").decode("utf-8", "replace")
    text = str(written or "")[:_MAX_BYTES].rstrip("\0")
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _utf16(written: object) -> str:
    if isinstance(written, tuple) and all(isinstance(one, int) and 0 <= one < 256 for one in written[:_MAX_BYTES]):
        written = bytes(written[:_MAX_BYTES])
    if not isinstance(written, bytes):
        return ""
    return written[: _MAX_BYTES // 2 * 2].decode("utf-16-le", "replace").partition("\0")[0]


def _comment(written: object) -> str:
    """A user comment: eight bytes name its encoding."""
    if not isinstance(written, bytes):
        return _text(written)
    head, rest = written[:8], written[8:_MAX_BYTES]
    encoding = _ENCODINGS.get(head)
    if encoding is None:
        return _text(written)
    if encoding == "utf-16" and not rest.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16-le" if rest[1:2] == b"\0" else "utf-16-be"
    return rest.decode(encoding, "replace").partition("\0")[0]
