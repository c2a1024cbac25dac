"""Reads the words in a picture with RapidOCR: Chinese and English, offline, models inside the package.

Knows no file and no index: pixels in, words and boxes out. The main cost of indexing, so no picture is read larger than needed.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from rag.loaders.picture.ocr_engine import engine
from rag.loaders.picture.pixels import grey_of
from rag.loaders.picture.reading_order import Box, rows
from rag.loaders.picture.text_lines import text_lines
from rag.loaders.picture.turning import quarter_turns, turned_back
from rag.text.line_ends import despaced, joined

if TYPE_CHECKING:
    from rag.types import Pixels

_MIN_CONFIDENCE_OF_ONE = 0.8  # of single characters: edges of shapes pass for "1" or "一" at 0.5 to 0.7, real ones reach 0.9
_MIN_DETECTOR_SIDE = 960  # pixels of the longer side the detector sees if text is large; with fewer, it begins to miss lines
_MAX_SIDE = 4000  # pixels: longer strips are scaled down first
_MIN_LINE = 6.5  # pixels: the detector needs lines of text at least this high
_MIN_CROPPED_LINE = 8.0  # pixels: smaller lines are not cropped; without the empty space around, the detector misses most
_MARGIN = 24  # pixels of background added on each side: the detector misses text that touches an edge
_EDGE = 8  # grey levels between neighbours; fewer are plain background

_LOCK = threading.Lock()  # the engine keeps the scale of the picture it is reading


@dataclass(frozen=True, slots=True)
class OcrResult:
    """The words in a picture: text in reading order, one line per row, and the boxes it came from."""

    text: str
    boxes: tuple[Box, ...]


def recognise(pixels: Pixels, threads: int = 1) -> OcrResult:
    """The words in RGB pixels (height, width, 3); nothing for a picture without any.

    `threads` is how many one recognition uses; the words do not depend on it.
    """
    boxes = _boxes(pixels, threads)
    turns = quarter_turns(pixels, boxes, lambda line: _confidence(line, threads))
    if turns:
        pixels = np.rot90(pixels, turns)
        boxes = _boxes(pixels, threads)
    read = rows(boxes, pixels.shape[1], pixels.shape[0])
    text = joined("\n".join(" ".join(despaced(box.text) for box in row) for row in read))
    return OcrResult(text, tuple(turned_back(box, turns) for row in read for box in row))


def _boxes(pixels: Pixels, threads: int) -> list[Box]:
    """The lines of text that stand upright in a picture, in no order."""
    area = _busy_area(pixels)
    if area is None:
        return []
    line = _small_line_height(pixels)
    left, top, right, bottom = area if line >= _MIN_CROPPED_LINE else (0, 0, pixels.shape[1], pixels.shape[0])
    seen = pixels[top:bottom, left:right]
    shrunk = _within_max_side(seen)
    framed, x_margin, y_margin = _framed(shrunk)
    with _LOCK:
        reader = engine(threads)
        reader.text_det.look_at(_detector_side(max(framed.shape), line))
        found = reader(np.ascontiguousarray(framed[:, :, ::-1]))  # OpenCV's order: blue, green, red
    if found.txts is None or found.boxes is None:
        return []
    height, width = pixels.shape[:2]
    scale = seen.shape[1] / shrunk.shape[1], seen.shape[0] / shrunk.shape[0]
    boxes = []
    for corners, text, score in zip(found.boxes, found.txts, found.scores, strict=True):
        letters = sum(character.isalnum() for character in text)
        if letters == 0 or (letters == 1 and score < _MIN_CONFIDENCE_OF_ONE):
            continue
        xs = (np.clip(corners[:, 0] - x_margin, 0, shrunk.shape[1]) * scale[0] + left) / width
        ys = (np.clip(corners[:, 1] - y_margin, 0, shrunk.shape[0]) * scale[1] + top) / height
        boxes.append(Box(float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max()), text.strip(), float(score)))
    return boxes


def _confidence(line: Pixels, threads: int) -> float:
    """How surely the engine reads a line, 0 to 1."""
    with _LOCK:
        found = engine(threads).recognize_txt([line[:, :, ::-1].copy()])
    return float(found.scores[0]) if found.txts and found.txts[0].strip() else 0.0


def engine_name() -> str:
    """Engine and models, with versions: the key of a cache of recognised words."""
    return f"rapidocr-{version('rapidocr')}/PP-OCRv6-small/2"


ENGINE = engine_name()


def _busy_area(pixels: Pixels) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom in pixels of all but plain background; None for a plain picture, which then costs nothing."""
    grey = grey_of(pixels).astype(np.int16)
    across = np.abs(np.diff(grey, axis=1)) > _EDGE
    along = np.abs(np.diff(grey, axis=0)) > _EDGE
    columns = np.flatnonzero(np.append(across.any(axis=0), False) | along.any(axis=0))
    lines = np.flatnonzero(across.any(axis=1) | np.append(along.any(axis=1), False))
    if not len(columns) or not len(lines):
        return None
    height, width = grey.shape
    return (
        max(0, int(columns[0]) - 2),
        max(0, int(lines[0]) - 2),
        min(width, int(columns[-1]) + 3),
        min(height, int(lines[-1]) + 3),
    )


def _within_max_side(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    scale = _MAX_SIDE / max(height, width)
    if scale >= 1:
        return pixels
    from PIL import Image

    size = (max(1, int(width * scale)), max(1, int(height * scale)))
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.LANCZOS))


def _framed(pixels: Pixels) -> tuple[Pixels, int, int]:
    """The pixels in a frame of their median border colour, no side under a tenth of the other; its x and y margins."""
    height, width = pixels.shape[:2]
    border = np.concatenate((pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))
    colour = np.median(border, axis=0).astype(np.uint8)
    x_margin = _MARGIN + max(0, height // 10 - width) // 2
    y_margin = _MARGIN + max(0, width // 10 - height) // 2
    framed = np.empty((height + 2 * y_margin, width + 2 * x_margin, 3), np.uint8)
    framed[:] = colour
    framed[y_margin : y_margin + height, x_margin : x_margin + width] = pixels
    return framed, x_margin, y_margin


def _small_line_height(pixels: Pixels) -> float:
    """The height of small text lines, upright or on their side, in pixels: the 30 % quantile; infinity where none are found."""
    grey = grey_of(pixels)
    heights = [line.height for line in text_lines(grey) or text_lines(np.ascontiguousarray(grey.T))]
    return float(np.quantile(heights, 0.3)) if heights else math.inf


def _detector_side(longer: int, line_height: float) -> int:
    """The longer side the detector should see: `_MIN_DETECTOR_SIDE`, more where lines of text are small; in pixels."""
    return min(longer, max(_MIN_DETECTOR_SIDE, math.ceil(longer * _MIN_LINE / line_height)))
