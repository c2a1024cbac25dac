"""The words in drawings of Office Open XML: paragraphs of shapes, charts and diagrams, and alternative texts.

Knows DrawingML and VML; knows no document that shows them.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from itertools import islice
from typing import Any

from rag.errors import UnreadableDocument
from rag.loaders.office.drawing_numbers import AutoNumbers
from rag.loaders.office.number_format import number_text
from rag.loaders.office.package import Package

A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
DENOMINATOR = "{http://schemas.openxmlformats.org/officeDocument/2006/math}den"
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
ALTERNATE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_MARKS = {"tab": "\t", "br": "\n", "den": "/"}
_MOST_POINTS = 1_000  # of a series of a chart: more are data, and nobody reads them in a drawing
_EPOCH = datetime.date(1899, 12, 30)  # day 0 of dates
_SLIDE_NUMBER = "‹#›"  # stands where the number is drawn


def paragraphs(element: Any) -> Iterator[str]:
    """The paragraphs below an element that are not blank, with the numbers that stand before them."""
    numbers, box = AutoNumbers(), None
    for paragraph in element.iter(f"{A}p"):
        if any(above.tag == FALLBACK for above in paragraph.iterancestors()):
            continue
        pieces = []
        for inner in paragraph.iter(f"{A}t", f"{A}br", f"{A}tab", MATH_TEXT, DENOMINATOR):
            tag = inner.tag.rpartition("}")[2]
            pieces.append((inner.text or "") if tag == "t" else _MARKS[tag])
        if paragraph.getparent() is not box:
            numbers, box = AutoNumbers(), paragraph.getparent()
        if (text := visible("".join(pieces))) and text != _SLIDE_NUMBER:
            yield f"{label} {text}" if (label := numbers.label(paragraph)) else text


def alternative_text(properties: Any) -> str:
    """The title and the description of a picture, shape or chart, from its `cNvPr` or `docPr`."""
    said = (visible(properties.get(name, "")) for name in ("title", "descr"))
    return "\n".join(dict.fromkeys(filter(None, said)))


def relation_ids(element: Any) -> Iterator[str]:
    """The relations of the charts and diagrams drawn below an element."""
    for inner in element.iter("{*}chart", "{*}relIds"):
        one = inner.get(f"{_RELATION}id") or inner.get(f"{_RELATION}dm")
        if one:
            yield one


def drawn_words(package: Package, part: str) -> str:
    """The words in a chart or a diagram (SmartArt), each line once: title, names of series and categories, values, boxes.

    "" if damaged.
    """
    try:
        drawn = package.tree(part)
    except UnreadableDocument:
        return ""
    words: dict[str, None] = {}
    for inner in drawn.iter(f"{A}p", "{*}strCache", "{*}numCache", "{*}strDim", "{*}txData"):
        if inner.tag.endswith("}numCache"):
            words[_numbers(inner)] = None
        elif inner.tag == f"{A}p":
            words.update(dict.fromkeys(paragraphs_of_one(inner)))
        else:
            words.update(dict.fromkeys(visible(point.text or "") for point in inner.iter("{*}v", "{*}pt")))
    return "\n".join(filter(None, words))


def _numbers(cache: Any) -> str:
    """The values of a series as they are shown, in one line."""
    read = number_text(cache.findtext("{*}formatCode") or "", _EPOCH)
    found = []
    for point in islice(cache.iter("{*}v"), _MOST_POINTS):
        try:
            found.append(read(float(point.text or "")))
        except (ValueError, OverflowError):
            found.append(visible(point.text or ""))
    return " | ".join(found)


def paragraphs_of_one(paragraph: Any) -> Iterator[str]:
    """The text of a paragraph of a drawing, if it has one."""
    if text := visible("".join(inner.text or "" for inner in paragraph.iter(f"{A}t"))):
        yield text


def visible(text: str) -> str:
    """The lines that are not blank, stripped; a break within a paragraph (vertical tab) ends a line too."""
    return "\n".join(line.strip() for line in text.replace("\v", "\n").split("\n") if line.strip())
