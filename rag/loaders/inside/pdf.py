"""The files attached to a PDF, which in a portfolio are what it is about.

Knows pdfium; reads none of them. Files attached to a comment on a page are not in its list.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

import pypdfium2 as pdfium

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.inside.base import Part
from rag.loaders.pdf.pdf import LOCK, opened_pdf
from rag.types import Document


def parts(document: Document, limits: Limits) -> Iterator[Part]:
    """The attached files. UnreadableDocument where the PDF cannot be opened."""
    with opened_pdf(document.file, limits) as pdf:
        with LOCK:
            count = pdf.count_attachments()
        for index in range(count):
            with LOCK:
                try:
                    attached = pdf.get_attachment(index)
                    name = attached.get_name()
                except (pdfium.PdfiumError, ValueError):
                    name, attached = f"attachment {index + 1}", None
            if attached is None:
                yield Part(name, reason="is damaged in its PDF")
            else:
                yield Part(name, partial(_content, attached))


def _content(attached: pdfium.PdfAttachment) -> BinaryIO:
    with LOCK:
        try:
            return io.BytesIO(bytes(attached.get_data()))
        except (pdfium.PdfiumError, ValueError) as error:
            raise UnreadableDocument("is damaged in its PDF") from error
