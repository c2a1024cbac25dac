"""Reads the text layer of a PDF page, in reading order and cleaned, and finds the title of the document.

Knows no picture. Called under the lock of `pdf.py`, which says why there is one.
"""

from __future__ import annotations

import re
import statistics

import pypdfium2 as pdfium

from rag.loaders.pdf.bulk import cells, characters
from rag.loaders.pdf.reading_order import rearranged
from rag.text.language import deciphered, is_language
from rag.text.line_ends import joined

_MAX_PAGE = 200_000  # characters kept of a page: a dense newspaper page has 20,000
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufeff\u200b]")
_MEANINGLESS = re.compile("[\ue000-\uf8ff\ufffd]")  # glyphs of fonts that do not name their characters
_NO_TITLE = re.compile(
    r"(?i)^(untitled|title|document\d*|powerpoint presentation|.*\.(docx?|pptx?|xlsx?|odt|tex|dvi|indd|qxd|pdf|rtf|html?))$"
)
_PRODUCERS = re.compile(r"(?i)^microsoft (word|powerpoint|excel) - ")
_TITLE_RANGE = 2000  # characters of the first page that are searched for a title


def page_text(page: pdfium.PdfPage) -> str:
    """The text layer of a page as lines; "" where there is none, where its glyphs have no meaning, or where it is damaged."""
    try:
        layer = page.get_textpage()
    except pdfium.PdfiumError:
        return ""
    try:
        text = rearranged(layer, layer.get_text_bounded(), page.get_bbox())[:_MAX_PAGE]
    finally:
        layer.close()
    cleaned = clean(text)
    return cleaned if is_language(cleaned) else clean(deciphered(text)) or cleaned


def clean(text: str) -> str:
    """Broken words joined, ligatures spelled out, spaces single, blank lines single; "" where too many glyphs mean nothing."""
    text = joined(text.replace("\r\n", "\n").replace("\r", "\n")).translate(_LIGATURES)
    text = _CONTROLS.sub("", text)
    if len(_MEANINGLESS.findall(text)) * 3 > len(text):
        return ""
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return re.sub("\n{3,}", "\n\n", "\n".join(lines)).strip()


def title_of(pdf: pdfium.PdfDocument, file_name: str) -> str:
    """The title in the document's properties, unless a program put a file name there; else the first large line of page 1."""
    written = _PRODUCERS.sub("", clean(pdf.get_metadata_value("Title")).replace("\n", " "))
    if written and written != file_name and not _NO_TITLE.match(written):
        return written[:200]
    try:
        page = pdf[0]
    except pdfium.PdfiumError:
        return ""
    try:
        layer = page.get_textpage()
    except pdfium.PdfiumError:
        page.close()
        return ""
    try:
        return _largest_line(_lines(layer))
    finally:
        layer.close()
        page.close()


def _lines(layer: pdfium.PdfTextPage) -> list[tuple[str, float]]:
    """The first lines of a page with the height of their characters in points; a change of size begins a new line."""
    lines: list[tuple[list[str], float]] = []
    new_line = True
    count = max(0, min(layer.count_chars(), _TITLE_RANGE))
    places = cells(layer, count)
    for character, height in zip(characters(layer, count), (places[:, 3] - places[:, 1]).tolist(), strict=True):
        if character in "\r\n":
            new_line = True
        elif height > 0 and (new_line or not 0.8 < height / lines[-1][1] < 1.25):
            lines.append(([character], height))
            new_line = False
        elif not new_line:
            lines[-1][0].append(character)
    cleaned = ((clean("".join(characters)), height) for characters, height in lines)
    return [(text, height) for text, height in cleaned if text]


def _largest_line(lines: list[tuple[str, float]]) -> str:
    """The largest line, with those right after it of the same size; "" where no line is a fifth larger than the median."""
    if not lines:
        return ""
    usual = statistics.median(height for text, height in lines for _ in text)
    largest = max(height for _, height in lines)
    if len(lines) > 1 and largest < 1.2 * usual:
        return ""
    start = next(place for place, (_, height) in enumerate(lines) if height == largest)
    title = []
    for text, height in lines[start : start + 3]:
        if height < 0.95 * largest:
            break
        title.append(text)
    return " ".join(title)[:200]
