"""Loads PDFs: one passage per page, its picture for the models, its text layer, notes, form values and bookmarks for the words.

Knows no model; `text_layer.py` reads text layers, `unread.py` doubts them. pdfium is not thread-safe, not even across documents:
every call into it, closing included, happens under one lock. Parallel work needs processes.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pypdfium2 as pdfium
from pypdfium2 import raw

from rag.errors import UnreadableDocument
from rag.humanize import counted
from rag.loaders.base import Limits
from rag.loaders.pdf.alternatives import alternative_texts
from rag.loaders.pdf.annotations import attached_files, drawn_places, notes
from rag.loaders.pdf.document import document_of
from rag.loaders.pdf.held import Held, drop, keep, take
from rag.loaders.pdf.outline import bookmarks, form_data
from rag.loaders.pdf.text_layer import clean, page_text, title_of
from rag.loaders.pdf.unread import text_layer
from rag.loaders.picture.pixels import is_blank
from rag.loaders.properties.base import with_properties
from rag.loaders.properties.document import pdf_properties
from rag.types import CaptionOf, Content, Context, Document, Dropped, Page, Passage, Skipped, TextLayer

if TYPE_CHECKING:
    from rag.types import Pixels

LOCK = threading.RLock()
_SCALE = 150 / 72  # pixels per point: 150 dpi, at which 8-point text is still legible; A4 reaches `max_pixels` at 116 dpi
_MOST_REMEMBERED = 10_000  # pages; a document is split before it is read
_OWN_LENGTHS: dict[int, int] = {}  # characters of the text layers of pages split last, by the hash of text and what stands beside
_REASONS = {
    raw.FPDF_ERR_PASSWORD: "is protected by a password",
    raw.FPDF_ERR_SECURITY: "is protected by an encryption that pdfium does not support",
}


class PdfLoader:
    """One passage per page, numbered from 1. Pages are rendered at the size the models see, whatever size they claim to be."""

    version = 7

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        with _kept_after(document.file, limits) as held:
            with LOCK:
                context = Context(title=title_of(held.pdf, document.file.stem))
                properties = pdf_properties(held.pdf.get_metadata_value)
            yield from with_properties(self._pages(held, document, context), properties)

    def _pages(self, held: Held, document: Document, context: Context) -> Iterator[Passage]:
        for index in range(len(held.pdf)):
            with LOCK:
                text = _words(held, index)
            yield Passage(document.id, index, Page(index + 1), "page", "image", text, document.caption, context)

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content | Dropped | Skipped]:
        with _taken(document.file, limits) as held:
            for passage in passages:
                assert isinstance(passage.locator, Page)
                number = passage.locator.number
                with LOCK:
                    count = len(held.pdf)
                if not 1 <= number <= count:
                    yield Skipped(document.id, f"page {number} is not there: the file has {counted(count, 'page')}")
                    continue
                try:
                    with LOCK:
                        pixels, layer = _read(held, number - 1, passage.text, limits)
                except (pdfium.PdfiumError, ValueError, MemoryError) as error:
                    yield Skipped(document.id, f"page {number} cannot be rendered: {error}")
                    continue
                if passage.ordinal > 0 and len(passages) > 1 and not passage.text and is_blank(pixels):
                    yield Dropped("blank page")
                else:
                    yield Content("image", pixels=(pixels,), layer=layer)

    def captions(self, document: Document, limits: Limits) -> Iterator[CaptionOf]:
        return iter(())


@contextmanager
def opened_pdf(file: Path, limits: Limits) -> Iterator[pdfium.PdfDocument]:
    """The document, closed again whatever happens. UnreadableDocument where it cannot be opened or has too many pages."""
    pdf = _open(file, limits)
    try:
        yield pdf
    finally:
        with LOCK:
            pdf.close()


def _open(file: Path, limits: Limits) -> pdfium.PdfDocument:
    with LOCK:
        try:
            if file.stat().st_size == 0:
                raise UnreadableDocument("is empty")
            raw.FPDF_LoadMemDocument(b"-", 1, None)  # else a failure without an error code would report the previous one's
            pdf = document_of(file)
        except OSError as error:
            raise UnreadableDocument(f"cannot be opened: {error.strerror or 'No such file'}") from error
        except pdfium.PdfiumError as error:
            raise UnreadableDocument(_REASONS.get(error.err_code) or _diagnose(file)) from error
        count = len(pdf)
        if 1 <= count <= limits.max_pages:
            return pdf
        pdf.close()
    raise UnreadableDocument(
        f"has {count:,} pages; the limit is max_pages = {limits.max_pages:,}" if count >= 1 else "has no pages"
    )


@contextmanager
def _kept_after(file: Path, limits: Limits) -> Iterator[Held]:
    """The document with the values of its forms, kept open for who reads it next where all went well."""
    with LOCK:
        drop()
        held = _held(file, limits)
    try:
        yield held
    except BaseException:
        with LOCK:
            held.pdf.close()
        raise
    with LOCK:
        keep(file, held)


@contextmanager
def _taken(file: Path, limits: Limits) -> Iterator[Held]:
    """The document as it was kept, or opened anew; closed again whatever happens."""
    with LOCK:
        held = take(file) or _held(file, limits)
    try:
        yield held
    finally:
        with LOCK:
            held.pdf.close()


def _held(file: Path, limits: Limits) -> Held:
    pdf = _open(file, limits)
    pdf.init_forms()  # so that the values of filled forms are known and drawn
    return Held(pdf, bookmarks(pdf))


def _diagnose(file: Path) -> str:
    """Why pdfium rejects the file. The header may be anywhere in the first kilobyte, the end mark in the last two."""
    with file.open("rb") as stream:
        if b"%PDF-" not in stream.read(1024):
            return "is not a PDF"
        stream.seek(max(0, file.stat().st_size - 2048))
        return "is damaged" if b"%%EOF" in stream.read() else "is cut off: its end is missing"


def _words(held: Held, index: int) -> str:
    """The words of a page: its text layer, and what stands beside it; "" where it is damaged."""
    try:
        with held.page(index, stays=True) as page:
            words = page_text(page)
            text = _joined(words, _beside(held, page, index))
            if attached_files(page):
                held.attaching.append(index)
    except pdfium.PdfiumError:
        return ""
    _remember(text, words)
    return text


def _beside(held: Held, page: pdfium.PdfPage, index: int) -> str:
    """What stands on a page beside its text layer."""
    found = notes(held.pdf, page)
    said = [*held.titles.get(index, ()), *(note.words for note in found), *alternative_texts(page)]
    if len(held.pdf) == 1 and not any(note.place for note in found):
        said.append(form_data(held.pdf))
    return "\n".join(filter(None, map(clean, said)))


def _joined(words: str, beside: str) -> str:
    """The words of a page, then those beside them that it does not say itself."""
    known = " ".join(words.casefold().split())
    new = [line for line in dict.fromkeys(beside.split("\n")) if " ".join(line.casefold().split()) not in known]
    return "\n".join(filter(None, (words, *new)))


def _remember(text: str, words: str) -> None:
    """Keeps how much of the text of a page is its text layer, until it is read: putting a layer in order takes 3 ms."""
    while len(_OWN_LENGTHS) >= _MOST_REMEMBERED:
        del _OWN_LENGTHS[next(iter(_OWN_LENGTHS))]
    _OWN_LENGTHS[hash(text)] = len(words)


def _read(held: Held, index: int, text: str, limits: Limits) -> tuple[Pixels, TextLayer | None]:
    """The page in RGB, and its text layer with its worth; `text` is that layer with what stands beside it."""
    with held.page(index) as page:
        pixels = _render(page, limits)
        length = _OWN_LENGTHS.get(hash(text))
        if length is None:
            length = len(page_text(page) if _beside(held, page, index) else text)
        return pixels, text_layer(page, pixels, text[:length], drawn_places(held.pdf, page))


def _render(page: pdfium.PdfPage, limits: Limits) -> Pixels:
    """The page in RGB (height, width, 3) on white, with at most `limits.max_pixels` pixels."""
    width, height = page.get_size()
    bitmap = page.render(scale=_scale(width, height, limits.max_pixels), rev_byteorder=True, limit_image_cache=True)
    try:
        return np.asarray(bitmap.to_numpy())  # Python owns this memory: it outlives the bitmap
    finally:
        bitmap.close()


def _scale(width: float, height: float, max_pixels: int) -> float:
    """Pixels per point for a page of this size in points: pdfium rounds both sides up, and must stay within `max_pixels`."""
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise ValueError("it has no size")
    scale = min(_SCALE, math.sqrt(max_pixels / (width * height)), max_pixels / max(width, height))
    while math.ceil(width * scale) * math.ceil(height * scale) > max_pixels:
        scale *= 0.999
    return scale
