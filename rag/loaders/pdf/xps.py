"""Loads XPS and OpenXPS: `xpstopdf` makes a PDF of it in memory, which is read as any other.

Knows the loader of PDFs and the command; knows no page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rag.loaders.base import Limits
from rag.loaders.pdf.pdf import PdfLoader
from rag.loaders.programs import output_of
from rag.loaders.unpacked import named
from rag.types import CaptionOf, Content, Document, Dropped, Passage, Skipped

_MOST_BYTES = 500_000_000  # of the PDF


class XpsLoader:
    """One passage per page, numbered from 1: those of the PDF."""

    version = 1

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        with as_pdf(document.file, limits) as file:
            yield from PdfLoader().split(replace(document, file=file), limits)

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content | Dropped | Skipped]:
        if not passages:
            return
        with as_pdf(document.file, limits) as file:
            yield from PdfLoader().read(replace(document, file=file), passages, limits)

    def captions(self, document: Document, limits: Limits) -> Iterator[CaptionOf]:
        return iter(())


@contextmanager
def as_pdf(file: Path, limits: Limits) -> Iterator[Path]:
    """The file as a PDF in memory. UnreadableDocument where it cannot be converted."""
    with output_of("xps-pdf", file, most=min(_MOST_BYTES, limits.max_file_bytes)) as said:
        yield named(Path(f"/proc/self/fd/{said.fileno()}"), f"{file.stem}.pdf")
