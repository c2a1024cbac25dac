"""Puts the boxes of recognised text in the order a person reads them: columns of running text one after another, tables by row.

Knows no picture and no OCR engine: boxes in, rows of boxes out.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

_MIN_RATIO = 8  # width to height of lines in a column of running text; table cells are narrower
_MIN_LINES = 3  # in a column of running text
_GAP = 0.9  # a horizontal gap of this many line heights ends a block


@dataclass(frozen=True, slots=True)
class Box:
    """A line of recognised text: corners as shares of the picture's width and height (0 to 1), and OCR confidence (0 to 1)."""

    x0: float
    y0: float
    x1: float
    y1: float
    text: str
    score: float


def rows(boxes: Sequence[Box], width: int, height: int) -> list[list[Box]]:
    """Boxes of a picture of width × height pixels as rows in reading order, each from left to right.

    The recursive cut of Nagy and Seth (1984): a block is split into columns at its gutters, if all columns are running text;
    else at its horizontal gaps; a block that cannot be split is read row by row.
    """
    placed = [_Placed(box, box.x0 * width, box.y0 * height, box.x1 * width, box.y1 * height) for box in boxes]
    return [[one.box for one in row] for row in _cut(placed)]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A box in pixels, where widths and heights can be compared."""

    box: Box
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top


def _cut(block: list[_Placed]) -> list[list[_Placed]]:
    if len(block) < 2:
        return [block] if block else []
    line = statistics.median(one.height for one in block)
    columns = _split_at_gaps(block, line, "left", "right")
    if len(columns) > 1 and all(_is_running_text(column) for column in columns):
        return [row for column in columns for row in _cut(column)]
    bands = _split_at_gaps(block, _GAP * line, "top", "bottom")
    if len(bands) > 1:
        return [row for band in bands for row in _cut(band)]
    return _by_row(block)


def _split_at_gaps(block: list[_Placed], gap: float, start: str, end: str) -> list[list[_Placed]]:
    """The block, split wherever more than `gap` pixels are empty all across it."""
    ordered = sorted(block, key=lambda one: float(getattr(one, start)))
    parts, reached = [[ordered[0]]], float(getattr(ordered[0], end))
    for one in ordered[1:]:
        if getattr(one, start) - reached > gap:
            parts.append([])
        parts[-1].append(one)
        reached = max(reached, float(getattr(one, end)))
    return parts


def _is_running_text(column: list[_Placed]) -> bool:
    ratio = statistics.median((one.right - one.left) / max(one.height, 1.0) for one in column)
    return len(column) >= _MIN_LINES and ratio >= _MIN_RATIO


def _by_row(block: list[_Placed]) -> list[list[_Placed]]:
    """Rows of boxes whose middles are within half a line of one another."""
    found: list[list[_Placed]] = []
    for one in sorted(block, key=lambda each: each.top + each.bottom):
        middle = (one.top + one.bottom) / 2
        last = found[-1] if found else []
        if last and middle - (last[0].top + last[0].bottom) / 2 < 0.5 * min(last[0].height, one.height):
            last.append(one)
        else:
            found.append([one])
    return [sorted(row, key=lambda one: one.left) for row in found]
