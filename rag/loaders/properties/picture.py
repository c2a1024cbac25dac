"""All that a picture says of itself, and what says it beside it: EXIF, XMP, IPTC, texts of PNG, sidecar files.

Knows which of them counts where two disagree; decodes no pixel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from PIL import Image

from rag.loaders.picture.open_image import DAMAGE
from rag.loaders.properties.base import Properties, joined, listed, said
from rag.loaders.properties.dates import date_of
from rag.loaders.properties.exif import read_exif
from rag.loaders.properties.iptc import read_iptc
from rag.loaders.properties.sidecars import read_sidecars
from rag.loaders.properties.xmp import read_xmp

_XMP_TAG = 700  # of a TIFF


def picture_properties(image: Image.Image, companions: Iterable[Path]) -> Properties:
    """The properties of an open picture. What a person wrote beside it counts before what the camera wrote into it.

    Its date is that of an `.xmp` file, else EXIF DateTimeOriginal, DateTimeDigitized, that of the XMP packet, IPTC, the JSON
    beside it, EXIF DateTime, or the text "Creation Time" of a PNG.
    """
    xmp, exported = read_sidecars(companions)
    exif, changed = read_exif(image)
    texts, created = _texts(image)
    found = xmp.beside(exif).beside(read_xmp(_packet(image))).beside(read_iptc(image)).beside(exported).beside(texts)
    dated = next((date for date in (found.dated, changed, created) if date is not None), None)
    return replace(found, title="", description=joined((found.title,), found.description), dated=dated)


def _packet(image: Image.Image) -> object:
    try:
        packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
        return packet or (image.tag_v2.get(_XMP_TAG) if image.format == "TIFF" else None)  # type: ignore[attr-defined]
    except DAMAGE:
        return None


def _texts(image: Image.Image) -> tuple[Properties, float | None]:
    """The text chunks of a PNG and the comment of a JPEG or a GIF; and apart, when a PNG says it was made."""
    written = {str(name).lower(): value for name, value in image.info.items() if isinstance(value, str | bytes)}
    prompt = str(written.get("parameters", "")).partition("Negative prompt:")[0]  # of a program that draws by description
    found = Properties(
        title=said(written.get("title", "")),
        description=listed((written.get("description", ""), written.get("comment", ""), prompt)),
        keywords=listed(str(written.get("keywords", "")).split(",")),
        authors=listed((written.get("author", ""),)),
    )
    return found, date_of(written.get("creation time"))
