"""Markdown: spans under their headings, and the captions it gives to pictures.

Knows CommonMark's headings, fences and image syntax, front matter and inline `<img>`; renders nothing: lines are the file's own.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from html import unescape
from urllib.parse import unquote, urlsplit

from rag.loaders.base import Limits
from rag.loaders.text.chunking import Heading, Rendering, passages_of
from rag.loaders.text.encoding import read_text
from rag.loaders.text.passage_content import text_content
from rag.types import CaptionOf, Content, Document, DocumentId, Passage

_FRONT_MATTER = re.compile(r"\A(---|\+\+\+)[ \t]*\n(?:.*\n){0,200}?\1[ \t]*(?:\n|\Z)")
_FRONT_TITLE = re.compile(r"^title\s*[:=]\s*(.+)$", re.MULTILINE)
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^\n]*)")
_ATX = re.compile(r"^ {0,3}(#{1,6})(?=[ \t]|$)(.*)")
_CLOSING = re.compile(r"(?:^|[ \t])#+$")
_SETEXT = re.compile(r"^ {0,3}(=+|-{2,})[ \t]*$")
_HTML_HEADING = re.compile(r"^\s{0,3}<h([1-6])\b[^<>]*>(.*?)(?:</h\1>|$)", re.IGNORECASE)
_NOT_A_TITLE = re.compile(
    r"^(?: {4,}|\t| {0,3}(?:>|[-*+][ \t]|\d{1,9}[.)] |\||<|#|\s*$))"
)  # cannot be a title above a setext underline

# Bounded and without nested repeats, so that hostile text ("![![![…") costs linear time.
_IMAGE = re.compile(
    r"!\[((?:[^\[\]\\\n]|\\.){0,500})\](?:\(([^()\n]{0,1000}(?:\([^()\n]{0,200}\)[^()\n]{0,200}){0,3})\)|\[([^\[\]\n]{0,200})\])?"
)
_DEFINITION = re.compile(r"^ {0,3}\[([^\[\]\n]{1,200})\]:[ \t]*(\S[^\n]{0,1200})$", re.MULTILINE)
_TITLE = re.compile(r"""\s("[^"]*"|'[^']*'|\([^()]*\))$""")
_ESCAPED = re.compile(r"\\(.)")
_IMG_TAG = re.compile(r"<img\b([^<>]{1,2000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""\b(src|alt|title)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_INLINE_CODE = re.compile(r"(?<!`)(`{1,3})(?!`)[^`\n]{1,500}\1(?!`)")
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\](?:\([^()\n]{0,1000}\)|\[[^\[\]\n]{0,200}\])")
_MARKS = re.compile(r"<[^<>\n]{1,200}>|\{#[\w-]{1,100}\}\s*$|(?<!\w)[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}(?!\w)|`")


class MarkdownLoader:
    """Spans under their headings; the first H1, or the title of the front matter, is the document's title."""

    version = 2

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        yield from passages_of(document.id, rendered(read_text(document.file, limits)), limits)

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content]:
        return map(text_content, passages)

    def captions(self, document: Document, limits: Limits) -> Iterator[CaptionOf]:
        yield from captions_of(document.id, pictures_shown(read_text(document.file, limits)))


def rendered(text: str) -> Rendering:
    """Markdown with its headings marked; fenced code has none."""
    front = _FRONT_MATTER.match(text)
    headings = tuple(_headings(text, front.end() if front else 0))
    named = _FRONT_TITLE.search(front.group()) if front else None
    first = next((heading.title for heading in headings if heading.level == 1), headings[0].title if headings else "")
    return Rendering(text, headings, title=named[1].strip().strip("\"'") if named else first)


def _headings(text: str, at: int) -> Iterator[Heading]:
    title: tuple[int, str] | None = None  # the previous line, if an underline would make it a heading
    inside = False  # a paragraph: none of its further lines is taken for a title
    for start, line, fenced in _lines(text, at):
        if fenced:
            title, inside = None, False
        elif mark := _ATX.match(line):
            yield Heading(start, len(mark[1]), _plain(_CLOSING.sub("", mark[2].strip())))
            title, inside = None, False
        elif mark := _HTML_HEADING.match(line):
            yield Heading(start, int(mark[1]), _plain(mark[2]))
            title, inside = None, False
        elif title is not None and (mark := _SETEXT.match(line)):
            yield Heading(title[0], 1 if mark[1][0] == "=" else 2, _plain(title[1]), lines=2)
            title, inside = None, False
        else:
            title = (start, line) if not inside and not _NOT_A_TITLE.match(line) else None
            inside = bool(line.strip())


def _lines(text: str, at: int = 0) -> Iterator[tuple[int, str, bool]]:
    """(offset, line of at most 2,000 characters, whether it belongs to fenced code)."""
    fence = ""
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at : min(end, at + 2000)]
        mark = _FENCE.match(line)
        closes = bool(fence and mark and mark[1].startswith(fence) and not mark[2].strip())
        opens = bool(not fence and mark and not (mark[1][0] == "`" and "`" in mark[2]))
        yield at, line, bool(fence) or opens
        fence = mark[1] if opens and mark else "" if closes else fence
        at = end + 1


def _plain(title: str) -> str:
    """A heading without links, emphasis and tags."""
    return unescape(_MARKS.sub("", _LINK.sub(r"\1", title[:500]))).strip()


# ---- pictures ---------------------------------------------------------------------------------


def pictures_shown(text: str) -> Iterator[tuple[str, str]]:
    """(target as written, caption) of every picture outside code: `![alt](target "title")`, references, `<img>`."""
    prose = "\n".join(_INLINE_CODE.sub("", line) for _, line, fenced in _lines(text) if not fenced)
    places = {_label(mark[1]): mark[2] for mark in _DEFINITION.finditer(prose)}
    for mark in _IMAGE.finditer(prose):
        place = mark[2] if mark[2] is not None else places.get(_label(mark[3] or mark[1]))
        if place is not None:
            place = place.strip()
            title = _TITLE.search(place)
            target = (place[: title.start()] if title else place).strip()
            yield target.removeprefix("<").removesuffix(">"), said(_ESCAPED.sub(r"\1", mark[1]), title[1][1:-1] if title else "")
    for tag in _IMG_TAG.finditer(prose):
        written = {name.lower(): unescape(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(tag[1])}
        yield written.get("src", ""), said(written.get("alt", ""), written.get("title", ""))


def said(alt: str, title: str) -> str:
    """The alt text and the title of a picture as one caption."""
    alt, title = " ".join(alt.split()), " ".join(title.split())
    return " — ".join(part for part in (alt, title if title != alt else "") if part)


def _label(label: str) -> str:
    return " ".join(label.split()).casefold()


def captions_of(document: DocumentId, shown: Iterable[tuple[str, str]]) -> Iterator[CaptionOf]:
    """A caption for each picture below the document's root that has an alt text or a title."""
    for target, text in shown:
        path = path_below_root(document.path, target)
        if path and text:
            yield CaptionOf(path, text)


def path_below_root(document: str, target: str) -> str:
    """The POSIX path below the root that `target`, written in `document`, names; "" where it names none.

    A target is relative to the document's folder, or to the root where it begins with "/". Web addresses, embedded data and
    paths that leave the root name none.
    """
    try:
        address = urlsplit(target.strip().replace("\\", "/"))
    except ValueError:
        return ""
    path = unquote(address.path)
    if address.scheme or address.netloc or not path or "\0" in path:
        return ""
    folder = "" if path.startswith("/") else posixpath.dirname(document)
    joined = posixpath.normpath(posixpath.join(folder, path.lstrip("/")))
    return "" if joined in (".", "..") or joined.startswith("../") else joined


def moved(rendering: Rendering, by: int) -> tuple[Heading, ...]:
    """The headings of a rendering that begins `by` characters into a longer text."""
    return tuple(replace(heading, at=heading.at + by) for heading in rendering.headings)
