"""Word documents until 2003 (.doc) to text: paragraphs, headings and tables, notes and comments where they are referred to.

Knows [MS-DOC] as of Word 97, and the plain text of Word 6 and 95. No library does: `legacy-doc` guesses where the piece table is
and keeps deleted text and field codes, the others start programs. doc_formats.py reads which characters and paragraphs are what.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.doc_formats import PLAIN, Formats, ParagraphFormat, read_formats
from rag.loaders.office.ole import stream, title_in
from rag.loaders.text.chunking import Heading, Rendering

_WORD_97 = 0xC1  # nFib
_TABLES = {"clx": 33, "footnotes": 2, "footnote texts": 3, "comments": 4, "comment texts": 5, "authors": 36} | {
    **{"headers": 11, "endnotes": 46, "endnote texts": 47, "character formats": 12, "paragraph formats": 13}
}  # places in FibRgFcLcb
_PARTS = ("main", "footnotes", "headers", "macros", "comments", "endnotes", "boxes", "header boxes")  # in the order of their text
_NOTES = (("footnotes", "Footnote", 2), ("endnotes", "Endnote", 2), ("comments", "Comment", 30))  # bytes beside each reference
_PAGES = {1250: (5, 14, 21, 24, 26, 27, 36), 1251: (2, 25, 34, 35), 1253: (8,), 1254: (31,), 1255: (13,), 1256: (1, 32, 41)} | {
    **{1257: (37, 38, 39), 874: (30,), 932: (17,), 949: (18,)}
}  # by the low byte of the language, for Word 6 and 95
_FIELD = re.compile("[\x13\x14\x15]")
_CONTROL = re.compile("[\x00-\x06\x08\x0e-\x1d\x1f\ue000-\uf8ff]")  # anchors, marks of fields and notes, symbols of own fonts
_SURROGATE = re.compile("[\ud800-\udfff]")
_BOUNDARY = re.compile("[\r\x07\x0c]")


@dataclass(slots=True)
class _Text:
    """The characters of a document by their position; what is deleted is "\\0"."""

    characters: str
    formats: dict[int, ParagraphFormat] = field(default_factory=dict)  # of paragraph marks
    lengths: list[int] = field(default_factory=list)  # of _PARTS

    def part(self, name: str) -> tuple[int, int]:
        at = _PARTS.index(name)
        start = sum(self.lengths[:at])
        return start, min(start + self.lengths[at], len(self.characters)) if at < len(self.lengths) else start


def rendered(ole: Any, limits: Limits) -> tuple[Rendering, list[str]]:
    """The document's text, and why parts of it are not read. UnreadableDocument where it is damaged or encrypted."""
    word = stream(ole, ("WordDocument",), limits)
    try:
        magic, version, _, language, _, flags = struct.unpack_from("<HHHHHH", word)
        if flags & 0x0100:
            raise UnreadableDocument("is encrypted; save it without a password")
        if version < _WORD_97:
            text, tables = _old_text(word, language, flags), dict[str, bytes]()
        else:
            table = stream(ole, ("1Table" if flags & 0x0200 else "0Table",), limits)
            tables = {name: _table(word, table, at) for name, at in _TABLES.items()}
            text = _text(word, tables, limits)
    except struct.error as error:
        raise UnreadableDocument(f"is a damaged Word document: {error}") from error
    writer = _Writer(text, tables)
    writer.write_all()
    title = title_in(ole)
    title = title or next((heading.title for heading in writer.headings if heading.level == 1 and heading.lines), "")
    return Rendering("".join(writer.lines), tuple(writer.headings), title), []


def _table(word: bytes, table: bytes, at: int) -> bytes:
    """One of the tables that the header of the document points to; b"" where it has none."""
    place = 0x9A + 8 * at
    if len(word) < place + 8:
        return b""
    start, length = struct.unpack_from("<II", word, place)
    return table[start : start + length]


def _text(word: bytes, tables: dict[str, bytes], limits: Limits) -> _Text:
    formats = read_formats(word, tables["character formats"], tables["paragraph formats"])
    lengths = list(struct.unpack_from("<8i", word, 0x4C))
    if any(length < 0 for length in lengths) or sum(lengths) > limits.max_text_bytes:
        raise UnreadableDocument("is a damaged Word document: its parts have impossible lengths")
    pieces: list[str] = []
    marks: dict[int, ParagraphFormat] = {}
    reached = 0
    for start, end, place, width in _pieces(tables["clx"]):
        raw = word[place : place + (end - start) * width]
        piece = raw.decode("utf-16-le" if width == 2 else "cp1252", "replace").ljust(end - start, "\0")
        if len(piece) != end - start:  # characters beyond 16 bits are two positions
            piece = "".join(chr(unit) for (unit,) in struct.iter_unpack("<H", raw[: len(raw) // 2 * 2])).ljust(end - start, "\0")
        pieces.append(_without_deleted(piece, place, width, formats))
        marks |= {
            start + mark.start(): formats.paragraph_at(place + mark.start() * width) for mark in re.finditer("[\r\x07]", piece)
        }
        reached += end - start
        if reached > 2 * limits.max_text_bytes:
            raise UnreadableDocument("is a damaged Word document: its pieces overlap")
    return _Text("".join(pieces), marks, lengths)


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


def _old_text(word: bytes, language: int, flags: int) -> _Text:
    """The text of Word 6 and 95, which stands in one piece unless it was saved fast."""
    page = next((page for page, languages in _PAGES.items() if language & 0xFF in languages), 1252)
    page = {0x0804: 936, 0x0404: 950}.get(language, page)
    lengths = list(struct.unpack_from("<8i", word, 0x34))
    if flags & 0x0004:
        start, size = struct.unpack_from("<II", word, 0x160)
        raw = b"".join(word[place : place + end - begin] for begin, end, place, _ in _pieces(word[start : start + size]))
    else:
        first, last = struct.unpack_from("<II", word, 0x18)
        raw = word[first:last]
    text = raw.decode(f"cp{page}", "replace")
    whole = page in (932, 936, 949, 950) or any(length < 0 for length in lengths) or sum(lengths) > len(text)
    return _Text(text, lengths=[len(text)] if whole else lengths)


class _Writer:
    """Writes the lines of a document."""

    def __init__(self, text: _Text, tables: dict[str, bytes]) -> None:
        self._text, self._tables = text, tables
        self._length = 0
        self.lines: list[str] = []
        self.headings: list[Heading] = []

    def write_all(self) -> None:
        notes = sorted(note for kind, name, size in _NOTES for note in self._notes(kind, name, size))
        start, end = self._text.part("main")
        for stop, level, text in self._paragraphs(start, end):
            if level and "\n" not in text:
                self.headings.append(Heading(self._length, level, text))
                text = "#" * level + " " + text
            self._write(text)
            while notes and notes[0][0] < stop:
                self._write(notes.pop(0)[1])
        for _, note in notes:
            self._write(note)
        for name in ("boxes", "header boxes"):
            for _, _, text in self._paragraphs(*self._text.part(name)):
                self._write(text)
        edges = list(dict.fromkeys(self._edges()))
        if edges:
            self.headings.append(Heading(self._length, 1, "Header and footer", lines=0))
        for edge in edges:
            self._write(edge)

    def _write(self, text: str) -> None:
        if text:
            self.lines.append(text + "\n\n")
            self._length += len(text) + 2

    def _paragraphs(self, start: int, end: int) -> Iterator[tuple[int, int, str]]:
        """(position behind it, heading level or 0, text) of each paragraph, and of each table as one text."""
        shown = _without_codes(self._text.characters[start:end])
        rows: list[str] = []
        cells: list[str] = []
        cell: list[str] = []
        at = 0
        for mark in [*_BOUNDARY.finditer(shown), None]:
            stop = len(shown) if mark is None else mark.start()
            text = _clean(shown[at:stop])
            kind = self._text.formats.get(start + stop, PLAIN)
            at = stop + 1
            if mark is not None and mark[0] == "\x07":
                cell.append(text)
                written = " ".join(" ".join(filter(None, cell)).split())
                if kind.ends_row or (not self._text.formats and not written and cells):
                    if any(cells):
                        rows.append(" | ".join(cells))
                    cells = []
                else:
                    cells.append(written)
                cell = []
                continue
            if cells or kind.in_table:  # a paragraph within a cell
                cell.append(text)
                continue
            if rows:
                if text or mark is None:
                    yield start + at, 0, "\n".join(rows)
                    rows = []
            if text:
                yield start + at, kind.level, text
        left = [*rows, " | ".join(filter(None, [*cells, *cell]))]
        if any(left):
            yield end, 0, "\n".join(filter(None, left))

    def _notes(self, kind: str, name: str, size: int) -> Iterator[tuple[int, str]]:
        """(position of the reference, what it says) of each note."""
        references, beside = _plc(self._tables.get(kind, b""), size)
        texts, _ = _plc(self._tables.get(f"{kind.removesuffix('s')} texts", b""), 0)
        authors = _names(self._tables.get("authors", b"")) if kind == "comments" else []
        base, last = self._text.part(kind)
        for number, (at, (start, end)) in enumerate(zip(references, pairwise(texts), strict=False)):
            said = " ".join(text for _, _, text in self._paragraphs(base + min(start, last), min(base + end, last)))
            index = struct.unpack_from("<H", beside[number], 20)[0] if authors else len(authors)
            author = f" ({authors[index]})" if index < len(authors) and authors[index] else ""
            if said:
                yield at, f"{name}{author}: {' '.join(said.split())}"

    def _edges(self) -> Iterator[str]:
        """The headers and footers of the sections; the first six texts are lines above footnotes."""
        positions, _ = _plc(self._tables.get("headers", b""), 0)
        base, last = self._text.part("headers")
        for number, (start, end) in enumerate(pairwise(positions)):
            if number >= 6 and end > start:
                text = "\n".join(text for _, _, text in self._paragraphs(min(base + start, last), min(base + end, last)))
                if text:
                    yield f"{'Footer' if number % 6 in (2, 3, 5) else 'Header'}: {text}"


def _plc(table: bytes, size: int) -> tuple[list[int], list[bytes]]:
    """The positions in a table, and the bytes that stand beside them."""
    count = (len(table) - 4) // (4 + size) if len(table) > 4 else 0
    if count < 1:
        return [], []
    positions = list(struct.unpack_from(f"<{count + 1}I", table))
    rest = table[4 * (count + 1) :]
    return (positions if not size else positions[:count]), [rest[at * size : at * size + size] for at in range(count)]


def _names(table: bytes) -> list[str]:
    names: list[str] = []
    at = 0
    while at + 2 <= len(table) and len(names) < 10_000:
        (length,) = struct.unpack_from("<H", table, at)
        names.append(" ".join(table[at + 2 : at + 2 + 2 * length].decode("utf-16-le", "replace").split()))
        at += 2 + 2 * length
    return names


def _without_codes(text: str) -> str:
    """The text with the codes of its fields as "\\0": what they show stays."""
    codes: list[tuple[int, int]] = []
    opened: list[tuple[int, bool]] = []  # (where its code begins, whether that has ended)
    for mark in _FIELD.finditer(text):
        if mark[0] == "\x13":
            opened.append((mark.start(), False))
        elif opened:
            start, ended = opened.pop()
            if not ended:
                codes.append((start, mark.end()))
            if mark[0] == "\x14":
                opened.append((start, True))
    pieces: list[str] = []
    reached = 0
    for start, end in sorted(codes):
        if start >= reached:
            pieces += [text[reached:start], "\0" * (end - start)]
            reached = end
        elif end > reached:
            pieces.append("\0" * (end - reached))
            reached = end
    return "".join([*pieces, text[reached:]])


def _clean(text: str) -> str:
    """A paragraph as it is seen: a vertical tab breaks a line, \\x1e is a hyphen."""
    if _SURROGATE.search(text):  # two positions are one character
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    text = _CONTROL.sub("", text).replace("\x1e", "-").replace("\v", "\n").replace("\x1f", "")
    return "\n".join(line.strip() for line in text.split("\n") if line.strip())
