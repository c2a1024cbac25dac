"""Excel workbooks (.xlsx) to passages: rows under the names of their columns, sheet by sheet, and what stands beside the cells.

Knows the parts of a workbook; sheet_cells.py reads cells, sheet_notes.py what is written beside them. It streams. (openpyxl
does not tell, as it streams, which rows are hidden, nor a formula together with its result.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.date_format import EPOCH_1900, EPOCH_1904
from rag.loaders.office.package import Package
from rag.loaders.office.safe_zip import first_line
from rag.loaders.office.sheet_cells import CellReader, shared_strings, style_codes
from rag.loaders.office.sheet_notes import NoteReader, page_edges
from rag.loaders.office.tables import Bounds, spans
from rag.loaders.office.unread import unread
from rag.loaders.text.chunking import cut, text_passage
from rag.types import Context, DocumentId, Passage, Sheet

_RELATION_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_CORE_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_CELLS_NAMED = 3  # of those whose formula has no result


def passages(document: DocumentId, package: Package, limits: Limits) -> Iterator[Passage]:
    """Spans of each sheet that holds words. UnreadableDocument where it is damaged or contains no text."""
    from lxml import etree

    try:
        yield from _passages(document, package, limits)
    except etree.LxmlError as error:
        raise UnreadableDocument(f"is a damaged Excel workbook: {first_line(error)}") from error
    except UnreadableDocument as error:
        if not error.what.startswith("is damaged: "):
            raise
        raise UnreadableDocument(f"is a damaged Excel workbook: {error.what.removeprefix('is damaged: ')}") from error


def _passages(document: DocumentId, package: Package, limits: Limits) -> Iterator[Passage]:
    main = package.main_part("officeDocument", "xl/workbook.xml")
    if not main:
        raise UnreadableDocument("is a damaged Excel workbook: its main part is missing")
    workbook = package.tree(main)
    relations = package.relations(main)
    targets = {one.id: one.target for one in relations}
    properties = workbook.find("{*}workbookPr")
    epoch = EPOCH_1904 if properties is not None and properties.get("date1904") in ("1", "true") else EPOCH_1900
    parts = {one.kind: one.target for one in relations if one.target in package}
    texts, styles = (parts.get(kind, f"xl/{kind}.xml") for kind in ("sharedStrings", "styles"))
    strings = shared_strings(package, texts) if texts in package else []
    codes = style_codes(package, styles) if styles in package else []
    notes = NoteReader(package, parts.get("person", ""))
    title = _title(package)
    bounds = Bounds(limits)
    reasons: list[str] = []
    ordinal = 0
    for listed in workbook.iterfind("{*}sheets/{*}sheet"):
        name = listed.get("name", "")
        part = targets.get(listed.get(_RELATION_ID, ""), "")
        if part not in package:
            reasons.append(f"sheet {name} is missing")
            continue
        hidden = "hidden sheet" if listed.get("state", "visible") != "visible" else ""
        context = Context(title=title, heading=hidden, sheet=name)
        cells = CellReader(package, part, strings, codes, epoch, notes.of_cells(part))
        for text in spans(bounds.counted(cells.rows()), limits.passage_characters):
            yield text_passage(document, ordinal, Sheet(name), text, context)
            ordinal += 1
        beside = "\n\n".join((*notes.drawn(part), *page_edges(cells.edges)))
        for span in cut(beside, limits.passage_characters):
            yield text_passage(document, ordinal, Sheet(name), span.text, context)
            ordinal += 1
        reasons += [f"sheet {name} {reason}" for reason in (*_unknown_results(cells.without_result), *notes.unread)]
        notes.unread.clear()
    if not ordinal:
        raise UnreadableDocument(reasons[0] if reasons else "contains no text")
    yield from unread(document, ordinal, reasons)


def _unknown_results(cells: list[str]) -> Iterator[str]:
    """The reason why results are missing, if some are."""
    if cells:
        named = ", ".join(cells[:_CELLS_NAMED]) + (", …" if len(cells) > _CELLS_NAMED else "")
        count = f"{len(cells):,} formulas have" if len(cells) > 1 else "one formula has"
        yield f"{count} no stored result ({named}): open the workbook in a spreadsheet program and save it"


def _title(package: Package) -> str:
    core = package.main_part("core-properties", "docProps/core.xml")
    try:
        tree: Any = package.tree(core) if core else None
    except UnreadableDocument:
        return ""
    return "" if tree is None else " ".join((tree.findtext(f".//{_CORE_TITLE}") or "").split())
