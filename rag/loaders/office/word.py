"""Word documents (.docx) to text: paragraphs, headings by style, lists, tables, notes and text boxes, in reading order.

Knows WordprocessingML; gets a cleaned archive (safe_zip.py). It streams; mammoth (inside markitdown) takes 41 MB and 1.2 s for
each megabyte of XML. Heading styles are recognised by name and outline level, because their ids are translated.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from rag.errors import UnreadableDocument
from rag.loaders.office.safe_zip import first_line
from rag.loaders.text.chunking import Heading, Rendering

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STRICT = b"http://purl.oclc.org/ooxml/wordprocessingml/main"  # ISO 29500 Strict, as "Strict Open XML" saves it
_TRANSITIONAL = _W[1:-1].encode()
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_PICTURE_WORDS = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
_DC_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_RELATIONSHIP = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_NOTES = ("word/footnotes.xml", "word/endnotes.xml", "word/comments.xml")
_HEADING_NAME = re.compile(r"heading ([1-9])", re.IGNORECASE)


def rendered(members: io.BytesIO) -> Rendering:
    """The document's text, a blank line between paragraphs. UnreadableDocument where its XML is damaged."""
    from lxml import etree

    lines: list[str] = []
    headings: list[Heading] = []
    length = 0
    try:
        with zipfile.ZipFile(members) as archive:
            names = set(archive.namelist())
            main = _main_part(_xml(archive, "_rels/.rels")) if "_rels/.rels" in names else ""
            if main not in names:
                raise UnreadableDocument("is a damaged Word document: its main part is missing")
            levels = _levels(_xml(archive, "word/styles.xml")) if "word/styles.xml" in names else {}
            title = _title(_xml(archive, "docProps/core.xml")) if "docProps/core.xml" in names else ""
            for part in (main, *_NOTES):
                for level, text in _paragraphs(_xml(archive, part), levels) if part in names else ():
                    if level is not None and "\n" not in text:
                        text = "#" * max(level, 1) + " " + text
                        headings.append(Heading(length, max(level, 1), text.lstrip("# ")))
                        title = title or (headings[-1].title if level <= 1 else "")
                    lines.append(text + "\n\n")
                    length += len(text) + 2
    except (etree.LxmlError, ValueError) as error:
        raise UnreadableDocument(f"is a damaged Word document: {first_line(error)}") from error
    return Rendering("".join(lines), tuple(headings), title)


def _xml(archive: zipfile.ZipFile, part: str) -> io.BytesIO:
    return io.BytesIO(archive.read(part).replace(_STRICT, _TRANSITIONAL))


def _events(part: io.BytesIO, events: tuple[str, ...], tags: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    from lxml import etree

    yield from etree.iterparse(part, events, tag=tags, resolve_entities=False, no_network=True, load_dtd=False)


def _main_part(relationships: io.BytesIO) -> str:
    """The main part: mostly word/document.xml; some versions of Office write word/document2.xml."""
    for _, one in _events(relationships, ("end",), (_RELATIONSHIP,)):
        if one.get("Type", "").endswith("/officeDocument"):
            return str(one.get("Target", "")).lstrip("/")
    return ""


def _levels(styles: io.BytesIO) -> dict[str, int]:
    """Style id → heading level (0 for the title), by the style's name or its outline level."""
    levels = {}
    for _, style in _events(styles, ("end",), (f"{_W}style",)):
        name, outline = style.find(f"{_W}name"), style.find(f"{_W}pPr/{_W}outlineLvl")
        named = "" if name is None else name.get(f"{_W}val", "")
        depth = "" if outline is None else outline.get(f"{_W}val", "")
        if mark := _HEADING_NAME.fullmatch(named):
            levels[style.get(f"{_W}styleId", "")] = int(mark[1])
        elif named.lower() == "title":
            levels[style.get(f"{_W}styleId", "")] = 0
        elif depth.isascii() and depth.isdigit() and int(depth) < 9:
            levels[style.get(f"{_W}styleId", "")] = int(depth) + 1
    return levels


def _title(core: io.BytesIO) -> str:
    return next((" ".join((element.text or "").split()) for _, element in _events(core, ("end",), (_DC_TITLE,))), "")


def _paragraphs(part: io.BytesIO, levels: dict[str, int]) -> Iterator[tuple[int | None, str]]:
    """(heading level, text) of each paragraph; a table is one text, one line per row. Elements are freed as they end."""
    cells: list[list[list[str]]] = []  # texts of the cells of the row being read, for each open table
    rows: list[list[str]] = []  # finished, for each open table
    fallback = 0  # how deep inside the second rendering of a drawing, for old programs
    tags = (f"{_W}p", f"{_W}tbl", f"{_W}tr", f"{_W}tc", _FALLBACK)
    for event, element in _events(part, ("start", "end"), tags):
        tag = element.tag.rpartition("}")[2]
        if tag == "Fallback":
            fallback += 1 if event == "start" else -1
        elif event == "start":
            if tag == "tbl":
                rows.append([])
                cells.append([])
            elif tag == "tc" and cells:
                cells[-1].append([])
            continue
        elif tag == "p":
            level, text = _paragraph(element, levels)
            if text and not fallback:
                if cells and cells[-1]:
                    cells[-1][-1].append(" ".join(text.split()))
                else:
                    yield level, text
        elif tag == "tr" and cells:
            if any(cells[-1]):
                rows[-1].append(" | ".join(" ".join(texts) for texts in cells[-1]))
            cells[-1] = []
        elif tag == "tbl" and rows:
            cells.pop()
            text = "\n".join(rows.pop())
            if text and cells and cells[-1]:  # nested: its text belongs to the cell that holds it
                cells[-1][-1].append(" ".join(text.split()))
            elif text:
                yield None, text
        if event == "end":
            _free(element)


def _paragraph(element: Any, levels: dict[str, int]) -> tuple[int | None, str]:
    pieces = []
    for inner in element.iter(f"{_W}t", f"{_W}tab", f"{_W}br", f"{_W}cr", f"{_W}noBreakHyphen", _PICTURE_WORDS, _MATH_TEXT):
        tag = inner.tag.rpartition("}")[2]
        if tag == "t":
            pieces.append(inner.text or "")
        elif tag == "docPr":
            pieces.append(f" {inner.get('descr', '')} ")
        else:
            pieces.append({"tab": "\t", "noBreakHyphen": "-"}.get(tag, "\n"))
    text = "".join(pieces).strip()
    style, listed = element.find(f"{_W}pPr/{_W}pStyle"), element.find(f"{_W}pPr/{_W}numPr")
    level = None if style is None else levels.get(style.get(f"{_W}val", ""))
    return level, f"- {text}" if text and listed is not None and level is None else text


def _free(element: Any) -> None:
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]
