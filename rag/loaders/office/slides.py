"""PowerPoint decks (.pptx) to passages: the text of each slide, its tables, charts and diagrams, and its notes.

Knows what python-pptx reads; gets a cleaned archive (safe_zip.py), in which pictures and films are empty.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.safe_zip import first_line
from rag.loaders.text.chunking import cut, text_passage
from rag.types import Context, DocumentId, Passage, Slide

_MAX_GROUP_DEPTH = 20
_GENERIC_TITLES = frozenset(
    {"", "powerpoint presentation", "powerpoint-präsentation", "présentation powerpoint", "powerpoint 演示文稿"}
)


def passages(document: DocumentId, members: io.BytesIO, limits: Limits) -> Iterator[Passage]:
    """Spans of each slide that has words. UnreadableDocument where it is damaged or contains no text."""
    from lxml.etree import LxmlError
    from pptx import Presentation
    from pptx.exc import PythonPptxError

    ordinal = -1
    # what python-pptx 1.0 raises on damaged decks (tests/unit/loaders/office/test_office.py damages one 300 times)
    damaged = (PythonPptxError, LxmlError, zipfile.BadZipFile, LookupError, ValueError)
    try:
        deck = Presentation(members)
        title = " ".join((deck.core_properties.title or "").split())
        title = "" if title.lower() in _GENERIC_TITLES else title
        for number, slide in enumerate(deck.slides, start=1):
            heading = _title(slide)
            title = title or heading
            context = Context(title=title, heading=heading, slide=number)
            for span in cut("\n\n".join(_blocks(slide)), limits.passage_characters):
                ordinal += 1
                yield text_passage(document, ordinal, Slide(number), span.text, context)
    except RecursionError as error:
        raise UnreadableDocument("is a damaged PowerPoint deck: its parts are nested too deeply") from error
    except (AttributeError, TypeError) as error:  # python-pptx found an unexpected element
        raise UnreadableDocument("is a damaged PowerPoint deck: a part contains unexpected elements") from error
    except damaged as error:
        raise UnreadableDocument(f"is a damaged PowerPoint deck: {first_line(error)}") from error
    if ordinal < 0:
        raise UnreadableDocument("contains no text")


def _title(slide: Any) -> str:
    shape = _title_shape(slide)
    return " ".join(shape.text_frame.text.split())[:200] if shape is not None else ""


def _title_shape(slide: Any) -> Any | None:
    """The title shape of a slide, if it holds text: a picture may take its place."""
    shape = slide.shapes.title
    return shape if shape is not None and shape.has_text_frame else None


def _blocks(slide: Any) -> Iterator[str]:
    """The texts of a slide, its title first, its notes last."""
    title = _title_shape(slide)
    if title is not None and (text := _visible(title.text_frame.text)):
        yield text
    yield from _shape_texts((shape for shape in slide.shapes if title is None or shape.shape_id != title.shape_id), 0)
    if slide.has_notes_slide:
        frame = slide.notes_slide.notes_text_frame
        if frame is not None and (text := _visible(frame.text)):
            yield f"Notes: {text}"


def _shape_texts(shapes: Iterable[Any], depth: int) -> Iterator[str]:
    from pptx.shapes.group import GroupShape

    for shape in shapes:
        if isinstance(shape, GroupShape):
            if depth < _MAX_GROUP_DEPTH:
                yield from _shape_texts(shape.shapes, depth + 1)
            continue
        if shape.has_text_frame:
            text = _visible(shape.text_frame.text)
        elif shape.has_table:
            text = "\n".join(" | ".join(" ".join(cell.text.split()) for cell in row.cells) for row in shape.table.rows)
        else:
            said = _visible(shape._element._nvXxPr.cNvPr.get("descr", ""))  # the alt text of a picture or a chart
            text = "\n".join(filter(None, (said, *_drawn_words(shape))))
        if text.strip(" |\n"):
            yield text


def _drawn_words(shape: Any) -> Iterator[str]:
    """The words in a chart, or in a diagram (SmartArt), each once: its title, names of series and categories, its boxes."""
    from lxml import etree

    relation = shape._element.xpath(".//*[local-name()='relIds']/@*[local-name()='dm'] | .//*[local-name()='chart']/@r:id")
    if not relation:
        return
    try:
        content = shape.part.related_part(relation[0]).blob
    except KeyError:  # the deck has no such part
        return
    drawn = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    seen = set[str]()
    for words in drawn.xpath("//*[local-name()='p'] | //*[local-name()='strCache']//*[local-name()='v']"):
        said = _visible("".join(words.itertext()))
        if said and said not in seen:
            seen.add(said)
            yield said


def _visible(text: str) -> str:
    """The lines that are not blank, stripped; a break within a paragraph (vertical tab) ends a line too."""
    return "\n".join(line.strip() for line in text.replace("\v", "\n").split("\n") if line.strip())
