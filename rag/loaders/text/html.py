"""HTML and SVG to the text a reader sees, with headings, lists and tables kept; mail and books use it too.

Knows HTML; knows no style and runs no script. Lines count in the converted text, which looks like Markdown: those of an
HTML file mean little (a whole page may be one line).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.text.chunking import Heading, Rendering, passages_of
from rag.loaders.text.encoding import read_text
from rag.loaders.text.markdown import captions_of, said
from rag.loaders.text.passage_content import text_content
from rag.types import CaptionOf, Content, Document, Passage

_HIDDEN = frozenset({"script", "style", "template", "noscript", "object", "iframe", "canvas", "datalist"})
_BLOCKS = frozenset(
    {"p", "div", "section", "article", "main", "header", "footer", "aside", "nav", "form", "fieldset", "figure", "figcaption"}
    | {"blockquote", "ul", "ol", "dl", "table", "pre", "hr", "address", "details", "body", "title", "text"}
)
_TEXT_BLOCKS = frozenset({"p", "div"})
_ROWS = frozenset({"li", "tr", "dt", "dd", "option", "summary", "caption", "tspan"})
_NO_WORDS = frozenset({"hidden", "password", "checkbox", "radio", "file", "image", "color", "range"})  # kinds of input
_ENDS_IN_WORD = re.compile(r"[^\W\d_]{4}\Z")  # longer than units, which have powers
_HEADING = re.compile(r"h[1-6]")
_MAX_HEADING = 300  # characters; more is a page whose heading was never closed
_MAX_LIST_DEPTH = 6
_CHUNK = 1 << 16  # characters handed to the parser at once


class HtmlLoader:
    """Spans of the converted text, located by its lines."""

    version = 4

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        rendering = rendered(read_text(document.file, limits))
        if document.file.suffix.lower() == ".svg":
            if rendering.title not in rendering.text:
                rendering = replace(rendering, text=f"{rendering.title}\n\n{rendering.text}", headings=())
            if not rendering.text.strip():
                raise UnreadableDocument("is a drawing without text; of SVG, only the text is read")
        yield from passages_of(document.id, rendering, limits)

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content]:
        return map(text_content, passages)

    def captions(self, document: Document, limits: Limits) -> Iterator[CaptionOf]:
        yield from captions_of(document.id, rendered(read_text(document.file, limits)).shows)


def rendered(markup: str) -> Rendering:
    """The readable text of an HTML page. Linear in its length: events, no tree. UnreadableDocument where it cannot be parsed."""
    from lxml import etree

    reader = _Reader()
    # huge_tree lifts the depth limit of 256, at which the parser would drop the rest of the page; there is no tree here.
    parser = etree.HTMLParser(target=reader, huge_tree=True, no_network=True, remove_comments=True, remove_pis=True)
    declaration = re.match(r"\s*<\?xml[^>]{0,200}\?>", markup)  # it names an encoding that no longer applies
    try:
        for at in range(declaration.end() if declaration else 0, len(markup), _CHUNK):
            parser.feed(markup[at : at + _CHUNK])
        parser.close()
    except etree.LxmlError as error:
        raise UnreadableDocument(f"contains HTML that cannot be parsed: {error}") from error
    return reader.rendering()


class _Reader:
    """Takes the parser's events and writes lines. The public names are lxml's target interface."""

    def __init__(self) -> None:
        self._title: list[str] = []
        self._written: list[str] = []  # finished lines, each with its \n
        self._length = 0
        self._line: list[str] = []  # text since the last line was finished
        self._bullet = ""  # goes before the next line
        self._headings: list[Heading] = []
        self._heading = 0  # level of the one being read
        self._shows: list[tuple[str, str]] = []
        self._hidden = self._pre = self._lists = 0  # nesting depths
        self._in_title = False
        self._first_cell = False
        self._cells = 0  # nesting depth
        self._fresh = False  # nothing is written in the open cell yet
        self._owed = False  # a paragraph ended in the open cell: what follows in it begins another

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag in _HIDDEN:
            self._hidden += 1
        if self._hidden:
            return
        if self._owed and (tag in _BLOCKS or tag in ("br", "img", "input") or _HEADING.fullmatch(tag)):
            self._paragraph()
        if _HEADING.fullmatch(tag):
            self._paragraph()
            self._heading = int(tag[1])
        elif tag == "title":
            self._in_title = not self._title
        elif tag in ("td", "th"):
            self._line.append(" " if self._first_cell else " | ")
            self._first_cell = False
            self._cells += 1
            self._fresh, self._owed = True, False
        elif tag == "br":
            self._line.append(" " if self._heading else "\n")
        elif tag == "img":
            self._picture(attributes)
        elif tag == "sup":
            if _ENDS_IN_WORD.search("".join(self._line[-1:])):
                self._line.append(" ")  # the number of a note, not a power
        elif tag == "input":
            if attributes.get("type", "text").lower() not in _NO_WORDS:
                self._line.append(f" {attributes.get('value') or attributes.get('placeholder') or ''} ")
        elif tag in _ROWS:
            self._end_line()
            self._first_cell = tag == "tr"
            if tag == "li":
                self._bullet = "  " * (min(max(self._lists, 1), _MAX_LIST_DEPTH) - 1) + "- "
        elif tag in _BLOCKS:
            self._begin_block(tag)

    def end(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif self._hidden:
            return
        elif tag == "title":
            self._in_title = False
        elif tag in ("td", "th"):
            self._cells = max(0, self._cells - 1)
            self._fresh = self._owed = False
        elif tag in _TEXT_BLOCKS and self._cells and not self._heading:
            self._owed = not self._fresh
        elif tag in ("ul", "ol"):
            self._lists = max(0, self._lists - 1)
            self._end_line() if self._lists else self._paragraph()
        elif tag in _ROWS:
            self._end_line()
        elif _HEADING.fullmatch(tag) or (tag in _BLOCKS and not self._heading):
            self._paragraph()
            self._pre = max(0, self._pre - (tag == "pre"))

    def data(self, text: str) -> None:
        if not self._hidden:
            if text.strip() and not self._in_title:
                if self._owed:
                    self._paragraph()
                self._fresh = False
            (self._title if self._in_title else self._line).append(text if self._pre else text.replace("\n", " "))

    def close(self) -> None:
        self._paragraph()

    def rendering(self) -> Rendering:
        title = " ".join("".join(self._title).split()) or next((heading.title for heading in self._headings), "")
        return Rendering("".join(self._written), tuple(self._headings), title, tuple(self._shows))

    def _begin_block(self, tag: str) -> None:
        if self._fresh and tag in _TEXT_BLOCKS:
            return  # the paragraph of a cell belongs to its row
        if tag in ("ul", "ol"):
            self._end_line() if self._lists else self._paragraph()
            self._lists += 1
        elif any(text.strip() for text in self._line) or not (self._heading or self._bullet):
            self._paragraph()  # a block that opens a heading or a bullet belongs to it
        self._pre += tag == "pre"

    def _picture(self, attributes: Mapping[str, str]) -> None:
        text = said(attributes.get("alt", ""), attributes.get("title", ""))
        source = attributes.get("src", "")
        if not source or source[:5].lower() == "data:":
            source = attributes.get("data-src", "")  # pages that load pictures late keep the address here
        if text:
            self._shows.append((source, text))
            self._line.append(f" {text} ")

    def _paragraph(self) -> None:
        """Ends the line and its block: a blank line follows."""
        self._end_line()
        if self._written and self._written[-1] != "\n":
            self._write("")

    def _end_line(self) -> None:
        text, level = "".join(self._line), self._heading
        self._owed = False
        self._line.clear()
        self._heading = 0
        if self._pre:
            for line in text.strip("\n").split("\n"):
                self._write(line.rstrip())
        elif level and (title := " ".join(text.split())) and len(title) <= _MAX_HEADING:
            self._headings.append(Heading(self._length, level, title))
            self._write("#" * level + " " + title)
        else:
            for line in text.split("\n"):
                if line.strip(" |\t\r\xa0"):
                    self._write(self._bullet + " ".join(line.split()))
                    self._bullet = ""

    def _write(self, line: str) -> None:
        self._written.append(line + "\n")
        self._length += len(line) + 1
