"""Brushes of the drawn scenes: gradients, cloud noise, glows, smooth shapes. Everything is seeded.

Knows no scene.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Plane: TypeAlias = NDArray[np.float32]  # (height, width), usually 0…1
Colours: TypeAlias = NDArray[np.float32]  # (height, width, 3), 0…255
Rgb: TypeAlias = tuple[int, ...]  # three parts, 0…255


def gradient(width: int, height: int, stops: Sequence[tuple[float, Rgb]]) -> Colours:
    """Colours from top to bottom; a stop is (0…1, colour)."""
    places = np.linspace(0, 1, height)
    columns = [np.interp(places, [s for s, _ in stops], [c[i] for _, c in stops]) for i in range(3)]
    return np.repeat(np.stack(columns, axis=-1)[:, None, :], width, axis=1).astype(np.float32)


def noise(width: int, height: int, cells: tuple[int, int], seed: int, octaves: int = 5) -> Plane:
    """Fractal value noise 0…1; `cells` (across, down) is the coarsest grid."""
    random = np.random.default_rng(seed)
    total = np.zeros((height, width), np.float32)
    weight = 0.0
    for octave in range(octaves):
        grid = random.random((cells[1] * 2**octave + 2, cells[0] * 2**octave + 2)).astype(np.float32)
        layer = Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(layer) * 0.5**octave
        weight += 0.5**octave
    total /= weight
    return (total - total.min()) / (total.max() - total.min())


def blend(below: Colours, colour: Rgb | Colours, cover: Plane) -> Colours:
    """`colour` laid over `below` where `cover` is 1."""
    return below + (np.asarray(colour, np.float32) - below) * np.clip(cover, 0, 1)[..., None]


def glow(width: int, height: int, centre: tuple[float, float], radius: float) -> Plane:
    """1 at `centre`, falling off softly; `radius` in pixels is where it is 1/e."""
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.exp(-np.hypot(across - centre[0], down - centre[1]) / radius).astype(np.float32)


def disc(width: int, height: int, centre: tuple[float, float], radius: float) -> Plane:
    """A disc with a soft rim of two pixels."""
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.clip((radius - np.hypot(across - centre[0], down - centre[1])) / 2 + 0.5, 0, 1).astype(np.float32)


def ridge(width: int, seed: int, base: float, rise: float, cells: int = 4) -> NDArray[np.float32]:
    """The skyline of a hill: for every column the height in pixels from the top."""
    return base - rise * noise(width, 2, (cells, 1), seed)[0]


def below(height: int, skyline: NDArray[np.float32]) -> Plane:
    """1 under the skyline, 0 above, with an edge of one pixel."""
    return np.clip(np.arange(height, dtype=np.float32)[:, None] - skyline[None, :] + 0.5, 0, 1).astype(np.float32)


def picture(colours: Colours) -> Image.Image:
    """The colours as an RGB image."""
    return Image.fromarray(np.clip(colours, 0, 255).astype(np.uint8))


def colours(image: Image.Image) -> Colours:
    """An RGB image as colours."""
    return np.asarray(image.convert("RGB"), np.float32)


def draw_smooth(image: Image.Image, stroke: Callable[[ImageDraw.ImageDraw, int], None], blur: float = 0) -> Image.Image:
    """`stroke(draw, scale)` on three times the size, scaled down over `image`: smooth edges without a vector library."""
    scale = 3
    layer = Image.new("RGBA", (image.width * scale, image.height * scale), (0, 0, 0, 0))
    stroke(ImageDraw.Draw(layer), scale)
    layer = layer.resize(image.size, Image.Resampling.LANCZOS)
    if blur:
        layer = layer.filter(ImageFilter.GaussianBlur(blur))
    result = image.convert("RGBA")
    result.alpha_composite(layer)
    return result.convert("RGB")


def grain(image: Image.Image, strength: float, seed: int) -> Image.Image:
    """A little sensor noise, so that a rendering compresses and hashes like a photograph."""
    random = np.random.default_rng(seed)
    return picture(colours(image) + random.normal(0, strength, (image.height, image.width, 1)).astype(np.float32))


def curve(points: Sequence[tuple[float, float]], steps: int = 16) -> list[tuple[float, float]]:
    """A closed smooth outline through `points` (Catmull-Rom)."""
    ring = np.asarray(points, float)
    outline: list[tuple[float, float]] = []
    for place in range(len(ring)):
        p0, p1, p2, p3 = (ring[(place + offset) % len(ring)] for offset in (-1, 0, 1, 2))
        for t in np.linspace(0, 1, steps, endpoint=False):
            x, y = 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
            outline.append((float(x), float(y)))
    return outline
