"""The characters of a Word document until 2003 by their position, what is deleted left out, and the formats of its paragraphs.

Knows the piece table of [MS-DOC], 2.8.35, and the plain text of Word 6 and 95; doc_formats.py reads the formats.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.doc_formats import Formats, ParagraphFormat, read_formats

_PARTS = ("main", "footnotes", "headers", "macros", "comments", "endnotes", "boxes", "header boxes")  # in the order of their text
_PAGES = {1250: (5, 14, 21, 24, 26, 27, 36), 1251: (2, 25, 34, 35), 1253: (8,), 1254: (31,), 1255: (13,), 1256: (1, 32, 41)} | {
    **{1257: (37, 38, 39), 874: (30,), 932: (17,), 949: (18,)}
}  # by the low byte of the language, for Word 6 and 95
_PAGES_OF_CHINA = {0x0804: 936, 0x0404: 950}
_COMPLEX = 0x0004  # saved fast: the text stands in pieces


@dataclass(slots=True)
class Text:
    """The characters of a document by their position; what is deleted is "\\0"."""

    characters: str
    formats: dict[int, ParagraphFormat] = field(default_factory=dict)  # of paragraph marks
    lengths: list[int] = field(default_factory=list)  # of _PARTS

    def part(self, name: str) -> tuple[int, int]:
        """The positions [start, end) of a part of the document: its body, footnotes, headers, …"""
        at = _PARTS.index(name)
        start = sum(self.lengths[:at])
        return start, min(start + self.lengths[at], len(self.characters)) if at < len(self.lengths) else start


def text_of(word: bytes, tables: dict[str, bytes], limits: Limits) -> Text:
    """The characters of a Word document (its `WordDocument` stream) with the formats of its paragraphs.

    UnreadableDocument where its parts or pieces claim lengths that no document has.
    """
    formats = read_formats(word, tables["character formats"], tables["paragraph formats"])
    lengths = list(struct.unpack_from("<8i", word, 0x4C))
    if any(length < 0 for length in lengths) or sum(lengths) > limits.max_text_bytes:
        raise UnreadableDocument("is a damaged Word document: its parts have impossible lengths")
    pieces: list[str] = []
    marks: dict[int, ParagraphFormat] = {}
    reached = 0
    for start, end, place, width in _pieces(tables["clx"]):
        reached += end - start
        if reached > 2 * limits.max_text_bytes:
            raise UnreadableDocument("is a damaged Word document: its pieces have impossible lengths")
        raw = word[place : place + (end - start) * width]
        piece = raw.decode("utf-16-le" if width == 2 else "cp1252", "replace").ljust(end - start, "\0")
        if len(piece) != end - start:  # characters beyond 16 bits are two positions
            piece = "".join(chr(unit) for (unit,) in struct.iter_unpack("<H", raw[: len(raw) // 2 * 2])).ljust(end - start, "\0")
        pieces.append(_without_deleted(piece, place, width, formats))
        marks |= {
            start + mark.start(): formats.paragraph_at(place + mark.start() * width) for mark in re.finditer("[\r\x07]", piece)
        }
    return Text("".join(pieces), marks, lengths)


def _pieces(clx: bytes) -> Iterator[tuple[int, int, int, int]]:
    """(first position, the one behind the last, offset in the stream, bytes a character) of each piece of the text."""
    at = 0
    while clx[at : at + 1] == b"\x01":  # formats of pieces
        at += 3 + struct.unpack_from("<H", clx, at + 1)[0]
    if clx[at : at + 1] != b"\x02":
        raise UnreadableDocument("is a damaged Word document: its table of pieces is missing")
    (size,) = struct.unpack_from("<I", clx, at + 1)
    plc = clx[at + 5 : at + 5 + size]
    count = (len(plc) - 4) // 12
    if count < 1:
        raise UnreadableDocument("is a damaged Word document: its table of pieces is empty")
    positions = struct.unpack_from(f"<{count + 1}I", plc)
    for number, (start, end) in enumerate(pairwise(positions)):
        (place,) = struct.unpack_from("<I", plc, 4 * (count + 1) + 8 * number + 2)
        if end < start:
            raise UnreadableDocument("is a damaged Word document: its pieces are out of order")
        if place & 0x40000000:
            yield start, end, (place & 0x3FFFFFFF) // 2, 1
        else:
            yield start, end, place & 0x3FFFFFFF, 2


def _without_deleted(piece: str, place: int, width: int, formats: Formats) -> str:
    for start, end in formats.deleted_in(place, place + len(piece) * width):
        first, last = (start - place) // width, (end - place + width - 1) // width
        piece = piece[:first] + "\0" * (last - first) + piece[last:]
    return piece


def old_text_of(word: bytes, language: int, flags: int) -> Text:
    """The text of Word 6 and 95, which stands in one piece unless it was saved fast."""
    page = next((page for page, languages in _PAGES.items() if language & 0xFF in languages), 1252)
    page = _PAGES_OF_CHINA.get(language, page)
    lengths = list(struct.unpack_from("<8i", word, 0x34))
    if flags & _COMPLEX:
        start, size = struct.unpack_from("<II", word, 0x160)
        raw = b"".join(word[place : place + end - begin] for begin, end, place, _ in _pieces(word[start : start + size]))
    else:
        first, last = struct.unpack_from("<II", word, 0x18)
        raw = word[first:last]
    text = raw.decode(f"cp{page}", "replace")
    whole = page in (932, 936, 949, 950) or any(length < 0 for length in lengths) or sum(lengths) > len(text)
    return Text(text, lengths=[len(text)] if whole else lengths)
