"""OpenDocument presentations and drawings (.odp, .odg) to passages: the texts of each slide, its notes and comments.

Knows pages, their frames and master pages; odf.py gives their texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.odf import Block, blocks, damaged
from rag.loaders.office.odf_flow import Start
from rag.loaders.office.odf_parts import Parts
from rag.loaders.office.unread import unread
from rag.loaders.text.chunking import cut, text_passage
from rag.loaders.text.passage_content import ARROW
from rag.types import Context, DocumentId, Passage, Slide

_PLACES = frozenset({"title", "subtitle", "outline", "notes", "page", "date-time", "page-number"})  # classes of empty frames


def passages(document: DocumentId, parts: Parts, limits: Limits) -> Iterator[Passage]:
    """Spans of each slide, its notes last. UnreadableDocument where it is damaged or contains no text."""
    title = parts.title()
    ordinal = characters = 0
    reasons: list[str] = []
    everywhere = list(_on_every_slide(parts, reasons))
    try:
        for slide in _slides(parts):
            title = title or slide.title
            context = Context(title=title, heading=ARROW.join(filter(None, (slide.title, slide.hidden))), slide=slide.number)
            notes = [f"Notes: {chr(10).join(slide.notes)}"] if slide.notes else []
            text = "\n\n".join([*slide.texts, *everywhere, *notes])
            everywhere.clear()  # it is given once
            characters += len(text)
            if characters > limits.max_text_bytes:
                raise UnreadableDocument(f"contains more text than the limit max_text_bytes ({limits.max_text_bytes:,})")
            for span in cut(text, limits.passage_characters):
                yield text_passage(document, ordinal, Slide(slide.number), span.text, context)
                ordinal += 1
    except UnreadableDocument as error:
        if not ordinal or characters > limits.max_text_bytes:
            raise damaged("presentation", error) from error
        reasons.append(error.what)
    if not ordinal:
        raise UnreadableDocument("contains no text")
    yield from unread(document, ordinal, reasons)


@dataclass(slots=True)
class _Slide:
    """A slide as it is read."""

    number: int
    hidden: str = ""
    title: str = ""
    texts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def _slides(parts: Parts) -> Iterator[_Slide]:
    slide = _Slide(0)
    frames: list[str] = []  # what the open frames are for
    inside = 0  # in the notes of a page
    for event in blocks(parts.body(), parts):
        if isinstance(event, Block):
            (slide.notes if inside else slide.texts).append(event.text)
            if "title" in frames and not inside and not slide.title:
                slide.title = " ".join(event.text.removeprefix("- ").split())[:200]
        elif event.name == "draw:frame":
            if isinstance(event, Start):
                frames.append(event.attributes.get("presentation:class", ""))
            elif frames:
                frames.pop()
        elif event.name == "presentation:notes":
            inside += 1 if isinstance(event, Start) else -1
        elif isinstance(event, Start) and event.name == "draw:page":
            hidden = "hidden slide" if event.attributes.get("draw:style-name") in parts.hidden else ""
            slide = _Slide(slide.number + 1, hidden)
        elif event.name == "draw:page":
            yield slide


def _on_every_slide(parts: Parts, reasons: list[str]) -> Iterator[str]:
    """The texts of master pages, but for those that only hold a place, each once."""
    seen = set[str]()
    frames: list[str] = []
    master = notes = 0
    try:
        for event in blocks(parts.styles(), parts):
            if isinstance(event, Block):
                if master and not notes and not (frames and frames[-1] in _PLACES) and event.text not in seen:
                    seen.add(event.text)
                    yield event.text
            elif event.name == "draw:frame":
                if isinstance(event, Start):
                    frames.append(event.attributes.get("presentation:class", ""))
                elif frames:
                    frames.pop()
            elif event.name == "style:master-page":
                master += 1 if isinstance(event, Start) else -1
            elif event.name == "presentation:notes":
                notes += 1 if isinstance(event, Start) else -1
    except UnreadableDocument as error:
        reasons.append(f"has master pages that cannot be read: {error.what}")
