"""Reads the alternative texts of a page: what a tagged PDF says of its figures, for people who cannot see them.

Knows pdfium's structure tree; knows no pixels. Called under the lock of `pdf.py`.
"""

from __future__ import annotations

from ctypes import create_string_buffer
from typing import Any

import pypdfium2 as pdfium
from pypdfium2 import raw

_MOST_ELEMENTS = 5_000  # of a page's tree
_MOST_BYTES = 8_000  # of one text
_MOST_CHARACTERS = 20_000  # of all of a page


def alternative_texts(page: pdfium.PdfPage) -> list[str]:
    """The alternative texts of a page, in the order of its structure, each once; none where the PDF is not tagged."""
    tree = raw.FPDF_StructTree_GetForPage(page)
    if not tree:
        return []
    try:
        return _texts_of(tree)
    finally:
        raw.FPDF_StructTree_Close(tree)


def _texts_of(tree: Any) -> list[str]:
    found: dict[str, None] = {}
    room = _MOST_CHARACTERS
    waiting = [raw.FPDF_StructTree_GetChildAtIndex(tree, at) for at in range(raw.FPDF_StructTree_CountChildren(tree))][::-1]
    for _ in range(_MOST_ELEMENTS):
        if not waiting or room <= 0:
            break
        element = waiting.pop()
        if not element:  # a piece of the page's content, not an element
            continue
        said = _alternative(element)
        if said and said not in found:
            found[said] = None
            room -= len(said)
        count = min(max(0, raw.FPDF_StructElement_CountChildren(element)), _MOST_ELEMENTS)
        waiting += [raw.FPDF_StructElement_GetChildAtIndex(element, at) for at in range(count)][::-1]
    return list(found)


def _alternative(element: Any) -> str:
    size = raw.FPDF_StructElement_GetAltText(element, None, 0)
    if not 2 < size <= _MOST_BYTES:
        return ""
    buffer = create_string_buffer(size)
    raw.FPDF_StructElement_GetAltText(element, buffer, size)
    return " ".join(buffer.raw.decode("utf-16-le", "ignore").rstrip("\x00").split())
