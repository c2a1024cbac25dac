"""The part of a page that shows its matches: as large that words can be read on a card, over as many different words as fit.

Knows rectangles; knows no file and no picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 0.55  # of the page: about 50 characters of a line
ASPECT = 1.6  # width by height of the part
_ENOUGH = 60  # regions looked at: the best place is among the first ones, or the words are everywhere
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Crop:
    """A rectangle in 0…1 of a picture's width and height, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float


def crop_around(regions: Sequence[Mapping[str, Any]], size: Sequence[float]) -> Crop | None:
    """The part of a picture of `size` (width, height) with the most different words of the regions, then the most regions.

    None where there are no regions, or where the picture is so flat that a part of that form does not fit.
    """
    width, height = size
    tall = WIDTH * width / ASPECT / height
    if not regions or tall > 1:
        return None
    parts = [_centred(one, tall) for one in regions[:_ENOUGH]]
    return max(parts, key=lambda part: _held(part, regions))


def regions_within(crop: Crop, regions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The regions that lie in the part, in 0…1 of the part; those at its edge are cut."""
    found = []
    for one in regions:
        left, top = max(one["x"], crop.x), max(one["y"], crop.y)
        right = min(one["x"] + one["width"], crop.x + crop.width)
        bottom = min(one["y"] + one["height"], crop.y + crop.height)
        if right > left and bottom > top:
            found.append(
                {
                    "x": round((left - crop.x) / crop.width, 5),
                    "y": round((top - crop.y) / crop.height, 5),
                    "width": round((right - left) / crop.width, 5),
                    "height": round((bottom - top) / crop.height, 5),
                    "words": one["words"],
                }
            )
    return found


def _centred(region: Mapping[str, Any], tall: float) -> Crop:
    """The part around the middle of a region, moved into the page."""
    x = region["x"] + region["width"] / 2 - WIDTH / 2
    y = region["y"] + region["height"] / 2 - tall / 2
    return Crop(_inside(x, WIDTH), _inside(y, tall), WIDTH, round(tall, _DIGITS))


def _inside(start: float, length: float) -> float:
    return round(min(max(0.0, start), 1 - length), _DIGITS)


def _held(crop: Crop, regions: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """How many different words, and how many regions, lie whole in the part."""
    whole = [
        one["words"].casefold()
        for one in regions
        if crop.x <= one["x"]
        and one["x"] + one["width"] <= crop.x + crop.width
        and crop.y <= one["y"]
        and one["y"] + one["height"] <= crop.y + crop.height
    ]
    return len(set(whole)), len(whole)
