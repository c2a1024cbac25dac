"""What is written beside the cells of a sheet: notes and threads on cells, text boxes, charts, alternative texts, page edges.

Knows the parts that a sheet refers to; reads no cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from rag.errors import UnreadableDocument
from rag.loaders.office.drawings import A, alternative_text, drawn_words, paragraphs, relation_ids, visible
from rag.loaders.office.package import Package
from rag.loaders.office.sheet_cells import Cell, cell_of
from rag.loaders.office.tables import one_line

_EDGE_CODE = re.compile(r'&(?:"[^"]*"|K[0-9A-Fa-f]{2}[+-]\d{3}|K[0-9A-Fa-f]{6}|\d{1,3}|[A-Za-z])|&(&)')
_BESIDE = {"comments": "notes", "threadedComment": "comments", "drawing": "drawings"}  # by the kind of relation


class NoteReader:
    """Reads what sheets refer to; the people who comment are listed once for a workbook."""

    def __init__(self, package: Package, people: str) -> None:
        self._package = package
        self._people: dict[str, str] = {}
        self.unread: list[str] = []  # why something is not read
        try:
            listed = package.tree(people) if people else ()
            self._people = {one.get("id", ""): one.get("displayName", "") for one in listed}
        except UnreadableDocument:
            return  # the comments are then read without names

    def of_cells(self, sheet: str) -> Mapping[Cell, str]:
        """The notes and threads on the cells of a sheet. A thread comes with a note for old programs, which is left out."""
        notes: dict[Cell, list[str]] = {}
        threads: dict[Cell, list[str]] = {}
        for kind, into in (("comments", notes), ("threadedComment", threads)):
            for part in self._parts(sheet, kind):
                for reference, author, text in self._said(part, kind):
                    if text and (cell := cell_of(reference)):
                        into.setdefault(cell, []).append(f"[note{f' by {author}' if author else ''}: {text}]")
        return {cell: " ".join(said) for cell, said in (notes | threads).items()}

    def _parts(self, sheet: str, kind: str) -> Iterator[str]:
        for one in self._package.relations(sheet):
            if one.kind == kind and one.target in self._package:
                yield one.target

    def _said(self, part: str, kind: str) -> Iterator[tuple[str, str, str]]:
        """(cell, author, text) of each note, or comment of a thread."""
        try:
            tree = self._package.tree(part)
        except UnreadableDocument as error:
            self.unread.append(f"has {_BESIDE[kind]} that cannot be read: {error.what}")
            return
        authors = [author.text or "" for author in tree.iterfind("{*}authors/{*}author")]
        for one in tree.iter("{*}comment", "{*}threadedComment"):
            number = one.get("authorId", "")
            named = authors[int(number)] if number.isascii() and number.isdigit() and int(number) < len(authors) else ""
            author = one_line(self._people.get(one.get("personId", ""), named))
            written = "".join(run.text or "" for run in one.iter("{*}t", "{*}text") if not len(run))
            text = one_line(written)
            yield one.get("ref", ""), author, text.removeprefix(f"{author}:").strip() if author else text

    def drawn(self, sheet: str) -> Iterator[str]:
        """The words of what is drawn over the cells of a sheet."""
        for part in self._parts(sheet, "drawing"):
            try:
                tree = self._package.tree(part)
            except UnreadableDocument as error:
                self.unread.append(f"has {_BESIDE['drawing']} that cannot be read: {error.what}")
                continue
            targets = {one.id: one.target for one in self._package.relations(part)}
            for shape in tree.iter("{*}sp", "{*}pic", "{*}graphicFrame", "{*}cxnSp"):
                texts = ["\n".join(paragraphs(shape))] if shape.find(f".//{A}p") is not None else []
                texts += [alternative_text(properties) for properties in shape.iterfind("*/{*}cNvPr")]
                texts += [drawn_words(self._package, targets[one]) for one in relation_ids(shape) if one in targets]
                yield from filter(None, texts)
        for part in self._parts(sheet, "vmlDrawing"):
            yield from self._old_boxes(part)

    def _old_boxes(self, part: str) -> Iterator[str]:
        """The labels of buttons and boxes that Excel still draws in VML, which is often no good XML."""
        from lxml import etree

        try:
            parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False)
            tree = etree.fromstring(self._package.content(part), parser)
        except (UnreadableDocument, etree.LxmlError, ValueError):
            return
        for box in () if tree is None else tree.iter("{urn:schemas-microsoft-com:vml}textbox"):
            if text := visible("".join(box.itertext())):
                yield text


def page_edges(written: Iterable[str]) -> Iterator[str]:
    """The headers and footers of printed pages, without their codes for fonts, page numbers and dates, each once."""
    said = (visible(_EDGE_CODE.sub(lambda code: "&" if code[1] else " ", edge)) for edge in written)
    yield from dict.fromkeys(filter(None, said))
