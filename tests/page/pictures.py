"""Compares a screenshot with the approved one of its name: small pictures, soft edges, a share of pixels that may differ.

Knows pictures and their folder; knows no page. PAGE_TEST_APPROVE=1 takes what is seen for approved.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

from PIL import Image, ImageChops, ImageFilter

APPROVED = Path(__file__).parent / "approved"
SHARE = 0.03  # of the pixels that may differ: fonts and their hinting are those of the machine
STEP = 40  # of 255, from which a softened pixel differs
SIDE = 960  # pixels of the longer side that are kept
MOST_BYTES = 60_000  # of one picture


def differs(shot: bytes, name: str, seen: Path) -> str:
    """What is wrong with a screenshot, "" where it is as approved; what differs is then kept in `seen`."""
    made = _small(Image.open(io.BytesIO(shot)).convert("RGB"))
    approved = APPROVED / f"{name}.webp"
    if os.environ.get("PAGE_TEST_APPROVE"):
        APPROVED.mkdir(exist_ok=True)
        made.save(approved, quality=62, method=6)
        assert approved.stat().st_size <= MOST_BYTES, f"{approved.name} takes {approved.stat().st_size:,} bytes"
        return ""
    if not approved.exists():
        return f"{name} is not approved: look at it, then PAGE_TEST_APPROVE=1"
    wanted = Image.open(approved).convert("RGB")
    if wanted.size != made.size:
        return f"{name} is {made.size}, approved is {wanted.size}"
    changed = ImageChops.difference(_soft(made), _soft(wanted)).convert("L").point(lambda value: 255 if value > STEP else 0)
    share = changed.histogram()[255] / (changed.width * changed.height)
    if share <= SHARE:
        return ""
    seen.mkdir(parents=True, exist_ok=True)
    made.save(seen / f"differs-{name}.png")
    changed.save(seen / f"differs-{name}-where.png")
    return f"{share:.1%} of {name} differ from what is approved: {seen}/differs-{name}.png"


def _small(picture: Image.Image) -> Image.Image:
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return picture


def _soft(picture: Image.Image) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(2))
