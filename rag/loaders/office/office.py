"""Loads office documents and EPUB books: tells which format a zip file is, and gives its passages.

Knows the member names of each format; word.py, slides.py, sheets.py and epub.py read them.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.safe_zip import text_members
from rag.loaders.properties.base import with_properties
from rag.loaders.properties.document import office_properties
from rag.loaders.text.chunking import passages_of, text_content
from rag.types import CaptionOf, Content, Document, Passage


class OfficeLoader:
    """Word and EPUB by lines of their converted text, PowerPoint by slides, Excel by sheets."""

    version = 4

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        members = text_members(document.file, limits)
        yield from with_properties(self._passages(document, members, limits), office_properties(members))

    def _passages(self, document: Document, members: io.BytesIO, limits: Limits) -> Iterator[Passage]:
        folders = _folders(members)
        if "word" in folders:
            from rag.loaders.office import word

            yield from passages_of(document.id, word.rendered(members), limits)
        elif "ppt" in folders:
            from rag.loaders.office import slides

            yield from slides.passages(document.id, members, limits)
        elif "xl" in folders:
            from rag.loaders.office import sheets

            yield from sheets.passages(document.id, members, limits)
        elif "META-INF" in folders:
            from rag.loaders.office import epub

            yield from passages_of(document.id, epub.rendered(members), limits)
        else:
            raise UnreadableDocument("is a zip archive: not a format this program reads")

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content]:
        return map(text_content, passages)

    def captions(self, document: Document, limits: Limits) -> Iterator[CaptionOf]:
        return iter(())


def _folders(members: io.BytesIO) -> frozenset[str]:
    with zipfile.ZipFile(members) as archive:
        return frozenset(name.partition("/")[0] for name in archive.namelist())
