"""Plain text: notes, logs, tables as text, configuration, subtitles, and any other file whose bytes are text.

Knows the heading marks of a few plain formats; tables, JSON and cards are read by their modules; Markdown, code and HTML
have loaders of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.loaders.base import Limits
from rag.loaders.office.unread import content_or_reason, unread
from rag.loaders.properties.base import NOTHING, with_properties
from rag.loaders.text import cards, delimited, json_text
from rag.loaders.text.chunking import LINED, PROSE, Heading, Rendering, passages_of
from rag.loaders.text.encoding import read_text
from rag.loaders.text.signs import without_colours
from rag.types import CaptionOf, Content, Document, Passage, Skipped

_TEX_LEVELS = {"part": 1, "chapter": 2, "section": 3, "subsection": 4, "subsubsection": 5}
_HEADINGS = {  # suffix → (marks of the level, title)
    ".org": re.compile(r"^(\*{1,6})[ \t]+(\S[^\n]{0,200})", re.MULTILINE),
    ".adoc": re.compile(r"^(={1,6})[ \t]+(\S[^\n]{0,200})", re.MULTILINE),
    ".asciidoc": re.compile(r"^(={1,6})[ \t]+(\S[^\n]{0,200})", re.MULTILINE),
    ".tex": re.compile(r"^[ \t]{0,8}\\((?:sub){0,2}section|chapter|part)\*?\{([^}\n]{1,200})\}", re.MULTILINE),
}
_UNDERLINED = re.compile(r"^(\S[^\n]{0,200})\n([=\-~^\"'`#*+:._])\2{2,200}[ \t]*$", re.MULTILINE)  # reStructuredText
_ONLY_SIGNS = re.compile(r"([^\w\s])\1+")
_LINE_BY_LINE = frozenset(
    {".log", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".properties"}
    | {".env", ".xml", ".plist", ".srt", ".vtt", ".list"}
    | delimited.SUFFIXES
    | json_text.SUFFIXES
    | json_text.LINE_SUFFIXES
    | cards.SUFFIXES
)
_PERHAPS_JSON = frozenset({".log", ".txt", ""})  # logs are often written so


class TextLoader:
    """Spans of lines; of data formats, of the readable text made from them."""

    version = 4

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        suffix = document.file.suffix.lower()
        text = without_colours(read_text(document.file, limits))
        table = delimited.passages(document.id, text, limits) if suffix in delimited.SUFFIXES else None
        if table is not None:
            yield from with_properties(table, NOTHING)
            return
        found, reasons = cards.rendered(text) if suffix in cards.SUFFIXES else (Rendering(""), [])
        found = found if found.text else rendered(text, suffix)
        ordinal = -1
        for passage in passages_of(document.id, found, limits, LINED if suffix in _LINE_BY_LINE else PROSE):
            ordinal = passage.ordinal
            yield passage
        yield from unread(document.id, ordinal + 1, reasons)

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content | Skipped]:
        return map(content_or_reason, passages)

    def captions(self, document: Document, limits: Limits) -> Iterator[CaptionOf]:
        return iter(())


def rendered(text: str, suffix: str) -> Rendering:
    """The text with the headings that its format marks."""
    if suffix in json_text.LINE_SUFFIXES or (suffix in _PERHAPS_JSON and json_text.are_lines(text)):
        return json_text.lines_rendered(text)
    if suffix in json_text.SUFFIXES:
        return json_text.rendered(text)
    if suffix == ".rst":
        headings = _underlined(text)
    elif (pattern := _HEADINGS.get(suffix)) is not None:
        headings = tuple(
            Heading(mark.start(), _TEX_LEVELS.get(mark[1]) or len(mark[1]), mark[2].strip()) for mark in pattern.finditer(text)
        )
    else:
        return Rendering(text)
    return Rendering(text, headings, title=headings[0].title if headings else "")


def _underlined(text: str) -> tuple[Heading, ...]:
    """Titles above a line of signs at least as long; signs rank in the order in which they first appear."""
    ranks: dict[str, int] = {}
    headings = []
    for mark in _UNDERLINED.finditer(text):
        line = mark.group().rpartition("\n")[2].rstrip()
        if len(line) >= len(mark[1].rstrip()) and not _ONLY_SIGNS.fullmatch(mark[1].rstrip()):
            level = ranks.setdefault(mark[2], len(ranks) + 1)
            headings.append(Heading(mark.start(), level, mark[1].strip(), lines=2))
    return tuple(headings)
