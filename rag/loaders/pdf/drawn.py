"""Finds where a page draws what its text layer may not hold: in pictures, in letters that are outlines, in stamps.

Knows pdfium's objects and annotations; knows no pixels and no words. Places are left, bottom, right and top in points.
Called under the lock of `pdf.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from ctypes import byref, c_float
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pypdfium2 as pdfium
from pypdfium2 import raw

from rag.loaders.pdf.annotations import stamped_places
from rag.loaders.pdf.bulk import handle_of, inner_objects, objects

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.float64]  # (n, 4)
    Matrix = NDArray[np.float64]  # (3, 3): where (x, y, 1) is on the page

_MOST_OBJECTS = 3_000  # of a page; one with more counts as one picture
_DEPTH = 3  # of groups inside groups
_SMALL = 0.005  # of the page: smaller pictures are symbols
_LETTER = 9  # corners and curve points of the simplest letter that counts; rulings and boxes have 2 to 5
_WRITTEN = 2_400  # of all letters: about 80 of them; the marks of a diagram have fewer
_HEIGHT = 40.0  # points, of the lower side: larger paths are drawings
_PIECE, _TINY, _MANY_PIECES = 4, 2.0, 400  # corners, points and number of the pieces of letters that were traced from a scan
_MANY_SYMBOLS = 200  # pictures of one letter each, where a program drew its letters so; a diagram has fewer marks
_LOOKED_AT = 20  # pieces of text that tell whether all is invisible
_PAGE = np.eye(3)


@dataclass(slots=True)
class Drawn:
    """What a page draws beside text: places of pictures, of stamps, and of what may be letters."""

    pictures: Places
    stamps: Places
    outlines: Places
    is_scan: bool  # its text is invisible: that of a program which read the picture under it


@dataclass(slots=True)
class _Seen:
    pictures: list[tuple[float, ...]] = field(default_factory=list)
    symbols: list[tuple[float, ...]] = field(default_factory=list)  # small pictures
    paths: list[tuple[int, Matrix]] = field(default_factory=list)
    texts: list[int] = field(default_factory=list)  # the first of them
    room: int = _MOST_OBJECTS


def drawn_on(page: pdfium.PdfPage) -> Drawn:
    """What the page draws beside text. A page with very many objects may show letters anywhere."""
    width, height = page.get_size()
    seen = _Seen()
    _look_at(objects(page, _MOST_OBJECTS + 1), _PAGE, _DEPTH, _SMALL * width * height, seen)
    written = _outlines(seen.paths) + (seen.symbols if len(seen.symbols) >= _MANY_SYMBOLS else [])
    outlines = _places(written if seen.room >= 0 else [page.get_bbox()])
    scan = bool(seen.pictures) and bool(seen.texts) and all(map(_is_invisible, seen.texts))
    return Drawn(_places(seen.pictures), _places(stamped_places(page)), outlines, scan)


def _look_at(found: Iterable[tuple[int, int]], matrix: Matrix, depth: int, least: float, seen: _Seen) -> None:
    """Keeps the pictures and paths among objects that stand on the page by the matrix; `least` is the area of a picture."""
    for one, kind in found:
        seen.room -= 1
        if seen.room < 0:
            return
        if kind == raw.FPDF_PAGEOBJ_TEXT:
            if len(seen.texts) < _LOOKED_AT:
                seen.texts.append(one)
        elif kind == raw.FPDF_PAGEOBJ_PATH:
            seen.paths.append((one, matrix))
        elif kind == raw.FPDF_PAGEOBJ_FORM:
            if depth:
                _look_at(inner_objects(one, _MOST_OBJECTS), _matrix_of(one) @ matrix, depth - 1, least, seen)
        elif place := _place_of(one, matrix):
            large = (place[2] - place[0]) * (place[3] - place[1]) > least
            (seen.pictures if large else seen.symbols).append(place)


def _outlines(paths: list[tuple[int, Matrix]]) -> list[tuple[float, ...]]:
    """Places of the paths that may be letters, lines of them, or pieces of them; none where there are too few for a text."""
    points = 0
    letters: list[tuple[float, ...]] = []
    pieces: list[tuple[float, ...]] = []
    for one, matrix in paths:
        corners = raw.FPDFPath_CountSegments(handle_of(one))
        if corners < _PIECE or not (place := _place_of(one, matrix)):
            continue
        sides = place[2] - place[0], place[3] - place[1]
        if max(sides) <= _TINY:
            pieces.append(place)
        elif corners >= _LETTER and min(sides) < _HEIGHT:
            points += corners
            letters.append(place)
    return (letters if points >= _WRITTEN else []) + (pieces if len(pieces) >= _MANY_PIECES else [])


def _matrix_of(group: int) -> Matrix:
    """Where the points (x, y, 1) of a group are in what holds it: (3, 3)."""
    found = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(handle_of(group), byref(found))
    return np.asarray([[found.a, found.b, 0.0], [found.c, found.d, 0.0], [found.e, found.f, 1.0]])


def _place_of(one: int, matrix: Matrix) -> tuple[float, ...]:
    """Where an object is on the page; () where pdfium does not know."""
    left, bottom, right, top = c_float(), c_float(), c_float(), c_float()
    if not raw.FPDFPageObj_GetBounds(handle_of(one), byref(left), byref(bottom), byref(right), byref(top)):
        return ()
    box = left.value, bottom.value, right.value, top.value
    if matrix is _PAGE:
        return box
    corners = np.asarray([(x, y, 1.0) for x in box[::2] for y in box[1::2]]) @ matrix[:, :2]
    return (*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist())


def _is_invisible(text: int) -> bool:
    return bool(raw.FPDFTextObj_GetTextRenderMode(handle_of(text)) == raw.FPDF_TEXTRENDERMODE_INVISIBLE)


def _places(found: Iterable[tuple[float, ...]]) -> Places:
    return np.asarray(list(found), dtype=np.float64).reshape(-1, 4)
