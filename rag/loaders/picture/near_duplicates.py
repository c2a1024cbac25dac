"""Tells whether a frame shows anything new, compared with the frame kept before it.

Knows no video: pixels in, yes or no out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.types import Pixels

_SIDE = 320  # pixels of the longer side both frames are compared at
_BLOCK = 4  # pixels: a line of 20-pixel text on a screen of 1280 is one block high
_LEVELS = 14  # mean difference of a block's strongest colour channel: blocks of compression noise stay under 7
_RUN = 4  # changed blocks side by side: 50 pixels of a screen of 1280. A mouse pointer covers 3 × 3
_SHARE = 0.02  # of all blocks: many small changes are a change


def miniature(pixels: Pixels) -> Pixels:
    """The frame scaled down for comparison: (height, width, 3), sides multiples of `_BLOCK`, the longer about `_SIDE`.

    Not every row of a large frame is read: each row of the miniature is the mean of two or three of them.
    """
    height, width = pixels.shape[:2]
    scale = _SIDE / max(height, width)
    size = tuple(max(1, round(side * scale / _BLOCK)) * _BLOCK for side in (width, height))
    rows = np.ascontiguousarray(pixels[:: max(1, height // (2 * size[1]))])
    return np.asarray(Image.fromarray(rows).resize((size[0], size[1]), Image.Resampling.BOX, reducing_gap=1.0))


def shows_nothing_new(kept: Pixels, new: Pixels) -> bool:
    """Whether two miniatures show the same, apart from compression noise, a mouse pointer or a blinking cursor.

    A change counts where it is a line (`_RUN` changed blocks side by side or one above the other: a word, a bullet, a moved
    edge) or where it is spread (`_SHARE` of the picture). Measured on slides and screen recordings of 640, 1280 and 1920 pixels
    in H.264 at CRF 18, 28 and 40 and in VP9 at 60 kbit/s: one more line of text changes 52 blocks and one more word of six
    letters 6 to 9, the strongest by 50 to 69 levels; a moved pointer changes 3 to 5 that are not in a row, a blinking cursor
    2; compression alone, also of a still camera with sensor noise, changes none by more than 6 levels.
    """
    if kept.shape != new.shape:
        return False
    height, width, _ = new.shape
    apart = np.maximum(new, kept) - np.minimum(new, kept)
    strongest = np.maximum(np.maximum(apart[..., 0], apart[..., 1]), apart[..., 2])
    columns = np.add.reduceat(strongest, np.arange(0, width, _BLOCK), axis=1, dtype=np.uint32)
    summed = columns.reshape(height // _BLOCK, _BLOCK, -1).sum(axis=1)
    changed = summed > _LEVELS * _BLOCK**2
    return bool(changed.mean() <= _SHARE) and not _has_run(changed) and not _has_run(changed.T)


def _has_run(changed: NDArray[np.bool_]) -> bool:
    """Whether `_RUN` neighbours in a row are all true."""
    if changed.shape[1] < _RUN:
        return False
    return bool(np.lib.stride_tricks.sliding_window_view(changed, _RUN, axis=1).all(axis=-1).any())
