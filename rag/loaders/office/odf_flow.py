"""OpenDocument XML as a flow of paragraphs and of the elements that hold them: tables, notes, pages.

Knows the markup of text in OpenDocument and in OpenOffice 1.0; knows no package. It streams, with expat: nothing is kept but the
paragraphs that are open. What tracked changes delete is not in the flow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from xml.parsers.expat import ExpatError, ParserCreate

from rag.errors import UnreadableDocument

_NAMESPACES = {
    f"{begin}{name}": prefix
    for prefix, name in {
        **{prefix: f"{prefix}:1.0" for prefix in ("office", "style", "text", "table", "presentation", "meta", "form", "chart")},
        **{"draw": "drawing:1.0", "svg": "svg-compatible:1.0"},
    }.items()
    for begin in ("urn:oasis:names:tc:opendocument:xmlns:",)
} | {
    **{f"http://openoffice.org/2000/{one}": one for one in ("office", "style", "text", "table", "presentation", "meta", "form")},
    **{
        "http://openoffice.org/2000/drawing": "draw",
        "http://www.w3.org/2000/svg": "svg",
        "http://purl.org/dc/elements/1.1/": "dc",
    },
    "http://www.w3.org/1999/xlink": "xlink",
}
_DROPPED = frozenset(
    {
        "text:tracked-changes",
        "text:number",
        "text:note-citation",
        "text:ruby-text",
        "text:index-title-template",
        "office:binary-data",
    }
    | {
        "text:page-number",
        "text:page-count",
        "text:sheet-name",
        "office:scripts",
        "office:font-face-decls",
        "dc:date",
        "meta:date-string",
        "meta:creator-initials",
    }
    | {"text:table-of-content-source", "text:illustration-index-source", "text:alphabetical-index-source", "text:tracked-change"}
)
_SAID = frozenset(  # text outside paragraphs
    {"svg:title", "svg:desc", "dc:creator", "dc:title", "presentation:header-decl", "presentation:footer-decl"}
)
HOLDERS = frozenset(
    {"table:table", "table:table-row", "table:table-cell", "table:covered-table-cell", "text:note", "text:footnote"}
    | {"text:endnote", "office:annotation", "text:list-item", "draw:page", "presentation:notes", "draw:object", "style:style"}
    | {"style:drawing-page-properties", "style:table-properties", "style:header", "style:footer", "style:header-left"}
    | {"style:footer-left", "style:header-first", "style:footer-first", "table:shapes", "manifest:encryption-data"}
    | {"draw:frame", "style:master-page", "text:list", "text:list-style", "text:list-level-style-number"}
    | {"text:list-level-style-bullet", "text:outline-style", "text:outline-level-style"}
)
_BLANKS = re.compile(r"[ \t\r\n]+")
_MAX_SPACES = 100


@dataclass(frozen=True, slots=True)
class Start:
    """An element of HOLDERS begins."""

    name: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class End:
    """An element of HOLDERS ends."""

    name: str


@dataclass(frozen=True, slots=True)
class Said:
    """A text outside paragraphs: the title of a document, who wrote a comment, what a picture shows."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph or heading. Paragraphs inside one (of its notes and boxes) come before it."""

    text: str
    level: int | None = None  # of a heading, from 1
    inner: bool = False  # in an element that stands in another paragraph


Event = Start | End | Said | Paragraph


def flow(chunks: Iterable[bytes], part: str) -> Iterator[Event]:
    """The events of a part, in order. UnreadableDocument where it is damaged; what comes before the damage comes first."""
    reader = _Reader()
    parser = ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler, parser.buffer_text = reader.text, True
    try:
        for chunk in chunks:
            try:
                parser.Parse(chunk, False)
            finally:
                yield from reader.events
                reader.events.clear()
        parser.Parse(b"", True)
    except ExpatError as error:
        raise UnreadableDocument(f"is damaged: {error}, in its part {part}") from error
    yield from reader.events


@dataclass(slots=True)
class _Reader:
    """Takes the parser's events and gives those of the flow."""

    events: list[Event] = field(default_factory=list)
    _open: list[list[str]] = field(default_factory=list)  # pieces of the open paragraphs
    _levels: list[int | None] = field(default_factory=list)
    _said: list[str] | None = None  # pieces of a text outside paragraphs
    _dropped: int = 0  # how deep inside what is not text

    def start(self, full: str, written: dict[str, str]) -> None:
        name = _short(full)
        if self._dropped or name in _DROPPED:
            self._dropped += 1
        elif name in ("text:p", "text:h"):
            level = _attribute(written, "text:outline-level") or _attribute(written, "text:level")
            number = int(level) if level.isascii() and level.isdigit() and len(level) < 3 else 1
            self._open.append([])
            self._levels.append(max(number, 1) if name == "text:h" else None)
        elif name == "text:s":
            count = _attribute(written, "text:c")
            self._add("\0" * (min(int(count), _MAX_SPACES) if count.isascii() and count.isdigit() and len(count) < 9 else 1))
        elif name in ("text:tab", "text:tab-stop", "text:line-break"):
            self._add("\t" if "tab" in name else "\n")
        elif name in _SAID:
            self._said = []
        elif name in HOLDERS:
            self.events.append(Start(name, {_short(key): value for key, value in written.items()}))

    def text(self, text: str) -> None:
        if self._dropped:
            return
        if self._said is not None:
            self._said.append(text)
        else:
            self._add(_BLANKS.sub(" ", text))

    def end(self, full: str) -> None:
        name = _short(full)
        if self._dropped:
            self._dropped -= 1
        elif name in ("text:p", "text:h") and self._open:
            written = "".join(self._open.pop())
            text = "\n".join(line for piece in written.split("\n") if (line := re.sub(" +", " ", piece).strip(" ")))
            self.events.append(Paragraph(text.replace("\0", " ").strip(), self._levels.pop(), bool(self._open)))
        elif name in _SAID and self._said is not None:
            text, self._said = " ".join("".join(self._said).split()), None
            if not name.startswith("svg:"):
                self.events.append(Said(name, text))
            elif self._open:
                self._add(f" {text} ")
            elif text:
                self.events.append(Paragraph(text))
        elif name in HOLDERS:
            self.events.append(End(name))

    def _add(self, text: str) -> None:
        if self._open:
            self._open[-1].append(text)


@cache
def _short(full: str) -> str:
    """ "text:p" for its namespace and name; the name alone where the namespace is of no interest."""
    namespace, _, name = full.rpartition(" ")
    prefix = _NAMESPACES.get(namespace, "manifest" if "manifest" in namespace else "")
    return f"{prefix}:{name}" if prefix else name


def _attribute(written: Mapping[str, str], name: str) -> str:
    return next((value for key, value in written.items() if _short(key) == name), "")
