"""Decides whether the text layer of a page says what is drawn: whether it is language, and whether there is text in pictures.

Knows pdfium's pages and their pixels; knows no OCR. Costs nothing that can be measured for a page of text alone, and 5 to 20 ms
for a page with pictures, many lines or stamps. Called under the lock of `pdf.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import byref, c_float, c_int
from typing import TYPE_CHECKING, Any

import numpy as np
import pypdfium2 as pdfium
from pypdfium2 import raw

from rag.loaders.pdf.reading_order import rectangles
from rag.loaders.picture.pixels import grey_of
from rag.loaders.picture.text_lines import text_lines
from rag.text.language import is_language
from rag.types import TextLayer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.types import Pixels

    Rectangle = tuple[float, ...]  # left, bottom, right, top in points

_MOST_OBJECTS = 3_000  # of a page; one with more is looked at
_DEPTH = 3  # of forms inside forms
_SMALL = 0.005  # of the page: smaller pictures are symbols
_MANY_PATHS = 150  # letters turned into outlines; below it rulings, boxes and curves
_STAMPS = frozenset({raw.FPDF_ANNOT_STAMP, raw.FPDF_ANNOT_WIDGET, raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_WATERMARK})
_SCAN = 0.4  # of the page, that pictures without text on them cover
_FEW = 300  # characters: with so few beside a scan, it is a stamp, a page number or the header of a fax
_LEAST_LETTERS = 12  # about, in unread lines: a name; logos have fewer
_LEAST_OUTLINES = 40  # where there are only paths: of hatched drawings some are taken for lines
_SCALES = (1, 2, 4)  # text lines are looked for in pictures so many times smaller: large letters are found in small pictures
_GRID = 1_000_000  # steps across a page in which pdfium is asked for places
_MOST_PAINTED = 4_000  # rectangles


def text_layer(page: pdfium.PdfPage, pixels: Pixels, words: str, known: Sequence[Rectangle]) -> TextLayer | None:
    """The words of the text layer and how far to trust them, by `pixels`, RGB (height, width, 3); None where there are none.

    `known` is where other known words are drawn: values of form fields, and notes.
    """
    if words and not is_language(words):
        return TextLayer(words, "broken")
    pictures, drawn = _pictures(page)
    if not words and not known:
        return None
    if not len(pictures) and drawn < _MANY_PATHS and not _has_stamps(page):
        return TextLayer(words, "whole")
    layer = page.get_textpage()
    try:
        places = np.concatenate((rectangles(layer), np.asarray(known, dtype=np.float64).reshape(-1, 4)))
    finally:
        layer.close()
    boxes = _in_pixels(page, places[:_MOST_PAINTED], pixels.shape)
    rest = _painted_over(pixels, boxes)
    scanned = len(words) < _FEW and _uncovered(_in_pixels(page, pictures, pixels.shape), boxes, pixels.shape) >= _SCAN
    stamped = bool(len(pictures)) or _has_stamps(page)
    if scanned or _letters(rest) >= (_LEAST_LETTERS if stamped else _LEAST_OUTLINES):
        return TextLayer(words, "partial", rest)
    return TextLayer(words, "whole")


def _pictures(page: pdfium.PdfPage) -> tuple[NDArray[np.float64], int]:
    """Where pictures are drawn, in points, and how many paths there are; a page with very many objects counts as one picture."""
    width, height = page.get_size()
    found: list[Rectangle] = []
    left, bottom, right, top = c_float(), c_float(), c_float(), c_float()
    places = byref(left), byref(bottom), byref(right), byref(top)
    count = raw.FPDFPage_CountObjects(page)
    paths = 0
    for number in range(min(count, _MOST_OBJECTS)):
        drawn = raw.FPDFPage_GetObject(page, number)
        kind = raw.FPDFPageObj_GetType(drawn)
        if kind == raw.FPDF_PAGEOBJ_FORM:
            holds_picture, inside = _in_form(drawn, _DEPTH)
            paths += inside
            kind = raw.FPDF_PAGEOBJ_IMAGE if holds_picture else kind
        if kind == raw.FPDF_PAGEOBJ_PATH:
            paths += 1
        elif kind in (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_SHADING) and raw.FPDFPageObj_GetBounds(drawn, *places):
            box = left.value, bottom.value, right.value, top.value
            if (box[2] - box[0]) * (box[3] - box[1]) > _SMALL * width * height:
                found.append(box)
    if count > _MOST_OBJECTS:
        paths = max(paths, _MANY_PATHS)
    return np.asarray(found, dtype=np.float64).reshape(-1, 4), paths


def _in_form(form: Any, depth: int) -> tuple[bool, int]:
    """Whether a group of objects holds a picture, and how many paths."""
    picture, paths = False, 0
    for number in range(min(raw.FPDFFormObj_CountObjects(form), _MOST_OBJECTS)):
        drawn = raw.FPDFFormObj_GetObject(form, number)
        kind = raw.FPDFPageObj_GetType(drawn)
        if kind == raw.FPDF_PAGEOBJ_FORM and depth:
            inner = _in_form(drawn, depth - 1)
            picture, paths = picture or inner[0], paths + inner[1]
        picture = picture or kind == raw.FPDF_PAGEOBJ_IMAGE
        paths += kind == raw.FPDF_PAGEOBJ_PATH
        if paths > _MOST_OBJECTS:
            break
    return picture, paths


def _has_stamps(page: pdfium.PdfPage) -> bool:
    """Whether annotations draw on the page what its text layer does not hold."""
    for number in range(min(raw.FPDFPage_GetAnnotCount(page), _MOST_OBJECTS)):
        annotation = raw.FPDFPage_GetAnnot(page, number)
        if annotation:
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            raw.FPDFPage_CloseAnnot(annotation)
            if kind in _STAMPS:
                return True
    return False


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


def _painted_over(pixels: Pixels, boxes: NDArray[np.int64]) -> Pixels:
    """The picture with the boxes, and what reaches a little beyond them, in the colour around each."""
    rest = pixels.copy()
    height, width = pixels.shape[:2]
    for left, top, right, bottom in boxes.tolist():
        beyond = max(2, (min(bottom - top, right - left)) // 4)
        left, top = max(0, left - beyond), max(0, top - beyond)
        right, bottom = min(width, right + beyond), min(height, bottom + beyond)
        if right > left and bottom > top:
            border = np.concatenate((pixels[top, left:right], pixels[bottom - 1, left:right], pixels[top:bottom, left]))
            rest[top:bottom, left:right] = np.median(border, axis=0).astype(np.uint8)
    return rest


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
