"""CSV and TSV: each passage holds whole rows, under the names of their columns, and is located by the lines of the file.

Knows rows and quotes; guesses the delimiter, and whether there are names, from the first rows. A table is read a row at a time.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from typing import Literal

from rag.loaders.base import Limits
from rag.loaders.text.chunking import LINED, cut, text_passage
from rag.types import Context, DocumentId, Lines, Passage

SUFFIXES = frozenset({".csv", ".tsv", ".tab", ".psv"})

_DELIMITERS = "\t;|,"  # of two that serve as well, the first: a comma may stand in a number
_LOOKED_AT = 60  # rows, to guess from
_SAMPLE = 200_000  # characters of them
_CONSISTENT = 0.6  # share of rows that have as many cells as most have
_LONGEST_ROW = 200  # lines: a quote that opens a cell and never ends would take the rest of the file
_MOST_FAILURES = 20  # such quotes; then none is believed any more
_LONGEST_CELL = 10_000_000  # characters
_NAME = re.compile(r"[^\n]{1,80}")
_VALUE = re.compile(r"[^\w(]*\d[\d\W]*\w{0,3}|true|false|yes|no|https?://\S+|\S+@\S+", re.IGNORECASE)
_SEPARATOR = " | "


@dataclass(frozen=True, slots=True)
class _Row:
    cells: Sequence[str]
    first: int  # line of the file, from 1
    last: int


def passages(document: DocumentId, text: str, limits: Limits) -> Iterator[Passage] | None:
    """The passages of a table; None where the text is none."""
    skipped, declared = _declared(text)
    delimiter = declared or _delimiter(text)
    if not delimiter:
        return None
    rows = (row for row in _rows(text, delimiter) if row.first > skipped and any(cell.strip() for cell in row.cells))
    return _passages(document, rows, limits)


def _passages(document: DocumentId, rows: Iterator[_Row], limits: Limits) -> Iterator[Passage]:
    first = list(islice(rows, _LOOKED_AT))
    named = _named(first)
    limit = limits.passage_characters
    header = _line(first[named])[: limit // 3].rstrip() if named is not None else ""
    writer = _Writer(document, limit)
    for place, row in enumerate(chain(first, rows)):
        if place == named:
            yield from writer.end()  # what stands above the names is no row of the table
            writer.head = header
            if header == _line(row):
                continue
        yield from writer.add(row)  # names too long to stand above each passage are written whole once
    yield from writer.end()
    if not writer.count and named is not None:
        place_of_names = Lines(first[named].first, first[named].last)
        yield text_passage(document, 0, place_of_names, header, Context())


class _Writer:
    """Joins rows to passages below the names of their columns."""

    def __init__(self, document: DocumentId, limit: int) -> None:
        self.head = ""
        self.count = 0  # of passages
        self._document, self._limit = document, limit
        self._lines: list[str] = []
        self._size = self._first = self._last = 0

    def add(self, row: _Row) -> Iterator[Passage]:
        line = _line(row)
        room = self._limit - len(self.head) - 1
        pieces = [line] if len(line) <= room else [span.text for span in cut(line, room, breaks=LINED)]
        for piece in pieces:
            if self._lines and self._size + len(piece) + 1 > room:
                yield self._take()
            if not self._lines:
                self._first = row.first
            self._lines.append(piece)
            self._size += len(piece) + 1
            self._last = row.last

    def end(self) -> Iterator[Passage]:
        if self._lines:
            yield self._take()

    def _take(self) -> Passage:
        text = "\n".join(filter(None, [self.head, *self._lines]))
        place = Lines(self._first, self._last)
        passage = text_passage(self._document, self.count, place, text, Context())
        self.count, self._lines, self._size = self.count + 1, [], 0
        return passage


def _line(row: _Row) -> str:
    return _SEPARATOR.join(" ".join(cell.split()) for cell in row.cells).rstrip(" |")


def _rows(text: str, delimiter: str) -> Iterator[_Row]:
    """The rows as written; where a quote opens a cell and does not end soon, its line is taken without quotes."""
    csv.field_size_limit(_LONGEST_CELL)
    feed = _Feed(text)
    held: list[str] = []  # lines of the row being read
    failures = 0

    def lines() -> Iterator[str]:
        for line in feed:
            held.append(line)
            if len(held) > _LONGEST_ROW:
                return
            yield line

    while True:
        held.clear()
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if failures < _MOST_FAILURES else csv.QUOTE_NONE
        with suppress(csv.Error):
            for cells in csv.reader(lines(), delimiter=delimiter, quoting=quoting):
                if len(held) > 1 and (len(held) > _LONGEST_ROW or sum(line.count('"') for line in held) % 2):
                    break  # the quote was none
                yield _Row(cells, feed.number - len(held) + 1, feed.number)
                held.clear()
        if not held:
            return
        failures += 1
        first = feed.number - len(held) + 1
        yield _Row(held[0].rstrip("\n").split(delimiter), first, first)
        feed.back(held[1:])


class _Feed:
    """The lines of a text, with their number; lines can be given back."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._back: list[str] = []
        self.number = 0

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        self.number += 1
        if self._back:
            return self._back.pop()
        if self._at >= len(self._text):
            self.number -= 1
            raise StopIteration
        end = self._text.find("\n", self._at) + 1 or len(self._text)
        line, self._at = self._text[self._at : end], end
        return line

    def back(self, lines: list[str]) -> None:
        self._back += reversed(lines)
        self.number -= len(lines)


def _declared(text: str) -> tuple[int, str]:
    """Lines to leave out, and the delimiter, of a file whose first line is Excel's `sep=;`."""
    mark = re.match(r'"?sep=(.)"?\s*\n', text, re.IGNORECASE)
    return (1, mark[1]) if mark else (0, "")


def _delimiter(text: str) -> str:
    """The delimiter that gives most rows equally many cells, at least two; "" where none does."""
    best, chosen = (0.0, 0), ""
    for delimiter in _DELIMITERS:
        rows = [row.cells for row in islice(_rows(text[:_SAMPLE], delimiter), _LOOKED_AT)]
        counts = Counter(len(cells) for cells in rows if any(cell.strip() for cell in cells))
        if not counts:
            continue
        width, _ = max(counts.items(), key=lambda one: (one[0] > 1, one[1], one[0]))
        share = sum(count for cells, count in counts.items() if cells == width) / counts.total()
        if width > 1 and share >= _CONSISTENT and (round(share, 1), width) > best:
            best, chosen = (round(share, 1), width), delimiter
    return chosen


def _named(rows: Sequence[_Row]) -> int | None:
    """The place of the row with the names of the columns: the first as wide as most, if all it holds are names; else None."""
    width = Counter(len(row.cells) for row in rows).most_common(1)[0][0] if rows else 0
    at = next((place for place, row in enumerate(rows) if len(row.cells) == width), None)
    if at is None or width < 2:
        return None
    cells = [cell.strip() for cell in rows[at].cells]
    written = [cell for cell in cells if cell]
    names = len(set(written)) == len(written) >= 0.6 * width and all(_NAME.fullmatch(cell) for cell in written)
    return at if names and not any(_VALUE.fullmatch(cell) for cell in written) else None
