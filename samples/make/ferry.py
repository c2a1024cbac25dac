"""An animation without words: a ferry passes the lighthouse while the day turns to sunset and night. 30 s, MKV.

Knows the scene; the lighthouse is drawn as in the photographs.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

from samples.make.coast import draw_tower
from samples.make.paint import Rgb, blend, disc, draw_smooth, glow, gradient, noise, picture
from samples.make.places import place
from samples.make.video import SIZE, encode

RATE = 10
LENGTH = 30
HORIZON = 220
SKIES: tuple[tuple[float, Rgb, Rgb], ...] = (  # part of the film, zenith, horizon
    (0.0, (78, 146, 214), (196, 224, 242)),
    (0.4, (96, 130, 190), (238, 206, 160)),
    (0.62, (92, 52, 110), (250, 140, 62)),
    (0.8, (30, 26, 70), (120, 60, 90)),
    (1.0, (6, 8, 26), (20, 24, 54)),
)


def _shade(part: float, column: int) -> Rgb:
    stops = [stop[0] for stop in SKIES]
    return tuple(int(np.interp(part, stops, [stop[column][i] for stop in SKIES])) for i in range(3))


def draw_moment(part: float) -> Image.Image:
    """The scene at `part` 0…1 of the film."""
    width, height = SIZE
    zenith, low = _shade(part, 1), _shade(part, 2)
    sky = gradient(width, HORIZON, [(0, zenith), (1, low)])
    drift = int(part * 90)
    clouds = noise(width + 90, HORIZON, (3, 5), 401, octaves=4)[:, drift : drift + width]
    sky = blend(sky, tuple(min(255, c + 60) for c in low), np.clip((clouds - 0.55) * 2.4, 0, 0.6))
    sun = (430.0, 30 + part * 300)
    sky = blend(sky, (255, 226, 150), glow(width, HORIZON, sun, 60) * np.clip(1.25 - part, 0, 1))
    sky = blend(sky, (255, 246, 210), disc(width, HORIZON, sun, 18))
    sea = gradient(width, height - HORIZON, [(0, tuple(int(c * 0.8) for c in low)), (1, tuple(int(c * 0.42) for c in zenith))])
    ripples = noise(width + 240, height - HORIZON, (8, 26), 402, octaves=3)[:, 240 - int(part * 240) :][:, :width]
    sea = blend(sea, low, np.clip((ripples - 0.58) * 1.8, 0, 0.5))
    night = part > 0.72
    return draw_smooth(picture(np.vstack([sky, sea])), lambda draw, scale: _draw_things(draw, part, night, scale))


def _draw_things(draw: ImageDraw.ImageDraw, part: float, night: bool, scale: int) -> None:
    def polygon(points: list[tuple[float, float]], fill: Rgb) -> None:
        draw.polygon([(x * scale, y * scale) for x, y in points], fill=(*fill, 255))

    dark = 0.25 if night else 1 - 0.5 * part
    polygon([(0, 250), (60, 214), (150, 206), (210, 226), (250, 262), (0, 300)], (int(84 * dark), int(96 * dark), int(70 * dark)))
    draw_tower(draw, 120, 214, 150, night, scale)
    if night and int(part * LENGTH) % 2 == 0:
        draw.polygon([(120 * scale, 84 * scale), (640 * scale, 40 * scale), (640 * scale, 130 * scale)], fill=(255, 244, 190, 70))
    x, line = -120 + part * 860, 276 + 2 * np.sin(part * 90)
    polygon(
        [(x - 90, line - 24), (x + 104, line - 24), (x + 78, line + 4), (x - 78, line + 4)],
        (int(30 * dark), int(60 * dark), int(120 * dark)),
    )
    polygon(
        [(x - 70, line - 50), (x + 62, line - 50), (x + 72, line - 24), (x - 76, line - 24)],
        tuple(int(240 * max(dark, 0.35)) for _ in range(3)),
    )
    polygon(
        [(x - 20, line - 78), (x + 8, line - 78), (x + 8, line - 50), (x - 20, line - 50)], (int(206 * max(dark, 0.4)), 50, 40)
    )
    for window in range(-60, 60, 18):
        polygon(
            [(x + window, line - 43), (x + window + 10, line - 43), (x + window + 10, line - 34), (x + window, line - 34)],
            (255, 220, 120) if night else (70, 96, 120),
        )


def _film() -> Iterator[Image.Image]:
    frames = LENGTH * RATE
    for frame in range(frames):
        yield draw_moment(frame / (frames - 1))


def save_ferry() -> None:
    """videos/evening-ferry.mkv, 30 s."""
    encode(_film(), place("videos", "evening-ferry.mkv"), RATE)
