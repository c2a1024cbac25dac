"""Finds lines of small text in grey pixels by their edges alone: no model, about 3 ms for a million pixels.

Knows no letter: it tells where a line seems to be, not what it says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EDGE = 32  # grey levels between neighbours: letters on a page of weak contrast have more
_CELL = 8  # pixels; the strokes of letters up to 22 pixels high leave no cell of a line empty
_MIN_CELLS = 5  # strokes that two lines share by chance (a descender above an ascender) are narrower, so lines stay apart
_HEIGHTS = range(4, 13)  # rows dense with strokes: the x-height of Latin text of 8 to 22 pixels
_DENSE_HEIGHTS = range(4, 19)  # Chinese characters of 12 to 20 pixels fill their whole height, with more strokes
_ONES = np.asarray([number.bit_count() for number in range(256)], dtype=np.uint8)  # of a byte


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
    width = grey.shape[1] - grey.shape[1] % _CELL
    if width == 0:
        return []
    counts = _edges_in_cells(grey[:, :width])
    found: list[_OpenLine] = []
    above: list[_OpenLine] = []
    for y, runs in groupby(_runs(counts), key=itemgetter(0)):
        above = [line for line in above if line.bottom == y]
        here: list[_OpenLine] = []
        for _, left, right, edges in runs:
            line = max(above, key=lambda one: min(one.right, right) - max(one.left, left), default=None)
            if line is None or min(line.right, right) <= max(line.left, left):
                line = _OpenLine(left, right, y, y, 0, 0)
                found.append(line)
            line.left, line.right, line.bottom = min(line.left, left), max(line.right, right), y + 1
            line.edges += edges
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


def _edges_in_cells(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """How many pixels of each cell differ from the one to their right: (height, cells)."""
    left, right = grey[:, :-1], grey[:, 1:]
    edges = np.zeros(grey.shape, dtype=bool)
    np.greater(np.maximum(left, right) - np.minimum(left, right), _EDGE, out=edges[:, :-1])
    return _ONES[np.packbits(edges, axis=1)]


def _runs(counts: NDArray[np.uint8]) -> Iterator[tuple[int, int, int, int]]:
    """Runs of at least `_MIN_CELLS` cells with edges: row, start and end of the cells, and how many edges they have.

    A single empty cell, the space between two words, does not end a run.
    """
    height, width = counts.shape
    busy = np.zeros((height, width + 2), dtype=bool)
    cells = busy[:, 1:-1]
    np.greater(counts, 0, out=cells)
    cells[:, 1:-1] |= cells[:, :-2] & cells[:, 2:]
    turns = np.flatnonzero(busy[:, 1:] != busy[:, :-1])  # a run begins and ends: two for each
    starts, ends = turns[::2], turns[1::2]
    long = ends - starts >= _MIN_CELLS
    starts, ends = starts[long], ends[long]
    row = starts // (width + 1)
    before = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
    edges = before[ends - row] - before[starts - row]  # a row has one turn more than it has cells
    return zip(row.tolist(), (starts % (width + 1)).tolist(), (ends % (width + 1)).tolist(), edges.tolist(), strict=True)
