"""Documents of Office until 2003 (.doc, .xls, .ppt) to passages.

Knows which reader reads which; doc.py, xls.py and ppt.py read them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.office.ole import OLE, kind_of_ole, opened_ole, title_in
from rag.loaders.office.unread import unread
from rag.loaders.text.chunking import passages_of
from rag.types import Document, Passage


def passages(document: Document, limits: Limits) -> Iterator[Passage]:
    """Spans of a text, slides, or rows under the names of their columns. UnreadableDocument where damaged or without text."""
    kind = kind_of_ole(document.file)
    if kind == "xls" or not _is_ole(document.file):  # Excel wrote workbooks without OLE until 1993
        from rag.loaders.office import xls

        yield from xls.passages(document, limits)
    elif kind == "encrypted":
        raise UnreadableDocument("is encrypted; save it without a password")
    elif kind == "doc":
        from rag.loaders.office import doc

        with opened_ole(document.file) as ole:
            rendering, reasons = doc.rendered(ole, limits)
        ordinal = -1
        for passage in passages_of(document.id, rendering, limits):
            ordinal = passage.ordinal
            yield passage
        yield from unread(document.id, ordinal + 1, reasons)
    elif kind == "ppt":
        from rag.loaders.office import ppt

        with opened_ole(document.file) as ole:
            yield from ppt.passages(document.id, ole, title_in(ole, limits), limits)
    else:
        raise UnreadableDocument("is a damaged or unknown OLE file: it contains no document of Word, Excel or PowerPoint")


def _is_ole(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(len(OLE)) == OLE
    except OSError as error:
        raise UnreadableDocument(f"cannot be opened: {error.strerror or error}") from error
