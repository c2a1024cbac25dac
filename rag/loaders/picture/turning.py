"""Finds out whether the text in a picture lies on its side or upside down, from how its lines were read.

Knows boxes and pixels; the engine comes as a function that reads one line. Costs nothing where lines lie flat and are read
surely; else three lines are read twice more, 0.1 s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rag.loaders.picture.reading_order import Box

if TYPE_CHECKING:
    from rag.types import Pixels

_SURE = 0.88  # mean confidence of lines that stand upright; upside down they reach 0.79, scripts the engine cannot read 0.7
_GAIN = 0.1  # confidence that turning must add
_TALL = 1.5  # height to width of a line that runs up or down
_LONG = 2.0  # long to short side of lines worth trying
_TRIED = 3  # lines
_LEAST = 3  # characters of such a line

ReadLine = Callable[["Pixels"], float]  # the confidence with which a line is read


def quarter_turns(pixels: Pixels, boxes: Sequence[Box], read: ReadLine) -> int:
    """How many quarter turns counter-clockwise, as of `np.rot90`, set the text in RGB `pixels` upright; 0 if it is upright."""
    height, width = pixels.shape[:2]
    letters = sum(len(box.text) for box in boxes)
    tall = sum(len(box.text) for box in boxes if _is_tall(box, width, height))
    sure = sum(len(box.text) * box.score for box in boxes) / max(letters, 1)
    if 2 * tall > letters:
        ways: tuple[int, ...] = (1, 3)
    elif sure < _SURE:
        ways = (2,)
    else:
        return 0
    tried = [box for box in boxes if len(box.text) >= _LEAST and _is_tall(box, width, height) == (2 not in ways)]
    lines = [_cut_out(pixels, box) for box in tried]
    lines = [line for line in lines if max(line.shape[:2]) >= _LONG * min(line.shape[:2])]
    lines = sorted(lines, key=lambda line: -max(line.shape[:2]))[:_TRIED]
    if not lines:
        return 0
    surest, way = max((_confidence(lines, way, read), way) for way in ways)
    before = _confidence(lines, 0, read) if ways == (2,) else 0.0  # nobody reads a line that runs upwards
    return way if surest >= _SURE and surest > before + _GAIN else 0


def turned_back(box: Box, turns: int) -> Box:
    """A box of the turned picture where it is in the picture before."""
    x0, y0, x1, y1 = box.x0, box.y0, box.x1, box.y1
    for _ in range(turns):
        x0, y0, x1, y1 = 1 - y1, x0, 1 - y0, x1
    return replace(box, x0=x0, y0=y0, x1=x1, y1=y1, turns=turns)


def _is_tall(box: Box, width: int, height: int) -> bool:
    return (box.y1 - box.y0) * height > _TALL * (box.x1 - box.x0) * width


def _confidence(lines: Sequence[Pixels], turns: int, read: ReadLine) -> float:
    return float(np.mean([read(np.ascontiguousarray(np.rot90(line, turns))) for line in lines]))


def _cut_out(pixels: Pixels, box: Box) -> Pixels:
    height, width = pixels.shape[:2]
    left, top = int(box.x0 * width), int(box.y0 * height)
    return pixels[top : max(top + 1, int(np.ceil(box.y1 * height))), left : max(left + 1, int(np.ceil(box.x1 * width)))]
