"""Contents that no working model server has a reason to refuse: what it says to them tells a bad content from a bad server.

Knows contents; knows no request and no server.
"""

from __future__ import annotations

import numpy as np

from rag.types import Content

HARMLESS = Content("text", text="length")
SIDE = 64  # pixels on each side of the picture


def grey_picture() -> Content:
    """A grey picture."""
    return Content("image", pixels=(np.full((SIDE, SIDE, 3), 128, np.uint8),))
