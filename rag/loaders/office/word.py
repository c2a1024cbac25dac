"""Word documents (.docx) to text: paragraphs, headings by style, lists and tables, in reading order, and all that stands beside.

Knows the parts of a Word document; word_blocks.py reads each. It streams; mammoth (inside markitdown) takes 41 MB and 1.2 s for
each megabyte of XML. Heading styles are recognised by name and outline level, because their ids are translated. Notes and
comments follow the paragraph that refers to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from rag.errors import UnreadableDocument
from rag.loaders.office.package import Package
from rag.loaders.office.safe_zip import first_line
from rag.loaders.office.word_blocks import BlockReader, W, outline_level
from rag.loaders.text.chunking import Heading, Rendering

_DC_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_HEADING_NAME = re.compile(r"heading ([1-9])", re.IGNORECASE)
_NOTES = {"footnotes": "footnote", "endnotes": "endnote", "comments": "comment"}  # elements by the kind of their part
_MAX_BASES = 10  # styles that a style may be based on, one on the other


def rendered(package: Package) -> tuple[Rendering, list[str]]:
    """The document's text, a blank line between paragraphs, and why parts of it are not read.

    UnreadableDocument where nothing of it can be read.
    """
    main = package.main_part("officeDocument", "word/document.xml")
    if not main:
        raise UnreadableDocument("is a damaged Word document: its main part is missing")
    writer = _Writer(package, main)
    writer.write_all()
    title = writer.title or next((heading.title for heading in writer.headings if heading.level <= 1 and heading.lines), "")
    text = "".join(writer.lines)
    if writer.unread and not text:
        raise UnreadableDocument(writer.unread[0])
    return Rendering(text, tuple(writer.headings), title), writer.unread


class _Writer:
    """Writes the lines of a document, part by part."""

    def __init__(self, package: Package, main: str) -> None:
        self._package, self._main = package, main
        self._relations = package.relations(main)
        self._reader = BlockReader(package)
        self._length = 0
        self._edges: set[str] = set()  # headers and footers written
        self.lines: list[str] = []
        self.headings: list[Heading] = []
        self.title = ""

    @property
    def unread(self) -> list[str]:
        """Why parts are not read, or not to their end."""
        return self._reader.unread

    def write_all(self) -> None:
        for part in self._parts("styles"):
            self._try(part, partial(self._read_styles, part))
        for part in self._parts("numbering"):
            self._try(part, partial(self._read_lists, part))
        if core := self._package.main_part("core-properties", "docProps/core.xml"):
            self._try(core, partial(self._read_title, core))
        for kind in _NOTES:
            for part in self._parts(kind):
                self._try(part, partial(self._read_notes, part, kind))
        self._try(self._main, self._write_body)
        if left := list(self._reader.notes.values()):  # to which nothing refers
            self._begin_section("Notes")
            for said in left:
                self._write(said)
        for kind in ("header", "footer"):
            for part in self._parts(kind):
                self._try(part, partial(self._write_edge, part, kind))

    def _parts(self, kind: str) -> list[str]:
        """The parts of a kind that the document refers to, else the one of the usual name."""
        named = list(dict.fromkeys(one.target for one in self._relations if one.kind == kind))
        return [part for part in named or [f"word/{kind}.xml"] if part in self._package]

    def _try(self, part: str, read: Callable[[], None]) -> None:
        """Reads a part. What is wrong with it is a reason, and what was read before stays."""
        from lxml import etree

        try:
            read()
        except etree.LxmlError as error:
            self.unread.append(f"is a damaged Word document: {first_line(error)}, in its part {part}")
        except UnreadableDocument as error:
            if self._length > self._package.limits.max_text_bytes or (part == self._main and not self.lines):
                raise
            self.unread.append(error.what)

    def _read_styles(self, part: str) -> None:
        """Style id → heading level (0 for the title), by the style's name, its outline level, or the style it is based on."""
        levels, based = self._reader.levels, dict[str, str]()
        for _, style in self._package.events(part, ("end",), (f"{W}style",)):
            named = _value(style.find(f"{W}name"))
            own = style.get(f"{W}styleId", "")
            self._reader.numbers.read_style(style)
            if mark := _HEADING_NAME.fullmatch(named):
                levels[own] = int(mark[1])
            elif named.lower() == "title":
                levels[own] = 0
            elif (level := outline_level(style.find(f"{W}pPr/{W}outlineLvl"))) is not None:
                levels[own] = level
            elif style.get(f"{W}type") == "paragraph":
                based[own] = _value(style.find(f"{W}basedOn"))
        for own, base in based.items():
            for _ in range(_MAX_BASES):
                if base in levels:
                    levels[own] = levels[base]
                    break
                base = based.get(base, "")

    def _read_lists(self, part: str) -> None:
        for _, element in self._package.events(part, ("end",), (f"{W}abstractNum", f"{W}num")):
            self._reader.numbers.read_list(element)

    def _read_title(self, part: str) -> None:
        for _, element in self._package.events(part, ("end",), (_DC_TITLE,)):
            self.title = " ".join((element.text or "").split())

    def _read_notes(self, part: str, kind: str) -> None:
        held: list[str] = []
        for note, _, text in self._reader.blocks(part, (f"{W}{_NOTES[kind]}",)):
            if note is None:
                held += text.split()
                continue
            author = note.get(f"{W}author", "").strip()
            if held:
                said = f"{_NOTES[kind].capitalize()}{f' ({author})' if author else ''}: {' '.join(held)}"
                self._reader.notes[kind, note.get(f"{W}id", "")] = said
            held = []

    def _write_body(self) -> None:
        for _, level, text in self._reader.blocks(self._main):
            if level is not None:
                text = " ".join(text.split())
                self.headings.append(Heading(self._length, max(level, 1), text))
                text = "#" * max(level, 1) + " " + text
            self._write(text)

    def _write_edge(self, part: str, kind: str) -> None:
        """A header or footer, once: those of first, even and odd pages mostly say the same."""
        text = "\n".join(text for _, _, text in self._reader.blocks(part))
        if text and text not in self._edges:
            if not self._edges:
                self._begin_section("Header and footer")
            self._edges.add(text)
            self._write(f"{kind.capitalize()}: {text}")

    def _begin_section(self, title: str) -> None:
        """A heading that is not written in the document."""
        self.headings.append(Heading(self._length, 1, title, lines=0))

    def _write(self, text: str) -> None:
        self.lines.append(text + "\n\n")
        self._length += len(text) + 2
        if self._length > (most := self._package.limits.max_text_bytes):
            raise UnreadableDocument(f"contains more text than the limit max_text_bytes ({most:,})")


def _value(element: Any) -> str:
    return "" if element is None else str(element.get(f"{W}val", ""))
