"""A screen recording: a restore is typed and runs in a terminal, then a forgotten password is reset in a browser. 28 s, VP9.

Knows what is typed; the pages are shot by the real browser, at twice the density and scaled down as recorders do.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path

from PIL import Image

from samples.make.browser import take_screenshot
from samples.make.places import PAGES, place
from samples.make.video import SIZE, encode

RATE = 10
PROMPT = "oduya@petrel:~$ "
TERMINAL = (  # seconds it is shown, lines on the screen
    (1, (PROMPT,)),
    (1, (PROMPT + "restore --share berths",)),
    (1, (PROMPT + "restore --share berths --snapshot latest",)),
    (3, (PROMPT + "restore --share berths --snapshot latest", "snapshot 2026-04-12 02:40, 11.8 GB")),
    (
        3,
        (
            PROMPT + "restore --share berths --snapshot latest",
            "snapshot 2026-04-12 02:40, 11.8 GB",
            "[######........]  41 %",
            "copied 18,204 files",
        ),
    ),
    (
        4,
        (
            PROMPT + "restore --share berths --snapshot latest",
            "snapshot 2026-04-12 02:40, 11.8 GB",
            "[##############] 100 %",
            "copied 44,391 files",
            "checksums: all good",
            PROMPT,
        ),
    ),
)
BROWSER = (  # seconds, typed address, message below the form
    (3, "", ""),
    (2, "astrid.m", ""),
    (4, "astrid.moe@skarvoy-harbour.example", ""),
    (6, "astrid.moe@skarvoy-harbour.example", "We have sent you a link. It is valid for 20 minutes."),
)


def _shoot(template: str, **fields: str) -> Image.Image:
    page = (PAGES / template).read_text(encoding="utf-8")
    for name, words in fields.items():
        page = page.replace(f"{{{{{name}}}}}", words)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        file.write_text(page, encoding="utf-8")
        return take_screenshot(file, SIZE, scale=2).resize(SIZE, Image.Resampling.LANCZOS)


def _film() -> Iterator[Image.Image]:
    for seconds, lines in TERMINAL:
        shot = _shoot("recording-terminal.html", lines="\n".join(escape(line) for line in lines))
        yield from [shot] * (seconds * RATE)
    for seconds, address, message in BROWSER:
        shot = _shoot("recording-login.html", address=escape(address), message=escape(message))
        yield from [shot] * (seconds * RATE)


def save_recording() -> None:
    """videos/rec_0412.webm."""
    encode(_film(), place("videos", "rec_0412.webm"), RATE)
