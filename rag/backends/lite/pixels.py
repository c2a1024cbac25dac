"""Pictures to numbers: the simple visual attributes and the visual descriptor of the `lite` models.

Knows pixels; knows no words and no vector layout. Every step works on a 64 × 64 thumbnail, so large pictures cost hardly more.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from rag.backends.downsample import thin
from rag.backends.lite.attributes import ATTRIBUTES, CHROMAS, COLOURS, SHAPES, TONES
from rag.errors import BackendError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.types import Pixels, Vectors

    Thumbnail = NDArray[np.float32]

_SIDE = 64
_SAMPLES = 4  # along each side of a thumbnail's cell
SHORTER_SIDE = _SIDE * _SAMPLES  # pixels that are sampled; larger pictures are thinned first
_FRAMES = 8  # of a video, evenly spread

_LUMA, _CHROMA, _CELLS, _ORIENTATIONS, _BANDS = 8, 4, 4, 8, 3
DESCRIPTOR = _LUMA**2 - 1 + 2 * _CHROMA**2 + _CELLS**2 * _ORIENTATIONS + _BANDS * len(COLOURS)  # 63 + 32 + 128 + 33 = 256
_PARTS = {"luma": 0.35, "chroma": 0.15, "edges": 0.35, "bands": 0.15}  # shares of the squared length
_LUMA_FLOOR = 1.5 * 32  # a thumbnail whose grey varies less than 1.5 levels has no layout
_CHROMA_FLOOR = 4.0 * 32
_EDGE_FLOOR = 2.0 * 64 * 64


def see(pictures: Sequence[Pixels]) -> tuple[Vectors, Vectors]:
    """The descriptor, (256,), and the attributes, (len(ATTRIBUTES),): float32, unit length, the mean over a video's frames.

    Descriptor: low frequencies of brightness and of colour (DCT), edge orientations in 4 × 4 cells (Dalal and Triggs 2005),
    named colours in three bands. Scaling, compression, brightness and slight cropping change it little.
    Attributes: the colours have 0.7 of the squared length; light or dark, the shape, and colourful or greyscale 0.1 each. If
    a picture is neither light nor dark, that tenth goes to the others. BackendError for pixels not of shape (height, width, 3).
    """
    described, strengths = np.zeros(DESCRIPTOR), np.zeros(len(ATTRIBUTES))
    for picture in map(_thinned, _spread(pictures)):
        thumbnail = _thumbnail(picture)
        named = _named_pixels(thumbnail)
        described += _describe(thumbnail, named[0])
        strengths += _strengths(*named, aspect=picture.shape[1] / picture.shape[0])
    return _unit(described), _unit(strengths)


def _unit(vector: NDArray[np.float64]) -> Vectors:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)


def attribute_words(pictures: Sequence[Pixels]) -> str:
    """The attributes that a person would name, strongest first: "blue white light landscape". Pictures are uint8 RGB."""
    _, strengths = see(pictures)
    ordered = sorted(range(len(ATTRIBUTES)), key=lambda place: (-float(strengths[place]), place))
    return " ".join(ATTRIBUTES[place] for place in ordered if strengths[place] >= NAMEABLE)


NAMEABLE = 0.2  # an attribute of at least this strength counts as seen


def _spread(pictures: Sequence[Pixels]) -> Sequence[Pixels]:
    if len(pictures) <= _FRAMES:
        return pictures
    return [pictures[i * len(pictures) // _FRAMES] for i in range(_FRAMES)]


def _thinned(picture: Pixels) -> Pixels:
    """The pixels that count: the same whether or not the picture was thinned before. BackendError if it is not RGB."""
    if picture.ndim != 3 or picture.shape[2] < 3 or 0 in picture.shape:
        raise BackendError(
            f"a picture has the shape {picture.shape}, not (height, width, 3)", remedy="this is a bug in the loader that read it"
        )
    return thin(np.ascontiguousarray(picture[..., :3]), SHORTER_SIDE)


def _thumbnail(picture: Pixels) -> Thumbnail:
    """(64, 64, 3), RGB 0…255: each cell is the mean of 4 × 4 samples."""
    count = SHORTER_SIDE
    down, across = (((2 * np.arange(count) + 1) * size) // (2 * count) for size in picture.shape[:2])
    whole = picture.view("V3")[..., 0]  # three bytes as one item: selects three times as fast
    samples = whole[down].take(across, axis=1).view(np.uint8).reshape(_SIDE, _SAMPLES, -1).astype(np.uint16)
    rows = np.add.reduce([samples[:, row] for row in range(_SAMPLES)]).reshape(_SIDE, _SIDE, _SAMPLES, 3)
    summed = rows[:, :, 0] + rows[:, :, 1] + rows[:, :, 2] + rows[:, :, 3]  # 16 × 255 at most
    return np.asarray(summed / _SAMPLES**2, np.float32)


def _describe(thumbnail: Thumbnail, names: NDArray[np.int64]) -> NDArray[np.float64]:
    red, green, blue = (thumbnail[..., i].astype(np.float64) for i in range(3))
    grey = 0.299 * red + 0.587 * green + 0.114 * blue  # BT.601
    layout = _low_frequencies(grey, _LUMA).reshape(-1)[1:]
    tint = np.concatenate([_low_frequencies(0.564 * (blue - grey), _CHROMA), _low_frequencies(0.713 * (red - grey), _CHROMA)])
    parts = {
        "luma": layout / max(float(np.linalg.norm(layout)), _LUMA_FLOOR),
        "chroma": tint.reshape(-1) / max(float(np.linalg.norm(tint)), _CHROMA_FLOOR),
        "edges": _edges(grey),
        "bands": _bands(names),
    }
    described = np.concatenate([np.sqrt(share) * parts[part] for part, share in _PARTS.items()])
    return np.asarray(described / np.linalg.norm(described))  # the bands are never all zero


@cache
def _cosines(kept: int) -> NDArray[np.float64]:
    """The first `kept` rows of the orthonormal DCT-II of 32 points, (kept, 32)."""
    rows = np.cos(np.pi * (2 * np.arange(32) + 1) * np.arange(kept)[:, None] / 64) * np.sqrt(2 / 32)
    rows[0] = np.sqrt(1 / 32)
    return np.asarray(rows)


def _low_frequencies(plane: NDArray[np.float64], kept: int) -> NDArray[np.float64]:
    """(kept, kept): the lowest frequencies of a 64 × 64 plane, the mean first."""
    small = plane.reshape(32, 2, 32, 2).mean(axis=(1, 3))
    rows = _cosines(kept)
    return np.asarray(rows @ small @ rows.T)


def _edges(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """Square roots of the shares of edge strength by cell and unsigned orientation, minus their mean: (128,)."""
    across, down = np.zeros_like(grey), np.zeros_like(grey)
    across[:, 1:-1], down[1:-1] = grey[:, 2:] - grey[:, :-2], grey[2:] - grey[:-2]
    turn = (np.arctan2(down, across) / np.pi % 1.0) * _ORIENTATIONS
    low = np.floor(turn).astype(np.int64)
    part = turn - low
    strength = np.hypot(across, down)
    cell = np.arange(_SIDE) * _CELLS // _SIDE
    place = (cell[:, None] * _CELLS + cell[None, :]) * _ORIENTATIONS
    length = _CELLS**2 * _ORIENTATIONS
    shares = np.bincount((place + low % _ORIENTATIONS).reshape(-1), (strength * (1 - part)).reshape(-1), length)
    shares += np.bincount((place + (low + 1) % _ORIENTATIONS).reshape(-1), (strength * part).reshape(-1), length)
    total = float(shares.sum())
    roots = np.sqrt(shares / max(total, 1e-9))
    return np.asarray((roots - roots.mean()) * min(1.0, total / _EDGE_FLOOR))


def _bands(names: NDArray[np.int64]) -> NDArray[np.float64]:
    """Square roots of the shares of named colours in the upper, middle and lower third: (33,), unit length."""
    band = np.arange(_SIDE) * _BANDS // _SIDE
    counts = np.bincount((band[:, None] * len(COLOURS) + names).reshape(-1), minlength=_BANDS * len(COLOURS))
    return np.asarray(np.sqrt(counts / names.size))


def _strengths(
    names: NDArray[np.int64], lightness: NDArray[np.float64], chroma: NDArray[np.float64], aspect: float
) -> NDArray[np.float64]:
    weights = 1.0 + np.minimum(chroma, 80.0) / 40.0 * (names < COLOURS.index("black"))  # a small red car is still red
    shares = np.bincount(names.reshape(-1), weights.reshape(-1), len(COLOURS)) / weights.sum()
    colours = np.sqrt(np.where(shares >= 0.03, shares, 0.0))
    mean, coloured = float(lightness.mean()), float((chroma > 12).mean())
    tones = {"dark": np.clip((45 - mean) / 20, 0, 1), "light": np.clip((mean - 60) / 20, 0, 1)}
    figure = "landscape" if aspect > 1.1 else "portrait" if aspect < 1 / 1.1 else "square"
    chromas = {"colourful": np.clip((float(chroma.mean()) - 20) / 20, 0, 1), "greyscale": np.clip((0.04 - coloured) / 0.03, 0, 1)}
    strengths = np.concatenate([
        np.sqrt(0.7) * colours / np.linalg.norm(colours),
        np.sqrt(0.1) * np.array([tones[tone] for tone in TONES]),
        np.sqrt(0.1) * np.array([float(name == figure) for name in SHAPES]),
        np.sqrt(0.1) * np.array([chromas[name] for name in CHROMAS]),
    ])  # fmt: skip
    return np.asarray(strengths / np.linalg.norm(strengths))


def _named_pixels(thumbnail: Thumbnail) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """For each pixel the index of its colour in COLOURS, its lightness L* 0…100 and its chroma, in CIELAB (D65)."""
    values = thumbnail.astype(np.float64) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ
    roots = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    lightness = 116 * roots[..., 1] - 16
    a, b = 500 * (roots[..., 0] - roots[..., 1]), 200 * (roots[..., 1] - roots[..., 2])
    chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360
    neutral = chroma < np.where((lightness < 25) | (lightness > 90), 14, 10)
    rules = (  # the first that matches wins
        ("black", (lightness < 10) & (chroma < 25) | neutral & (lightness < 25)),
        ("white", neutral & (lightness > 88)),
        ("grey", neutral),
        ("brown", (hue >= 40) & (hue < 85) & (lightness < 58) & (chroma < 70)),
        ("brown", (hue >= 25) & (hue < 90) & (lightness < 55) & (chroma < 48)),
        ("brown", (hue >= 60) & (hue < 90) & (lightness < 80) & (chroma < 40)),
        ("pink", ((hue < 15) | (hue >= 335)) & (lightness > 40) | (hue < 40) & (lightness > 65)),
        ("red", (hue < 48) | (hue >= 350)),
        ("orange", hue < 76),
        ("yellow", hue < 108),
        ("green", hue < 195),
        ("blue", hue < np.where(lightness > 50, 297, 309)),
        ("purple", hue < 350),
    )
    name = np.select([fits for _, fits in rules], [COLOURS.index(name) for name, _ in rules])
    return name.astype(np.int64), lightness, chroma


# Linear sRGB to XYZ over the white point D65 (IEC 61966-2-1), transposed.
_TO_XYZ = (
    np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) / [[0.9505], [1.0], [1.089]]
).T
