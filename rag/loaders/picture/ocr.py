"""Reads the words in a picture with RapidOCR: Chinese and English, offline, models inside the package.

Knows no file and no index: pixels in, words and boxes out. The main cost of indexing, so no picture is read larger than needed.
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

_MIN_CONFIDENCE = 0.5  # below this, lines are noise more often than words
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
    area = _busy_area(pixels)
    if area is None:
        return OcrResult("", ())
    line = _small_line_height(pixels)
    left, top, right, bottom = area if line >= _MIN_CROPPED_LINE else (0, 0, pixels.shape[1], pixels.shape[0])
    seen = pixels[top:bottom, left:right]
    shrunk = _within_max_side(seen)
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
        if letters == 0 or (letters == 1 and score < _MIN_CONFIDENCE_OF_ONE):
            continue
        xs = (np.clip(corners[:, 0] - x_margin, 0, shrunk.shape[1]) * scale[0] + left) / width
        ys = (np.clip(corners[:, 1] - y_margin, 0, shrunk.shape[0]) * scale[1] + top) / height
        boxes.append(Box(float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max()), text.strip(), float(score)))
    read = rows(boxes, width, height)
    return OcrResult("\n".join(" ".join(box.text for box in row) for row in read), tuple(box for row in read for box in row))


def engine_name() -> str:
    """Engine and models, with versions: the key of a cache of recognised words."""
    return f"rapidocr-{version('rapidocr')}/PP-OCRv6-small/1"


ENGINE = engine_name()


@lru_cache(maxsize=2)
def _engine(threads: int) -> Any:
    """The engine, loaded once: 0.9 s of imports and 0.5 s of models.

    Its classifier of upside-down lines is off: on a dense page it rotated good lines and lost 900 of 8,000 characters. Lines
    are recognised one by one: batches are padded to their longest line, which made dense pages a fifth slower.
    """
    quiet = logging.getLogger("RapidOCR")
    quiet.setLevel(logging.CRITICAL)
    from rapidocr import RapidOCR

    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.text_score": _MIN_CONFIDENCE,
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
    """Left, top, right and bottom in pixels of all but plain background; None for a plain picture, which then costs nothing."""
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
    """The height of small text lines, in pixels: the 30 % quantile; infinity where none are found."""
    grey = (pixels.astype(np.uint16).sum(axis=2) // 3).astype(np.uint8)
    heights = [line.height for line in text_lines(grey)]
    return float(np.quantile(heights, 0.3)) if heights else math.inf


def _detector_side(longer: int, line_height: float) -> int:
    """The longer side the detector should see: `_MIN_DETECTOR_SIDE`, more where lines of text are small; in pixels."""
    return min(longer, max(_MIN_DETECTOR_SIDE, math.ceil(longer * _MIN_LINE / line_height)))
