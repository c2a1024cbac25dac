"""Pixels and their sizes: fits a size to a budget, converts decoded pictures to RGB, encodes them again.

Knows no file and no format of a corpus: it takes decoded pictures and gives arrays or bytes.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from rag.types import Pixels

_OUTLIERS = 0.0005  # share of pixels on either side that may be dead or hot
_NARROW = 8  # times wider than the values of all other pixels: then the extremes are outliers
_GRAIN = 64  # levels of 65,536


def grey_of(pixels: Pixels) -> NDArray[np.uint8]:
    """The mean of the three colours, rounded down, of RGB (height, width, 3), as (height, width)."""
    total = pixels[:, :, 0].astype(np.uint16)  # a sum over the last axis takes ten times as long
    total += pixels[:, :, 1]
    total += pixels[:, :, 2]
    return (total // np.uint16(3)).astype(np.uint8)


def fit(size: tuple[int, int], max_pixels: int) -> tuple[int, int]:
    """The largest (width, height) of this shape with width * height <= max_pixels; never more than `size`, sides at least 1."""
    width, height = size
    if width * height <= max_pixels:
        return size
    scale = math.sqrt(max_pixels / (width * height))
    short = max(1, int(min(size) * scale))
    long = max(1, min(int(max(size) * scale), max_pixels // short))
    return (long, short) if width >= height else (short, long)


def shrink(image: Image.Image, max_pixels: int) -> Image.Image:
    """The picture scaled down to at most `max_pixels` pixels with smoothing; the same size where it fits already.

    Palette and one-bit pictures are converted first, since they cannot be smoothed. 16- and 32-bit grey becomes 8-bit.
    """
    from PIL import Image

    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = Image.fromarray(_eight_bits(np.asarray(image)))
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode in ("P", "PA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    size = fit(image.size, max_pixels)
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def flatten(image: Image.Image) -> Image.Image:
    """The picture in RGB; transparent parts become white, like paper."""
    from PIL import Image

    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def to_array(image: Image.Image) -> Pixels:
    """The picture as RGB, uint8, (height, width, 3), in memory of its own."""
    return np.array(flatten(image), dtype=np.uint8)


def shrink_array(pixels: Pixels, max_pixels: int) -> Pixels:
    """RGB pixels (height, width, 3) scaled down to at most `max_pixels`."""
    from PIL import Image

    if pixels.shape[0] * pixels.shape[1] <= max_pixels:
        return pixels
    return to_array(shrink(Image.fromarray(pixels), max_pixels))


def encode_jpeg(pixels: Pixels, quality: int = 90) -> bytes:
    """RGB pixels as a JPEG, to send to a model server. About 3 ms for a million pixels."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality)
    return out.getvalue()


def thumbnail(pixels: Pixels, side: int = 320) -> bytes:
    """RGB pixels as a WebP no wider and no higher than `side`."""
    from PIL import Image

    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "WEBP", quality=80, method=2)
    return out.getvalue()


def is_blank(pixels: Pixels, tolerance: int = 20) -> bool:
    """Whether the RGB picture is one colour: no pixel of a 160-pixel thumbnail is over `tolerance` levels from its median colour.

    Thumbnails average noise away: at 20, film grain on black and the blocks of a strongly compressed dark video are blank; one
    line of 20-pixel text on a page 720 pixels high is not.
    """
    from PIL import Image

    small = Image.fromarray(pixels)
    small.thumbnail((160, 160), Image.Resampling.BOX)
    colours = np.asarray(small).reshape(-1, 3)
    if (colours.max(axis=0) - colours.min(axis=0) > 2 * tolerance).any():  # cheaper than a median, which lies in between
        return False
    return bool(np.abs(colours.astype(np.int16) - np.median(colours, axis=0)).max() <= tolerance)


def _eight_bits(grey: NDArray[np.generic]) -> Pixels:
    """Grey of more than 8 bits as 8 bits: what lies between the darkest and the brightest value, however few bits hold it.

    Twelve bits of a scanner or a detector in a file of sixteen would be black by their high bytes. A few dead or hot pixels do
    not set the window. Sixteen bits that hardly vary are a blank page, whose grain is not stretched.
    """
    values = np.nan_to_num(grey.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    darkest, brightest = float(values.min()), float(values.max())
    step = max(1, values.size // 1_000_000)
    low, high = np.percentile(values.ravel()[::step], (100 * _OUTLIERS, 100 - 100 * _OUTLIERS)).tolist()
    if 0 < (high - low) * _NARROW < brightest - darkest:
        darkest, brightest = low, high
    if grey.dtype.kind == "u" and brightest - darkest < _GRAIN:
        return (grey.astype(np.uint16) >> 8).astype(np.uint8)
    stretched: NDArray[np.float32] = np.clip((values - darkest) * (255.0 / max(brightest - darkest, 1e-9)), 0, 255)
    return stretched.astype(np.uint8)
