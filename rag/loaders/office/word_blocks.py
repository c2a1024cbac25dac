"""The paragraphs and tables of one part of a Word document, as texts, with what notes and comments say after them.

Knows WordprocessingML; knows no other part but those a paragraph shows: charts, diagrams, embedded pages. Elements are freed as
they end. What tracked changes insert is text, what they delete or move away is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rag.loaders.office.drawings import DENOMINATOR, FALLBACK, MATH_TEXT, alternative_text, drawn_words, visible
from rag.loaders.office.package import Package, free
from rag.loaders.office.word_numbers import BULLET, ListNumbers

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_VML = "{urn:schemas-microsoft-com:vml}"
_DRAWN = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_REFERENCES = {
    f"{W}footnoteReference": "footnotes",
    f"{W}endnoteReference": "endnotes",
    f"{W}commentReference": "comments",
}
_INSIDE = (
    *(f"{W}{name}" for name in ("t", "tab", "ptab", "br", "cr", "noBreakHyphen", "ddList", "vanish")),
    *_REFERENCES,
    *(_DRAWN, MATH_TEXT, DENOMINATOR, f"{_VML}textpath", "{*}chart", "{*}relIds"),
    *(f"{_VML}{name}" for name in ("shape", "rect", "roundrect", "oval", "group")),
)
_GONE = (f"{W}del", f"{W}moveFrom", FALLBACK)  # deleted, moved away, and the second rendering of a drawing for old programs
_OFF = ("0", "false", "off")
_MARKS = {"tab": "\t", "ptab": "\t", "noBreakHyphen": "-", "br": "\n", "cr": "\n"}

Block = tuple[Any, int | None, str]  # (None, heading level, text) or, at the end of a holder, (its element, None, "")


class BlockReader:
    """Reads the parts of one document."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self.levels: dict[str, int] = {}  # style id → heading level; 0 is the title
        self.notes: dict[tuple[str, str], str] = {}  # (kind, id) → what it says, until something refers to it
        self.numbers = ListNumbers()
        self.unread: list[str] = []  # why something is not read

    def blocks(self, part: str, holders: tuple[str, ...] = ()) -> Iterator[Block]:
        """(None, heading level, text) of each paragraph, a table as one text with a line per row; and (holder, None, "") at
        the end of each holder. Elements are freed as they end."""
        targets = {one.id: one.target for one in self._package.relations(part)}
        cells: list[list[list[str]]] = []  # texts of the cells of the row being read, for each open table
        rows: list[list[str]] = []  # finished, for each open table
        said: list[str] = []  # by notes and comments that the open table or paragraph refers to
        gone = 0  # how deep inside what is not shown
        tags = (f"{W}p", f"{W}tbl", f"{W}tr", f"{W}tc", f"{W}altChunk", *_GONE, *holders)
        for event, element in self._package.events(part, ("start", "end"), tags):
            tag = element.tag.rpartition("}")[2]
            if element.tag in _GONE:
                gone += 1 if event == "start" else -1
            elif event == "start":
                if tag == "tbl":
                    rows.append([])
                    cells.append([])
                elif tag == "tc" and cells:
                    cells[-1].append([])
                continue
            elif tag == "p":
                level, text = self._paragraph(element, targets, said) if not gone else (None, "")
                if text:
                    if cells and cells[-1]:
                        cells[-1][-1].append(" ".join(text.split()))
                    else:
                        yield None, level, text
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
                    yield None, None, text
            elif tag == "altChunk":
                for text in self._embedded(targets.get(element.get(f"{_RELATION}id", ""), "")):
                    yield None, None, text
            elif element.tag in holders:
                yield element, None, ""
            if event == "end":
                if said and not rows and tag in ("p", "tbl") and not gone:
                    for text in said:
                        yield None, None, text
                    said.clear()
                if element.tag in _GONE:
                    element.clear()  # what stands before it in its paragraph is text
                else:
                    free(element)

    def _paragraph(self, element: Any, targets: dict[str, str], said: list[str]) -> tuple[int | None, str]:
        """(heading level, text) of a paragraph, its hidden words last; what notes say that it refers to goes to `said`."""
        pieces: list[str] = []
        hidden: list[str] = []
        unseen = None  # the run that is hidden
        for inner in element.iter(*_INSIDE):
            tag = inner.tag.rpartition("}")[2]
            if tag == "t":
                (hidden if unseen is not None and inner.getparent() is unseen else pieces).append(inner.text or "")
            elif tag == "vanish":
                unseen = inner.getparent().getparent() if inner.get(f"{W}val", "1") not in _OFF else unseen
            elif tag == "den":
                pieces.append("/")
            elif inner.tag in _REFERENCES:
                note = self.notes.pop((_REFERENCES[inner.tag], inner.get(f"{W}id", "")), "")
                said += [note] if note else []
            elif inner.tag.startswith(W):
                pieces.append(_chosen(inner) if tag == "ddList" else _MARKS[tag])
            else:
                pieces.append(f" {self._drawn(inner, tag, targets)} ")
        text = " ".join(filter(None, ("".join(pieces).strip(), " ".join(hidden).strip())))
        style, listed = element.find(f"{W}pPr/{W}pStyle"), element.find(f"{W}pPr/{W}numPr")
        level = None if style is None else self.levels.get(style.get(f"{W}val", ""))
        own = outline_level(element.find(f"{W}pPr/{W}outlineLvl"))
        level = own if own is not None else level
        label = self.numbers.label("" if style is None else style.get(f"{W}val", ""), listed)
        if level is not None and label == BULLET:
            label = ""
        return level, f"{label} {text}" if text and label else text

    def _drawn(self, inner: Any, tag: str, targets: dict[str, str]) -> str:
        """The words of something drawn in a paragraph."""
        if inner.tag == _DRAWN:
            return alternative_text(inner)
        if tag == "textpath":
            return visible(inner.get("string", ""))  # WordArt, a watermark
        if inner.tag.startswith(_VML):
            return visible(inner.get("alt", ""))
        part = targets.get(inner.get(f"{_RELATION}id") or inner.get(f"{_RELATION}dm") or "", "")
        return drawn_words(self._package, part) if part else ""

    def _embedded(self, part: str) -> Iterator[str]:
        """The text of an HTML or text file that stands in the place of paragraphs."""
        from rag.loaders.text.encoding import decoded
        from rag.loaders.text.html import rendered as html_rendered

        suffix = part.rpartition(".")[2].lower()
        if not part or suffix not in ("html", "htm", "xhtml", "txt"):
            self.unread.append(f"an embedded document ({part or 'missing'}) is not read: copy its text into the document")
            return
        content = decoded(self._package.content(part))
        text = content if suffix == "txt" else html_rendered(content).text
        if text.strip():
            yield text.strip()


def outline_level(outline: Any) -> int | None:
    """The heading level from 1 to 9 of an outline element; None for body text."""
    depth = "" if outline is None else outline.get(f"{W}val", "")
    return int(depth) + 1 if depth.isascii() and depth.isdigit() and int(depth) < 9 else None


def _chosen(choices: Any) -> str:
    """What a drop-down field shows."""
    chosen = choices.find(f"{W}result")
    number = "0" if chosen is None else chosen.get(f"{W}val", "0")
    entries = [one.get(f"{W}val", "") for one in choices.iterfind(f"{W}listEntry")]
    return entries[int(number)] if number.isascii() and number.isdigit() and int(number) < len(entries) else ""
