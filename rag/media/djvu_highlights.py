"""Outlines the matches of a query on a page of a DjVu file, by the places of its hidden text.

Knows pieces of text and their places; knows no pixels. Runs in a worker process.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.errors import UnreadableDocument
from rag.humanize import counted
from rag.loaders.base import Limits
from rag.loaders.djvu.expressions import expressions, pieces_of
from rag.loaders.djvu.structure import PageSize, pages_of
from rag.loaders.programs import output_of
from rag.media.highlights import region
from rag.text.highlights import marks


def djvu_page(file: Path, index: int, words: str, limits: Limits) -> tuple[int, list[float], list[dict[str, Any]]]:
    """The number of pages, the size of one in points, and the regions of the matches on it. UnreadableDocument."""
    pages = pages_of(file, limits)
    if not 0 <= index < len(pages):
        raise UnreadableDocument(f"page {index + 1} is not there: the file has {counted(len(pages), 'page')}")
    page = pages[index]
    size = [round(side * 72 / page.dpi, 2) for side in (page.width, page.height)]
    shown = words.strip() and not page.turned and page.width and page.height
    return len(pages), size, list(_regions(file, index, page, words, limits)) if shown else []


def _regions(file: Path, index: int, page: PageSize, words: str, limits: Limits) -> Iterator[dict[str, Any]]:
    """One region for each line of a match."""
    with output_of("djvu-words", file, index + 1, most=limits.max_text_bytes) as said:
        written = said.read().decode("utf-8", "replace")
    pieces = pieces_of(next(expressions(written), ""))
    starts, text = [], ""
    for number, (piece, _, line) in enumerate(pieces):
        text += "" if not number else "\n" if line != pieces[number - 1][2] else " "
        starts.append(len(text))
        text += piece
    for first, last in marks(text, words):
        lines: dict[int, list[float]] = {}
        for start, (piece, (left, bottom, right, top), line) in zip(starts, pieces, strict=True):
            low, high = max(first, start) - start, min(last, start + len(piece)) - start
            if low < high:
                step = (right - left) / len(piece)
                here = [left + low * step, float(bottom), left + high * step, float(top)]
                known = lines.setdefault(line, here)
                known[:2], known[2:] = map(min, known[:2], here[:2]), map(max, known[2:], here[2:])
        for west, south, east, north in lines.values():
            ys = [1 - north / page.height, 1 - south / page.height]
            yield region([west / page.width, east / page.width], ys, text[first:last])
