"""The content of a stored passage, read again from its file.

Knows loaders; knows no model and no index.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.corpus.file_types import SHOWN_BY
from rag.errors import UnreadableDocument
from rag.loaders import LOADERS
from rag.loaders.base import Limits, Loader
from rag.loaders.detect import loader_name
from rag.loaders.text.chunking import text_content
from rag.plugins import resolve
from rag.types import Content, Document, DocumentId, Hit, Passage, StoredPassage

if TYPE_CHECKING:
    from rag.types import Pixels


def words_only(stored: StoredPassage) -> Content:
    """The content of a candidate without opening its file: a text whole, a picture without its pixels."""
    passage = stored.passage
    return text_content(passage) if passage.modality == "text" else Content(modality=passage.modality)


def read_contents(stored: Sequence[StoredPassage], limits: Limits) -> list[Content]:
    """The contents of candidates, in order; each file is opened once. What cannot be read any more keeps its words."""
    contents = {one.number: words_only(one) for one in stored}
    by_document: dict[object, list[StoredPassage]] = {}
    for one in stored:
        if one.passage.modality != "text":
            by_document.setdefault((one.index, one.passage.document), []).append(one)
    for passages in by_document.values():
        ordered = sorted(passages, key=lambda one: one.passage.ordinal)
        first = ordered[0]
        document = Document(first.passage.document, first.file, caption=first.passage.caption)
        try:
            name = loader_name(first.file, limits)
            if name != SHOWN_BY.get(first.passage.kind):  # another file lies there now
                continue
            loader = resolve(LOADERS, name, "loader")()
            for one in ordered:
                for content in loader.read(document, [one.passage], limits):
                    if isinstance(content, Content):
                        contents[one.number] = content
        except (UnreadableDocument, OSError):
            continue
    return [contents[one.number] for one in stored]


def hit_pixels(hit: Hit) -> Pixels | None:
    """The picture, uint8 RGB, that a hit was found by, or None where its file cannot be read any more."""
    document = Document(DocumentId(hit.root, hit.document), Path(hit.path))
    try:
        name = loader_name(document.file, Limits())
        if name != SHOWN_BY.get(hit.kind):  # another file lies there now
            return None
        loader: Loader = resolve(LOADERS, name, "loader")()
        passage = Passage(document.id, 0, hit.best, hit.kind, hit.modality)
        contents = [one for one in loader.read(document, [passage], Limits()) if isinstance(one, Content)]
    except (UnreadableDocument, OSError):
        return None
    return contents[0].pixels[0] if contents and contents[0].pixels else None
