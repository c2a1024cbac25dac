"""Renders the picture of a passage, a page, a video frame or a picture, at one of three sizes; always re-encoded.

Knows the loaders; knows no cache and no process. Runs in a worker process.
"""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.corpus.file_types import SHOWN_BY
from rag.errors import UnreadableDocument
from rag.loaders import LOADERS
from rag.loaders.base import Limits, Loader
from rag.plugins import resolve
from rag.types import Content, Document, DocumentId, Kind, Locator, Passage, Seconds

if TYPE_CHECKING:
    from rag.types import Pixels

SIDES = {"thumb": 320, "view": 1600, "full": 6000}  # the longer side of each size, in pixels
_MOST_PIXELS = 25_000_000  # of the largest size: 5,000 × 5,000
_QUALITY = 88  # JPEG, colours at full resolution: thin red lines on a page stay red


def picture(file: Path, *, kind: Kind, locator: Locator, size: str, stamp: str, limits: Limits) -> tuple[dict[str, Any], bytes]:
    """`{"type", "width", "height"}` and the bytes of the encoded picture: WebP for a thumbnail, else JPEG. UnreadableDocument."""
    side = SIDES[size]
    if kind == "frame" and isinstance(locator, Seconds):
        from rag.media.frame_cache import frame_of

        pixels = frame_of(file, stamp, locator.start, replace(limits, max_pixels=_MOST_PIXELS))
    else:
        pixels = decoded(file, kind, locator, replace(limits, max_pixels=min(side * side, _MOST_PIXELS)))
    return _encoded(pixels, side, "WEBP" if size == "thumb" else "JPEG")


def decoded(file: Path, kind: Kind, locator: Locator, limits: Limits) -> Pixels:
    """RGB pixels (height, width, 3), at most `limits.max_pixels`. UnreadableDocument if there is no picture at `locator`."""
    document = Document(DocumentId("", file.name), file)
    passage = Passage(document.id, 0, locator, kind, "image")
    loader: Loader = resolve(LOADERS, SHOWN_BY[kind], "loader")()
    for found in loader.read(document, [passage], limits):
        if isinstance(found, Content) and found.pixels:
            return found.pixels[0]
        raise UnreadableDocument(getattr(found, "reason", "contains no picture"))
    raise UnreadableDocument("contains no picture there")


def _encoded(pixels: Pixels, side: int, form: str) -> tuple[dict[str, Any], bytes]:
    from PIL import Image

    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    if form == "WEBP":
        image.save(out, form, quality=80, method=2)
    else:
        image.save(out, form, quality=_QUALITY, subsampling=0)
    return {"type": f"image/{form.lower()}", "width": image.width, "height": image.height}, out.getvalue()
