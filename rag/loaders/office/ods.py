"""OpenDocument spreadsheets (.ods) to passages: rows under the names of their columns, sheet by sheet.

Knows tables of OpenDocument, no text document: the displayed form of a cell is its text, the stored one an attribute. What is
repeated is read once: a few bytes can claim a million equal rows.
"""

from __future__ import annotations

from collections.abc import Iterator

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.number_format import plain_number
from rag.loaders.office.odf import drawn_words, page_edges
from rag.loaders.office.odf_flow import End, Event, Paragraph, Said, Start
from rag.loaders.office.odf_parts import Parts
from rag.loaders.office.tables import Bounds, Row, one_line, spans
from rag.loaders.office.unread import unread
from rag.loaders.text.chunking import cut, text_passage
from rag.types import Context, DocumentId, Passage, Sheet

_MAX_REPEATED = 64  # equal cells beside each other that are written out
_LAST_COLUMN = 16_384
_CELLS = ("table:table-cell", "table:covered-table-cell")


def passages(document: DocumentId, parts: Parts, limits: Limits) -> Iterator[Passage]:
    """Spans of each sheet that holds words. UnreadableDocument where it is damaged or contains no text."""
    bounds, title = Bounds(limits), parts.title()
    reasons: list[str] = []
    ordinal = 0
    name = ""
    events = parts.body()
    try:
        for event in events:
            if not (isinstance(event, Start) and event.name == "table:table"):
                continue
            sheet = _SheetReader(events, parts)
            name = event.attributes.get("table:name", "")
            hidden = "hidden sheet" if event.attributes.get("table:style-name") in parts.hidden else ""
            context = Context(title=title, heading=hidden, sheet=name)
            for text in spans(bounds.counted(sheet.rows()), limits.passage_characters):
                yield text_passage(document, ordinal, Sheet(name), text, context)
                ordinal += 1
            for span in cut("\n\n".join(sheet.drawn), limits.passage_characters):
                yield text_passage(document, ordinal, Sheet(name), span.text, context)
                ordinal += 1
            if sheet.without_result:
                reasons.append(
                    f"sheet {name}: formulas without a stored result ({sheet.without_result:,}):"
                    " open the workbook in a spreadsheet program and save it"
                )
    except UnreadableDocument as error:
        if not error.what.startswith("is damaged: "):
            raise
        if not ordinal:
            raise UnreadableDocument(
                f"is a damaged OpenDocument spreadsheet: {error.what.removeprefix('is damaged: ')}"
            ) from error
        reasons.append(error.what)
    edges = "\n\n".join(edge for edge in page_edges(parts, reasons) if not _is_default(edge))
    for span in cut(edges, limits.passage_characters):
        yield text_passage(document, ordinal, Sheet(name), span.text, Context(title=title))
        ordinal += 1
    if not ordinal:
        raise UnreadableDocument("contains no text")
    yield from unread(document, ordinal, reasons)


def _is_default(edge: str) -> bool:
    """Whether a header or footer is one that new spreadsheets have: the name of the sheet, the number of the page."""
    return not any(map(str.isalpha, edge.partition(": ")[2].removeprefix("Page")))


class _SheetReader:
    """Reads one table of the flow, up to its end."""

    def __init__(self, events: Iterator[Event], parts: Parts) -> None:
        self._events, self._parts = events, parts
        self.drawn: list[str] = []  # words of shapes and charts
        self.without_result = 0  # formulas

    def rows(self) -> Iterator[Row]:
        number = 1
        cells: list[tuple[int, str]] = []
        column = depth = shapes = 0
        row: dict[str, str] = {}  # attributes
        cell: dict[str, str] = {}
        texts: list[str] = []
        notes: list[str] = []  # texts of the open note
        noted: list[str] = []  # on the open cell
        author: list[str] = []
        noting = False
        for event in self._events:
            if isinstance(event, Paragraph):
                if shapes:
                    self.drawn += [event.text] if event.text else []
                else:
                    (notes if noting else texts).append(event.text)
            elif isinstance(event, Said):
                author = [event.text] if noting else author
            elif event.name == "office:annotation":
                noting = isinstance(event, Start)
                if noting:
                    author = []
                elif said := one_line(" ".join(notes)):
                    by = f" by {author[0]}" if author and author[0] else ""
                    noted.append(f"[note{by}: {said}]")
                    notes = []
            elif event.name == "table:shapes":
                shapes += 1 if isinstance(event, Start) else -1
            elif event.name == "draw:object":
                if isinstance(event, Start) and (words := drawn_words(self._parts, event.attributes.get("xlink:href", ""))):
                    self.drawn.append(words)
            elif event.name == "table:table":
                if isinstance(event, End) and not depth:
                    return
                depth += 1 if isinstance(event, Start) else -1  # a table inside a cell
            elif event.name == "table:table-row":
                if isinstance(event, Start):
                    row, cells, column = dict(event.attributes), [], 0
                else:
                    if cells:
                        yield Row(number, cells, hidden=row.get("table:visibility", "visible") != "visible")
                    number += _count(row, "table:number-rows-repeated")
            elif event.name in _CELLS:
                if isinstance(event, Start):
                    cell, texts, noted = dict(event.attributes), [], []
                    continue
                repeated = _count(cell, "table:number-columns-repeated")
                if text := " ".join(filter(None, (self._shown(cell, texts), *noted))):
                    cells += [(at, text) for at in range(column, min(column + min(repeated, _MAX_REPEATED), _LAST_COLUMN))]
                column = min(column + repeated, _LAST_COLUMN)

    def _shown(self, cell: dict[str, str], texts: list[str]) -> str:
        """A cell as a person sees it, on one line, and as it is stored."""
        seen = one_line(" ".join(texts))
        number = cell.get("office:value") or cell.get("table:value") or ""
        stored = cell.get("office:date-value", "")
        if number:
            try:
                stored = plain_number(float(number))
            except ValueError:
                stored = number
        stored = stored.removesuffix("T00:00:00").replace("T", " ")
        formula = cell.get("table:formula", "")
        if formula and not (seen or stored or cell.get("office:string-value") or cell.get("office:value-type")):
            self.without_result += 1
            return one_line("=" + formula.partition("=")[2])
        if not seen or not stored or stored in seen or _plain(seen) == stored:
            return seen or stored or one_line(cell.get("office:string-value", ""))
        return f"{seen} ({stored})"


def _plain(seen: str) -> str:
    """A number shown with zeros added, without them."""
    return seen.rstrip("0").rstrip(".") if "." in seen and seen.replace(".", "", 1).lstrip("-").isdigit() else seen


def _count(attributes: dict[str, str], name: str) -> int:
    written = attributes.get(name, "1")
    return max(1, int(written)) if written.isascii() and written.isdigit() and len(written) < 10 else 1
