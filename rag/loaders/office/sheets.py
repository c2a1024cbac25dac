"""Excel workbooks (.xlsx) to passages: rows under their header row, sheet by sheet.

Knows what openpyxl reads, values as last computed; gets a cleaned archive (safe_zip.py). Bounded in rows, cells and characters:
a few bytes of XML can claim a billion empty rows, or put one long text into a million cells.
"""

from __future__ import annotations

import datetime
import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from itertools import groupby
from operator import itemgetter
from typing import Any
from xml.etree.ElementTree import ParseError

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.safe_zip import first_line
from rag.loaders.text.chunking import LINED, cut, text_passage
from rag.types import Context, DocumentId, Passage, Sheet

_MAX_ROWS = 2_000_000  # of all sheets, empty ones included; Excel's own limit is 1,048,576 a sheet
_MAX_CELLS = 20_000_000
_MAX_CELL_CHARACTERS = 32_767  # Excel's own limit


def passages(document: DocumentId, members: io.BytesIO, limits: Limits) -> Iterator[Passage]:
    """Spans of rows, each headed by the first row of its sheet. UnreadableDocument where it is damaged or contains no text."""
    from lxml.etree import LxmlError

    warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")  # about styles, which are not read
    ordinal = -1
    # what openpyxl 3.1 raises on damaged workbooks (tests/unit/loaders/office/test_office.py damages one 300 times)
    damaged = (
        LxmlError,
        ParseError,
        zipfile.BadZipFile,
        OSError,
        LookupError,
        ValueError,
        OverflowError,
    )
    try:
        workbook = _opened(members)
        title = " ".join(str(workbook.properties.title or "").split())
        for name, rows in groupby(_rows(workbook.worksheets, limits), key=itemgetter(0)):
            for text in _spans(map(itemgetter(1), rows), limits.passage_characters):
                ordinal += 1
                yield text_passage(document, ordinal, Sheet(name), text, Context(title=title, sheet=name))
    except (AttributeError, TypeError) as error:  # openpyxl found an unexpected element
        raise UnreadableDocument("is a damaged Excel workbook: a part contains unexpected elements") from error
    except damaged as error:
        raise UnreadableDocument(f"is a damaged Excel workbook: {first_line(error)}") from error
    if ordinal < 0:
        raise UnreadableDocument("contains no text")


def _opened(members: io.BytesIO) -> Any:
    """The workbook; without its styles where openpyxl cannot read them (dates are then numbers)."""
    from openpyxl import load_workbook

    with redirect_stdout(io.StringIO()):  # openpyxl prints remarks about styles
        try:
            return load_workbook(members, read_only=True, data_only=True, keep_links=False)
        except (AttributeError, TypeError, ValueError, LookupError):
            plain = _without(members, "xl/styles.xml")
            return load_workbook(plain, read_only=True, data_only=True, keep_links=False)


def _without(members: io.BytesIO, name: str) -> io.BytesIO:
    copied = io.BytesIO()
    with zipfile.ZipFile(members) as archive, zipfile.ZipFile(copied, "w") as copy:
        for member in archive.infolist():
            if member.filename != name:
                copy.writestr(member.filename, archive.read(member))
    return copied


def _rows(sheets: Sequence[Any], limits: Limits) -> Iterator[tuple[str, str]]:
    """(sheet name, row as text) of each row that is not empty."""
    rows = cells = characters = 0
    for sheet in sheets:
        sheet.reset_dimensions()  # else the size that the file claims would pad every row
        for row in sheet.iter_rows(values_only=True):
            line = " | ".join(map(_cell_text, row)).strip(" |")
            rows, cells, characters = rows + 1, cells + len(row), characters + len(line)
            if rows > _MAX_ROWS or cells > _MAX_CELLS:
                raise UnreadableDocument(f"is a workbook of more than {_MAX_ROWS:,} rows or {_MAX_CELLS:,} cells")
            if characters > limits.max_text_bytes:
                raise UnreadableDocument(f"contains more text than the limit max_text_bytes ({limits.max_text_bytes:,})")
            if line:
                yield sheet.title, line


def _cell_text(value: object) -> str:
    """A cell as a reader sees it, on one line."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.15g}"  # Excel keeps 15 digits
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ", "seconds")
    return " ".join(str(value)[:_MAX_CELL_CHARACTERS].split())


def _spans(rows: Iterator[str], limit: int) -> Iterator[str]:
    """Rows joined up to `limit` characters, each span headed by the first row, cut to a third of the limit."""
    header = next(rows, "")
    head = header[: limit // 3].rstrip()
    if head != header:
        yield from (span.text for span in cut(header, limit, breaks=LINED))
    room = limit - len(head) - 1
    pending: list[str] = []
    size = 0
    only_header = head == header
    for row in rows:
        only_header = False
        for piece in [row] if len(row) <= room else [span.text for span in cut(row, room, breaks=LINED)]:
            if pending and size + len(piece) > room:
                yield "\n".join([head, *pending])
                pending, size = [], 0
            pending.append(piece)
            size += len(piece) + 1
    if pending or only_header:
        yield "\n".join([head, *pending])
