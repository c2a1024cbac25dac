"""Keeps a short PDF open between being split and being read, with its pages: to open a page is to parse all of it.

Knows pdfium's documents; knows no words and no pixels. One document is kept at most, and whoever takes it closes it. Called under
the lock of `pdf.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pypdfium2 as pdfium
from pypdfium2 import raw

from rag.loaders.base import STRETCH
from rag.loaders.pdf.outline import Titles

_Key = tuple[str, int, int, int]  # path, inode, time and size of a file

_MOST_PAGES = STRETCH + 1  # a longer document is read in stretches, by other processes
_MOST_OBJECTS = 20_000  # of all pages that are kept: about 10 MB
_kept: list[tuple[_Key, Held]] = []
_attaching: dict[_Key, list[int]] = {}  # of the document split last


@dataclass(slots=True)
class Held:
    """An open document, the titles of its bookmarks by page, and the pages that stay open, by their numbers from 0."""

    pdf: pdfium.PdfDocument
    titles: Titles
    pages: dict[int, pdfium.PdfPage] = field(default_factory=dict)
    attaching: list[int] = field(default_factory=list)  # pages with files attached to them
    room: int = _MOST_OBJECTS

    @contextmanager
    def page(self, index: int, *, stays: bool = False) -> Iterator[pdfium.PdfPage]:
        """One page; PdfiumError where it is damaged. It is closed after its use unless it `stays` and there is room for it."""
        page = self.pages.pop(index, None) or self.pdf[index]
        try:
            yield page
        finally:
            self.room -= raw.FPDFPage_CountObjects(page)
            if stays and self.room >= 0 and len(self.pdf) <= _MOST_PAGES:
                self.pages[index] = page
            else:
                page.close()


def keep(file: Path, held: Held) -> None:
    """Keeps the document, in place of the one before, or closes it where it is long."""
    drop()
    key = _key(file)
    if key is not None:
        _attaching.clear()
        _attaching[key] = held.attaching
    if key is None or not held.pages:
        held.pdf.close()
    else:
        _kept.append((key, held))


def take(file: Path) -> Held | None:
    """The document, if it is the one that is kept and its file has not changed."""
    if _kept and _kept[0][0] == _key(file):
        return _kept.pop()[1]
    return None


def attaching(file: Path) -> list[int] | None:
    """The pages, from 0, with files attached to them; None where the document was not the one split last."""
    key = _key(file)
    return None if key is None else _attaching.get(key)


def drop() -> None:
    """Closes what is kept."""
    while _kept:
        _kept.pop()[1].pdf.close()


def _key(file: Path) -> _Key | None:
    try:
        known = file.stat()
    except OSError:
        return None
    return str(file), known.st_ino, known.st_mtime_ns, known.st_size
