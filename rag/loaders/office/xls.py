"""Excel workbooks until 2003 (.xls) to passages: rows under the names of their columns, notes, text boxes, page edges.

Knows what `xlrd` reads, formulas by their stored results; xls_beside.py finds the texts that it does not.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.date_format import EPOCH_1900, EPOCH_1904
from rag.loaders.office.number_format import number_text, plain_number
from rag.loaders.office.ole import OLE, opened_ole, stream, title_in
from rag.loaders.office.tables import Bounds, Row, one_line, spans
from rag.loaders.office.xls_beside import texts_beside
from rag.loaders.plain_reasons import SAVE_AS_XLSX, workbook_fault
from rag.loaders.text.chunking import cut, text_passage
from rag.types import Context, Document, DocumentId, Passage, Sheet

_MAX_BYTES = 8  # of a file, times max_text_bytes: xlrd holds it in memory
_EMPTY, _TEXT, _NUMBER, _DATE, _BOOLEAN, _ERROR = 0, 1, 2, 3, 4, 5  # types of cells


def passages(document: Document, limits: Limits) -> Iterator[Passage]:
    """Spans of each sheet that holds words. UnreadableDocument where it is damaged, encrypted or contains no text."""
    import xlrd
    from xlrd.compdoc import CompDocError
    from xlrd.formula import FormulaError

    # what xlrd 2.0 raises on damaged workbooks (tests/unit/loaders/office/test_old_office.py damages some)
    damaged = (
        *(CompDocError, FormulaError, struct.error, zlib.error, ArithmeticError, AssertionError, AttributeError, LookupError),
        *(NotImplementedError, OSError, RecursionError, TypeError, ValueError),
    )
    content, title = _content(document.file, limits)
    try:
        book = _opened(content)
        yield from _passages(document.id, book, title, limits)
    except xlrd.XLRDError as error:
        said = str(error)
        if "encrypted" in said.lower():
            raise UnreadableDocument("is encrypted; save it without a password") from error
        raise UnreadableDocument(workbook_fault(one_line(said)[:200])) from error
    except damaged as error:
        raise UnreadableDocument(f"is a damaged Excel workbook: its parts do not fit together; {SAVE_AS_XLSX}") from error


def _content(file: Path, limits: Limits) -> tuple[bytes, str]:
    """(the records of the workbook, its title). xlrd gets no OLE file: it would believe in any length that one claims."""
    try:
        with file.open("rb") as opened:
            if opened.read(len(OLE)) != OLE:
                opened.seek(0)
                return opened.read(_MAX_BYTES * limits.max_text_bytes), ""
    except OSError as error:
        raise UnreadableDocument(f"cannot be opened: {error.strerror or error}") from error
    with opened_ole(file) as ole:
        return stream(ole, ("Workbook", "Book"), limits), title_in(ole, limits)


def _opened(content: bytes) -> Any:
    """The workbook; without its formats where xlrd cannot read them (dates are then as xlrd tells them)."""
    import xlrd
    from xlrd.formula import FormulaError

    try:
        return xlrd.open_workbook(
            file_contents=content, formatting_info=True, on_demand=True, ragged_rows=True, logfile=io.StringIO()
        )
    except (FormulaError, NotImplementedError, AssertionError, AttributeError, LookupError, TypeError, ValueError, struct.error):
        return xlrd.open_workbook(file_contents=content, on_demand=True, ragged_rows=True, logfile=io.StringIO())


def _passages(document: DocumentId, book: Any, title: str, limits: Limits) -> Iterator[Passage]:
    bounds = Bounds(limits)
    noted: set[str] = set()
    ordinal = 0
    names = book.sheet_names()
    records = (
        b"" if book.mem is None else bytes(book.mem[book.base : book.base + book.stream_len])
    )  # gone in the oldest workbooks
    beside_texts = texts_beside(records)
    for number, name in enumerate(names):
        sheet = book.sheet_by_index(number)
        context = Context(title=title, heading="hidden sheet" if sheet.visibility else "", sheet=name)
        notes = {place: _note(note) for place, note in sheet.cell_note_map.items()}
        noted |= {one_line(note.text) for note in sheet.cell_note_map.values()}
        for text in spans(bounds.counted(_rows(book, sheet, notes)), limits.passage_characters):
            yield text_passage(document, ordinal, Sheet(name), text, context)
            ordinal += 1
        book.unload_sheet(number)
    beside = "\n\n".join(text for text in beside_texts if one_line(text) not in noted)
    for span in cut(beside, limits.passage_characters):
        yield text_passage(document, ordinal, Sheet(names[0] if names else ""), span.text, Context(title=title))
        ordinal += 1
    if not ordinal:
        raise UnreadableDocument("contains no text")


def _rows(book: Any, sheet: Any, notes: dict[tuple[int, int], str]) -> Iterator[Row]:
    epoch = EPOCH_1904 if book.datemode else EPOCH_1900
    forms: dict[str, Any] = {}
    waiting = sorted(notes, reverse=True)
    for number in range(sheet.nrows):
        cells: dict[int, str] = {}
        kinds, values = sheet.row_types(number), sheet.row_values(number)
        for column, (kind, value) in enumerate(zip(kinds, values, strict=True)):
            if kind == _TEXT:
                text = one_line(value)
            elif kind in (_NUMBER, _DATE):
                code = _code(book, sheet, number, column) or ("yyyy-mm-dd" if kind == _DATE else "")
                form = forms.get(code) or forms.setdefault(code, number_text(code, epoch) if code else plain_number)
                text = form(value)
            elif kind == _BOOLEAN:
                text = "TRUE" if value else "FALSE"
            elif kind == _ERROR:
                text = _errors().get(value, "")
            else:
                continue
            if text:
                cells[column] = text
        while waiting and waiting[-1][0] < number:
            at = waiting.pop()
            yield Row(at[0] + 1, [(at[1], notes[at])])  # on a cell that holds nothing else
        while waiting and waiting[-1][0] == number:
            at = waiting.pop()
            cells[at[1]] = f"{cells.get(at[1], '')} {notes[at]}".strip()
        if cells:
            info = sheet.rowinfo_map.get(number)
            yield Row(number + 1, sorted(cells.items()), hidden=bool(info is not None and info.hidden))
    for at in reversed(waiting):
        yield Row(at[0] + 1, [(at[1], notes[at])])


def _code(book: Any, sheet: Any, row: int, column: int) -> str:
    """The number format of a cell; "" where it is not known."""
    if not book.formatting_info:
        return ""
    try:
        form = book.format_map.get(book.xf_list[sheet.cell_xf_index(row, column)].format_key)
    except (IndexError, TypeError, AttributeError):
        return ""
    return "" if form is None else str(form.format_str or "")


def _errors() -> dict[int, str]:
    from xlrd.biffh import error_text_from_code

    return dict(error_text_from_code)


def _note(note: Any) -> str:
    author, text = one_line(note.author or ""), one_line(note.text or "")
    text = text.removeprefix(f"{author}:").strip() if author else text
    return f"[note{f' by {author}' if author else ''}: {text}]" if text else ""
