"""Reads the IPTC fields that describe a picture, as Pillow finds them in a JPEG or a TIFF.

Knows IPTC-IIM 4.2; decodes no pixel. Whatever the fields hold, nothing is raised.
"""

from __future__ import annotations

from collections.abc import Mapping

from PIL import Image

from rag.loaders.picture.open_image import DAMAGE
from rag.loaders.properties.base import Properties, listed, said
from rag.loaders.properties.dates import date_of

_TITLE, _KEYWORDS, _DATE, _TIME, _AUTHOR, _HEADLINE, _CAPTION = 5, 25, 55, 60, 80, 105, 120
_PLACES = (92, 90, 95, 101)  # sublocation, city, province, country
_MAX_FIELD = 10_000  # bytes


def read_iptc(image: Image.Image) -> Properties:
    """What the fields say; nothing where there are none."""
    from PIL.IptcImagePlugin import getiptcinfo

    if "photoshop" not in image.info and image.format != "TIFF":
        return Properties()
    try:
        found = getiptcinfo(image) or {}  # type: ignore[arg-type]
    except DAMAGE:
        return Properties()
    places = ", ".join(place for number in _PLACES for place in listed(_all(found, number)))
    return Properties(
        title=said("".join(_all(found, _TITLE)[:1])),
        description=listed((*_all(found, _HEADLINE), *_all(found, _CAPTION))),
        keywords=listed(_all(found, _KEYWORDS)),
        places=listed((places,)),
        authors=listed(_all(found, _AUTHOR)),
        dated=date_of("T".join(filter(None, ("".join(_all(found, number)[:1]) for number in (_DATE, _TIME))))),
    )


def _all(found: Mapping[tuple[int, int], bytes | list[bytes]], number: int) -> list[str]:
    """The values of a field. They say their encoding rarely and wrongly; UTF-8 is recognised by being it."""
    written = found.get((2, number), b"")
    texts = []
    for value in (written if isinstance(written, list) else [written])[:200]:
        try:
            texts.append(value[:_MAX_FIELD].decode("utf-8"))
        except UnicodeDecodeError:
            texts.append(value[:_MAX_FIELD].decode("latin-1"))
    return texts
