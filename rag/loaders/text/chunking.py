"""Cuts text into spans, and makes text passages of them.

Knows no format: a loader hands it a `Rendering`, the text of a document with its headings marked. Nothing is lost: the
spans contain every character of the text that is not white space, in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.properties.base import NOTHING, Properties, with_properties
from rag.loaders.text.passage_content import ARROW
from rag.types import Context, DocumentId, Lines, Locator, Passage

_MAX_DEPTH = 8  # headings kept above a span
_MAX_TITLE = 120  # characters kept of a heading


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a text."""

    at: int  # offset of the start of its first line
    level: int  # 1 is outermost
    title: str
    lines: int = 1  # lines that are only heading; 0 for a definition in source code, which is content


@dataclass(frozen=True, slots=True)
class Rendering:
    """The text of a document and its headings; passages count its lines, which end with \\n."""

    text: str
    headings: tuple[Heading, ...] = ()  # in the order of the text
    title: str = ""
    shows: tuple[tuple[str, str], ...] = ()  # pictures shown: (target as written, caption)
    properties: Properties = NOTHING  # what the document says of itself


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text, its lines, and the headings above it, outermost first, joined by ARROW."""

    text: str
    lines: Lines
    heading: str


# A text may be cut at the end of a match, by the strongest pattern that matches in the second half of the room.
_SENTENCE = re.compile(r"""[.!?…]["'”’»)\]]*(?=\s)|[。！？；…][”’」』）》]*""")
_LINE = re.compile(r"(?=\n)")
_CLAUSE = re.compile(r"[,;:](?=\s)|[，、：]")
_SPACE = re.compile(r"(?=\s)")
_SYMBOL = re.compile(r"[^\w\s](?=\w)")

Breaks = tuple[re.Pattern[str], ...]
PROSE: Breaks = (_SENTENCE, _LINE, _CLAUSE, _SPACE, _SYMBOL)
LINED: Breaks = (_LINE, _SENTENCE, _CLAUSE, _SPACE, _SYMBOL)  # source code, logs, tables: lines are kept whole
_ANYWHERE: Breaks = (_SPACE, _SYMBOL)

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_VISIBLE = re.compile(r"\S")
_GAP = re.compile(r"[^\S\n]*\n|[^\S\n]+")  # white space dropped at a cut: never the indentation of the next line


def cut(text: str, limit: int, headings: Sequence[Heading] = (), breaks: Breaks = PROSE, joined: int = 0) -> Iterator[Span]:
    """Spans of at most `limit` characters, in order, none of them blank; linear in the length of the text.

    A heading begins a new span, unless the last one contains only headings or is shorter than `joined`. Within a section,
    paragraphs are joined up to `limit`; a longer one is cut at the best of `breaks`.
    """
    span = _SpanBuilder(text)
    chain: list[Heading] = []
    for start, end, heading in _blocks(text, headings):
        if heading is not None:
            chain = _below(chain, heading)
            if span.parts and not span.only_headings and span.size >= joined:
                yield span.take()
        only_heading = heading is not None and heading.lines > 0
        room = limit - span.size - len(span.glue(start))
        if end - start > room and (end - start <= limit or room < max(1, limit // 2)):
            if span.parts:
                yield span.take()
            room = limit
        for begin, stop in _windows(text, start, end, room, limit, breaks):
            if span.parts and span.size + len(span.glue(begin)) + stop - begin > limit:
                yield span.take()
            span.add(begin, stop, tuple(chain), only_heading)
    if span.parts:
        yield span.take()


class _SpanBuilder:
    """Joins pieces of a text to spans, one after another, and counts the lines passed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.parts: list[str] = []
        self.size = 0
        self.only_headings = True
        self._chains: list[tuple[Heading, ...]] = []
        self._begin = self._end = 0  # offsets in the text
        self._counted, self._line = 0, 1  # an offset, and its line

    def glue(self, begin: int) -> str:
        """What goes between the last piece and one that starts at `begin`: at most one blank line."""
        if not self.parts:
            return ""
        breaks = self.text.count("\n", self._end, begin)
        return "\n" * min(breaks, 2) if breaks else " " * (begin > self._end)

    def add(self, begin: int, stop: int, chain: tuple[Heading, ...], only_heading: bool) -> None:
        if not self.parts:
            self._begin = begin
        self.parts.append(self.glue(begin) + self.text[begin:stop])
        self.size += len(self.parts[-1])
        self._end = stop
        if self.only_headings:
            self._chains = [chain]  # of consecutive headings, the last is the most specific
        elif not only_heading:
            self._chains.append(chain)
        self.only_headings &= only_heading

    def take(self) -> Span:
        first = self._line + self.text.count("\n", self._counted, self._begin)
        last = first + self.text.count("\n", self._begin, self._end)
        heading = ARROW.join(step.title for step in _shared(self._chains) if step.title)
        span = Span("".join(self.parts), Lines(first, last), heading)
        self._counted, self._line = self._end, last
        self.parts, self._chains, self.size, self.only_headings = [], [], 0, True
        return span


def _shared(chains: Sequence[tuple[Heading, ...]]) -> tuple[Heading, ...]:
    """The headings that all chains begin with."""
    shared = chains[0]
    for chain in chains[1:]:
        length = next((i for i, (a, b) in enumerate(zip(shared, chain, strict=False)) if a != b), min(len(shared), len(chain)))
        shared = shared[:length]
    return shared


def _below(chain: list[Heading], heading: Heading) -> list[Heading]:
    above = [step for step in chain if step.level < heading.level][: _MAX_DEPTH - 1]
    title = " ".join(heading.title.split())
    return [*above, replace(heading, title=title if len(title) <= _MAX_TITLE else title[: _MAX_TITLE - 1] + "…")]


def _blocks(text: str, headings: Sequence[Heading]) -> Iterator[tuple[int, int, Heading | None]]:
    """Paragraphs, split at headings: (start of a line, end, the heading that begins here)."""
    reached = 0
    for start, end in _paragraphs(text):
        opened = None
        while reached < len(headings) and headings[reached].at < end:
            heading = headings[reached]
            reached += 1
            if heading.at > start:
                yield start, heading.at, opened
                start, opened = heading.at, None
            if heading.lines:
                stop = start
                for _ in range(heading.lines):
                    stop = _next_line(text, stop, end)
                yield start, stop, heading
                start = stop
            else:
                opened = heading
        if start < end:
            yield start, end, opened


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Runs of lines without a blank one, as (start of the first line, end of the last)."""
    at = 0
    while (visible := _VISIBLE.search(text, at)) is not None:
        start = max(at, text.rfind("\n", at, visible.start()) + 1)
        blank = _BLANK_LINE.search(text, visible.start())
        at = blank.start() if blank else len(text)
        yield start, at


def _next_line(text: str, at: int, end: int) -> int:
    """Where the line after the one at `at` begins, or `end`."""
    newline = text.find("\n", at, end)
    return end if newline < 0 else newline + 1


def _trimmed(text: str, start: int, end: int) -> int:
    """The end of text[start:end] without trailing white space."""
    return start + len(text[start:end].rstrip())


def _windows(text: str, start: int, end: int, room: int, limit: int, breaks: Breaks) -> Iterator[tuple[int, int]]:
    """A paragraph in pieces: the first of at most `room` characters, the others of at most `limit`."""
    at = start
    while at < end:
        stop = end if end - at <= room else _best_break(text, at, at + room, breaks)
        trimmed = _trimmed(text, at, stop)
        if trimmed > at:
            yield at, trimmed
            room = limit
        gap = _GAP.match(text, stop, end)
        at = gap.end() if gap else stop


def _best_break(text: str, at: int, ceiling: int, breaks: Breaks) -> int:
    """The last good place to cut in text[at:ceiling], or `ceiling` where there is none."""
    for floor, patterns in ((at + (ceiling - at) // 2, breaks), (at, _ANYWHERE)):
        for pattern in patterns:
            ends = [match.end() for match in pattern.finditer(text, floor, ceiling + 1)]
            best = next((end for end in reversed(ends) if floor < end <= ceiling), None)
            if best is not None:
                return best
    return ceiling


# ---- passages and their content ---------------------------------------------------------------


def passages_of(
    document: DocumentId, rendering: Rendering, limits: Limits, breaks: Breaks = PROSE, joined: int = 0
) -> Iterator[Passage]:
    """The text passages of a document, located by lines. UnreadableDocument where it contains no text."""
    spans = cut(rendering.text, limits.passage_characters, rendering.headings, breaks, joined)
    ordinal = -1
    passages = (
        text_passage(document, at, span.lines, span.text, Context(title=rendering.title, heading=span.heading))
        for at, span in enumerate(spans)
    )
    for passage in with_properties(passages, rendering.properties):
        ordinal = passage.ordinal
        yield passage
    if ordinal < 0:
        raise UnreadableDocument("contains no text")


def text_passage(document: DocumentId, ordinal: int, locator: Locator, text: str, context: Context) -> Passage:
    """A passage of text as the model and the lexical lane read it."""
    return Passage(document, ordinal, locator, kind="text", modality="text", text=text, context=context)
