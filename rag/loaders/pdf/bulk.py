"""Asks pdfium about all characters or objects of a page at once: where they stand, and what they are.

Knows pdfium's pages and text pages; knows no order and no words. Through the usual bindings a call takes three times as long:
these pass numbers and addresses alone. Called under the lock of `pdf.py`.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable
from ctypes import PYFUNCTYPE, c_int, c_uint, c_ulong, c_void_p, cast
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np
import pypdfium2 as pdfium
from pypdfium2 import raw

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rectangles = NDArray[np.float64]  # (n, 4): left, bottom, right, top in points, in the order of the file


def _plain(function: Any, *kinds: type, gives: type = c_int) -> Callable[..., Any]:
    return PYFUNCTYPE(gives, c_void_p, *kinds)(cast(function, c_void_p).value)  # type: ignore[arg-type]


_rectangle = _plain(raw.FPDFText_GetRect, c_int, c_void_p, c_void_p, c_void_p, c_void_p)
_box = _plain(raw.FPDFText_GetCharBox, c_int, c_void_p, c_void_p, c_void_p, c_void_p)
_cell = _plain(raw.FPDFText_GetLooseCharBox, c_int, c_void_p)
_code = _plain(raw.FPDFText_GetUnicode, c_int, gives=c_uint)
_object = _plain(raw.FPDFPage_GetObject, c_int, gives=c_void_p)
_inner_object = _plain(raw.FPDFFormObj_GetObject, c_ulong, gives=c_void_p)
_kind = _plain(raw.FPDFPageObj_GetType)


def rectangles(layer: pdfium.PdfTextPage, most: int) -> Rectangles:
    """Where the text is: one rectangle for each run of characters that the file draws together; no more than `most`."""
    left, top, right, bottom = range(4)
    found = _asked(_rectangle, layer, range(max(0, min(layer.count_rects(), most))))
    return found[:, [left, bottom, right, top]]


def boxes(layer: pdfium.PdfTextPage, numbers: range) -> Rectangles:
    """Where the ink of characters is."""
    left, right, bottom, top = range(4)
    return _asked(_box, layer, numbers)[:, [left, bottom, right, top]]


def cells(layer: pdfium.PdfTextPage, count: int) -> Rectangles:
    """The cells of the first `count` characters: as high as the font, as wide as the step to the next one.

    A full stop or a Chinese comma is far from its neighbours by its ink, and not by its cell.
    """
    found = np.zeros((count, 4), np.float32)
    first = found.ctypes.data
    _run(map(_cell, repeat(_address(layer.raw)), range(count), range(first, first + found.nbytes, 16)))
    left, top, right, bottom = range(4)
    return found[:, [left, bottom, right, top]].astype(np.float64)


def characters(layer: pdfium.PdfTextPage, count: int) -> list[str]:
    """The first `count` characters; U+FFFD for what a damaged character map gives beyond the last of Unicode."""
    codes = map(_code, repeat(_address(layer.raw)), range(count))
    return [chr(code) if code <= sys.maxunicode else "\ufffd" for code in codes]


def objects(page: pdfium.PdfPage, most: int) -> list[tuple[int, int]]:
    """The first objects of a page: where pdfium has each (see `handle_of`), and its kind, `raw.FPDF_PAGEOBJ_IMAGE` and so on."""
    count = max(0, min(raw.FPDFPage_CountObjects(page), most))
    return _with_kinds(map(_object, repeat(_address(page.raw)), range(count)))


def inner_objects(form: int, most: int) -> list[tuple[int, int]]:
    """The same of a group of objects."""
    count = max(0, min(raw.FPDFFormObj_CountObjects(handle_of(form)), most))
    return _with_kinds(map(_inner_object, repeat(form), range(count)))


def handle_of(found: int) -> Any:
    """One of the `objects` as the usual bindings take it."""
    return cast(found, raw.FPDF_PAGEOBJECT)


def _with_kinds(found: Iterable[int | None]) -> list[tuple[int, int]]:
    known = [address for address in found if address]
    return list(zip(known, map(_kind, known), strict=True))


def _address(handle: Any) -> int:
    """Where what pdfium knows by a handle is."""
    return cast(handle, c_void_p).value or 0


def _asked(function: Callable[..., Any], layer: pdfium.PdfTextPage, numbers: range) -> Rectangles:
    """The four numbers that a function writes for each of `numbers`, in its own order; 0 where it knows none."""
    found = np.zeros((len(numbers), 4))
    first, step = found.ctypes.data, 4 * found.itemsize
    sides = (range(first + side * found.itemsize, first + found.nbytes, step) for side in range(4))
    _run(map(function, repeat(_address(layer.raw)), numbers, *sides))
    return found


def _run(calls: Iterable[object]) -> None:
    deque(calls, maxlen=0)
