"""Rich text (.rtf) to text: paragraphs, headings, tables, notes and comments, headers and footers, text boxes.

Knows the groups of RTF 1.9; rtf_tokens.py cuts the file into words and bytes, rtf_charsets.py knows code pages. Linear in the size
of the file. (striprtf drops footnotes, comments, headers and text boxes, keeps deleted text, and is quadratic in links.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.rtf_charsets import code_page_of, decoded_as, joined_surrogates
from rag.loaders.office.rtf_tokens import tokens
from rag.loaders.text.chunking import Heading, Rendering

_MAX_DEPTH = 5_000  # groups in each other: Word writes ten
_MARKS = {
    **{"tab": "\t", "line": "\n", "emdash": "—", "endash": "–", "bullet": "•", "lquote": "‘", "rquote": "’"},
    **{"ldblquote": "“", "rdblquote": "”", "emspace": " ", "enspace": " ", "qmspace": " ", "softline": "\n"},
    **{"~": " ", "_": "-", "-": "", "{": "{", "}": "}", "\\": "\\"},
}
_NOTES = {"footnote": "Footnote", "annotation": "Comment"}
_EDGES = {name: name[:6].capitalize() for name in ("header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf")}
_READ = frozenset({"fonttbl", "stylesheet", "title", "atnauthor", "sn", "sv"})  # groups whose text says something of others
_SHOWN = frozenset({"shpinst", "shptxt", "ud", "annotation", "atnauthor", "do", "dptxbxtext", "pnseclvl"}) - {"pnseclvl"}
_NOT_TEXT = frozenset(  # groups without \* whose text is not shown
    {"colortbl", "info", "pict", "objdata", "nonshppict", "shprslt", "fldinst", "xe", "tc", "rxe", "bkmkstart", "bkmkend", "listname"}
    | {"themedata", "datastore", "filetbl", "listtable", "listoverridetable", "revtbl", "objclass", "objname", "nesttableprops"}
    | {"nonesttables", "ftnsep", "ftnsepc", "ftncn", "aftnsep", "aftnsepc", "aftncn", "template", "private", "mmathpict", "falt"}
    | {"panose", "fname", "atnid", "atnref", "atndate", "atntime", "atnicn", "atnparent", "atrfstart", "atrfend"}
)
_SAID_OF_SHAPES = frozenset({"wzDescription", "gtextUNICODE"})  # alternative text, WordArt


@dataclass(frozen=True, slots=True)
class _Group:
    """What holds inside a pair of braces."""

    kind: str = ""  # the destination; "" for the text of the one around it
    skipped: bool = False
    deleted: bool = False
    font: int = -1
    fallback: int = 1  # characters that stand behind one in Unicode, for old programs
    alternatives: bool = False  # its first group repeats the one in Unicode


@dataclass(slots=True)
class _Sink:
    """Where text goes: the document, or a note, header or box in it."""

    kind: str
    depth: int  # of its group
    pieces: list[str] = field(default_factory=list)  # of the open paragraph
    cell: list[str] = field(default_factory=list)  # finished paragraphs of the open cell
    cells: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # by notes, for behind the paragraph
    blocks: list[tuple[int, str]] = field(default_factory=list)  # (heading level or 0, text)
    level: int = 0  # of the open paragraph, if it is a heading
    in_table: bool = False


def rendered(file: Path, limits: Limits) -> Rendering:
    """The document's text, a blank line between paragraphs. UnreadableDocument where it is too large or damaged."""
    try:
        size = file.stat().st_size
        if size > (most := 20 * limits.max_text_bytes):
            raise UnreadableDocument(f"has {size:,} bytes; the limit for rich text is 20 times max_text_bytes, {most:,}")
        content = file.read_bytes()
    except OSError as error:
        raise UnreadableDocument(f"cannot be opened: {error.strerror or error}") from error
    reader = _Reader()
    for word, number, raw in tokens(content):
        reader.take(word, number, raw)
    reader.end()
    lines: list[str] = []
    headings: list[Heading] = []
    length = 0
    for level, text in reader.blocks():
        if level > 0:
            headings.append(Heading(length, level, text))
            text = "#" * level + " " + text
        elif level < 0:
            headings.append(Heading(length, 1, "Header and footer", lines=0))
        lines.append(text + "\n\n")
        length += len(text) + 2
    if length > limits.max_text_bytes:
        raise UnreadableDocument(f"contains more text than the limit max_text_bytes ({limits.max_text_bytes:,})")
    title = reader.title or next((heading.title for heading in headings if heading.level == 1 and heading.lines), "")
    return Rendering("".join(lines), tuple(headings), title)


class _Reader:
    """Takes tokens and writes blocks."""

    def __init__(self) -> None:
        self.title = ""
        self._group = _Group(skipped=True)  # what stands before the first brace is no text
        self._stack: list[_Group] = []
        self._sinks = [_Sink("", 0)]
        self._edges: dict[str, None] = {}
        self._page = "cp1252"
        self._pages: dict[int, str] = {}  # by font
        self._levels: dict[int, int] = {}  # heading level by style
        self._starred = self._fresh = False  # behind "{\*", and before the first word of a group
        self._skip = 0  # characters still to be left out
        self._raw = bytearray()  # characters not decoded yet
        self._high: list[str] = []  # what a group of _READ says
        self._number = 0  # of the font or style being defined
        self._author = self._property = ""
        self._words: dict[str, Callable[[int | None], None]] = {
            **{"par": lambda _: self._end_paragraph(), "sect": lambda _: self._end_paragraph(), "page": lambda _: self._end_paragraph()},
            **{"cell": lambda _: self._end_cell(), "nestcell": lambda _: self._add(" "), "row": lambda _: self._end_row()},
            **{"nestrow": lambda _: self._add("\n"), "pard": lambda _: self._plain_paragraph(), "intbl": lambda _: self._in_table()},
            **{"s": self._style, "outlinelevel": self._outline, "u": self._unicode, "plain": lambda _: self._set(deleted=False)},
            **{"deleted": lambda number: self._set(deleted=number != 0), "f": self._font, "uc": self._fallback},
            **{"ansicpg": self._set_page, "fcharset": self._charset, "mac": lambda _: self._set_page(10000), "pc": lambda _: self._set_page(437)},
        }  # fmt: skip

    def take(self, word: str, number: int | None, raw: bytes) -> None:
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
        if self._skip and word in _MARKS:
            self._skip -= 1
        elif word in _MARKS:
            self._flush()
            self._add(_MARKS[word])
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
        elif word in _READ:
            self._group = replace(self._group, kind=word, skipped=False)
            self._high = []
        elif word in _NOTES or word in _EDGES or word in ("shptxt", "dptxbxtext"):
            self._group = replace(self._group, kind=word)
            self._sinks.append(_Sink(word, len(self._stack)))
        elif word in _NOT_TEXT or (starred and word not in _SHOWN):
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
        elif self._property in _SAID_OF_SHAPES and text:
            self._sinks[-1].said.append(text)
        self._high = []

    def _end_sink(self, sink: _Sink) -> None:
        self._finish(sink)
        text = "\n".join(text for _, text in sink.blocks)
        outer = self._sinks[-1]
        if not text:
            return
        if sink.kind in _NOTES:
            author = f" ({self._author})" if sink.kind == "annotation" and self._author else ""
            outer.said.append(f"{_NOTES[sink.kind]}{author}: {' '.join(text.split())}")
        elif sink.kind in _EDGES:
            self._edges[f"{_EDGES[sink.kind]}: {text}"] = None
        else:
            outer.said.append(text)

    def end(self) -> None:
        """Ends what is open: files are cut off."""
        self._flush()
        while len(self._sinks) > 1:
            self._end_sink(self._sinks.pop())
        self._finish(self._sinks[0])

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
        if self._group.kind in _READ:
            self._high.append(text)
            if self._group.kind in ("fonttbl", "stylesheet") and ";" in text:
                self._define_style()
        else:
            self._sinks[-1].pieces.append(text)

    def _define_style(self) -> None:
        """Ends the definition of a font or style: only what headings are called is of interest."""
        name = "".join(self._high).strip().rstrip(";").strip().lower()
        self._high = []
        if name.startswith("heading ") and name[8:9].isdigit() and self._group.kind == "stylesheet":
            self._levels[self._number] = max(1, int(name[8]))
        elif name == "title" and self._group.kind == "stylesheet":
            self._levels[self._number] = 1

    # ---- words ---------------------------------------------------------------------------------

    def _set(self, deleted: bool) -> None:
        self._group = replace(self._group, deleted=deleted)

    def _font(self, number: int | None) -> None:
        if self._group.kind == "fonttbl":
            self._number = number or 0
        else:
            self._group = replace(self._group, font=-1 if number is None else number)

    def _fallback(self, number: int | None) -> None:
        self._group = replace(self._group, fallback=max(0, min(number or 0, 16)))

    def _set_page(self, number: int | None) -> None:
        self._page = code_page_of(number or 1252)

    def _charset(self, number: int | None) -> None:
        if number:
            self._pages[self._number] = code_page_of(number, charset=True)

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

    # ---- paragraphs and tables -----------------------------------------------------------------

    def _taken(self, sink: _Sink) -> str:
        text = joined_surrogates("".join(sink.pieces))
        sink.pieces.clear()
        return "\n".join(line.strip() for line in text.split("\n") if line.strip())

    def _end_paragraph(self) -> None:
        if self._group.skipped or self._group.kind in _READ:
            return
        sink = self._sinks[-1]
        text = self._taken(sink)
        if sink.in_table:
            sink.cell += [text] if text else []
            return
        self._end_table(sink)
        if text:
            sink.blocks.append((sink.level, " ".join(text.split()) if sink.level else text))
        self._give_said(sink)

    def _end_cell(self) -> None:
        sink = self._sinks[-1]
        sink.cells.append(" ".join(" ".join([*sink.cell, self._taken(sink)]).split()))
        sink.cell.clear()

    def _end_row(self) -> None:
        sink = self._sinks[-1]
        if any(sink.cells):
            sink.rows.append(" | ".join(sink.cells))
        sink.cells.clear()

    def _end_table(self, sink: _Sink) -> None:
        if sink.cells or sink.cell:
            sink.rows.append(" | ".join(filter(None, [*sink.cells, *sink.cell])))
            sink.cells, sink.cell = [], []
        if sink.rows:
            sink.blocks.append((0, "\n".join(filter(None, sink.rows))))
            sink.rows = []

    def _give_said(self, sink: _Sink) -> None:
        sink.blocks += [(0, text) for text in sink.said]
        sink.said.clear()

    def _finish(self, sink: _Sink) -> None:
        text = self._taken(sink)
        self._end_table(sink)
        if text:
            sink.blocks.append((0, text))
        self._give_said(sink)
