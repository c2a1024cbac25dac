"""Reads the bookmarks of a PDF, and the data of forms whose pages only Adobe's reader draws (XFA).

Knows pdfium's documents, and no page. Called under the lock of `pdf.py`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import pypdfium2 as pdfium
from lxml import etree
from pypdfium2 import raw

_MOST = 20_000  # bookmarks of a document
_DEPTH = 15
_MOST_TITLE = 500  # characters
_MOST_DATA = 4_000_000  # bytes of a form's data
_MOST_VALUES = 20_000
_XFA = (raw.FORMTYPE_XFA_FULL, raw.FORMTYPE_XFA_FOREGROUND)


Titles = dict[int, list[str]]  # of bookmarks, by page from 0


def bookmarks(pdf: pdfium.PdfDocument) -> Titles:
    """The titles of bookmarks by the page they point at, counted from 0."""
    titles: Titles = {}
    for bookmark in _bookmarks(pdf):
        place = raw.FPDFBookmark_GetDest(pdf, bookmark) or _target(pdf, bookmark)
        page = raw.FPDFDest_GetDestPageIndex(pdf, place) if place else -1
        title = _title(bookmark)
        if page >= 0 and title:
            titles.setdefault(page, []).append(title)
    return titles


def _bookmarks(pdf: pdfium.PdfDocument) -> Iterator[object]:
    """All bookmarks, each once, however the file joins them."""
    waiting = [(raw.FPDFBookmark_GetFirstChild(pdf, None), 0)]
    seen: set[int] = set()
    while waiting and len(seen) < _MOST:
        bookmark, depth = waiting.pop()
        if not bookmark or (address := ctypes.addressof(bookmark.contents)) in seen:
            continue
        seen.add(address)
        yield bookmark
        waiting.append((raw.FPDFBookmark_GetNextSibling(pdf, bookmark), depth))
        if depth < _DEPTH:
            waiting.append((raw.FPDFBookmark_GetFirstChild(pdf, bookmark), depth + 1))


def _target(pdf: pdfium.PdfDocument, bookmark: object) -> object:
    action = raw.FPDFBookmark_GetAction(bookmark)
    return raw.FPDFAction_GetDest(pdf, action) if action and raw.FPDFAction_GetType(action) == raw.PDFACTION_GOTO else None


def _title(bookmark: object) -> str:
    size = raw.FPDFBookmark_GetTitle(bookmark, None, 0)
    if not 2 < size <= 4 * _MOST_TITLE:
        return ""
    buffer = ctypes.create_string_buffer(size)
    raw.FPDFBookmark_GetTitle(bookmark, buffer, size)
    return " ".join(buffer.raw.decode("utf-16-le", "ignore").rstrip("\x00").split())[:_MOST_TITLE]


def form_data(pdf: pdfium.PdfDocument) -> str:
    """The values of an XFA form, one on a line; "" for other documents."""
    if pdf.get_formtype() not in _XFA:
        return ""
    for number in range(min(raw.FPDF_GetXFAPacketCount(pdf), 100)):
        name = ctypes.create_string_buffer(64)
        raw.FPDF_GetXFAPacketName(pdf, number, name, len(name))
        if name.value == b"datasets":
            return "\n".join(_values(_packet(pdf, number)))
    return ""


def _packet(pdf: pdfium.PdfDocument, number: int) -> bytes:
    size = ctypes.c_ulong()
    raw.FPDF_GetXFAPacketContent(pdf, number, None, 0, ctypes.byref(size))
    if not 0 < size.value <= _MOST_DATA:
        return b""
    buffer = ctypes.create_string_buffer(size.value)
    raw.FPDF_GetXFAPacketContent(pdf, number, buffer, size.value, ctypes.byref(size))
    return buffer.raw


def _values(content: bytes) -> list[str]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, huge_tree=False)
    try:
        root = etree.fromstring(content, parser) if content.strip(b"\x00 \r\n\t") else None
    except etree.XMLSyntaxError:
        return []
    if root is None:
        return []
    data = next((one for one in root.iter("{*}data")), root)
    said = (" ".join(text.split()) for text in data.itertext())
    return [value for value, _ in zip(filter(None, said), range(_MOST_VALUES), strict=False)]
