"""Reads the words in a picture with RapidOCR: Chinese and English, offline, models inside the package.

Knows no file and no index: pixels in, words and boxes out. The main cost of indexing: nothing is looked at larger than needed.
"""

from __future__ import annotations

import logging
import math
import threading
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.loaders.picture.reading_order import Box, rows
from rag.loaders.picture.text_lines import text_lines

if TYPE_CHECKING:
    from rag.types import Pixels

_SURE = 0.5  # lines recognised with less are noise more often than words
_SURE_OF_ONE = 0.8  # single characters need more: edges of shapes are taken for "1" or "一" at 0.5 to 0.7, true ones reach 0.9
_SIDE = 960  # pixels: where text is large enough, the detector sees no more of the longer side; below, it begins to lose lines
_LARGEST_SIDE = 4000  # pixels: longer strips are scaled down first
_SMALLEST_LINE = 6.5  # pixels: lines of text should be this high for the detector
_CROPPED_LINE = 8.0  # pixels: around smaller lines the detector needs the empty space; cropped to them, it misses most
_MARGIN = 24  # pixels of background around what is looked at: the detector misses text that touches the side
_EDGE = 8  # grey levels between neighbours that make a place worth looking at

_LOCK = threading.Lock()  # the engine keeps the picture's scale in itself


@dataclass(frozen=True, slots=True)
class OcrResult:
    """What stands in a picture: text in reading order, a line per row, and the boxes it came from."""

    text: str
    boxes: tuple[Box, ...]


def recognise(pixels: Pixels, threads: int = 1) -> OcrResult:
    """The words in RGB pixels (height, width, 3); nothing for a picture without any.

    `threads` are those inside one recognition; without effect on the words.
    """
    area = _busy_area(pixels)
    if area is None:
        return OcrResult("", ())
    line = _small_line(pixels)
    left, top, right, bottom = area if line >= _CROPPED_LINE else (0, 0, pixels.shape[1], pixels.shape[0])
    seen = pixels[top:bottom, left:right]
    shrunk = _within_largest_side(seen)
    framed, x_margin, y_margin = _framed(shrunk)
    with _LOCK:
        engine = _engine(threads)
        _limit_detector(engine, _detector_side(max(framed.shape), line))
        found = engine(np.ascontiguousarray(framed[:, :, ::-1]))  # OpenCV's order: blue, green, red
    if found.txts is None or found.boxes is None:
        return OcrResult("", ())
    height, width = pixels.shape[:2]
    scale = seen.shape[1] / shrunk.shape[1], seen.shape[0] / shrunk.shape[0]
    boxes = []
    for corners, text, score in zip(found.boxes, found.txts, found.scores, strict=True):
        letters = sum(character.isalnum() for character in text)
        if letters == 0 or (letters == 1 and score < _SURE_OF_ONE):
            continue
        xs = (np.clip(corners[:, 0] - x_margin, 0, shrunk.shape[1]) * scale[0] + left) / width
        ys = (np.clip(corners[:, 1] - y_margin, 0, shrunk.shape[0]) * scale[1] + top) / height
        boxes.append(Box(float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max()), text.strip(), float(score)))
    read = rows(boxes, width, height)
    return OcrResult("\n".join(" ".join(box.text for box in row) for row in read), tuple(box for row in read for box in row))


def engine_name() -> str:
    """Engine and models: what a cache of recognised words is keyed by."""
    return f"rapidocr-{version('rapidocr')}/PP-OCRv6-small/1"


ENGINE = engine_name()


@lru_cache(maxsize=2)
def _engine(threads: int) -> Any:
    """The engine, loaded once: 0.9 s of imports and 0.5 s of models.

    Its classifier of upside-down lines is left out: it turned good lines of a dense page round and lost 900 of 8,000 characters.
    Lines are recognised one by one: batches are padded to their longest line, which made dense pages a fifth slower.
    """
    quiet = logging.getLogger("RapidOCR")
    quiet.setLevel(logging.CRITICAL)
    from rapidocr import RapidOCR

    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.text_score": _SURE,
            "Global.use_cls": False,
            "Global.use_preprocess_img": False,
            "Global.use_vertical_padding": False,
            "Det.limit_type": "max",
            "Rec.rec_batch_num": 1,
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _limit_detector(engine: Any, side: int) -> None:
    engine.cfg.Det.limit_side_len = side
    if engine.text_det is not None:
        engine.text_det.limit_side_len = side


def _busy_area(pixels: Pixels) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of what is not plain background; None for a plain picture, which then costs nothing."""
    grey = pixels.astype(np.int16).sum(axis=2) // 3
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


def _within_largest_side(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    scale = _LARGEST_SIDE / max(height, width)
    if scale >= 1:
        return pixels
    from PIL import Image

    size = (max(1, int(width * scale)), max(1, int(height * scale)))
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.LANCZOS))


def _framed(pixels: Pixels) -> tuple[Pixels, int, int]:
    """The pixels within a frame of their commonest border colour, no side under a tenth of the other; and the frame's widths."""
    height, width = pixels.shape[:2]
    border = np.concatenate((pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))
    colour = np.median(border, axis=0).astype(np.uint8)
    x_margin = _MARGIN + max(0, height // 10 - width) // 2
    y_margin = _MARGIN + max(0, width // 10 - height) // 2
    framed = np.empty((height + 2 * y_margin, width + 2 * x_margin, 3), np.uint8)
    framed[:] = colour
    framed[y_margin : y_margin + height, x_margin : x_margin + width] = pixels
    return framed, x_margin, y_margin


def _small_line(pixels: Pixels) -> float:
    """How high the small lines of text in the picture are, in pixels; infinity where there seem to be none."""
    grey = (pixels.astype(np.uint16).sum(axis=2) // 3).astype(np.uint8)
    heights = [line.height for line in text_lines(grey)]
    return float(np.quantile(heights, 0.3)) if heights else math.inf


def _detector_side(longer: int, small_line: float) -> int:
    """The longer side the detector should see: `_SIDE`, more where the picture holds lines of small text."""
    return min(longer, max(_SIDE, math.ceil(longer * _SMALLEST_LINE / small_line)))
