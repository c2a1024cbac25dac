"""Loads office documents and EPUB books: tells which format a file is, and gives its passages.

Knows the member names of each format; word.py, slides.py, sheets.py and epub.py read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.ole import OLE
from rag.loaders.office.package import Package, opened_package
from rag.loaders.office.safe_zip import text_members
from rag.loaders.office.unread import content_or_reason, unread
from rag.loaders.properties.base import NOTHING, with_properties
from rag.loaders.properties.document import flat_properties, package_properties
from rag.loaders.text.chunking import passages_of
from rag.types import CaptionOf, Content, Document, Passage, Skipped

if TYPE_CHECKING:
    from rag.loaders.office.odf_parts import Parts


_BARE_SHEETS = (b"\x09\x00", b"\x09\x02", b"\x09\x04", b"\x09\x08")  # Excel 2 to 5, before OLE


class OfficeLoader:
    """Texts and books by lines of their converted text, presentations by slides, spreadsheets by sheets; of every program."""

    version = 9

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        head = _head(document.file)
        if not head:
            raise UnreadableDocument("is empty")
        if head.startswith(b"{\\rtf"):
            from rag.loaders.office import rtf

            yield from with_properties(passages_of(document.id, rtf.rendered(document.file, limits), limits), NOTHING)
        elif head.startswith((OLE, *_BARE_SHEETS)):
            from rag.loaders.office.old_files import passages as old_passages

            yield from with_properties(old_passages(document, limits), NOTHING)
        elif head.startswith(b"PK"):
            with opened_package(document.file, limits) as package:
                yield from with_properties(_passages(document, package, limits), package_properties(package))
        elif not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            raise UnreadableDocument("is no document of this name: it is damaged, or older than Word 6; save it as .docx")
        else:
            from rag.loaders.office.odf_parts import FlatParts

            passages = _open_document(document, FlatParts(document.file, limits), limits)
            yield from with_properties(passages, flat_properties(document.file))

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
    elif "content.xml" in package:
        from rag.loaders.office.odf_parts import Parts

        yield from _open_document(document, Parts(package), limits)
    elif "meta-inf" in folders:
        from rag.loaders.office import epub

        yield from passages_of(document.id, epub.rendered(text_members(document.file, limits)), limits)
    else:
        raise UnreadableDocument("is a zip archive: not a format this program reads")


def _open_document(document: Document, parts: Parts, limits: Limits) -> Iterator[Passage]:
    from rag.loaders.office import odf, odp, ods

    kind = parts.kind()
    if kind == "spreadsheet":
        yield from ods.passages(document.id, parts, limits)
    elif kind in ("presentation", "graphics"):
        yield from odp.passages(document.id, parts, limits)
    else:
        yield from odf.text_passages(document.id, parts, limits)


def _head(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(64)
    except OSError as error:
        raise UnreadableDocument(f"cannot be opened: {error.strerror or error}") from error
