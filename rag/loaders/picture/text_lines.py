"""Finds lines of small text in grey pixels by their edges alone: no model, about 10 ms for a million pixels.

Knows no letter: it tells where a line seems to be, not what it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EDGE = 32  # grey levels between neighbours: letters on a page of weak contrast have more
_CELL = 8  # pixels; the strokes of letters up to 22 pixels high leave no cell of a line empty
_MIN_CELLS = 5  # strokes that two lines share by chance (a descender above an ascender) are narrower, so lines stay apart
_HEIGHTS = range(4, 13)  # rows dense with strokes: the x-height of Latin text of 8 to 22 pixels
_DENSE_HEIGHTS = range(4, 19)  # Chinese characters of 12 to 20 pixels fill their whole height, with more strokes


@dataclass(frozen=True, slots=True)
class TextLine:
    """Where a line of text seems to be: pixels from the left and the top, width and height in pixels."""

    left: int
    top: int
    width: int
    height: int


@dataclass(slots=True)
class _OpenLine:
    """A line to which the rows below may still belong; left and right in cells."""

    left: int
    right: int
    top: int
    bottom: int
    edges: int
    cells: int


def text_lines(grey: NDArray[np.uint8]) -> list[TextLine]:
    """Lines of text in grey pixels (height, width), from top to bottom.

    Edges between horizontal neighbours are counted in cells of 8 × 1 pixels. Runs of five and more cells with edges, one below
    another, make a block; a block as high as small text, three times as wide as high and dense with strokes is a line.
    """
    height, width = grey.shape
    width -= width % _CELL
    if width == 0:
        return []
    values = grey[:, :width].astype(np.int16)
    edges = np.zeros((height, width), dtype=bool)
    edges[:, :-1] = np.abs(np.diff(values, axis=1)) > _EDGE
    counts = edges.reshape(height, width // _CELL, _CELL).sum(axis=2)
    found: list[_OpenLine] = []
    above: list[_OpenLine] = []
    for y in np.flatnonzero(counts.any(axis=1)).tolist():
        above = [line for line in above if line.bottom == y]
        here: list[_OpenLine] = []
        for left, right in _runs(counts[y] > 0):
            if right - left < _MIN_CELLS:
                continue
            line = max(above, key=lambda one: min(one.right, right) - max(one.left, left), default=None)
            if line is None or min(line.right, right) <= max(line.left, left):
                line = _OpenLine(left, right, y, y, 0, 0)
                found.append(line)
            line.left, line.right, line.bottom = min(line.left, left), max(line.right, right), y + 1
            line.edges += int(counts[y, left:right].sum())
            line.cells += right - left
            here.append(line)
        above = list({id(line): line for line in above + here}.values())
    return [
        TextLine(line.left * _CELL, line.top, (line.right - line.left) * _CELL, line.bottom - line.top)
        for line in found
        if (line.right - line.left) * _CELL >= 3 * (line.bottom - line.top)
        and (
            (line.bottom - line.top in _HEIGHTS and line.edges > 1.2 * line.cells)
            or (line.bottom - line.top in _DENSE_HEIGHTS and line.edges > 3.05 * line.cells)
        )
    ]


def _runs(busy: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs [start, end) of true cells; a single empty cell, the space between two words, does not end one."""
    cells = np.flatnonzero(busy)
    if not len(cells):
        return []
    breaks = np.flatnonzero(np.diff(cells) > 2)
    starts = cells[np.concatenate(([0], breaks + 1))].tolist()
    ends = (cells[np.concatenate((breaks, [len(cells) - 1]))] + 1).tolist()
    return list(zip(starts, ends, strict=True))
