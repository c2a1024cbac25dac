"""Outlines the matches of a query in a picture; also tells its size and the number of pages.

Knows PDF text layers and OCR boxes; `djvu_highlights.py` knows DjVu. `rag.text.highlights` decides what matches. `outlines` and
`lines` run in a worker process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import UnreadableDocument
from rag.humanize import counted
from rag.loaders.base import Limits
from rag.loaders.detect import page_loader
from rag.text.highlights import marks
from rag.types import Kind, Locator, Page

if TYPE_CHECKING:
    from rag.loaders.picture.reading_order import Box

_Rectangle = tuple[float, float, float, float]  # left, bottom, right, top in points
MOST_REGIONS = 500  # of one picture
_MOST_CHARACTERS = 50_000  # of a page
_GRID = 1_000_000  # units across a page in which pdfium gives positions
_BROKEN = frozenset("\x02\ufffe\u00ad")  # how pdfium marks a word broken at the end of a line


def outlines(file: Path, *, kind: Kind, locator: Locator, words: str, limits: Limits) -> tuple[dict[str, Any], bytes]:
    """`{"pages", "size", "regions"}`; a region is `{"x", "y", "width", "height", "words"}` in 0…1 of the picture.

    `size` is [width, height]: a page in points, a picture in pixels, upright; None for a frame. Only a text layer is looked
    into. UnreadableDocument.
    """
    pages: int | None = None
    size: list[float] | None = None
    regions: list[dict[str, Any]] = []
    if kind == "page" and isinstance(locator, Page):
        pages, size, regions = _page(file, locator.number - 1, words, limits)
    elif kind in ("image", "screenshot"):
        pages, size = _picture(file, locator.number - 1 if isinstance(locator, Page) else 0, limits)
    return {"pages": pages, "size": size, "regions": regions[:MOST_REGIONS]}, b""


def lines(file: Path, *, kind: Kind, locator: Locator, limits: Limits) -> tuple[dict[str, Any], bytes]:
    """`{"lines"}`: what OCR reads in the picture of a passage, each line with the fields of a `Box`. UnreadableDocument.

    It reads the same pixels as indexing did, so that it finds the words of the index.
    """
    from rag.loaders.picture.ocr import recognise
    from rag.media.render import decoded

    return {"lines": [asdict(box) for box in recognise(decoded(file, kind, locator, limits), threads=1).boxes]}, b""


def outlines_in(read: Sequence[Mapping[str, Any]], words: str) -> list[dict[str, Any]]:
    """The regions of the words in `lines`, as those of `outlines`."""
    from rag.loaders.picture.reading_order import Box

    return list(islice((region for line in read for region in _in_box(Box(**line), words)), MOST_REGIONS))


def _page(file: Path, index: int, words: str, limits: Limits) -> tuple[int, list[float], list[dict[str, Any]]]:
    family = page_loader(file)
    if family == "djvu":
        from rag.media.djvu_highlights import djvu_page

        return djvu_page(file, index, words, limits)
    if family == "xps":
        from rag.loaders.pdf.xps import as_pdf

        with as_pdf(file, limits) as converted:
            return _pdf_page(converted, index, words)
    return _pdf_page(file, index, words)


def _pdf_page(file: Path, index: int, words: str) -> tuple[int, list[float], list[dict[str, Any]]]:
    import pypdfium2 as pdfium

    from rag.loaders.pdf.document import document_of

    try:
        pdf = document_of(file)
        try:
            if not 0 <= index < (count := len(pdf)):
                raise UnreadableDocument(f"page {index + 1} is not there: the file has {counted(count, 'page')}")
            page = pdf[index]
            regions = list(_on_page(page, words)) if words.strip() else []
            return len(pdf), [round(side, 2) for side in page.get_size()], regions
        finally:
            pdf.close()
    except pdfium.PdfiumError as error:
        raise UnreadableDocument("is damaged") from error


def _on_page(page: Any, words: str) -> Iterator[dict[str, Any]]:
    """One rectangle for each line of a match: a word that is broken at the end of a line has two."""
    from pypdfium2 import raw

    layer = page.get_textpage()
    indices: list[int] = []  # in the text layer, of the characters in `text`
    text: list[str] = []
    for index in range(min(layer.count_chars(), _MOST_CHARACTERS)):
        code = raw.FPDFText_GetUnicode(layer, index)
        character = chr(code) if code <= 0x10FFFF else " "
        if character in _BROKEN:
            while text and text[-1] == " ":
                text.pop(), indices.pop()
            continue
        if character in "\r\n" and index and chr(raw.FPDFText_GetUnicode(layer, index - 1)) in (*_BROKEN, "\r"):
            continue
        indices.append(index)
        text.append(character)
    joined = "".join(text)
    for start, end in marks(joined, words):
        first, last = indices[start], indices[end - 1]
        found = [layer.get_rect(number) for number in range(layer.count_rects(first, last - first + 1))]
        for left, bottom, right, top in _lines(found, upright=page.get_rotation() % 180 == 0):
            corners = (_to_picture(page, left, top), _to_picture(page, right, bottom))
            xs, ys = (sorted(pair) for pair in zip(*corners, strict=True))
            yield region(xs, ys, joined[start:end])


def _lines(rectangles: list[_Rectangle], *, upright: bool) -> list[_Rectangle]:
    """The rectangles of one match, joined on each line: for spaced letters pdfium gives one for each."""
    joined: list[_Rectangle] = []
    for one in rectangles:
        if joined and _side_by_side(joined[-1], one, upright):
            last = joined[-1]
            one = (min(last[0], one[0]), min(last[1], one[1]), max(last[2], one[2]), max(last[3], one[3]))
            joined.pop()
        joined.append(one)
    return joined


def _side_by_side(one: _Rectangle, other: _Rectangle, upright: bool) -> bool:
    """Whether they are on one line: they overlap in height by 0.3 and are at most 1.5 heights apart; in vertical text, widths."""
    along, across = (0, 1) if upright else (1, 0)
    shared = min(one[across + 2], other[across + 2]) - max(one[across], other[across])
    height = min(one[across + 2] - one[across], other[across + 2] - other[across])
    apart = max(one[along], other[along]) - min(one[along + 2], other[along + 2])
    return shared > 0.3 * height and apart < 1.5 * max(height, shared)


def _to_picture(page: Any, x: float, y: float) -> tuple[float, float]:
    """A point of the page, in PDF points, as 0…1 of the rendered page, which may be rotated and cropped."""
    from ctypes import byref, c_int

    from pypdfium2 import raw

    across, down = c_int(), c_int()
    raw.FPDF_PageToDevice(page, 0, 0, _GRID, _GRID, 0, x, y, byref(across), byref(down))
    return across.value / _GRID, down.value / _GRID


def _picture(file: Path, index: int, limits: Limits) -> tuple[int | None, list[float]]:
    from rag.loaders.picture.open_image import check_size, open_picture, orientation

    with open_picture(file, limits) as image:
        pages = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
        if 0 < index < pages:
            image.seek(index)
            check_size(image.size, limits)
        width, height = image.size
        if orientation(image) >= 5:
            width, height = height, width
    return (pages if pages > 1 else None), [width, height]


def _in_box(box: Box, words: str) -> Iterator[dict[str, Any]]:
    """The matches in a recognised line. OCR gives no positions of characters: they are estimated from typical widths."""
    widths = [2.0 if character > "\u2e7f" else 0.5 if character in " il.,:;'|!" else 1.0 for character in box.text]
    whole = sum(widths)
    for start, end in marks(box.text, words):
        ends = [sum(widths[:start]) / whole, sum(widths[:end]) / whole]
        if box.turns in (2, 3):  # it runs to the left, or up
            ends = [1 - ends[1], 1 - ends[0]]
        low, high = (box.y0, box.y1) if box.turns % 2 else (box.x0, box.x1)
        along = [low + (high - low) * end for end in ends]
        xs, ys = ([box.x0, box.x1], along) if box.turns % 2 else (along, [box.y0, box.y1])
        yield region(xs, ys, box.text[start:end])


def region(xs: list[float], ys: list[float], words: str) -> dict[str, Any]:
    """A region between two points of a picture, in 0…1 of its width and height from the top left."""
    left, right = (min(1.0, max(0.0, x)) for x in xs)
    top, bottom = (min(1.0, max(0.0, y)) for y in ys)
    return {
        "x": round(left, 5),
        "y": round(top, 5),
        "width": round(right - left, 5),
        "height": round(bottom - top, 5),
        "words": words,
    }
