"""Takes the tokens of rich text and writes blocks: which group is text, a note, a header, or nothing that is shown.

Knows the groups of RTF 1.9; knows no file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from rag.errors import UnreadableDocument
from rag.loaders.office.rtf_charsets import charset_codec, decoded_as, joined_surrogates, page_codec
from rag.loaders.office.rtf_sink import Sink
from rag.loaders.office.rtf_words import EDGES, MARKS, NOT_TEXT, NOTES, READ, SAID_OF_SHAPES, SHOWN

_MAX_DEPTH = 5_000  # groups in each other: Word writes ten


@dataclass(frozen=True, slots=True)
class _Group:
    """What holds inside a pair of braces."""

    kind: str = ""  # the destination; "" for the text of the one around it
    skipped: bool = False
    deleted: bool = False
    hidden: bool = False
    font: int = -1
    fallback: int = 1  # characters that stand behind one in Unicode, for old programs
    alternatives: bool = False  # its first group repeats the one in Unicode


class Reader:
    """Takes tokens and writes blocks."""

    def __init__(self) -> None:
        self.title = ""
        self._group = _Group(skipped=True)  # what stands before the first brace is no text
        self._stack: list[_Group] = []
        self._sinks = [Sink("", 0)]
        self._edges: dict[str, None] = {}
        self._page = "cp1252"
        self._pages: dict[int, str] = {}  # by font
        self._levels: dict[int, int] = {}  # heading level by style
        self._starred = self._fresh = False  # behind "{\*", and before the first word of a group
        self._skip = 0  # characters still to be left out
        self._raw = bytearray()  # characters not decoded yet
        self._high: list[str] = []  # what a group of READ says
        self._number = 0  # of the font or style being defined
        self._author = self._property = ""
        self._words: dict[str, Callable[[int | None], None]] = {
            **dict.fromkeys(("par", "sect", "page"), lambda _: self._end_paragraph()),
            **{"cell": lambda _: self._sinks[-1].end_cell(), "row": lambda _: self._sinks[-1].end_row()},
            **{"nestcell": lambda _: self._add(" "), "nestrow": lambda _: self._add("\n")},
            **{"pard": lambda _: self._plain_paragraph(), "intbl": lambda _: self._in_table(), "s": self._style},
            **{"outlinelevel": self._outline, "u": self._unicode, "uc": self._fallback, "f": self._font},
            **{"plain": lambda _: self._set(deleted=False, hidden=False), "v": lambda number: self._set(hidden=number != 0)},
            "deleted": lambda number: self._set(deleted=number != 0),
            **{"ansicpg": self._set_page, "mac": lambda _: self._set_page(10_000), "pc": lambda _: self._set_page(437)},
            "fcharset": self._charset,
        }

    def take(self, word: str, number: int | None, raw: bytes) -> None:
        """Reads a token: a brace, a control word and its number, characters. UnreadableDocument where groups nest too deeply."""
        if word == "{":
            self._flush()
            self._stack.append(self._group)
            if len(self._stack) > _MAX_DEPTH:
                raise UnreadableDocument("is damaged rich text: its groups are nested too deeply")
            skipped = (self._group.skipped and len(self._stack) > 1) or self._group.alternatives
            self._group = replace(self._group, skipped=skipped, alternatives=False)
            self._fresh, self._starred, self._skip = True, False, 0
        elif word == "}":
            self._flush()
            self._close()
        elif word == "*":
            self._starred = self._fresh
        elif word == "'" or not word:
            self._fresh = False
            self._characters(raw)
        elif word == "bin":
            self._skip = 0
        else:
            self._word(word, number)

    def _word(self, word: str, number: int | None) -> None:
        begins, starred = self._fresh, self._starred
        self._fresh = self._starred = False
        if begins and self._begins_group(word, starred):
            return
        if self._skip and word in MARKS:
            self._skip -= 1
        elif word in MARKS:
            self._flush()
            self._add(MARKS[word])
        elif word in self._words:
            if word != "u":
                self._flush()
            self._words[word](number)

    def _begins_group(self, word: str, starred: bool) -> bool:
        """Whether the first word of a group says what the group holds."""
        inside = self._group.kind
        if word == "upr":
            self._group = replace(self._group, alternatives=True)
        elif word == "ud":
            around = self._stack[-1]
            self._group = replace(around, alternatives=False)
        elif self._group.skipped and not (word == "title" and inside == "info"):
            return False
        elif word in READ:
            self._group = replace(self._group, kind=word, skipped=False)
            self._high = []
        elif word in NOTES or word in EDGES or word in ("shptxt", "dptxbxtext"):
            self._group = replace(self._group, kind=word)
            self._sinks.append(Sink(word, len(self._stack)))
        elif word in NOT_TEXT or (starred and word not in SHOWN):
            self._group = replace(self._group, kind=word, skipped=True)
        else:
            return inside in ("fonttbl", "stylesheet") and word not in ("f", "s", "cs", "ds", "ts")
        return True

    def _close(self) -> None:
        closed, depth = self._group, len(self._stack)
        self._skip = 0
        if not self._stack:
            return
        self._group = self._stack.pop()
        if closed.kind in ("title", "atnauthor", "sn", "sv") and closed.kind != self._group.kind:
            self._heard(closed.kind, joined_surrogates("".join(self._high)))
        elif closed.kind == "stylesheet":
            self._define_style()
        if len(self._sinks) > 1 and self._sinks[-1].depth == depth:
            self._end_sink(self._sinks.pop())

    def _heard(self, kind: str, text: str) -> None:
        text = " ".join(text.split())
        if kind == "title":
            self.title = text
        elif kind == "atnauthor":
            self._author = text
        elif kind == "sn":
            self._property = text
        elif self._property in SAID_OF_SHAPES and text:
            self._sinks[-1].said.append(text)
        self._high = []

    def _end_sink(self, sink: Sink) -> None:
        sink.finish()
        text = "\n".join(text for _, text in sink.blocks)
        outer = self._sinks[-1]
        if not text:
            return
        if sink.kind in NOTES:
            author = f" ({self._author})" if sink.kind == "annotation" and self._author else ""
            outer.said.append(f"{NOTES[sink.kind]}{author}: {' '.join(text.split())}")
        elif sink.kind in EDGES:
            self._edges[f"{EDGES[sink.kind]}: {text}"] = None
        else:
            outer.said.append(text)

    def end(self) -> None:
        """Ends what is open: files are cut off."""
        self._flush()
        while len(self._sinks) > 1:
            self._end_sink(self._sinks.pop())
        self._sinks[0].finish()

    def blocks(self) -> list[tuple[int, str]]:
        """(heading level, text) of the paragraphs, level 0 for plain ones, −1 for the first header or footer."""
        edges = [(-1 if not at else 0, text) for at, text in enumerate(self._edges)]
        return [*self._sinks[0].blocks, *edges]

    # ---- characters ----------------------------------------------------------------------------

    def _characters(self, raw: bytes) -> None:
        if self._skip:
            left, self._skip = raw[self._skip :], max(0, self._skip - len(raw))
            raw = left
        if not (self._group.skipped or self._group.deleted):
            self._raw += raw

    def _flush(self) -> None:
        if self._raw:
            text = decoded_as(bytes(self._raw), self._pages.get(self._group.font, self._page))
            self._raw.clear()
            self._add(text)

    def _unicode(self, number: int | None) -> None:
        self._flush()
        if number is not None and not self._skip:
            self._add(chr(number & 0xFFFF))
        self._skip = self._group.fallback

    def _add(self, text: str) -> None:
        if self._group.skipped or self._group.deleted:
            return
        if self._group.kind in READ:
            self._high.append(text)
            if self._group.kind in ("fonttbl", "stylesheet") and ";" in text:
                self._define_style()
        else:
            sink = self._sinks[-1]
            (sink.hide if self._group.hidden else sink.add)(text)

    def _define_style(self) -> None:
        """Ends the definition of a font or style: only what headings are called is of interest."""
        name = "".join(self._high).strip().rstrip(";").strip().lower()
        self._high = []
        if name.startswith("heading ") and name[8:9].isdigit() and self._group.kind == "stylesheet":
            self._levels[self._number] = max(1, int(name[8]))
        elif name == "title" and self._group.kind == "stylesheet":
            self._levels[self._number] = 1

    # ---- words ---------------------------------------------------------------------------------

    def _set(self, **states: bool) -> None:
        self._group = replace(self._group, **states)  # type: ignore[arg-type]

    def _font(self, number: int | None) -> None:
        if self._group.kind == "fonttbl":
            self._number = number or 0
        else:
            self._group = replace(self._group, font=-1 if number is None else number)

    def _fallback(self, number: int | None) -> None:
        self._group = replace(self._group, fallback=max(0, min(number or 0, 16)))

    def _set_page(self, number: int | None) -> None:
        self._page = page_codec(number or 1252)

    def _charset(self, number: int | None) -> None:
        if number:
            self._pages[self._number] = charset_codec(number)

    def _style(self, number: int | None) -> None:
        if self._group.kind == "stylesheet":
            self._number = number or 0
        else:
            self._sinks[-1].level = self._levels.get(number or 0, 0)

    def _outline(self, number: int | None) -> None:
        if self._group.kind == "stylesheet":
            if number is not None and 0 <= number < 9:
                self._levels[self._number] = number + 1
        elif number is not None:
            self._sinks[-1].level = number + 1 if 0 <= number < 9 else 0

    def _plain_paragraph(self) -> None:
        self._sinks[-1].level, self._sinks[-1].in_table = 0, False

    def _in_table(self) -> None:
        self._sinks[-1].in_table = True

    def _end_paragraph(self) -> None:
        if not (self._group.skipped or self._group.kind in READ):
            self._sinks[-1].end_paragraph()
