"""Decides whether the text layer of a page says what is drawn: whether it is language, and whether there is text in pictures.

Knows pdfium's pages and their pixels; knows no OCR. Costs nothing that can be measured for a page of text alone, and 3 to 15 ms
for a page with pictures, outlined letters or stamps, which are all that is looked at. Called under the lock of `pdf.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import byref, c_int
from typing import TYPE_CHECKING

import numpy as np
import pypdfium2 as pdfium
from pypdfium2 import raw

from rag.loaders.pdf.bulk import rectangles
from rag.loaders.pdf.drawn import drawn_on
from rag.loaders.pdf.reading_order import MOST_RECTANGLES
from rag.loaders.picture.pixels import grey_of
from rag.loaders.picture.text_lines import text_lines
from rag.text.language import is_language
from rag.types import TextLayer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.types import Pixels

    Rectangle = tuple[float, ...]  # left, bottom, right, top in points

_SCAN = 0.4  # of the page, that pictures without text on them cover
_FEW = 300  # characters: with so few beside a scan, it is a stamp, a page number or the header of a fax
_LEAST_LETTERS = 12  # about, in unread lines: a name; logos have fewer
_LEAST_OUTLINES = 40  # where there are only paths: of hatched drawings some are taken for lines
_MISSED = 0.05  # of the characters of a scan that was read before: fewer are ends of lines, which its reader missed
_SCALES = (1, 2, 4)  # text lines are looked for in pictures so many times smaller: large letters are found in small pictures
_BEYOND = 4  # pixels around what is looked at
_GRID = 1_000_000  # steps across a page in which pdfium is asked for places
_MOST_PAINTED = 4_000  # rectangles
_PAPER = 255


def text_layer(page: pdfium.PdfPage, pixels: Pixels, words: str, known: Sequence[Rectangle]) -> TextLayer | None:
    """The words of the text layer and how far to trust them, by `pixels`, RGB (height, width, 3); None where there are none.

    `known` is where other known words are drawn: values of form fields, and notes.
    """
    if words and not is_language(words):
        return TextLayer(words, "broken")
    if not words and not known:
        return None
    drawn = drawn_on(page)
    beside = np.concatenate((drawn.pictures, drawn.stamps, drawn.outlines))
    if not len(beside):
        return TextLayer(words, "whole")
    regions = _in_pixels(page, beside, pixels.shape)
    boxes = _in_pixels(page, _known_places(page, known), pixels.shape)
    scanned = len(words) < _FEW and _uncovered(regions[: len(drawn.pictures)], boxes, pixels.shape) >= _SCAN
    rest = _rest(pixels, regions, boxes)
    least = _LEAST_LETTERS if len(beside) > len(drawn.outlines) else _LEAST_OUTLINES
    if drawn.is_scan:
        least = max(least, int(_MISSED * len(words)))
    return TextLayer(words, "partial", rest) if scanned or _letters(rest) >= least else TextLayer(words, "whole")


def _known_places(page: pdfium.PdfPage, known: Sequence[Rectangle]) -> NDArray[np.float64]:
    """Where the words of the layer are, and those known beside it, in points."""
    layer = page.get_textpage()
    try:
        places = rectangles(layer, MOST_RECTANGLES)
    finally:
        layer.close()
    return np.concatenate((places, np.asarray(known, dtype=np.float64).reshape(-1, 4)))[:_MOST_PAINTED]


def _rest(pixels: Pixels, regions: NDArray[np.int64], known: NDArray[np.int64]) -> Pixels:
    """The part of a picture that holds the regions, with all outside of them white, and what is known painted over."""
    size = np.asarray([pixels.shape[1], pixels.shape[0]])
    low, high = np.maximum(regions[:, :2] - _BEYOND, 0), np.minimum(regions[:, 2:] + _BEYOND, size)
    left, top = low.min(axis=0).tolist()
    right, bottom = high.max(axis=0).tolist()
    rest = np.full((max(1, bottom - top), max(1, right - left), 3), _PAPER, np.uint8)
    for (x0, y0), (x1, y1) in zip(low.tolist(), high.tolist(), strict=True):
        rest[y0 - top : y1 - top, x0 - left : x1 - left] = pixels[y0:y1, x0:x1]
    near = (known[:, :2] < (right, bottom)).all(axis=1) & (known[:, 2:] > (left, top)).all(axis=1)
    _paint_over(rest, pixels, known[near], left, top)
    return rest


def _in_pixels(page: pdfium.PdfPage, places: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Rectangles in points as left, top, right, bottom in pixels of the drawn page, turned and cut as that is."""
    across, down = c_int(), c_int()
    corners = []
    for x, y in ((0.0, 0.0), (1_000.0, 0.0), (0.0, 1_000.0)):
        raw.FPDF_PageToDevice(page, 0, 0, _GRID, _GRID, 0, x, y, byref(across), byref(down))
        corners.append((across.value / _GRID * shape[1], down.value / _GRID * shape[0]))
    (x0, y0), (x1, y1), (x2, y2) = corners
    xs, ys = places[:, [0, 2]], places[:, [1, 3]]
    across_all = x0 + (x1 - x0) * xs / 1_000 + (x2 - x0) * ys / 1_000
    down_all = y0 + (y1 - y0) * xs / 1_000 + (y2 - y0) * ys / 1_000
    low = np.floor(np.stack([across_all.min(axis=1), down_all.min(axis=1)], axis=1))
    high = np.ceil(np.stack([across_all.max(axis=1), down_all.max(axis=1)], axis=1))
    size = np.asarray([shape[1], shape[0]])
    return np.concatenate((np.clip(low, 0, size), np.clip(high, 0, size)), axis=1).astype(np.int64)


def _paint_over(rest: Pixels, pixels: Pixels, boxes: NDArray[np.int64], x: int, y: int) -> None:
    """Paints the boxes, and what reaches a little beyond them, in the colour around each; `rest` is `pixels` from x, y on."""
    height, width = pixels.shape[:2]
    for left, top, right, bottom in boxes.tolist():
        beyond = max(2, (min(bottom - top, right - left)) // 4)
        left, top = max(0, left - beyond), max(0, top - beyond)
        right, bottom = min(width, right + beyond), min(height, bottom + beyond)
        if right > left and bottom > top:
            border = np.concatenate((pixels[top, left:right], pixels[bottom - 1, left:right], pixels[top:bottom, left]))
            rest[max(0, top - y) : max(0, bottom - y), max(0, left - x) : max(0, right - x)] = _median(border)


def _median(colours: Pixels) -> NDArray[np.uint8]:
    """The median of each channel, of (n, 3); as numpy's own, in a fifth of its time."""
    low, high = (len(colours) - 1) // 2, len(colours) // 2
    ordered = np.partition(colours, (low, high), axis=0)
    middle: NDArray[np.uint8] = ((ordered[low].astype(np.uint16) + ordered[high]) // np.uint16(2)).astype(np.uint8)
    return middle


def _uncovered(pictures: NDArray[np.int64], known: NDArray[np.int64], shape: tuple[int, ...]) -> float:
    """The share of the page under pictures and not under known words; counted in every 8th pixel of every 8th row."""
    cells = np.zeros((shape[0] // 8 + 1, shape[1] // 8 + 1), dtype=bool)
    for boxes, value in ((pictures, True), (known, False)):
        for left, top, right, bottom in (boxes // 8).tolist():
            cells[top : bottom + 1, left : right + 1] = value
    return float(cells.mean())


def _letters(pixels: Pixels) -> float:
    """About how many letters lines of text in the picture hold: a letter is about as wide as small ones are high."""
    grey = grey_of(pixels)
    most = 0.0
    for scale in _SCALES:
        lines = text_lines(_smaller(grey, scale) if scale > 1 else grey)
        most = max(most, sum(line.width / line.height for line in lines))
    return most


def _smaller(grey: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """The mean of each square of so many pixels, rounded down."""
    height, width = (side - side % scale for side in grey.shape)
    total = np.zeros((height // scale, width // scale), np.uint16)
    for row in range(scale):
        for column in range(scale):
            total += grey[row:height:scale, column:width:scale]
    return (total // np.uint16(scale * scale)).astype(np.uint8)
