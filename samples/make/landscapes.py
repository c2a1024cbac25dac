"""Photo-like renderings without people or text: sunset, forest, mountains, dunes, meadow.

Knows brushes; knows no file names.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from PIL import Image, ImageDraw

from samples.make.paint import below, blend, colours, disc, draw_smooth, glow, gradient, grain, noise, picture, ridge

WIDTH, HEIGHT = 1280, 854


def paint_sunset() -> Image.Image:
    """An orange sun sinking into the sea, its light on the water."""
    horizon = 520
    sky = gradient(WIDTH, horizon, [(0, (58, 38, 92)), (0.35, (150, 60, 100)), (0.7, (240, 120, 60)), (1, (255, 205, 110))])
    clouds = noise(WIDTH, horizon, (3, 7), 11)
    sky = blend(sky, (255, 170, 120), np.clip((clouds - 0.52) * 3.2, 0, 0.8))
    sky = blend(sky, (90, 40, 80), np.clip((noise(WIDTH, horizon, (2, 8), 12) - 0.58) * 3, 0, 0.7))
    sun = (790, 452)
    sky = blend(sky, (255, 220, 140), glow(WIDTH, horizon, sun, 130))
    sky = blend(sky, (255, 250, 215), disc(WIDTH, horizon, sun, 46))
    depth = HEIGHT - horizon
    sea = gradient(WIDTH, depth, [(0, (235, 140, 85)), (0.25, (150, 80, 95)), (1, (38, 32, 70))])
    down, across = np.mgrid[0:depth, 0:WIDTH].astype(np.float32)
    ripples = noise(WIDTH, depth, (6, 40), 13, octaves=4)
    sea = blend(sea, (25, 20, 55), np.clip((ripples - 0.5) * 1.5, 0, 0.5))
    path = np.exp(-(((across - sun[0]) / (30 + down * 0.42)) ** 2)) * np.clip((ripples - 0.34) * 4, 0, 1)
    sea = blend(sea, (255, 222, 150), path * 0.95)
    return grain(picture(np.vstack([sky, sea])), 2, 14)


def paint_forest() -> Image.Image:
    """Green firs in the mist, row behind row; stands upright (portrait)."""
    width, height = 854, 1280
    scene = picture(gradient(width, height, [(0, (222, 236, 214)), (0.6, (176, 206, 160)), (1, (96, 140, 84))]))
    random = np.random.default_rng(21)
    for row in range(6):
        near = row / 5
        shade = tuple(int(far + (close - far) * near) for far, close in zip((160, 196, 150), (18, 58, 26), strict=True))
        ground = 420 + row * 150
        trees = [(random.uniform(-20, width + 20), random.uniform(0.7, 1.25)) for _ in range(26 - row * 3)]
        firs = partial(_draw_firs, trees=trees, ground=ground, near=near, shade=shade, random=random)
        scene = draw_smooth(scene, firs, blur=0.4)
        mist = np.clip(noise(width, height, (3, 5), 30 + row) - 0.35, 0, 1) * (1 - near) * 0.75
        scene = picture(blend(colours(scene), (226, 238, 218), mist))
    return grain(scene, 3, 22)


def _draw_firs(
    draw: ImageDraw.ImageDraw,
    scale: int,
    trees: list[tuple[float, float]],
    ground: int,
    near: float,
    shade: tuple[int, ...],
    random: np.random.Generator,
) -> None:
    """One row of firs, each given as (x, size), on the ground line `ground`; `near` 0…1 makes them larger."""
    for x, size in trees:
        tall, wide = (190 + 330 * near) * size, (48 + 80 * near) * size
        for part in range(9):
            top = ground - tall + tall * part / 10
            half = wide * (0.16 + 0.84 * part / 8)
            sway = random.uniform(-4, 4)
            triangle = [(x + sway, top), (x - half, top + tall * 0.22), (x + half, top + tall * 0.22)]
            draw.polygon([(a * scale, b * scale) for a, b in triangle], fill=(*shade, 255))
    draw.rectangle((0, (ground - 20) * scale, 10_000, 10_000), fill=(*shade, 255))


def paint_mountains() -> Image.Image:
    """White peaks over a grey-blue valley under a cold sky."""
    scene = gradient(WIDTH, HEIGHT, [(0, (92, 140, 196)), (0.5, (190, 214, 234)), (1, (222, 230, 238))])
    scene = blend(scene, (255, 255, 255), np.clip((noise(WIDTH, HEIGHT, (4, 6), 41) - 0.56) * 3, 0, 0.8))
    for layer, (base, rise, rock) in enumerate(
        [(430, 340, (112, 130, 164)), (560, 330, (84, 98, 126)), (770, 300, (56, 66, 86))]
    ):
        jagged = 1 - np.abs(2 * noise(WIDTH, 2, (4, 1), 154 + layer, octaves=6)[0] - 1)
        skyline = base - rise * jagged
        mountain = below(HEIGHT, skyline)
        depth = np.arange(HEIGHT, dtype=np.float32)[:, None] - skyline[None, :]
        relief = 1 - np.abs(2 * noise(WIDTH, HEIGHT, (9, 5), 60 + layer, octaves=6) - 1)
        fine = np.clip(0.5 + (np.gradient(relief, axis=1) - np.gradient(relief, axis=0) * 0.5) * 12, 0, 1)
        flank = np.convolve(np.pad(np.gradient(skyline), 30, mode="edge"), np.ones(61) / 61, mode="valid")
        light = np.clip(0.55 - flank[None, :] * 0.45 + (fine - 0.5) * 0.9, 0, 1)[..., None]
        snow = np.clip((0.75 - depth / (rise * 0.75) + (relief - 0.6) * 1.7) * 3, 0, 1)
        scene = blend(scene, np.asarray(rock, np.float32) * (0.55 + 0.8 * light), mountain)
        scene = blend(
            scene, np.asarray((142, 166, 206), np.float32) + light * np.asarray((112, 88, 48), np.float32), mountain * snow
        )
        scene = blend(scene, (206, 220, 236), mountain * np.clip(depth / 600 - 0.1, 0, 0.45))
    return grain(picture(scene), 2, 42)


def paint_dunes() -> Image.Image:
    """Yellow sand dunes with tufts of grass under a pale sky."""
    scene = gradient(WIDTH, HEIGHT, [(0, (170, 206, 232)), (0.45, (232, 240, 240)), (1, (240, 232, 200))])
    down = np.arange(HEIGHT, dtype=np.float32)[:, None]
    for layer in range(5):
        base = 430 + layer * 95
        skyline = ridge(WIDTH, 70 + layer, base, 120 - layer * 8, cells=2)
        sand = np.asarray([(236, 212, 150), (230, 200, 130), (226, 192, 112), (216, 178, 96), (206, 166, 84)][layer], np.float32)
        depth = np.clip((down - skyline[None, :]) / 160, 0, 1)
        slope = np.gradient(skyline)[None, :, None] * 26
        waves = np.sin((down - skyline[None, :]) * 0.35 + noise(WIDTH, HEIGHT, (8, 8), 80 + layer) * 16)[..., None] * 5
        scene = blend(scene, sand + slope + waves - depth[..., None] * 26, below(HEIGHT, skyline))
    random = np.random.default_rng(90)

    def stroke(draw: ImageDraw.ImageDraw, scale: int) -> None:
        for _ in range(46):
            x, y = random.uniform(0, WIDTH), random.uniform(520, HEIGHT)
            for _ in range(16):
                lean, tall = random.normal(10, 16), random.uniform(18, 60) * (y / HEIGHT)
                ends = [(x + random.normal(0, 5), y), (x + lean * 0.4, y - tall * 0.6), (x + lean, y - tall)]
                green = (int(random.uniform(90, 140)), int(random.uniform(120, 150)), 60, 255)
                draw.line([(a * scale, b * scale) for a, b in ends], fill=green, width=scale + 1)

    return grain(draw_smooth(picture(scene), stroke), 2, 91)


def paint_lupins() -> Image.Image:
    """A field of violet lupins in front of a green hill."""
    scene = gradient(WIDTH, HEIGHT, [(0, (120, 178, 230)), (0.4, (206, 228, 244)), (1, (206, 228, 244))])
    scene = blend(scene, (110, 160, 84), below(HEIGHT, ridge(WIDTH, 101, 400, 150, cells=2)))
    scene = blend(scene, (84, 140, 66), below(HEIGHT, ridge(WIDTH, 102, 470, 60, cells=3)))
    random = np.random.default_rng(103)

    def stroke(draw: ImageDraw.ImageDraw, scale: int) -> None:
        for y in np.sort(random.uniform(460, HEIGHT + 60, 900)):
            near = (y - 440) / (HEIGHT - 440)
            x, tall = random.uniform(0, WIDTH), 20 + 120 * near
            draw.line(
                (x * scale, y * scale, x * scale, (y - tall) * scale), fill=(50, 110, 46, 255), width=int(scale * (1 + 3 * near))
            )
            violet = (int(random.uniform(110, 170)), int(random.uniform(50, 90)), int(random.uniform(170, 225)), 255)
            for part in range(9):
                half = (2 + 9 * near) * (1 - part / 11)
                middle = y - tall * (0.35 + 0.65 * part / 9)
                draw.ellipse(
                    [(x - half) * scale, (middle - half * 0.7) * scale, (x + half) * scale, (middle + half * 0.7) * scale],
                    fill=violet,
                )

    return grain(draw_smooth(picture(scene), stroke), 2, 104)
