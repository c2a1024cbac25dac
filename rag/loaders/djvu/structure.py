"""Finds the pages of a DjVu file and their sizes, by the headers of its chunks alone.

Knows the outermost chunks of the format (IFF); decodes nothing. Whatever a file claims, it is read a few bytes a page.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits

_BUNDLED = 0x80
_DPI = 300
_TURNED = (6, 2, 5)  # orientations: once, twice, three times


@dataclass(frozen=True, slots=True)
class PageSize:
    """What a page says of itself: its sides in pixels as shown, and the pixels per inch; no pixels where it says nothing."""

    width: int = 0
    height: int = 0
    dpi: int = _DPI
    turned: bool = False  # it is shown in another orientation than it is kept in
    there: bool = True  # False where the directory names a page that the file does not hold


def pages_of(file: Path, limits: Limits) -> list[PageSize]:
    """The pages, in order. UnreadableDocument where it is no DjVu, has none, too many, or keeps them in files of their own."""
    try:
        with file.open("rb") as stream:
            found = list(_pages(stream, os.fstat(stream.fileno()).st_size, limits))
    except OSError as error:
        raise UnreadableDocument(f"cannot be opened: {error.strerror or error}") from error
    if not found:
        raise UnreadableDocument("has no pages")
    return found


def _pages(stream: BinaryIO, size: int, limits: Limits) -> Iterator[PageSize]:
    head = stream.read(16)
    if len(head) < 16 or head[:8] != b"AT&TFORM":
        raise UnreadableDocument("is not a DjVu file, or is cut off" if size else "is empty")
    form = head[12:16]
    if form in (b"DJVU", b"PM44", b"BM44"):
        yield _page_at(stream, 4, size)
        return
    if form != b"DJVM":
        raise UnreadableDocument("is a part of a DjVu document, without pages of its own")
    kind, length, flags, count = struct.unpack(">4sIBH", _exactly(stream, 11))
    if kind != b"DIRM":
        raise UnreadableDocument("is a damaged DjVu file: it has no directory of its pages")
    if not flags & _BUNDLED:
        raise UnreadableDocument(
            "is the directory of a DjVu document in several files; put them into one: djvmcvt -b, of the package djvulibre-bin"
        )
    if 3 + 4 * count > length:
        raise UnreadableDocument("is a damaged DjVu file: the directory of its pages is cut off")
    offsets = struct.unpack(f">{count}I", _exactly(stream, 4 * count))
    pages = 0
    for offset in offsets:
        stream.seek(offset)
        part = stream.read(12)
        if part[:4] == b"FORM" and part[8:] in (b"DJVI", b"THUM"):
            continue  # what pages share, and their thumbnails
        pages += 1
        if pages > limits.max_pages:
            raise UnreadableDocument(f"has more than {limits.max_pages:,} pages; the limit is max_pages")
        yield _page_at(stream, offset, size) if part[:4] == b"FORM" and part[8:] == b"DJVU" else PageSize(there=False)


def _page_at(stream: BinaryIO, offset: int, size: int) -> PageSize:
    """The page whose chunk begins at `offset`; without a size where it says none."""
    if offset + 30 > size:
        return PageSize()
    stream.seek(offset)
    content = stream.read(30)
    if content[8:16] != b"DJVUINFO":
        return PageSize()
    width, height = struct.unpack_from(">HH", content, 20)
    dpi = int(struct.unpack_from("<H", content, 26)[0])
    orientation = content[29] & 7
    if orientation in _TURNED[::2]:
        width, height = height, width
    return PageSize(width, height, dpi if 25 <= dpi <= 6000 else _DPI, orientation in _TURNED)


def _exactly(stream: BinaryIO, count: int) -> bytes:
    found = stream.read(count)
    if len(found) < count:
        raise UnreadableDocument("is a damaged DjVu file: the directory of its pages is cut off")
    return found
