"""The files attached to a PDF, which in a portfolio are what it is about, and those attached at places of its pages.

Knows pdfium; reads none of them.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from ctypes import c_void_p, cast
from functools import partial
from typing import Any, BinaryIO

import pypdfium2 as pdfium
from pypdfium2 import raw

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.inside.base import Part
from rag.loaders.pdf.annotations import attached_files
from rag.loaders.pdf.held import attaching
from rag.loaders.pdf.pdf import LOCK, opened_pdf
from rag.types import Document


def parts(document: Document, limits: Limits) -> Iterator[Part]:
    """The attached files, each once. UnreadableDocument where the PDF cannot be opened."""
    with opened_pdf(document.file, limits) as pdf:
        with LOCK:
            count = pdf.count_attachments()
            known = attaching(document.file)
            pages = range(len(pdf)) if known is None else known
        seen: set[int | None] = set()
        for index in range(count):
            with LOCK:
                found = raw.FPDFDoc_GetAttachment(pdf, index)
            seen.add(cast(found, c_void_p).value)
            yield _part(pdf, found, f"attachment {index + 1}")
        for page in pages:
            for number, found in enumerate(_on_page(pdf, page), start=1):
                if cast(found, c_void_p).value not in seen:
                    yield _part(pdf, found, f"attachment {number} of page {page + 1}")


def _on_page(pdf: pdfium.PdfDocument, index: int) -> list[Any]:
    """The files that are attached at places of a page; none where it is damaged."""
    with LOCK:
        try:
            page = pdf[index]
        except pdfium.PdfiumError:
            return []
        try:
            return attached_files(page)
        finally:
            page.close()


def _part(pdf: pdfium.PdfDocument, found: Any, unnamed: str) -> Part:
    if not found:
        return Part(unnamed, reason="is damaged in its PDF")
    attached = pdfium.PdfAttachment(found, pdf)
    with LOCK:
        try:
            name = attached.get_name() or unnamed
        except (pdfium.PdfiumError, ValueError):
            return Part(unnamed, reason="is damaged in its PDF")
    return Part(name, partial(_content, attached))


def _content(attached: pdfium.PdfAttachment) -> BinaryIO:
    with LOCK:
        try:
            return io.BytesIO(bytes(attached.get_data()))
        except (pdfium.PdfiumError, ValueError) as error:
            raise UnreadableDocument("is damaged in its PDF") from error
