"""Puts the boxes of recognised text in the order a person reads them: columns of running text one after another, tables by row.

Knows no picture and no OCR engine: boxes in, rows of boxes out.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter

_MIN_RATIO = 8  # width to height of lines in a column of running text; table cells are narrower
_MIN_LINES = 3  # in a column of running text
_MANY_LINES = 8  # in a column beside which lines are numbered
_MARK = 3  # width to height of the number or the mark of a line, at most
_GAP = 0.9  # a horizontal gap of this many line heights ends a block


@dataclass(frozen=True, slots=True)
class Box:
    """A line of recognised text: corners as shares of the picture's width and height (0 to 1), and OCR confidence (0 to 1).

    `turns` is how many quarter turns counter-clockwise of the picture make the line stand upright.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    text: str
    score: float
    turns: int = 0


def rows(
    boxes: Sequence[Box], width: int, height: int, lengths: Callable[[list[_Placed]], list[float]] | None = None
) -> list[list[Box]]:
    """Boxes of a picture of width × height pixels as rows in reading order, each from left to right.

    The recursive cut of Nagy and Seth (1984): a block is split into columns at its gutters, if all columns are running text;
    else at its horizontal gaps; a block that cannot be split is read row by row. `lengths` gives those of the lines of a column,
    in heights, by which running text is known: of each box, or `row_lengths` where a line may be several boxes.
    """
    placed = [
        _Placed(box, number, box.x0 * width, box.y0 * height, box.x1 * width, box.y1 * height) for number, box in enumerate(boxes)
    ]
    return [[one.box for one in row] for row in _cut(placed, lengths or _box_lengths)]


def row_lengths(column: list[_Placed]) -> list[float]:
    """The lengths of rows: the words of a line that is spaced out, and the cells of a table in a column, count together."""
    return [
        (max(one.right for one in row) - min(one.left for one in row)) / max(*(one.height for one in row), 1.0)
        for row in _by_row(column)
    ]


def _box_lengths(column: list[_Placed]) -> list[float]:
    return [(one.right - one.left) / max(one.height, 1.0) for one in column]


@dataclass(slots=True)
class _Placed:
    """A box in pixels, where widths and heights can be compared. Not frozen, which takes five times as long."""

    box: Box
    number: int  # in the order given
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top


def _cut(block: list[_Placed], lengths: Callable[[list[_Placed]], list[float]]) -> list[list[_Placed]]:
    if len(block) < 2:
        return [block] if block else []
    line = statistics.median(one.height for one in block)
    columns = _split_at_gaps(block, line, "left", "right")
    if len(columns) > 1 and not all(_is_running_text(lengths(column)) for column in columns):
        columns = _given_columns(columns, lengths)
    if len(columns) > 1:
        return [row for column in columns for row in _cut(column, lengths)]
    bands = _split_at_gaps(block, _GAP * line, "top", "bottom")
    if len(bands) > 1:
        return [row for band in bands for row in _cut(band, lengths)]
    return _by_row(block)


def _given_columns(columns: list[list[_Placed]], lengths: Callable[[list[_Placed]], list[float]]) -> list[list[_Placed]]:
    """Columns of many lines that are given one after another, the numbers or marks of lines with those lines.

    Empty where there are others too, as in tables, or where they are given in another order.
    """
    found: list[list[_Placed]] = []
    marks: list[_Placed] = []
    for column in columns:
        long = lengths(column)
        if len(long) >= _MANY_LINES and _is_running_text(long):
            found.append(marks + column)
            marks = []
        elif not marks and statistics.median(long) <= _MARK:
            marks = column
        else:
            return []
    numbers = [[one.number for one in column] for column in found]
    return found if not marks and all(max(before) < min(after) for before, after in pairwise(numbers)) else []


def _split_at_gaps(block: list[_Placed], gap: float, start: str, end: str) -> list[list[_Placed]]:
    """The block, split wherever more than `gap` pixels are empty all across it."""
    begins, ends = attrgetter(start), attrgetter(end)
    ordered = sorted(block, key=begins)
    part = [ordered[0]]
    parts, reached = [part], ends(ordered[0])
    for one in ordered[1:]:
        if begins(one) - reached > gap:
            part = []
            parts.append(part)
        part.append(one)
        if ends(one) > reached:
            reached = ends(one)
    return parts


def _is_running_text(lengths: list[float]) -> bool:
    return len(lengths) >= _MIN_LINES and statistics.median(lengths) >= _MIN_RATIO


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
