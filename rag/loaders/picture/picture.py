"""Loads pictures: JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC and AVIF; one passage each, or one per picture in the file.

Knows no model. `open_image.py` opens a file and names its damage, `animation.py` chooses frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PIL import Image

from rag.errors import UnreadableDocument
from rag.humanize import counted
from rag.loaders.base import Limits
from rag.loaders.picture.animation import is_animation, later_frames, read_frames, to_first_frame
from rag.loaders.picture.open_image import check_size, open_picture, orientation, turn_upright
from rag.loaders.picture.pixels import fit, shrink, to_array
from rag.loaders.picture.screenshots import looks_like_screenshot
from rag.loaders.properties.base import with_properties
from rag.loaders.properties.picture import picture_properties
from rag.types import CaptionOf, Content, Document, DocumentId, Dropped, Kind, Locator, Page, Passage, Skipped, Whole

_SUBFILE_TYPE = 254  # TIFF 6.0: bit 0 set marks a reduced copy of another page
_PAGED = ("TIFF", "HEIF")  # formats that hold several pictures


class PictureLoader:
    """One passage for the picture as the camera was held, in RGB, transparency on white, scaled down to `limits.max_pixels`.

    A TIFF of several pages and a HEIC of several pictures give one passage each. Of an animation, the first frame that is not
    blank stands for the whole, and frames that show something else are pages.
    Colour profiles are not applied: the models were trained without them.
    """

    version = 4

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        with open_picture(document.file, limits) as image:
            properties = picture_properties(image, document.companions)
            locators = _locators(image, limits)
            is_one = isinstance(locators[0], Whole)
            kind: Kind = "screenshot" if is_one and looks_like_screenshot(document.file.name, image) else "image"
        passages = (Passage(document.id, at, place, kind, "image", caption=document.caption) for at, place in enumerate(locators))
        yield from with_properties(passages, properties)

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content | Dropped | Skipped]:
        if len(passages) > 1:
            with open_picture(document.file, limits) as image:
                if is_animation(image):
                    yield from _read_animation(document.id, image, passages, limits)
                    return
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
    """Whole, or the pages of a file that has several; thumbnails inside a TIFF do not count. Of an animation, see the class."""
    if is_animation(image):
        return [Whole(), *map(Page, later_frames(image))]
    count = getattr(image, "n_frames", 1) if image.format in _PAGED else 1
    if count == 1:
        return [Whole()]
    if count > limits.max_pages:
        raise UnreadableDocument(f"has {count:,} pages; the limit is max_pages = {limits.max_pages:,}")
    pages: list[Locator] = []
    for index in range(count):
        image.seek(index)
        if image.format != "TIFF" or not image.tag_v2.get(_SUBFILE_TYPE, 0) & 1:  # type: ignore[attr-defined]
            pages.append(Page(index + 1))
    image.seek(0)
    return pages if len(pages) > 1 else [Whole()]


def _read_animation(
    document: DocumentId, image: Image.Image, passages: Sequence[Passage], limits: Limits
) -> Iterator[Content | Dropped | Skipped]:
    numbers = [passage.locator.number if isinstance(passage.locator, Page) else None for passage in passages]
    for number, found in zip(numbers, read_frames(image, numbers, limits), strict=True):
        if isinstance(found, str):
            yield Skipped(document, f"frame {number} {found}")
        elif isinstance(found, Dropped):
            yield found
        else:
            yield Content("image", pixels=(found,))


def _decode(document: Document, locator: Locator, limits: Limits) -> Content:
    """The picture at `locator`. Peak memory: the decoded file and one copy, each 4 bytes × `max_source_pixels`."""
    with open_picture(document.file, limits) as image:
        if isinstance(locator, Page):
            _turn_to(image, locator.number)
            check_size(image.size, limits)
        elif is_animation(image):
            to_first_frame(image, limits)
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
