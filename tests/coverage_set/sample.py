"""One document of the set: how its bytes are made, and what a person reads in it.

Knows no reader: the words are literals beside the code that makes each document, never taken from what a program found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont


@dataclass(frozen=True, slots=True)
class Sample:
    """A document and its words."""

    name: str  # of the file; its suffix is the format
    make: Callable[[], bytes]
    words: str  # of the main text, in the order a person reads them
    beside: tuple[str, ...] = ()  # what has no place in that order: headers, footnotes, comments, notes; each in its own order

    @property
    def format(self) -> str:
        """The suffix without its dot."""
        return self.name.rpartition(".")[2]


def drawn(lines: list[tuple[int, int, int, str]], size: tuple[int, int]) -> Image.Image:
    """Black lines (x, y, height in pixels, text) on white paper, in Pillow's own font."""
    image = Image.new("RGB", size, "white")
    drawing = ImageDraw.Draw(image)
    for x, y, height, text in lines:
        drawing.text((x, y), text, "black", font=ImageFont.load_default(height))
    return image
