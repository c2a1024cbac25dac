"""The cells of a sheet of an Excel workbook, as texts: the displayed form, the stored one, and the notes written on them.

Knows SpreadsheetML; knows no other sheet. Cells and rows that only carry a format are dropped before the XML is parsed: a sheet
may be formatted down to its last row, with three words in it.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate

from rag.errors import UnreadableDocument
from rag.loaders.office.number_format import BUILT_IN, number_text, plain_number
from rag.loaders.office.package import Package, free
from rag.loaders.office.tables import Row, one_line

_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LAST_COLUMN = 16_384  # XFD
LAST_ROW = 1_048_576
_EDGES = frozenset(f"{kind}{edge}" for kind in ("first", "odd", "even") for edge in ("Header", "Footer"))
_TEXTS = frozenset({"v", "f", "t"})  # elements with the text of a cell
_EMPTY_CELLS = re.compile(rb"<(?:\w+:)?c\s(?=[^<>]*\br=)[^<>]*/>")
_EMPTY_ROWS = re.compile(rb"<(?:\w+:)?row\s(?=[^<>]*\br=)[^<>]*(?:/>|>\s*</(?:\w+:)?row>)")
_OF_LATER_PROGRAMS = re.compile(r"_xl(?:fn|ws|udf|pm)\.")

Cell = tuple[int, int]  # (row from 1, column from 0)


class CellReader:
    """Reads one sheet once.

    expat reads a sheet of 1,500,000 cells in 4 s, lxml in 8 and ElementTree in 12: no object is made of what is only counted.
    """

    def __init__(
        self,
        package: Package,
        part: str,
        strings: Sequence[str],
        codes: Sequence[str],
        epoch: datetime.date,
        notes: Mapping[Cell, str],
    ) -> None:
        self._package, self._part = package, part
        self._strings = strings
        self._texts = [number_text(code, epoch) for code in codes] or [plain_number]  # by style
        self._notes = dict(sorted(notes.items(), reverse=True))  # the last is the next
        self._done: list[Row] = []
        self._row: Mapping[str, str] = {}  # attributes of the row and the cell being read
        self._cell: Mapping[str, str] = {}
        self._cells: dict[int, str] = {}  # of that row, by column
        self._number, self._column = 0, -1
        self._held: dict[str, str] = {}  # texts in that cell, by element
        self._said: list[str] = []  # pieces of the text being read
        self._takes_text = False
        self._in_reading = False  # in a phonetic reading, which repeats the text
        self.without_result: list[str] = []  # cells with a formula whose result is not stored
        self.edges: list[str] = []  # headers and footers of its printed pages

    def rows(self) -> Iterator[Row]:
        """The rows that hold something. UnreadableDocument where the sheet is damaged."""
        parser = ParserCreate()
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler, parser.buffer_text = self._text, True
        try:
            for chunk in _thinned(self._package.chunks(self._part)):
                parser.Parse(chunk, False)
                yield from self._done
                self._done.clear()
            parser.Parse(b"", True)
        except ExpatError as error:
            raise UnreadableDocument(f"is damaged: {error}, in its part {self._part}") from error
        yield from self._done
        yield from self._noted_before(LAST_ROW + 1)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "c":
            self._cell = attributes
            self._held = {}
        elif tag in _TEXTS or tag in _EDGES:
            self._said.clear()
            self._takes_text = not self._in_reading
        elif tag == "row":
            self._row, self._cells, self._column = attributes, {}, -1
            number = attributes.get("r", "")
            self._number = int(number) if number.isascii() and number.isdigit() and len(number) < 12 else self._number + 1
        elif tag == "rPh":
            self._in_reading = True

    def _text(self, text: str) -> None:
        if self._takes_text:
            self._said.append(text)

    def _end(self, tag: str) -> None:
        tag = tag.rpartition(":")[2]
        if tag in _TEXTS:
            if self._takes_text:
                self._held[tag] = self._held.get(tag, "") + "".join(self._said)
            self._takes_text = False
        elif tag == "c":
            reference = self._cell.get("r", "")
            self._column = _column(reference.rstrip("0123456789")) if reference else self._column + 1
            if (text := self._shown(reference)) and 0 <= self._column < _LAST_COLUMN:
                self._cells[self._column] = text
        elif tag == "row":
            self._done += self._noted_before(self._number)
            while self._notes and (at := next(reversed(self._notes)))[0] == self._number:
                self._cells[at[1]] = f"{self._cells.get(at[1], '')} {self._notes.pop(at)}".strip()
            if self._cells:
                self._done.append(Row(self._number, sorted(self._cells.items()), self._row.get("hidden") in ("1", "true")))
        elif tag == "rPh":
            self._in_reading = False
        elif tag in _EDGES:
            self.edges.append("".join(self._said))
            self._takes_text = False

    def _noted_before(self, number: int) -> Iterator[Row]:
        """The notes above a row, on cells that hold nothing else."""
        while self._notes and (at := next(reversed(self._notes)))[0] < number:
            yield Row(at[0], [(at[1], self._notes.pop(at))])

    def _shown(self, reference: str) -> str:
        """A cell as a person sees it, on one line, and as it is stored."""
        kind, value = self._cell.get("t", "n"), self._held.get("v", "")
        if kind == "inlineStr" or (not value and "t" in self._held):
            return one_line(self._held.get("t", ""))
        if not value:
            return self._formula(reference) if "f" in self._held and not (kind == "str" and "v" in self._held) else ""
        if kind == "s":
            return self._strings[int(value)] if value.isascii() and value.isdigit() and int(value) < len(self._strings) else ""
        if kind == "b":
            return "TRUE" if value == "1" else "FALSE"
        if kind != "n":
            return one_line(value)
        try:
            number = float(value)
        except ValueError:
            return one_line(value)
        style = self._cell.get("s", "0")
        at = int(style) if style.isascii() and style.isdigit() else 0
        return self._texts[at if at < len(self._texts) else 0](number)

    def _formula(self, reference: str) -> str:
        """A formula in the place of its result."""
        self.without_result.append(reference or "?")
        text = one_line(_OF_LATER_PROGRAMS.sub("", self._held["f"]))
        return f"={text}" if text else ""


def shared_strings(package: Package, part: str) -> list[str]:
    """The texts that cells refer to by number. UnreadableDocument where there are too many."""
    strings: list[str] = []
    characters, most = 0, package.limits.max_text_bytes
    for _, element in package.events(part, ("end",), (f"{_S}si",)):
        strings.append(one_line(_rich_text(element)))
        characters += len(strings[-1])
        if characters > most:
            raise UnreadableDocument(f"contains more text than the limit max_text_bytes ({most:,})")
        free(element)
    return strings


def style_codes(package: Package, part: str) -> list[str]:
    """The number format of each cell style; none where the styles are damaged: numbers are then read as they are stored."""
    try:
        styles = package.tree(part)
    except UnreadableDocument:
        return []
    codes = {str(number): code for number, code in BUILT_IN.items()}
    codes |= {one.get("numFmtId", ""): one.get("formatCode", "") for one in styles.iterfind(f"{_S}numFmts/{_S}numFmt")}
    return [codes.get(one.get("numFmtId", ""), "") for one in styles.iterfind(f"{_S}cellXfs/{_S}xf")]


def cell_of(reference: str) -> Cell | None:
    """Row and column of "B4"; None where it is no cell."""
    letters = reference.rstrip("0123456789")
    digits = reference[len(letters) :]
    column = _column(letters)
    return (int(digits), column) if digits and len(digits) < 9 and 0 <= column < _LAST_COLUMN else None


def _rich_text(element: Any) -> str:
    """A text without its phonetic readings."""
    runs = (run for run in element.iter(f"{_S}t") if run.getparent().tag != f"{_S}rPh")
    return "".join(run.text or "" for run in runs)


@cache
def _column(letters: str) -> int:
    """ "A" is 0; -1 where it is no column."""
    if not (0 < len(letters) <= 3 and letters.isascii() and letters.isalpha()):
        return -1
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


def _thinned(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The XML without the cells and rows that hold nothing."""
    for chunk in chunks:
        yield _EMPTY_ROWS.sub(b"", _EMPTY_CELLS.sub(b"", chunk)) if b"/>" in chunk else chunk
