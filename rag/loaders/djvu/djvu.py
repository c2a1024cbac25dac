"""Loads DjVu: one passage per page, its picture as `ddjvu` draws it, its hidden text as `djvutxt` tells it.

Knows commands, not who runs them; knows no model. Pages without hidden text are read by OCR, as scanned pages of a PDF are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import UnreadableDocument
from rag.humanize import counted
from rag.loaders.base import Limits
from rag.loaders.djvu.expressions import bookmarks_of, expressions, properties_of, text_of
from rag.loaders.djvu.structure import PageSize, pages_of
from rag.loaders.pdf.text_layer import clean
from rag.loaders.picture.pixels import is_blank
from rag.loaders.programs import NotRun, output_of
from rag.loaders.properties.base import with_properties
from rag.loaders.properties.document import pdf_properties
from rag.text.language import is_language
from rag.types import CaptionOf, Content, Context, Document, Dropped, Page, Passage, Skipped, TextLayer

if TYPE_CHECKING:
    from rag.types import Pixels

_MOST_ABOUT = 4_000_000  # bytes of bookmarks and properties
_MOST_PAGE = 200_000  # characters kept of a page
_GIVEN_UP = 20  # pages without one whose text could be read: none will be
_HEAD_BYTES = 64  # of a picture


class DjvuLoader:
    """One passage per page, numbered from 1. Pages are drawn at the size the models see, whatever size they claim to be."""

    version = 1

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        pages = pages_of(document.file, limits)
        texts = _texts(document.file, len(pages), limits)
        about = _about(document.file)
        said, titles = properties_of(about), bookmarks_of(about)
        context = Context(title=clean(said.get("title", "")).replace("\n", " ")[:200])
        properties = pdf_properties(lambda name: said.get(name.lower(), ""))
        passages = (
            Passage(document.id, at, Page(at + 1), "page", "image", _joined(text, titles.get(at, ())), document.caption, context)
            for at, text in enumerate(texts)
        )
        yield from with_properties(passages, properties)

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content | Dropped | Skipped]:
        if not passages:
            return
        pages = pages_of(document.file, limits)
        for passage in passages:
            assert isinstance(passage.locator, Page)
            number = passage.locator.number
            if not 1 <= number <= len(pages):
                yield Skipped(document.id, f"page {number} is not there: the file has {counted(len(pages), 'page')}")
                continue
            try:
                pixels = _drawn(document.file, number, pages[number - 1], limits)
            except (UnreadableDocument, MemoryError) as error:
                reason = error.what if isinstance(error, UnreadableDocument) else "it needs more memory than a reader is given"
                yield Skipped(document.id, f"page {number} cannot be rendered: {reason}")
                continue
            if passage.ordinal > 0 and len(passages) > 1 and not passage.text and is_blank(pixels):
                yield Dropped("blank page")
            else:
                yield Content("image", pixels=(pixels,), layer=_layer(document.file, number, passage.text))

    def captions(self, document: Document, limits: Limits) -> Iterator[CaptionOf]:
        return iter(())


def _texts(file: Path, count: int, limits: Limits) -> list[str]:
    """The hidden text of each page; "" where it has none, or where it is damaged."""
    try:
        with output_of("djvu-text", file, most=limits.max_text_bytes) as said:
            written = said.read().decode("utf-8", "replace")
        found = [clean(text_of(page)[:_MOST_PAGE]) for page in expressions(written)]
        if len(found) == count:
            return found
    except NotRun:
        raise
    except UnreadableDocument:
        pass
    texts = [""] * count
    failed = 0
    for at in range(count):  # a page that is damaged ends the program
        try:
            texts[at] = _text(file, at + 1, limits)
        except UnreadableDocument:
            failed += 1
            if failed == at + 1 == _GIVEN_UP:
                break
    return texts


def _text(file: Path, number: int, limits: Limits) -> str:
    with output_of("djvu-page-text", file, number, most=limits.max_text_bytes) as said:
        written = said.read().decode("utf-8", "replace")
    return next((clean(text_of(page)[:_MOST_PAGE]) for page in expressions(written)), "")


def _about(file: Path) -> str:
    """Properties, bookmarks and the names of pages, as `djvused` prints them; "" where it cannot."""
    try:
        with output_of("djvu-about", file, most=_MOST_ABOUT) as said:
            return said.read().decode("utf-8", "replace")
    except UnreadableDocument:
        return ""


def _joined(text: str, titles: Sequence[str]) -> str:
    """The text of a page, then the bookmarks to it that it does not say itself."""
    known = " ".join(text.casefold().split())
    return "\n".join(filter(None, (text, *(one for one in dict.fromkeys(titles) if one.casefold() not in known))))


def _layer(file: Path, number: int, text: str) -> TextLayer | None:
    """The hidden text of a page, and whether it is language: then OCR need not read the page."""
    if not text or is_language(text):
        return TextLayer(text, "whole") if text else None
    try:
        own = _text(file, number, Limits())
    except UnreadableDocument:
        own = ""
    return TextLayer(own, "broken") if own else None


def _drawn(file: Path, number: int, page: PageSize, limits: Limits) -> Pixels:
    """The page in RGB (height, width, 3), with at most `limits.max_pixels` pixels and no more than it has."""
    if not page.there:
        raise UnreadableDocument("the file does not hold it: it is cut off or damaged; copy or download it again")
    width, height = box_of(page, limits)
    most = 3 * width * height + _HEAD_BYTES
    with output_of("djvu-page", file, number, width, height, most=most) as said:
        head = said.read(_HEAD_BYTES).split(maxsplit=3)
        try:
            kind, across, down = head[0], int(head[1]), int(head[2])
        except (IndexError, ValueError):
            kind, across, down = b"", 0, 0
        if kind != b"P6" or not 0 < across * down <= width * height or across < 0:
            raise UnreadableDocument("ddjvu drew nothing")
        start = said.seek(0, 2) - 3 * across * down
        if start < 0:
            raise UnreadableDocument("ddjvu drew only a part of it")
        said.seek(start)
        return np.frombuffer(said.read(), np.uint8).reshape(down, across, 3)


def box_of(page: PageSize, limits: Limits) -> tuple[int, int]:
    """Width and height in pixels that a page is drawn in. UnreadableDocument where it claims to be too large."""
    width, height = page.width, page.height
    if width * height > limits.max_source_pixels:
        raise UnreadableDocument(
            f"it claims {width:,} × {height:,} pixels; the limit max_source_pixels is {limits.max_source_pixels:,}"
        )
    if not width or not height:
        side = math.isqrt(limits.max_pixels)
        return side, side
    scale = min(1.0, math.sqrt(limits.max_pixels / (width * height)), limits.max_pixels / max(width, height))
    return max(1, int(width * scale)), max(1, int(height * scale))
