"""Loads office documents and EPUB books: tells which format a file is, and gives its passages.

Knows the member names of each format; word.py, slides.py, sheets.py and epub.py read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.package import Package, opened_package
from rag.loaders.office.safe_zip import text_members
from rag.loaders.office.unread import content_or_reason, unread
from rag.loaders.text.chunking import passages_of
from rag.types import CaptionOf, Content, Document, Passage, Skipped


class OfficeLoader:
    """Word and EPUB by lines of their converted text, PowerPoint by slides, Excel by sheets."""

    version = 4

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        with opened_package(document.file, limits) as package:
            yield from _passages(document, package, limits)

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content | Skipped]:
        return map(content_or_reason, passages)

    def captions(self, document: Document, limits: Limits) -> Iterator[CaptionOf]:
        return iter(())


def _passages(document: Document, package: Package, limits: Limits) -> Iterator[Passage]:
    folders = {name.partition("/")[0] for name in package.names}
    if "word" in folders:
        from rag.loaders.office import word

        rendering, reasons = word.rendered(package)
        ordinal = -1
        for passage in passages_of(document.id, rendering, limits):
            ordinal = passage.ordinal
            yield passage
        yield from unread(document.id, ordinal + 1, reasons)
    elif "ppt" in folders:
        from rag.loaders.office import slides

        yield from slides.passages(document.id, package, limits)
    elif "xl" in folders:
        from rag.loaders.office import sheets

        yield from sheets.passages(document.id, package, limits)
    elif "meta-inf" in folders:
        from rag.loaders.office import epub

        yield from passages_of(document.id, epub.rendered(text_members(document.file, limits)), limits)
    else:
        raise UnreadableDocument("is a zip archive: not a format this program reads")
