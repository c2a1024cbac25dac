"""The picture of a hit in the terminal, where the terminal can show pictures.

Knows terminals and loaders; knows no index.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from rag.types import Hit

ROWS = 8  # lines of the terminal
PROGRAMS = frozenset({"iTerm.app", "WezTerm", "ghostty", "mintty"})  # TERM_PROGRAM of terminals known to show pictures


def print_preview(console: Console, hit: Hit) -> None:
    """Prints the picture, a few lines high. Does nothing in a pipe and in terminals not known to show pictures."""
    if not sys.stdout.isatty() or not _can_show():
        return
    from PIL import Image as PillowImage
    from textual_image.renderable import Image

    from rag.decoding.ask_pool import shared_pool
    from rag.search.stored_content import hit_pixels

    pixels = hit_pixels(hit, shared_pool())
    if pixels is not None:
        console.print(Image(PillowImage.fromarray(pixels), height=ROWS))


def _can_show() -> bool:
    term = os.environ.get("TERM", "")
    return "kitty" in term or "sixel" in term or "foot" in term or os.environ.get("TERM_PROGRAM") in PROGRAMS
