"""Which characters of a Word document until 2003 are deleted, and which paragraphs are headings or end a table row.

Knows the formatted disk pages of [MS-DOC], 2.9.49 ff., by offsets in the WordDocument stream; knows no text.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

_PAGE = 512
_DELETED = 0x0800  # sprmCFRMarkDel
_OUTLINE = 0x2640  # sprmPOutLvl
_IN_TABLE = 0x2416  # sprmPFInTable
_ENDS_ROW = 0x2417  # sprmPFTtp
_SIZES = (1, 1, 2, 4, 2, 2, 0, 3)  # bytes of an operand, by the top three bits of its code; 0: its own first byte says
_LONG = (0xD606, 0xD608)  # operands with a length of two bytes, which counts one too many
_MAX_RUNS = 5_000_000


@dataclass(frozen=True, slots=True)
class ParagraphFormat:
    """What matters of a paragraph's format."""

    level: int = 0  # of a heading
    in_table: bool = False
    ends_row: bool = False  # it is no paragraph, but the end of a table row


PLAIN = ParagraphFormat()


@dataclass(slots=True)
class Formats:
    """What the pages say, by offset."""

    deleted: list[tuple[int, int]] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)  # of paragraphs, rising
    paragraphs: list[ParagraphFormat] = field(default_factory=list)

    def deleted_in(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The deleted stretches between two offsets."""
        at = max(bisect_right(self.deleted, (start, 0)) - 1, 0)
        for first, last in self.deleted[at:]:
            if first >= end:
                break
            if last > start:
                yield max(first, start), min(last, end)

    def paragraph_at(self, offset: int) -> ParagraphFormat:
        """The format of the paragraph whose mark is at an offset."""
        at = bisect_right(self.ends, offset)
        return self.paragraphs[at] if at < len(self.paragraphs) else PLAIN


def read_formats(word: bytes, characters: bytes, paragraphs: bytes) -> Formats:
    """Reads the pages that two tables point to; what is damaged says nothing."""
    formats = Formats()
    for page in _pages(word, characters):
        for start, end, place in _runs(page, 1):
            offset = 2 * place[0]
            changes = page[offset + 1 : offset + 1 + page[offset]] if offset else b""
            if any(code == _DELETED and operand[:1] not in (b"", b"\0") for code, operand in _changes(changes)):
                formats.deleted.append((start, end))
    found: list[tuple[int, ParagraphFormat]] = []
    for page in _pages(word, paragraphs):
        for _, end, place in _runs(page, 13):
            found.append((end, _paragraph(page, 2 * place[0])))
            if len(found) > _MAX_RUNS:
                break
    formats.deleted.sort()
    found.sort(key=lambda one: one[0])
    formats.ends, formats.paragraphs = [end for end, _ in found], [paragraph for _, paragraph in found]
    return formats


def _paragraph(page: bytes, offset: int) -> ParagraphFormat:
    if not offset:
        return PLAIN
    length = page[offset]
    at, size = (offset + 1, 2 * length - 1) if length else (offset + 2, 2 * page[offset + 1] if offset + 1 < _PAGE else 0)
    content = page[at : at + size]
    if len(content) < 2:
        return PLAIN
    (style,) = struct.unpack_from("<H", content)
    level = style if 1 <= style <= 9 else 0  # styles 1 to 9 are the headings, whatever they are called
    in_table = ends_row = False
    for code, operand in _changes(content[2:]):
        if code == _OUTLINE and operand:
            level = operand[0] + 1 if operand[0] < 9 else 0
        elif code == _IN_TABLE and operand:
            in_table = bool(operand[0])
        elif code == _ENDS_ROW and operand:
            ends_row = bool(operand[0])
    return ParagraphFormat(level, in_table, ends_row)


def _pages(word: bytes, table: bytes) -> Iterator[bytes]:
    count = (len(table) - 4) // 8
    for number in range(max(count, 0)):
        (page,) = struct.unpack_from("<I", table, 4 * (count + 1) + 4 * number)
        start = (page & 0x3FFFFF) * _PAGE
        if len(content := word[start : start + _PAGE]) == _PAGE:
            yield content


def _runs(page: bytes, size: int) -> Iterator[tuple[int, int, bytes]]:
    """(first offset, the one behind the last, where its format is in the page) of each run."""
    count = page[_PAGE - 1]
    if 4 * (count + 1) + size * count >= _PAGE:
        return
    offsets = struct.unpack_from(f"<{count + 1}I", page)
    for number in range(count):
        at = 4 * (count + 1) + size * number
        yield offsets[number], offsets[number + 1], page[at : at + 1]


def _changes(content: bytes) -> Iterator[tuple[int, bytes]]:
    """(code, operand) of each change to a format."""
    at = 0
    while at + 2 <= len(content):
        (code,) = struct.unpack_from("<H", content, at)
        at += 2
        size = _SIZES[code >> 13]
        if not size:
            if code in _LONG and at + 2 <= len(content):
                size = struct.unpack_from("<H", content, at)[0] + 1
            else:
                size = content[at] + 1 if at < len(content) else 1
        yield code, content[at : at + size]
        at += size
