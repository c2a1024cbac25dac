"""Headless chromium: pages to screenshots and to PDF.

Knows no page.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
FLAGS += ("--disable-component-update", "--disable-sync", "--hide-scrollbars", "--font-render-hinting=none")


def take_screenshot(page: Path, size: tuple[int, int], scale: int = 1) -> Image.Image:
    """The page in a window of `size` CSS pixels; `scale` device pixels for each of them."""
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        window = (f"--window-size={size[0]},{size[1]}", f"--force-device-scale-factor={scale}")
        _run(f"--user-data-dir={folder}/profile", *window, f"--screenshot={shot}", page.as_uri())
        return Image.open(shot).convert("RGB")


def print_pdf(page: Path, target: Path) -> None:
    """The page as a PDF, its dates set to a fixed day so that every build gives the same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        printed = Path(folder) / "page.pdf"
        _run(f"--user-data-dir={folder}/profile", "--no-pdf-header-footer", f"--print-to-pdf={printed}", page.as_uri())
        target.write_bytes(re.sub(rb"\(D:\d{14}", b"(D:20260301090000", printed.read_bytes()))


def _run(*arguments: str) -> None:
    subprocess.run([str(CHROMIUM), *FLAGS, *arguments], check=True, capture_output=True, timeout=120)
