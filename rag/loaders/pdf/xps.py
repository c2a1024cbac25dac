"""Loads XPS and OpenXPS: `xpstopdf` makes a PDF of it in memory, which is read as any other.

Knows the loader of PDFs and the command; knows no page.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.inside.memory import held, room_for
from rag.loaders.office.safe_zip import DAMAGED_ZIP, damaged_zip, opened_zip
from rag.loaders.pdf.held import drop
from rag.loaders.pdf.pdf import LOCK, PdfLoader
from rag.loaders.programs import output_of
from rag.loaders.unpacked import named
from rag.types import CaptionOf, Content, Document, Dropped, Passage, Skipped

_MOST_BYTES = 500_000_000  # of the PDF
_MOST_COPIED = 100_000_000  # bytes
_SIZE_FOLLOWS = 0x8  # flag of a zip member whose size stands behind it


class XpsLoader:
    """One passage per page, numbered from 1: those of the PDF."""

    version = 1

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        with as_pdf(document.file, limits) as file:
            yield from PdfLoader().split(replace(document, file=file), limits)
            with LOCK:
                drop()  # else it stays in memory until another is split

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
    with _plain(file, limits) as plain, output_of("xps-pdf", plain, most=min(_MOST_BYTES, limits.max_file_bytes)) as said:
        yield named(Path(f"/proc/self/fd/{said.fileno()}"), f"{file.stem}.pdf")


@contextmanager
def _plain(file: Path, limits: Limits) -> Iterator[Path]:
    """The file, or a copy of it in memory where sizes stand behind its members, which libgxps does not read."""
    copy = _copy(file, limits)
    if copy is None:
        yield file
        return
    with held(copy, room_for(limits), file.name) as kept:
        copy.close()
        yield kept


def _copy(file: Path, limits: Limits) -> BinaryIO | None:
    """A copy with sizes before its members; None where that of the file are there. UnreadableDocument where it is damaged."""
    try:
        with file.open("rb") as stream, opened_zip(stream) as archive:
            members = archive.infolist()
            if not any(member.flag_bits & _SIZE_FOLLOWS for member in members):
                return None
            if (size := sum(member.file_size for member in members)) > min(_MOST_COPIED, limits.max_unpacked_bytes):
                raise UnreadableDocument(f"unpacks to {size:,} bytes; save it as .pdf")
            copy = io.BytesIO()
            with zipfile.ZipFile(copy, "w") as written:
                for member in members:
                    written.writestr(member.filename, archive.read(member))
    except DAMAGED_ZIP as error:
        raise damaged_zip(error) from None
    copy.seek(0)
    return copy
