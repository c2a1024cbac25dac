"""URLs of pictures: one that includes the version of the file always shows the same picture, so it may be cached for good.

Knows our routes and versions of pictures; opens files only to see whether they changed.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from rag.errors import RagError
from rag.loaders.base import Limits
from rag.location import ObjectPath
from rag.media.crop import Crop
from rag.media.service import MediaService
from rag.types import Kind, Slide, StoredPassage

VERSION = 16  # characters of a version in a URL


def media_of(kind: Kind, locator: object) -> str:
    """How a page shows it: image, page, video, slide or text."""
    if isinstance(locator, Slide):
        return "slide"
    return {"screenshot": "image", "frame": "video"}.get(kind, kind)


def picture_address(
    media_service: MediaService,
    stored: StoredPassage,
    index: str,
    limits: Limits,
    size: Literal["thumb", "view", "full"],
    crop: Crop | None = None,
) -> str | None:
    """The URL of a passage's picture, or of a part of it, with the current version of its file; None for a text."""
    if stored.passage.modality == "text":
        return None
    address = f"/v1/media/{stored.id}?size={size}&index={quote(index, safe='', errors='surrogateescape')}"
    if crop is not None:
        address += f"&crop={crop.x:.4f},{crop.y:.4f},{crop.width:.4f},{crop.height:.4f}"
    if isinstance(stored.file, ObjectPath):  # a version would ask the store for every hit
        return address
    try:
        return f"{address}&v={media_service.version(stored, size, limits, crop=crop).name[:VERSION]}"
    except RagError:
        return address
