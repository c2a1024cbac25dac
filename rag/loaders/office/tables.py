"""Rows of a spreadsheet to passages: as many rows as fit, under the row that names their columns.

Knows rows as cells with their columns; knows no file format. Bounded in rows, cells and characters: a small file can claim a
billion cells, or put one long text into a million of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.text.chunking import LINED, cut

MAX_CELL_CHARACTERS = 32_767  # Excel's own limit
_MAX_ROWS = 2_000_000  # of all sheets, without empty ones; Excel's own limit is 1,048,576 a sheet
_MAX_CELLS = 20_000_000
_MAX_GAP = 8  # empty cells shown between two others, so that they stand below the names of their columns
_LOOKED_AT = 10  # rows from the first in which the names of columns may stand, below a title
_NUMBER = re.compile(r"[^\w(]*\d[\d\W]*(\(.*\))?\S{0,3}")  # also with a unit, and with the stored form behind it


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row that hold something, in the order of their columns."""

    number: int  # from 1
    cells: Sequence[tuple[int, str]]  # (column from 0, text on one line)
    hidden: bool = False


class Bounds:
    """Counts what the sheets of a workbook hold. UnreadableDocument where it is too much."""

    def __init__(self, limits: Limits) -> None:
        self._most = limits.max_text_bytes
        self._rows = self._cells = self._characters = 0

    def counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, as long as there are not too many."""
        for row in rows:
            self._rows, self._cells = self._rows + 1, self._cells + len(row.cells)
            self._characters += sum(len(text) for _, text in row.cells)
            if self._rows > _MAX_ROWS or self._cells > _MAX_CELLS:
                raise UnreadableDocument(f"is a workbook of more than {_MAX_ROWS:,} rows or {_MAX_CELLS:,} cells")
            if self._characters > self._most:
                raise UnreadableDocument(f"contains more text than the limit max_text_bytes ({self._most:,})")
            yield row


def one_line(text: str) -> str:
    """A text as it stands in a cell."""
    return " ".join(text[:MAX_CELL_CHARACTERS].split())


def spans(rows: Iterable[Row], limit: int) -> Iterator[str]:
    """Rows joined up to `limit` characters, each span headed by the names of its columns, cut to a third of the limit."""
    coming = iter(rows)
    first = list(islice(coming, _LOOKED_AT))
    if not first:
        return
    named = next((at for at, row in enumerate(first) if len(row.cells) > 1), 0)
    writer = _SpanWriter(limit)
    for row in first[:named]:  # a title
        yield from writer.add(_line(row, 0))
    yield from _tables(chain(first[named:], coming), writer)


def _tables(rows: Iterator[Row], writer: _SpanWriter) -> Iterator[str]:
    """Spans of one table below the other. A new one begins below an empty row, with names above numbers."""
    header = next(rows)
    left = header.cells[0][0]
    yield from writer.name_columns(_line(header, left))
    before = header.number
    held: Row | None = None  # may be the names of other columns: the next row shows it
    for row in rows:
        if held is not None:
            if row.number == held.number + 1 and _is_above_numbers(held, row):
                left = held.cells[0][0]
                yield from writer.name_columns(_line(held, left))
            else:
                yield from writer.add(_line(held, left))
            held = None
        if row.number > before + 1 and len(row.cells) > 1 and not any(_NUMBER.fullmatch(text) for _, text in row.cells):
            held = row
        else:
            yield from writer.add(_line(row, left))
        before = row.number
    if held is not None:
        yield from writer.add(_line(held, left))
    yield from writer.end()


def _is_above_numbers(header: Row, row: Row) -> bool:
    named = {column for column, _ in header.cells}
    return any(column in named and _NUMBER.fullmatch(text) for column, text in row.cells)


def _line(row: Row, left: int) -> str:
    """The cells of a row, from column `left` on, each below its column's name."""
    pieces: list[str] = []
    reached = left
    for column, text in row.cells:
        gap = column - reached
        pieces += [""] * (gap if gap <= _MAX_GAP else 1)
        pieces.append(text)
        reached = column + 1
    return " | ".join(pieces) + (" (hidden row)" if row.hidden else "")


class _SpanWriter:
    """Joins lines to spans below the names of their columns."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._head = ""
        self._lines: list[str] = []
        self._size = 0
        self._owed = False  # whether the names of columns stand in no span yet

    def name_columns(self, header: str) -> Iterator[str]:
        """Begins a table: the header is written whole once, and stands above each span, as much of it as fits."""
        yield from self.end()
        self._head = header[: self._limit // 3].rstrip()
        self._owed = self._head == header
        if not self._owed:
            yield from (span.text for span in cut(header, self._limit, breaks=LINED))

    def add(self, line: str) -> Iterator[str]:
        room = self._limit - len(self._head) - 1
        for piece in [line] if len(line) <= room else [span.text for span in cut(line, room, breaks=LINED)]:
            if self._lines and self._size + len(piece) > room:
                yield self._take()
            self._lines.append(piece)
            self._size += len(piece) + 1

    def end(self) -> Iterator[str]:
        if self._lines or self._owed:
            yield self._take()

    def _take(self) -> str:
        text = "\n".join(filter(None, [self._head, *self._lines]))
        self._lines, self._size, self._owed = [], 0, False
        return text
