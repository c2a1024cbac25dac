"""Plain text: notes, logs, tables as text, configuration, subtitles, and any other file whose bytes are text.

Knows the heading marks of a few plain formats; Markdown, source code and HTML have loaders of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.loaders.base import Limits
from rag.loaders.text.chunking import LINED, PROSE, Heading, Rendering, passages_of, text_content
from rag.loaders.text.encoding import read_text
from rag.types import CaptionOf, Content, Document, Passage

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
    {".log", ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".properties"}
    | {".env", ".xml", ".plist", ".srt", ".vtt", ".list"}
)
_TABLES = frozenset({".csv", ".tsv"})


class TextLoader:
    """Spans of lines. The first row of a table is the heading of all its spans."""

    version = 3

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        suffix = document.suffix
        rendering = rendered(read_text(document.file, limits), suffix)
        yield from passages_of(document.id, rendering, limits, LINED if suffix in _LINE_BY_LINE else PROSE)

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content]:
        return map(text_content, passages)

    def captions(self, document: Document, limits: Limits) -> Iterator[CaptionOf]:
        return iter(())


def rendered(text: str, suffix: str) -> Rendering:
    """The text with the headings that its format marks."""
    if suffix in _TABLES:
        row = re.search(r"\S[^\n]*", text)
        at = text.rfind("\n", 0, row.start()) + 1 if row else 0
        return Rendering(text, (Heading(at, 1, row.group().strip(), lines=0),) if row else ())
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
