"""The texts beside the cells of an .xls workbook: text boxes, page headers and footers, words of charts.

Knows the records of [MS-XLS] that hold them; reads no cell.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from rag.loaders.office.drawings import visible
from rag.loaders.office.sheet_notes import page_edges

_CONTINUE, _HEADER, _FOOTER, _TEXT_BOX, _SERIES_TEXT, _BOF = 0x3C, 0x14, 0x15, 0x1B6, 0x100D, 0x809
_UNICODE = 0x0600  # version of BIFF8, whose strings may be of two bytes a character


def texts_beside(content: bytes) -> list[str]:
    """Each text once, in the order of the stream; nothing in workbooks older than Excel 97."""
    found: dict[str, None] = {}
    edges: list[str] = []
    left = 0  # characters of the open text box
    pieces: list[str] = []
    version = 0
    for kind, record in _records(content):
        if kind == _BOF and len(record) >= 2 and not version:
            (version,) = struct.unpack_from("<H", record)
        if version != _UNICODE:
            continue
        if kind == _TEXT_BOX and len(record) >= 12:
            (left,) = struct.unpack_from("<H", record, 10)
            pieces = []
        elif kind == _CONTINUE and left > 0 and record:
            piece = _characters(record[1:], record[0])[:left]
            left -= len(piece)
            pieces.append(piece)
            if left <= 0:
                found[visible("".join(pieces).replace("\r", "\n"))] = None
        elif kind in (_HEADER, _FOOTER) and len(record) > 3:
            edges.append(_characters(record[3:], record[2]))
        elif kind == _SERIES_TEXT and len(record) > 4:
            found[visible(_characters(record[4 : 4 + record[2] * (1 + (record[3] & 1))], record[3]))] = None
        elif kind != _CONTINUE:
            left = 0
    return [text for text in (*found, *page_edges(edges)) if text]


def _records(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(content):
        kind, size = struct.unpack_from("<HH", content, at)
        yield kind, content[at + 4 : at + 4 + size]
        at += 4 + size


def _characters(raw: bytes, flags: int) -> str:
    return raw.decode("utf-16-le" if flags & 1 else "latin-1", "replace")
