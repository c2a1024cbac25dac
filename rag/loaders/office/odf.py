"""OpenDocument texts (.odt) to passages: headings, tables, notes, comments, headers and footers; blocks of other OpenDocument.

Knows paragraphs and what holds them; odf_flow.py reads the XML, odp.py presentations, ods.py spreadsheets. (odfpy holds the whole
tree, knows no repeated cell, and was last released in 2020.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.odf_flow import End, Event, Paragraph, Said, Start
from rag.loaders.office.odf_numbers import BULLET, OdfNumbers
from rag.loaders.office.odf_parts import Parts
from rag.loaders.office.unread import unread
from rag.loaders.text.chunking import Heading, Rendering, passages_of
from rag.types import DocumentId, Passage

_NOTES = {"text:note": "Footnote", "text:footnote": "Footnote", "text:endnote": "Endnote", "office:annotation": "Comment"}
_CELLS = ("table:table-cell", "table:covered-table-cell")
_PAGES = ("draw:page", "draw:frame", "presentation:notes", "style:master-page")
_NUMBER = re.compile(r"[\d\W]*")
_NO_WORD = re.compile(r"\W*|[\d\W]*NaN")  # what a chart keeps of an empty cell
_MOST_NUMBERS = 1_000  # of a chart: more are data, and nobody reads them in a drawing


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a table with a line per row, or what a note says."""

    text: str
    level: int | None = None  # of a heading


def text_passages(document: DocumentId, parts: Parts, limits: Limits) -> Iterator[Passage]:
    """Spans of a text under its headings. UnreadableDocument where it is damaged or contains no text."""
    lines: list[str] = []
    headings: list[Heading] = []
    length = 0
    reasons: list[str] = []

    def write(text: str) -> None:
        nonlocal length
        lines.append(text + "\n\n")
        length += len(text) + 2
        if length > limits.max_text_bytes:
            raise UnreadableDocument(f"contains more text than the limit max_text_bytes ({limits.max_text_bytes:,})")

    try:
        for block in blocks(parts.body(), parts):
            if isinstance(block, Block):
                text = block.text
                if block.level is not None:
                    text = " ".join(text.split())
                    headings.append(Heading(length, block.level, text))
                    text = "#" * block.level + " " + text
                write(text)
    except UnreadableDocument as error:
        if not lines or length > limits.max_text_bytes:
            raise damaged("text", error) from error
        reasons.append(error.what)
    if edges := list(page_edges(parts, reasons)):
        headings.append(Heading(length, 1, "Header and footer", lines=0))
        for edge in edges:
            write(edge)
    title = parts.title() or next((heading.title for heading in headings if heading.level == 1 and heading.lines), "")
    ordinal = -1
    for passage in passages_of(document, Rendering("".join(lines), tuple(headings), title), limits):
        ordinal = passage.ordinal
        yield passage
    yield from unread(document, ordinal + 1, reasons)


def page_edges(parts: Parts, reasons: list[str]) -> Iterator[str]:
    """The headers and footers of pages, each once, without page numbers."""
    seen = set[str]()
    held: list[str] = []
    try:
        for event in blocks(parts.styles(), parts):
            if isinstance(event, Block):
                held.append(event.text)
            elif event.name.startswith(("style:header", "style:footer")):
                text = "\n".join(held)
                if isinstance(event, End) and text and text not in seen:
                    seen.add(text)
                    yield f"{'Header' if 'header' in event.name else 'Footer'}: {text}"
                held = []
    except UnreadableDocument as error:
        reasons.append(f"has headers and footers that cannot be read: {error.what}")


def blocks(events: Iterable[Event], parts: Parts) -> Iterator[Block | Start | End]:
    """The texts in the order of the flow, with the pages, notes pages, headers and footers that hold them.

    What a note or a comment says follows the paragraph or the table in which it is.
    """
    rows: list[list[str]] = []  # finished, for each open table
    cells: list[list[list[str]]] = []  # texts of the cells of the row being read, for each open table
    said: list[str] = []  # by notes, not given yet
    holding: list[tuple[str, list[str], list[str]]] = []  # open notes: (name, authors, texts)
    numbers = _numbers(parts)
    for event in events:
        if isinstance(event, Start):
            numbers.begin(event)
        elif isinstance(event, End):
            numbers.end(event.name)
        if isinstance(event, Paragraph):
            if holding:
                holding[-1][2].append(" ".join(event.text.split()))
            elif event.text and cells and cells[-1]:
                cells[-1][-1].append(" ".join(event.text.split()))
            elif event.text:
                label = numbers.label(event.level)
                shown = label if event.level is None or label != BULLET else ""
                yield Block(f"{shown} {event.text}" if shown else event.text, event.level)
            if not (event.inner or cells or holding):
                yield from map(Block, said)
                said = []
        elif isinstance(event, Said):
            if holding and event.name == "dc:creator":
                holding[-1][1].append(event.text)
            elif event.name.startswith("presentation:") and event.text:
                said.append(event.text)
        elif event.name in _NOTES:
            if isinstance(event, Start):
                holding.append((_note_name(event), [], []))
            elif holding:
                name, authors, texts = holding.pop()
                if text := " ".join(filter(None, texts)):
                    said.append(f"{name}{f' ({authors[0]})' if authors and authors[0] else ''}: {text}")
        elif event.name == "draw:object":
            if isinstance(event, Start) and (words := drawn_words(parts, event.attributes.get("xlink:href", ""))):
                yield Block(words)
        elif event.name == "table:table":
            if isinstance(event, Start):
                rows.append([])
                cells.append([])
            elif rows:
                cells.pop()
                text = "\n".join(rows.pop())
                if text and cells and cells[-1]:  # nested: its text belongs to the cell that holds it
                    cells[-1][-1].append(" ".join(text.split()))
                elif text:
                    yield Block(text)
                if not cells:
                    yield from map(Block, said)
                    said = []
        elif event.name == "table:table-row":
            if isinstance(event, End) and cells:
                if any(cells[-1]):
                    rows[-1].append(" | ".join(" ".join(texts) for texts in cells[-1]))
                cells[-1] = []
        elif event.name in _CELLS:
            if isinstance(event, Start) and cells:
                cells[-1].append([])
        elif event.name in _PAGES or event.name.startswith(("style:header", "style:footer")):
            if isinstance(event, End) and event.name != "draw:frame":
                yield from map(Block, said)
                said = []
            yield event
    yield from map(Block, said)


def _numbers(parts: Parts) -> OdfNumbers:
    """The numbers of lists and headings, with the styles that stand apart; without them where they cannot be read."""
    numbers = OdfNumbers()
    try:
        for event in parts.list_styles():
            if isinstance(event, Start) and event.name.startswith(("text:list-", "text:outline-")):
                numbers.begin(event)
    except UnreadableDocument:
        pass  # whoever reads headers and footers from there says so
    return numbers


def drawn_words(parts: Parts, target: str) -> str:
    """The words in a chart or another embedded object, each once, with its first numbers; "" where there are none."""
    words: dict[str, None] = {}
    numbers = 0
    try:
        for event in parts.embedded(target):
            if not isinstance(event, Paragraph) or event.text in words or _NO_WORD.fullmatch(event.text):
                continue
            numbers += bool(_NUMBER.fullmatch(event.text))
            if numbers <= _MOST_NUMBERS or not _NUMBER.fullmatch(event.text):
                words[event.text] = None
    except UnreadableDocument:
        pass  # what was read of it is there; a drawing has few words
    return "\n".join(words)


def _note_name(event: Start) -> str:
    return "Endnote" if event.attributes.get("text:note-class") == "endnote" else _NOTES[event.name]


def damaged(what: str, error: UnreadableDocument) -> UnreadableDocument:
    """The reason of a fault in the XML, with what it is found in."""
    if not error.what.startswith("is damaged: "):
        return error
    return UnreadableDocument(f"is a damaged OpenDocument {what}: {error.what.removeprefix('is damaged: ')}")
