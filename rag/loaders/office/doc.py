"""Word documents until 2003 (.doc) to text: paragraphs, headings and tables, notes and comments where they are referred to.

Knows [MS-DOC] as of Word 97, and the plain text of Word 6 and 95. No library does: `legacy-doc` guesses where the piece table is
and keeps deleted text and field codes, the others start programs. doc_text.py reads the characters.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.doc_formats import PLAIN
from rag.loaders.office.doc_text import Text, old_text_of, text_of
from rag.loaders.office.ole import stream, title_in
from rag.loaders.text.chunking import Heading, Rendering

_WORD_97 = 0xC1  # nFib
_TABLES = {"clx": 33, "footnotes": 2, "footnote texts": 3, "comments": 4, "comment texts": 5, "authors": 36} | {
    **{"headers": 11, "endnotes": 46, "endnote texts": 47, "character formats": 12, "paragraph formats": 13}
}  # places in FibRgFcLcb
_NOTES = (("footnotes", "Footnote", 2), ("endnotes", "Endnote", 2), ("comments", "Comment", 30))  # bytes beside each reference
_FIELD = re.compile("[\x13\x14\x15]")
_CONTROL = re.compile("[\x00-\x06\x08\x0e-\x1d\x1f\ue000-\uf8ff]")  # anchors, marks of fields and notes, symbols of own fonts
_SURROGATE = re.compile("[\ud800-\udfff]")
_BOUNDARY = re.compile("[\r\x07\x0c]")


def rendered(ole: Any, limits: Limits) -> tuple[Rendering, list[str]]:
    """The document's text, and why parts of it are not read. UnreadableDocument where it is damaged or encrypted."""
    word = stream(ole, ("WordDocument",), limits)
    try:
        _, version, _, language, _, flags = struct.unpack_from("<HHHHHH", word)
        if flags & 0x0100:
            raise UnreadableDocument("is encrypted; save it without a password")
        if version < _WORD_97:
            text, tables = old_text_of(word, language, flags), dict[str, bytes]()
        else:
            table = stream(ole, ("1Table" if flags & 0x0200 else "0Table",), limits)
            tables = {name: _table(word, table, at) for name, at in _TABLES.items()}
            text = text_of(word, tables, limits)
    except struct.error as error:
        raise UnreadableDocument(f"is a damaged Word document: {error}") from error
    writer = _Writer(text, tables)
    writer.write_all()
    title = title_in(ole, limits)
    title = title or next((heading.title for heading in writer.headings if heading.level == 1 and heading.lines), "")
    return Rendering("".join(writer.lines), tuple(writer.headings), title), []


def _table(word: bytes, table: bytes, at: int) -> bytes:
    """One of the tables that the header of the document points to; b"" where it has none."""
    place = 0x9A + 8 * at
    if len(word) < place + 8:
        return b""
    start, length = struct.unpack_from("<II", word, place)
    return table[start : start + length]


class _Writer:
    """Writes the lines of a document."""

    def __init__(self, text: Text, tables: dict[str, bytes]) -> None:
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
            if rows and (text or mark is None):
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
