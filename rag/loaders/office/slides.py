"""PowerPoint decks (.pptx) to passages: each slide's title, shapes, tables, charts and diagrams, its notes and comments.

Knows PresentationML; a `Package` gives its parts, and one slide is in memory at a time. (python-pptx holds the whole package,
refuses a deck for one damaged part, and sees no shape that has two renderings, such as one with a formula.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.drawings import ALTERNATE, A, alternative_text, drawn_words, paragraphs, relation_ids
from rag.loaders.office.package import Package
from rag.loaders.office.slide_comments import CommentReader
from rag.loaders.office.slide_order import Frames, in_order, places_of
from rag.loaders.office.unread import unread
from rag.loaders.text.chunking import cut, text_passage
from rag.loaders.text.passage_content import ARROW
from rag.types import Context, DocumentId, Passage, Slide

_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_RELATION_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_CORE_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_BESIDE = {"notesSlide": "notes", "comments": "comments"}  # by the kind of relation
_TITLES = ("title", "ctrTitle")
_NOT_OF_NOTES = ("sldImg", "sldNum", "hdr", "ftr", "dt")
_GENERIC_TITLES = frozenset(
    {"", "powerpoint presentation", "powerpoint-präsentation", "présentation powerpoint", "powerpoint 演示文稿"}
    | {"slide 1", "folie 1", "diapositive 1", "no slide title", "presentation", "kein folientitel"}
)


def passages(document: DocumentId, package: Package, limits: Limits) -> Iterator[Passage]:
    """Spans of each slide that has words. UnreadableDocument where it is damaged or contains no text."""
    main = package.main_part("officeDocument", "ppt/presentation.xml")
    if not main:
        raise UnreadableDocument("is a damaged PowerPoint deck: its main part is missing")
    try:
        presentation = package.tree(main)
    except UnreadableDocument as error:
        raise UnreadableDocument(f"is a damaged PowerPoint deck: {error.what.removeprefix('is damaged: ')}") from error
    targets = {one.id: one.target for one in package.relations(main)}
    reader = _SlideReader(package, main)
    title = _title_of(package)
    ordinal = 0
    reasons: list[str] = []
    for number, listed in enumerate(presentation.iterfind(f"{_P}sldIdLst/{_P}sldId"), start=1):
        part = targets.get(listed.get(_RELATION_ID, ""), "")
        try:
            slide = package.tree(part)
            heading = reader.heading(slide)
            blocks = list(reader.blocks(slide, part))
        except UnreadableDocument as error:
            reasons.append(f"slide {number} {error.what}")
            continue
        reasons += [f"slide {number} {reason}" for reason in reader.unread]
        reader.unread.clear()
        title = title or heading
        hidden = "hidden slide" if slide.get("show") in ("0", "false") else ""
        context = Context(title=title, heading=ARROW.join(filter(None, (heading, hidden))), slide=number)
        for span in cut("\n\n".join(blocks), limits.passage_characters):
            yield text_passage(document, ordinal, Slide(number), span.text, context)
            ordinal += 1
    if not ordinal:
        raise UnreadableDocument(f"is a damaged PowerPoint deck: {reasons[0]}" if reasons else "contains no text")
    yield from unread(document, ordinal, reasons)


def _title_of(package: Package) -> str:
    core = package.main_part("core-properties", "docProps/core.xml")
    try:
        title = " ".join((package.tree(core).findtext(f".//{_CORE_TITLE}") or "").split()) if core else ""
    except UnreadableDocument:
        title = ""
    return meaningful(title)


def meaningful(title: str) -> str:
    """A title, unless it is one that PowerPoint gives by itself."""
    return "" if title.lower() in _GENERIC_TITLES else title


class _SlideReader:
    """Gives the texts of slides; what layouts and masters show on many of them, it gives once."""

    def __init__(self, package: Package, main: str) -> None:
        self._package = package
        self._comments = CommentReader(package, main)
        self._seen: set[str] = set()  # layouts and masters
        self._places: dict[str, Frames] = {}  # by layout
        self.unread: list[str] = []  # why something beside the slides is not read

    def heading(self, slide: Any) -> str:
        """The title of a slide; "" where it has none, or a picture takes its place."""
        shape = _title_shape(slide)
        return " ".join(" ".join(paragraphs(shape)).split())[:200] if shape is not None else ""

    def blocks(self, slide: Any, part: str) -> Iterator[str]:
        """The texts of a slide: its title, its shapes, what its layout and master show, its notes, its comments."""
        relations = self._package.relations(part)
        targets = {one.id: one.target for one in relations}
        title = _title_shape(slide)
        if title is not None:
            yield "\n".join(paragraphs(title))
        layout = next((one.target for one in relations if one.kind == "slideLayout"), "")
        yield from self._shapes(slide, targets, title, self._places_of(layout))
        for kind in ("slideLayout", "slideMaster"):
            for one in relations:
                if one.kind == kind and one.target not in self._seen:
                    self._seen.add(one.target)
                    yield from self._always_shown(one.target)
        for one in relations:
            try:
                if one.kind == "notesSlide" and (notes := "\n".join(self._notes(one.target))):
                    yield f"Notes: {notes}"
                elif one.kind == "comments":
                    yield from self._comments.texts(one.target)
            except UnreadableDocument as error:
                self.unread.append(f"has {_BESIDE[one.kind]} that cannot be read: {error.what}")

    def _places_of(self, layout: str) -> Frames:
        """The frames that a layout gives to the shapes of its slides, and its master where it gives none."""
        if layout not in self._places:
            try:
                own = places_of(self._package.tree(layout)) if layout else {}
                masters = [one.target for one in self._package.relations(layout) if one.kind == "slideMaster"] if layout else []
                self._places[layout] = {**(places_of(self._package.tree(masters[0])) if masters else {}), **own}
            except UnreadableDocument:
                self._places[layout] = {}
        return self._places[layout]

    def _shapes(self, tree: Any, targets: dict[str, str], title: Any, places: Frames) -> Iterator[str]:
        """The texts of the shapes in reading order. XML is nested at most 256 deep."""
        for shape in in_order(list(tree), places):
            tag = shape.tag.rpartition("}")[2] if isinstance(shape.tag, str) else ""
            if shape is title:
                continue
            if shape.tag == ALTERNATE:
                shown = next((one for one in shape if len(one)), None)  # the rendering of new programs comes first
                yield from self._shapes(() if shown is None else shown, targets, title, places)
            elif tag in ("cSld", "spTree"):
                yield from self._shapes(shape, targets, title, places)
            elif tag in ("sp", "grpSp", "graphicFrame", "pic", "cxnSp"):
                yield from filter(None, self._shape(shape, tag, targets, title, places))

    def _shape(self, shape: Any, tag: str, targets: dict[str, str], title: Any, places: Frames) -> Iterator[str]:
        if tag == "sp":
            yield "\n".join(paragraphs(shape))
        elif tag == "graphicFrame":
            for table in shape.iter(f"{A}tbl"):
                rows = (
                    " | ".join(" ".join(" ".join(paragraphs(cell)).split()) for cell in row.iterfind(f"{A}tc")) for row in table
                )
                yield "\n".join(row for row in rows if row.strip(" |"))
        properties = shape.find("*/{*}cNvPr")
        if properties is not None:
            yield alternative_text(properties)
        if tag == "graphicFrame":
            for one in relation_ids(shape):
                if one in targets:
                    yield drawn_words(self._package, targets[one])
        elif tag == "grpSp":
            yield from self._shapes(shape, targets, title, places)

    def _always_shown(self, part: str) -> Iterator[str]:
        """The texts of a layout, and of the master behind it, that stand on its slides; not those that only hold a place."""
        try:
            tree = self._package.tree(part)
        except UnreadableDocument:
            return
        for shape in tree.iter(f"{_P}sp"):
            if _place(shape) is None and (text := "\n".join(paragraphs(shape))):
                yield text
        for one in self._package.relations(part):
            if one.kind == "slideMaster" and one.target not in self._seen and tree.get("showMasterSp") != "0":
                self._seen.add(one.target)
                yield from self._always_shown(one.target)

    def _notes(self, part: str) -> Iterator[str]:
        for shape in self._package.tree(part).iter(f"{_P}sp"):
            place = _place(shape)
            if place is None or place.get("type") not in _NOT_OF_NOTES:
                yield from paragraphs(shape)


def _place(shape: Any) -> Any | None:
    """The placeholder that a shape fills."""
    return shape.find(f"{_P}nvSpPr/{_P}nvPr/{_P}ph")


def _title_shape(slide: Any) -> Any | None:
    """The title shape of a slide, if it holds text: a picture may take its place."""
    for shape in slide.iter(f"{_P}sp"):
        place = _place(shape)
        if place is not None and place.get("type") in _TITLES and any(paragraphs(shape)):
            return shape
    return None
