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
from rag.loaders.detect import page_loader
from rag.media.crop import Crop
from rag.plugins import resolve
from rag.types import Content, Document, DocumentId, Kind, Locator, Passage, Seconds

if TYPE_CHECKING:
    from rag.types import Pixels

SIDES = {"thumb": 768, "view": 1600, "full": 6000}  # the longer side of each size, in pixels
_MOST_PIXELS = 25_000_000  # of the largest size: 5,000 × 5,000
_Part = tuple[float, float, float, float]
MOST_ENLARGED = 0.25  # share of the width that a part has at least: less is enlarged beyond what is decoded
_QUALITY = 88  # JPEG, colours at full resolution: thin red lines on a page stay red


def picture(
    file: Path, *, kind: Kind, locator: Locator, size: str, stamp: str, limits: Limits, crop: _Part | None = None
) -> tuple[dict[str, Any], bytes]:
    """`{"type", "width", "height"}` and the bytes of the encoded picture: WebP for a thumbnail, else JPEG. UnreadableDocument.

    With `crop`, the values of a `Crop`, it is that part of the picture, as sharp as the whole would be at this size.
    """
    side = SIDES[size]
    if crop is not None:
        part = Crop(*crop)
        whole = round(side / max(part.width, MOST_ENLARGED))
        pixels = decoded(file, kind, locator, replace(limits, max_pixels=min(2 * whole * whole, _MOST_PIXELS)))
        return _encoded(_cut(pixels, part), side, "WEBP" if size == "thumb" else "JPEG")
    if kind == "frame" and isinstance(locator, Seconds):
        from rag.media.frame_cache import frame_of

        pixels = frame_of(file, stamp, locator.start, replace(limits, max_pixels=_MOST_PIXELS))
    else:
        pixels = decoded(file, kind, locator, replace(limits, max_pixels=min(side * side, _MOST_PIXELS)))
    return _encoded(pixels, side, "WEBP" if size == "thumb" else "JPEG")


def _cut(pixels: Pixels, crop: Crop) -> Pixels:
    height, width = pixels.shape[:2]
    left, top = int(crop.x * width), int(crop.y * height)
    return pixels[
        top : max(top + 1, round((crop.y + crop.height) * height)), left : max(left + 1, round((crop.x + crop.width) * width))
    ]


def decoded(file: Path, kind: Kind, locator: Locator, limits: Limits) -> Pixels:
    """RGB pixels (height, width, 3), at most `limits.max_pixels`. UnreadableDocument if there is no picture at `locator`."""
    document = Document(DocumentId("", file.name), file)
    passage = Passage(document.id, 0, locator, kind, "image")
    loader: Loader = resolve(LOADERS, page_loader(file) if kind == "page" else next(iter(SHOWN_BY[kind])), "loader")()
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
