"""Where the samples lie, and the fonts they are drawn with.

Knows no content.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PIL import ImageFont

MAKE = Path(__file__).resolve().parent
SAMPLES = MAKE.parent
CORPUS = SAMPLES / "corpus"
BROKEN = SAMPLES / "broken"
QUERY_PICTURES = SAMPLES / "query_pictures"
WORDS = MAKE / "words"
PAGES = MAKE / "pages"

FONTS = {
    "sans": Path("/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf"),
    "bold": Path("/usr/share/fonts/truetype/liberation/LiberationSans-Bold.ttf"),
    "serif": Path("/usr/share/fonts/truetype/liberation/LiberationSerif-Regular.ttf"),
    "serif-bold": Path("/usr/share/fonts/truetype/liberation/LiberationSerif-Bold.ttf"),
    "serif-italic": Path("/usr/share/fonts/truetype/liberation/LiberationSerif-Italic.ttf"),
    "typewriter": Path("/usr/share/fonts/truetype/liberation/LiberationMono-Regular.ttf"),
}


@cache
def font(face: str, pixels: int) -> ImageFont.FreeTypeFont:
    """One of FONTS at a height in pixels."""
    return ImageFont.truetype(str(FONTS[face]), pixels)


def place(*parts: str) -> Path:
    """A file of the corpus, its folder made."""
    file = CORPUS.joinpath(*parts)
    file.parent.mkdir(parents=True, exist_ok=True)
    return file
