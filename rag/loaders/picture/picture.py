"""Loads pictures: JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC and AVIF; one passage each, or one per page of a TIFF.

Knows no model. `open_image.py` opens a file and names its damage, `screenshots.py` tells which pictures are screenshots.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PIL import Image

from rag.errors import UnreadableDocument
from rag.humanize import counted
from rag.loaders.base import Limits
from rag.loaders.picture.open_image import DAMAGE, check_size, open_picture, orientation, turn_upright
from rag.loaders.picture.pixels import fit, is_blank, shrink, to_array
from rag.loaders.picture.screenshots import looks_like_screenshot
from rag.loaders.properties.base import with_properties
from rag.loaders.properties.picture import picture_properties
from rag.types import CaptionOf, Content, Document, Dropped, Kind, Locator, Page, Passage, Skipped, Whole

_SUBFILE_TYPE = 254  # TIFF 6.0: bit 0 set marks a reduced copy of another page
_FRAMES_TRIED = 16  # at most, of an animation that begins with blank frames


class PictureLoader:
    """One passage for the picture as the camera was held, in RGB, transparency on white, scaled down to `limits.max_pixels`.

    A TIFF of several pages gives one passage per page. An animation is represented by its first frame that is not blank.
    Colour profiles are not applied: the models were trained without them.
    """

    version = 2

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        with open_picture(document.file, limits) as image:
            properties = picture_properties(image, document.companions)
            locators = _locators(image, limits)
            kind: Kind = "screenshot" if len(locators) == 1 and looks_like_screenshot(document.name, image) else "image"
        passages = (Passage(document.id, at, place, kind, "image", caption=document.caption) for at, place in enumerate(locators))
        yield from with_properties(passages, properties)

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content | Dropped | Skipped]:
        for passage in passages:
            try:
                yield _decode(document, passage.locator, limits)
            except UnreadableDocument as error:
                if isinstance(passage.locator, Whole):
                    raise
                yield Skipped(document.id, f"page {passage.locator.number} {error.what}")  # type: ignore[union-attr]

    def captions(self, document: Document, limits: Limits) -> Iterator[CaptionOf]:
        return iter(())


def _locators(image: Image.Image, limits: Limits) -> list[Locator]:
    """Whole, or the pages of a TIFF that has several; thumbnails inside the file do not count."""
    count = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
    if count == 1:
        return [Whole()]
    if count > limits.max_pages:
        raise UnreadableDocument(f"has {count:,} pages; the limit is max_pages = {limits.max_pages:,}")
    pages: list[Locator] = []
    for index in range(count):
        image.seek(index)
        if not image.tag_v2.get(_SUBFILE_TYPE, 0) & 1:  # type: ignore[attr-defined]
            pages.append(Page(index + 1))
    image.seek(0)
    return pages if len(pages) > 1 else [Whole()]


def _decode(document: Document, locator: Locator, limits: Limits) -> Content:
    """The picture at `locator`. Peak memory: the decoded file and one copy, each 4 bytes × `max_source_pixels`."""
    with open_picture(document.file, limits) as image:
        if isinstance(locator, Page):
            _turn_to(image, locator.number)
            check_size(image.size, limits)
        elif getattr(image, "is_animated", False) and image.format in ("GIF", "WEBP", "PNG"):
            _skip_blank_frames(image)
        turn = orientation(image)
        image.draft(
            "RGB", fit(image.size, limits.max_pixels)
        )  # a JPEG decodes at 1/2, 1/4 or 1/8 of its size: 2.6 times cheaper at 12 MP
        image.load()
        pixels = to_array(turn_upright(shrink(image, limits.max_pixels), turn))
    return Content("image", pixels=(pixels,))


def _turn_to(image: Image.Image, number: int) -> None:
    count = getattr(image, "n_frames", 1)  # read before seeking: after a failed seek Pillow gives another number
    if not 1 <= number <= count:
        raise UnreadableDocument(f"is not there: the file has {counted(count, 'page')}")
    image.seek(number - 1)


def _skip_blank_frames(image: Image.Image) -> None:
    """Moves an animation to its first frame that is not blank, or to its first if those tried are blank or damaged."""
    for index in range(_FRAMES_TRIED):
        try:
            image.seek(index)
            blank = is_blank(to_array(shrink(image, 160 * 160)))
        except DAMAGE:  # also at its end
            if index == 0:
                raise
            break
        if not blank:
            return
    image.seek(0)
