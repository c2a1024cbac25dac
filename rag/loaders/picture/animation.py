"""The frames of an animation that are read: its first one that shows something, and later ones that show something else.

Knows opened pictures and their frames; knows no passage. A film is `rag.loaders.video`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from PIL import Image

from rag.errors import UnreadableDocument
from rag.loaders.picture.near_duplicates import miniature, shows_nothing_new
from rag.loaders.picture.open_image import DAMAGE, check_size, describe, orientation, turn_upright
from rag.loaders.picture.pixels import is_blank, shrink, to_array
from rag.types import Dropped

if TYPE_CHECKING:
    from rag.loaders.base import Limits
    from rag.types import Pixels

FORMATS = ("GIF", "WEBP", "PNG", "AVIF")
MOST = 8  # frames of an animation: a board of departures has as many, and of a dancing cat no more are wanted
_TRIED = 16  # frames at most, of an animation that begins with blank ones


def is_animation(image: Image.Image) -> bool:
    """Whether the picture is shown as a film of several frames."""
    return image.format in FORMATS and bool(getattr(image, "is_animated", False))


def later_frames(image: Image.Image) -> list[int]:
    """Numbers of frames after the first, from 1, evenly over the animation; at most `MOST` with the first."""
    count = int(getattr(image, "n_frames", 1))
    wanted = min(count, MOST)
    return [1 + at * (count - 1) // (wanted - 1) for at in range(1, wanted)]


def to_first_frame(image: Image.Image, limits: Limits) -> None:
    """Moves an animation to its first frame that is not blank, or to its first if those tried are blank, damaged or too large."""
    for index in range(_TRIED):
        try:
            image.seek(index)
            check_size(image.size, limits)
            blank = is_blank(to_array(shrink(image, 160 * 160)))
        except (UnreadableDocument, *DAMAGE):  # also at its end
            if index == 0:
                raise
            break
        if not blank:
            return
    image.seek(0)


def read_frames(image: Image.Image, numbers: Iterable[int | None], limits: Limits) -> Iterator[Pixels | Dropped | str]:
    """RGB of each frame, or why there is none: it repeats one before it, it is blank, or the reason why it cannot be decoded.

    Numbers count from 1, in order; None is the first frame that is not blank: where it cannot be read, UnreadableDocument or the
    decoder's own error. Each frame is decoded once.
    """
    kept: list[Pixels] = []
    turn = orientation(image)
    for number in numbers:
        try:
            if number is None:
                to_first_frame(image, limits)
            else:
                image.seek(number - 1)
            check_size(image.size, limits)
            pixels = to_array(turn_upright(shrink(image, limits.max_pixels), turn))
        except (UnreadableDocument, *DAMAGE) as error:
            if number is None:
                raise
            yield error.what if isinstance(error, UnreadableDocument) else describe(error)
            continue
        seen = miniature(pixels)
        if number is not None and is_blank(seen):
            yield Dropped("blank frame")
        elif any(shows_nothing_new(one, seen) for one in kept):
            yield Dropped("repeats a frame before it")
        else:
            kept.append(seen)
            yield pixels
