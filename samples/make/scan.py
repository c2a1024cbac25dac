"""Scans a letter: text drawn with a typewriter face, turned a little, yellowed to grey, with dust. A PDF without text layer.

Knows the words only as the file words/insurer-letter.md.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from samples.make.places import WORDS, font, place

PAGE = (1240, 1754)  # A4 at 150 dpi


def scan_page(text: str, turn: float, seed: int) -> Image.Image:
    """One sheet on the glass; `turn` in degrees."""
    sheet = Image.new("L", PAGE, 244)
    ImageDraw.Draw(sheet).multiline_text((150, 170), text, font=font("typewriter", 27), fill=48, spacing=15)
    sheet = sheet.rotate(turn, Image.Resampling.BICUBIC, fillcolor=214).filter(ImageFilter.GaussianBlur(0.6))
    random = np.random.default_rng(seed)
    grey = np.asarray(sheet, np.float32) + random.normal(0, 3.5, (PAGE[1], PAGE[0]))
    grey -= np.linspace(0, 14, PAGE[0])[None, :]  # the lid did not close at the right edge
    for _ in range(60):
        x, y = int(random.uniform(0, PAGE[0] - 4)), int(random.uniform(0, PAGE[1] - 4))
        grey[y : y + 2, x : x + 3] -= 90
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))


def save_scan() -> None:
    """scans/scan_0007.pdf: two pages, pictures only."""
    texts = (WORDS / "insurer-letter.md").read_text(encoding="utf-8").split("=====\n")
    sheets = [scan_page(text, turn, 310 + number) for number, (text, turn) in enumerate(zip(texts, (-0.8, 0.6), strict=True))]
    fixed = {"creationDate": None, "modDate": None}
    sheets[0].save(place("scans", "scan_0007.pdf"), save_all=True, append_images=sheets[1:], resolution=150, quality=42, **fixed)
