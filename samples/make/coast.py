"""Renderings of things people built by the sea: lighthouse, blue harbour, night city, sailing boat.

Knows brushes; knows no file names. The lighthouse and the boat are used by the ferry video as well.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from samples.make.paint import Colours, blend, colours, disc, draw_smooth, gradient, grain, noise, picture, ridge

WIDTH, HEIGHT = 1280, 854


def water(width: int, height: int, near: tuple[int, int, int], far: tuple[int, int, int], seed: int) -> Colours:
    """A sea with ripples, `far` at the top."""
    surface = gradient(width, height, [(0, far), (1, near)])
    ripples = noise(width, height, (6, max(6, height // 9)), seed, octaves=4)
    surface = blend(surface, (255, 255, 255), np.clip((ripples - 0.66) * 1.6, 0, 0.4))
    return blend(surface, tuple(int(c * 0.55) for c in near), np.clip((0.46 - ripples) * 1.6, 0, 0.5))


def day_sky(width: int, height: int, seed: int) -> Colours:
    """Blue with white clouds."""
    sky = gradient(width, height, [(0, (74, 138, 204)), (1, (206, 230, 246))])
    return blend(sky, (255, 255, 255), np.clip((noise(width, height, (3, 4), seed, octaves=6) - 0.5) * 2.6, 0, 0.95))


def draw_tower(draw: ImageDraw.ImageDraw, x: float, foot: float, tall: float, lit: bool, scale: float) -> None:
    """A white lighthouse with red bands; `x` is its middle, `foot` its ground, in pixels before `scale`."""

    def quad(low: float, high: float, wide: float, fill: tuple[int, ...]) -> None:
        ends = [(0.115 - 0.045 * part) * tall * wide for part in (low, high)]
        shape = [(x - ends[0], foot - tall * low), (x + ends[0], foot - tall * low)]
        shape += [(x + ends[1], foot - tall * high), (x - ends[1], foot - tall * high)]
        draw.polygon([(a * scale, b * scale) for a, b in shape], fill=fill)
        shade = [(x + ends[0] * 0.3, shape[1][1]), shape[1], shape[2], (x + ends[1] * 0.3, shape[2][1])]
        draw.polygon([(a * scale, b * scale) for a, b in shade], fill=(*(int(c * 0.8) for c in fill[:3]), 255))

    for low, high, paint in [(0, 0.78, (246, 244, 238, 255)), (0.16, 0.31, (196, 40, 36, 255)), (0.47, 0.62, (196, 40, 36, 255))]:
        quad(low, high, 1, paint)
    quad(0.78, 0.81, 1.45, (50, 54, 60, 255))
    quad(0.81, 0.91, 0.8, (255, 240, 170, 255) if lit else (150, 190, 210, 255))
    for bar in (-0.03, 0, 0.03):
        draw.line(
            [((x + bar * tall) * scale, (foot - edge * tall) * scale) for edge in (0.81, 0.91)],
            fill=(50, 54, 60, 255),
            width=int(scale * 2),
        )
    roof = [(x - 0.075 * tall, foot - 0.91 * tall), (x + 0.075 * tall, foot - 0.91 * tall), (x, foot - tall)]
    draw.polygon([(a * scale, b * scale) for a, b in roof], fill=(160, 32, 30, 255))
    for level in (0.12, 0.4, 0.68):
        box = (x - 0.014 * tall, foot - (level + 0.05) * tall, x + 0.014 * tall, foot - level * tall)
        draw.rectangle([edge * scale for edge in box], fill=(60, 70, 84, 255))


def draw_sailboat(
    draw: ImageDraw.ImageDraw, x: float, line: float, size: float, hull: tuple[int, int, int], scale: float
) -> None:
    """A small boat with two sails on the water line `line`; `size` is the height of the mast in pixels."""

    def shape(points: list[tuple[float, float]], fill: tuple[int, ...]) -> None:
        draw.polygon([((x + a * size) * scale, (line + b * size) * scale) for a, b in points], fill=fill)

    shape([(-0.36, -0.1), (0.42, -0.1), (0.3, 0.03), (-0.3, 0.03)], (*hull, 255))
    shape([(-0.36, -0.1), (0.42, -0.1), (0.41, -0.075), (-0.35, -0.075)], (255, 255, 255, 255))
    draw.line(
        [(x * scale, (line - 0.1 * size) * scale), (x * scale, (line - size) * scale)],
        fill=(90, 66, 44, 255),
        width=max(1, int(size * scale * 0.018)),
    )
    shape([(-0.02, -0.97), (-0.02, -0.16), (-0.4, -0.18), (-0.22, -0.5)], (250, 246, 234, 255))
    shape([(0.02, -0.9), (0.02, -0.16), (0.38, -0.15)], (236, 230, 214, 255))


def paint_lighthouse() -> Image.Image:
    """A white and red lighthouse on green cliffs above a blue sea."""
    horizon = 560
    scene = np.vstack([day_sky(WIDTH, horizon, 111), water(WIDTH, HEIGHT - horizon, (22, 74, 112), (96, 154, 186), 112)])
    rock = noise(WIDTH, HEIGHT, (9, 9), 114, octaves=6)
    skyline = ridge(WIDTH, 113, 610, 90, cells=3) + np.clip(np.arange(WIDTH) - 760, 0, None) ** 1.5 * 0.04
    depth = np.arange(HEIGHT, dtype=np.float32)[:, None] - skyline[None, :]
    cliff = np.asarray((126, 110, 92), np.float32) * (0.55 + 0.8 * rock[..., None])
    scene = blend(scene, cliff, np.clip(depth + 0.5, 0, 1))
    scene = blend(
        scene,
        np.asarray((92, 140, 66), np.float32) * (0.75 + 0.5 * rock[..., None]),
        np.clip(depth + 0.5, 0, 1) * np.clip((70 - depth) / 24 + rock - 0.5, 0, 1),
    )
    scene = blend(scene, (240, 248, 250), np.clip(1 - np.abs(np.arange(HEIGHT)[:, None] - 838 + 26 * rock) / 14, 0, 0.9))
    return grain(draw_smooth(picture(scene), lambda draw, scale: draw_tower(draw, 430, 590, 470, False, scale)), 2, 115)


def paint_blue_harbour() -> Image.Image:
    """A deep blue basin with small fishing boats before coloured houses."""
    quay = 430
    scene = np.vstack([day_sky(WIDTH, quay, 121), water(WIDTH, HEIGHT - quay, (10, 52, 120), (34, 104, 176), 122)])
    random = np.random.default_rng(123)
    houses = [(196, 72, 56), (232, 190, 92), (240, 236, 226), (86, 128, 104), (176, 96, 70), (150, 172, 190)]

    def stroke(draw: ImageDraw.ImageDraw, scale: int) -> None:
        def polygon(points: list[tuple[float, float]], fill: tuple[int, ...]) -> None:
            draw.polygon([(a * scale, b * scale) for a, b in points], fill=(*fill, 255))

        polygon([(0, 330), (330, 215), (700, 270), (1010, 190), (1280, 300), (1280, 430), (0, 430)], (104, 140, 104))
        x = -10.0
        while x < WIDTH:
            wide, tall = random.uniform(62, 104), random.uniform(84, 150)
            wall = houses[int(random.integers(len(houses)))]
            polygon([(x, 418), (x, 418 - tall), (x + wide, 418 - tall), (x + wide, 418)], wall)
            polygon([(x - 4, 418 - tall), (x + wide / 2, 418 - tall - 40), (x + wide + 4, 418 - tall)], (112, 62, 52))
            for row in range(int(tall // 40)):
                for column in range(int(wide // 28)):
                    a, b = x + 10 + column * 28, 418 - tall + 12 + row * 40
                    polygon([(a, b), (a + 13, b), (a + 13, b + 20), (a, b + 20)], (58, 76, 96))
            x += wide + random.uniform(0, 8)
        polygon([(0, 416), (WIDTH, 416), (WIDTH, 446), (0, 446)], (140, 132, 122))
        for x, line, size, hull in [
            (150, 540, 120, (240, 240, 236)),
            (480, 575, 150, (28, 74, 150)),
            (860, 545, 125, (206, 84, 40)),
            (1120, 640, 200, (24, 92, 110)),
            (300, 730, 240, (34, 60, 128)),
        ]:
            polygon(
                [
                    (x - size * 0.6, line - size * 0.22),
                    (x + size * 0.7, line - size * 0.3),
                    (x + size * 0.5, line + 6),
                    (x - size * 0.5, line + 6),
                ],
                hull,
            )
            polygon(
                [
                    (x - size * 0.6, line - size * 0.22),
                    (x + size * 0.7, line - size * 0.3),
                    (x + size * 0.68, line - size * 0.25),
                    (x - size * 0.58, line - size * 0.17),
                ],
                (250, 250, 248),
            )
            polygon(
                [
                    (x - size * 0.4, line - size * 0.2),
                    (x - size * 0.4, line - size * 0.52),
                    (x - size * 0.05, line - size * 0.52),
                    (x, line - size * 0.22),
                ],
                (244, 242, 236),
            )
            polygon(
                [
                    (x - size * 0.34, line - size * 0.46),
                    (x - size * 0.1, line - size * 0.46),
                    (x - size * 0.08, line - size * 0.34),
                    (x - size * 0.34, line - size * 0.34),
                ],
                (70, 100, 120),
            )
            polygon(
                [
                    (x + size * 0.16, line - size * 0.25),
                    (x + size * 0.16, line - size * 0.95),
                    (x + size * 0.19, line - size * 0.95),
                    (x + size * 0.19, line - size * 0.25),
                ],
                (96, 70, 48),
            )

    return grain(draw_smooth(picture(scene), stroke), 2, 124)


def paint_night_city() -> Image.Image:
    """Towers with lit windows under a dark sky, mirrored in black water."""
    shore = 590
    sky = gradient(WIDTH, shore, [(0, (6, 8, 26)), (0.7, (24, 28, 66)), (1, (84, 58, 96))])
    random = np.random.default_rng(131)
    for _ in range(240):
        sky[int(random.uniform(0, shore * 0.6)), int(random.uniform(0, WIDTH))] += random.uniform(60, 190)
    sky = blend(sky, (236, 232, 210), disc(WIDTH, shore, (1040, 120), 34))
    canvas = picture(sky)
    draw = ImageDraw.Draw(canvas)
    for layer, shade in [(0, (30, 32, 58)), (1, (18, 20, 40)), (2, (9, 10, 24))]:
        x = -20
        while x < WIDTH:
            wide, top = int(random.uniform(54, 120)), int(shore - random.uniform(90, 400 - layer * 90))
            draw.rectangle((x, top, x + wide, shore), fill=shade)
            if random.random() < 0.3:
                draw.line((x + wide // 2, top - 46, x + wide // 2, top), fill=shade, width=4)
                draw.ellipse((x + wide // 2 - 3, top - 50, x + wide // 2 + 3, top - 44), fill=(255, 70, 60))
            for a in range(x + 8, x + wide - 8, 13):
                for b in range(top + 10, shore - 8, 17):
                    if random.random() < 0.34:
                        warm = [(255, 214, 130), (255, 236, 180), (180, 214, 255)][int(random.integers(3))]
                        draw.rectangle((a, b, a + 6, b + 8), fill=warm)
            x += wide + int(random.uniform(-6, 16))
    upper = colours(canvas)
    mirror = upper[::-1][: HEIGHT - shore]
    ripple = noise(WIDTH, HEIGHT - shore, (6, 40), 132, octaves=4)
    shift = ((ripple - 0.5) * 26).astype(int)
    mirror = mirror[np.arange(HEIGHT - shore)[:, None], np.clip(np.arange(WIDTH)[None, :] + shift, 0, WIDTH - 1)]
    return grain(picture(np.vstack([upper, mirror * 0.5 + np.asarray((4, 6, 18), np.float32)])), 2, 133)


def paint_sailing(step: int) -> Image.Image:
    """A boat with a green hull and two sails; `step` 0, 1, 2 are the frames of a burst."""
    horizon = 480
    scene = np.vstack([day_sky(WIDTH, horizon, 141), water(WIDTH, HEIGHT - horizon, (26, 96, 116), (110, 176, 190), 142)])
    scene = np.roll(scene, -step * 3, axis=1)
    boat = draw_smooth(
        picture(scene), lambda draw, scale: draw_sailboat(draw, 560 + 22 * step, 640 + 4 * (step % 2), 430, (24, 110, 66), scale)
    )
    return grain(boat, 2, 143 + step)
