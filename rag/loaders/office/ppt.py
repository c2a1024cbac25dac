"""PowerPoint decks until 2003 (.ppt) to passages: the texts of each slide, its notes and comments.

Knows the records of [MS-PPT]: the last edit of the file says where each slide is, so what earlier edits left behind is not read.
No library reads them without another program; `ppt2pptx` converts, and is young.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.drawings import visible
from rag.loaders.office.ole import stream
from rag.loaders.office.slides import meaningful
from rag.loaders.text.chunking import cut, text_passage
from rag.loaders.text.passage_content import ARROW
from rag.types import Context, DocumentId, Passage, Slide

_DOCUMENT, _SLIDE, _NOTES, _MASTER = 1000, 1006, 1008, 1016
_SLIDE_LIST, _SLIDE_PLACE, _TEXT_KIND, _CHARS, _BYTES, _STRING = 4080, 1011, 3999, 4000, 4008, 4026
_SLIDE_ATOM, _NOTES_ATOM, _SHOW_INFO, _OUTLINE_REFERENCE = 1007, 1009, 1017, 3998
_EDIT, _DIRECTORY, _COMMENT, _EDGES, _PLACEHOLDER = 4085, 6002, 12000, 4057, 3011
_SHAPE, _SHAPE_OPTIONS, _CLIENT_TEXT, _CLIENT_DATA = 0xF004, 0xF00B, 0xF00D, 0xF011
_CONTAINERS = {_SLIDE, _NOTES, _MASTER, 1036, 5000, 5002, 5003, 0xF002, 0xF003, _SHAPE, _CLIENT_TEXT, _CLIENT_DATA}
_TITLE_KINDS = (0, 6)  # title, title in the middle
_DESCRIPTION = 0xC381  # of a picture: a property with a text behind the table
_HIDDEN = 0x0004
_OF_SLIDES = 3  # the headers and footers of all slides
_MAX_DEPTH = 40
_MAX_EDITS = 10_000
_PLACES = frozenset({"*", "‹#›"})


@dataclass(slots=True)
class _Texts:
    """The texts of one slide, or of its notes."""

    number: int = 0
    title: str = ""
    shown: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    hidden: bool = False
    only_own: bool = False  # not what stands in placeholders: the texts of a master


def passages(document: DocumentId, ole: Any, title: str, limits: Limits) -> Iterator[Passage]:
    """Spans of each slide that has words. UnreadableDocument where it is damaged, encrypted or contains no text."""
    deck = stream(ole, ("PowerPoint Document", "PP97_DUALSTORAGE/PowerPoint Document"), limits)
    edit = stream(ole, ("Current User", "PP97_DUALSTORAGE/Current User"), limits)
    ordinal = 0
    try:
        for slide, notes in _Deck(deck, edit).slides():
            title = meaningful(title) or slide.title
            heading = ARROW.join(filter(None, (slide.title, "hidden slide" if slide.hidden else "")))
            context = Context(title=title, heading=heading, slide=slide.number)
            said = [f"Notes: {chr(10).join(notes)}"] if notes else []
            for span in cut("\n\n".join([*slide.shown, *said, *slide.comments]), limits.passage_characters):
                yield text_passage(document, ordinal, Slide(slide.number), span.text, context)
                ordinal += 1
    except struct.error as error:
        if not ordinal:
            raise UnreadableDocument("is a damaged PowerPoint deck, or older than PowerPoint 97: save it as .pptx") from error
    if not ordinal:
        raise UnreadableDocument("contains no text")


class _Deck:
    """Finds the slides of a deck."""

    def __init__(self, content: bytes, edit: bytes) -> None:
        self._content = content
        if len(edit) >= 20 and struct.unpack_from("<I", edit, 12)[0] == 0xF3D1C4DF:
            raise UnreadableDocument("is encrypted; save it without a password")
        self._places = self._directory(struct.unpack_from("<I", edit, 16)[0] if len(edit) >= 20 else 0)

    def _directory(self, at: int) -> dict[int, int]:
        """Number → offset of the parts, as the last edit left them."""
        places: dict[int, int] = {}
        seen: set[int] = set()
        self._document = 0
        while at and at not in seen and len(seen) < _MAX_EDITS:
            seen.add(at)
            kind, _, start, end = self._record(at)
            if kind != _EDIT or end - start < 20:
                raise UnreadableDocument("is a damaged PowerPoint deck: its last edit cannot be found")
            at, directory, number = struct.unpack_from("<III", self._content, start + 8)
            self._document = self._document or number
            kind, _, start, end = self._record(directory)
            while kind == _DIRECTORY and start + 4 <= end:
                (first,) = struct.unpack_from("<I", self._content, start)
                first, count = first & 0xFFFFF, first >> 20
                count = min(count, (end - start - 4) // 4)
                for step, place in enumerate(struct.unpack_from(f"<{count}I", self._content, start + 4)):
                    places.setdefault(first + step, place)
                start += 4 + 4 * count
        return places

    def _record(self, at: int) -> tuple[int, int, int, int]:
        """(type, instance, start of its content, end) of a record."""
        flags, kind, size = struct.unpack_from("<HHI", self._content, at)
        return kind, flags >> 4, at + 8, min(at + 8 + size, len(self._content))

    def _inside(self, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        while start + 8 <= end:
            record = self._record(start)
            yield record
            start = record[3]

    def slides(self) -> Iterator[tuple[_Texts, list[str]]]:
        """Each slide with the texts of its notes."""
        kind, _, start, end = self._record(self._places.get(self._document, len(self._content)))
        if kind != _DOCUMENT:
            raise UnreadableDocument("is a damaged PowerPoint deck: its document cannot be found")
        inside = list(self._inside(start, end))
        lists = {instance: (first, last) for kind, instance, first, last in inside if kind == _SLIDE_LIST}
        notes = self._notes(lists.get(2, (0, 0)))
        everywhere = _Texts(only_own=True)  # what masters show, and the headers and footers of all slides
        for place, _, _ in self._listed(*lists.get(1, (0, 0))):
            _, _, first, last = self._record(place)
            self._collect(first, last, everywhere, [])
        for kind, instance, first, last in inside:
            if kind == _EDGES and instance == _OF_SLIDES:
                for number, text in self._strings(first, last).items():
                    self._add(everywhere, -1, text if number else "")
        number = 0
        for place, identity, outline in self._listed(*lists.get(0, (0, 0))):
            kind, _, first, last = self._record(place)
            if kind != _SLIDE:
                continue
            number += 1
            texts = _Texts(number)
            self._collect(first, last, texts, outline)
            texts.shown += [text for text in dict.fromkeys(everywhere.shown) if text not in texts.shown]
            everywhere.shown.clear()  # they are given once
            yield texts, notes.get(identity, [])

    def _listed(self, start: int, end: int) -> Iterator[tuple[int, int, list[tuple[int, str]]]]:
        """(offset, identity, texts of its outline with their kinds) of each slide in a list."""
        found: list[tuple[int, int, list[tuple[int, str]]]] = []
        text_kind = -1
        for kind, _, first, last in self._inside(start, end):
            if kind == _SLIDE_PLACE and last - first >= 16:
                number, _, _, identity = struct.unpack_from("<IIII", self._content, first)
                if number in self._places:
                    found.append((self._places[number], identity, []))
            elif kind == _TEXT_KIND and last - first >= 4:
                (text_kind,) = struct.unpack_from("<I", self._content, first)
                if found:
                    found[-1][2].append((text_kind, ""))
            elif kind in (_CHARS, _BYTES) and found and found[-1][2]:
                found[-1][2][-1] = (text_kind, self._text(kind, first, last))
        yield from found

    def _notes(self, listed: tuple[int, int]) -> dict[int, list[str]]:
        """Identity of a slide → the texts of its notes."""
        notes: dict[int, list[str]] = {}
        for place, _, outline in self._listed(*listed):
            kind, _, first, last = self._record(place)
            if kind != _NOTES:
                continue
            identity = next((struct.unpack_from("<I", self._content, at)[0] for kind, _, at, stop in self._inside(first, last)
                             if kind == _NOTES_ATOM and stop - at >= 4), 0)  # fmt: skip
            texts = _Texts()
            self._collect(first, last, texts, outline)
            notes[identity] = texts.shown
        return notes

    def _collect(self, start: int, end: int, texts: _Texts, outline: list[tuple[int, str]], depth: int = 0) -> None:
        """Adds the texts between two offsets."""
        text_kind = -1
        for kind, instance, first, last in self._inside(start, end):
            if kind == _TEXT_KIND and last - first >= 4:
                (text_kind,) = struct.unpack_from("<I", self._content, first)
            elif kind in (_CHARS, _BYTES):
                self._add(texts, text_kind, self._text(kind, first, last))
            elif kind == _OUTLINE_REFERENCE and last - first >= 4:
                (at,) = struct.unpack_from("<I", self._content, first)
                if at < len(outline):
                    self._add(texts, *outline[at])
            elif kind == _SHOW_INFO and last - first >= 12:
                texts.hidden = bool(struct.unpack_from("<H", self._content, first + 10)[0] & _HIDDEN)
            elif kind == _SHAPE_OPTIONS:
                self._add(texts, -1, visible(self._description(first, last, instance)))
            elif kind == _COMMENT:
                said = self._strings(first, last)
                author = f" ({said[0]})" if said.get(0) else ""
                texts.comments += [f"Comment{author}: {said[1]}"] if said.get(1) else []
            elif kind == _EDGES:
                for number, text in self._strings(first, last).items():
                    self._add(texts, -1, text if number else "")  # 0 is a date
            elif kind in _CONTAINERS and depth < _MAX_DEPTH and not (texts.only_own and self._holds_place(kind, first, last)):
                self._collect(first, last, texts, outline, depth + 1)

    def _strings(self, start: int, end: int) -> dict[int, str]:
        """The texts in a comment, or of headers and footers, by their instance."""
        return {number: self._text(_CHARS, at, stop) for kind, number, at, stop in self._inside(start, end) if kind == _STRING}

    def _holds_place(self, kind: int, start: int, end: int) -> bool:
        """Whether a shape only holds the place of a title, a text or a number."""
        return kind == _SHAPE and any(
            inner == _PLACEHOLDER
            for data, _, first, last in self._inside(start, end)
            if data == _CLIENT_DATA
            for inner, _, _, _ in self._inside(first, last)
        )

    def _add(self, texts: _Texts, kind: int, text: str) -> None:
        if not text or text in _PLACES:
            return
        if kind in _TITLE_KINDS and not texts.title:
            texts.title = " ".join(text.split())[:200]
            texts.shown.insert(0, text)
        else:
            texts.shown.append(text)

    def _text(self, kind: int, start: int, end: int) -> str:
        raw = self._content[start:end]
        text = raw.decode("utf-16-le", "replace") if kind == _CHARS else raw.decode("cp1252", "replace")
        return visible(text.replace("\r", "\n").replace("\0", ""))

    def _description(self, start: int, end: int, count: int) -> str:
        """The alternative text among the options of a shape."""
        behind = start + 6 * count  # texts follow the table, in its order
        for at in range(start, min(behind, end - 5), 6):
            code, size = struct.unpack_from("<HI", self._content, at)
            if code == _DESCRIPTION:
                return self._content[behind : min(behind + size, end)].decode("utf-16-le", "replace").replace("\0", "")
            if code & 0x8000:
                behind += size
        return ""
