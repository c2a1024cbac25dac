"""Puts the characters of a text layer in the order a person reads them, where the file holds them in another one.

Knows pdfium's text pages, and no pixels. Most files hold their text in order: the rectangles of it, which cost 0.1 ms, tell; only
where they do not is every character asked for its place, about 8 ms a page. Called under the lock of `pdf.py`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pypdfium2 as pdfium
from pypdfium2 import raw

from rag.loaders.pdf.bulk import boxes, cells, rectangles
from rag.loaders.picture.reading_order import Box, row_lengths, rows
from rag.text.line_ends import spaced_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.loaders.pdf.bulk import Rectangles

MOST_RECTANGLES = 4_000  # of a page: drawings with one word in each thousands of places have no order
_MOST_CHARACTERS = 50_000  # of a page that are put in order
_GAP = 1.2  # heights of a line: a wider gap on a line parts two columns or cells
_CELL_GAP = 0.7  # the same, in heights of the cells of characters, which are about twice as high as small letters
_TURNED = 2.0  # heights to widths of a rectangle: more is a line that runs up or down the page
_TALL = 30.0  # points, at least, of a line that runs up or down: a bracket is lower
_IS_SPACE = np.asarray([chr(code).isspace() for code in range(0x3002)])  # no character after U+3000 is
_IN_A_LINE = {"\r": "", "\n": " "}
_SPACED_GAP = 1.5  # heights of a letter between spaced letters; cells of a table are farther apart


def rearranged(layer: pdfium.PdfTextPage, text: str, page: tuple[float, float, float, float]) -> str:
    """The text of the layer in reading order, with spaced letters as words; `text` itself where that is how the file holds it.

    `page` is what is seen of the page: left, bottom, right and top in points.
    """
    places = rectangles(layer, MOST_RECTANGLES + 1)
    if len(places) > MOST_RECTANGLES or layer.count_chars() > _MOST_CHARACTERS:
        return text
    widths, heights = places[:, 2] - places[:, 0], places[:, 3] - places[:, 1]
    turned = bool((heights > np.maximum(_TALL, _TURNED * widths)).any())
    disordered = turned or _is_disordered(places)
    if not disordered and not spaced_words(text):
        return text
    whole = layer.get_text_range()
    if len(whole) != layer.count_chars():
        return text  # characters that are two in memory: their places are unknown
    kept = _without_spaces_in_words(layer, whole)
    if disordered:
        return _read(_segments(layer, whole, kept, page, turned), text)
    return "".join(character for character, keep in zip(whole, kept, strict=True) if keep) if whole == text else text


def _is_disordered(places: Rectangles) -> bool:
    """Whether the file draws lines side by side, one row after another, in another order than they are read."""
    if len(places) < 4:
        return False
    parts = _lines(places)
    if len(parts) < 4:
        return False
    left, bottom, right, top = (parts[:, side] for side in range(4))
    height = np.maximum(top - bottom, 1.0)
    shared = np.minimum(top[1:], top[:-1]) - np.maximum(bottom[1:], bottom[:-1])
    beside = int((shared > 0.5 * np.minimum(height[1:], height[:-1])).sum())
    narrow = float(np.median((right - left) / height)) < 6
    jumps = int((bottom[1:] > top[:-1] + 2 * height[:-1]).sum())
    if not (beside >= 3 or (jumps >= 1 and narrow)):
        return False
    boxes = [Box(one[0], -one[3], one[2], -one[1], str(number), 1.0) for number, one in enumerate(parts.tolist())]
    order = [int(box.text) for row in rows(boxes, 1, 1, row_lengths) for box in row]
    return order != list(range(len(parts)))


def _lines(places: Rectangles) -> Rectangles:
    """Rectangles that follow one another on a line without a gap, as one."""
    left, bottom, right, top = (places[:, side] for side in range(4))
    height = np.maximum(np.minimum(top[1:] - bottom[1:], top[:-1] - bottom[:-1]), 1.0)
    shared = np.minimum(top[1:], top[:-1]) - np.maximum(bottom[1:], bottom[:-1])
    gap = left[1:] - right[:-1]
    starts = np.flatnonzero(np.append(True, ~((shared > 0.3 * height) & (gap > -height) & (gap < _GAP * height))))
    low = np.minimum.reduceat(left, starts), np.minimum.reduceat(bottom, starts)
    return np.stack([*low, np.maximum.reduceat(right, starts), np.maximum.reduceat(top, starts)], axis=1)


def _without_spaces_in_words(layer: pdfium.PdfTextPage, text: str) -> list[bool]:
    """Which characters to keep: all but the spaces between letters that are set apart, where no word ends."""
    kept = [True] * len(text)
    for start, end in spaced_words(text):
        places = boxes(layer, range(start, end, 2))
        gaps, steps = places[1:, 0] - places[:-1, 2], places[1:, 0] - places[:-1, 0]
        height = float(np.median(places[:, 3] - places[:, 1]))
        if not 0 < float(np.median(gaps)) < _SPACED_GAP * max(height, 1.0):
            continue
        usual = steps[steps < 1.3 * np.median(steps)]
        even = steps if usual.std() < 0.03 * usual.mean() else gaps  # letters are set at equal steps, or apart by equal gaps
        for number, wide in enumerate((even > 1.4 * np.median(even)).tolist()):
            kept[start + 2 * number + 1] = wide
    return kept


def _segments(
    layer: pdfium.PdfTextPage, text: str, kept: list[bool], page: tuple[float, float, float, float], turned: bool
) -> list[list[Box]]:
    """Pieces of lines without a gap, by the direction of their letters, that of most first; what is off the page is left out."""
    places = cells(layer, len(text))
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    seen = ~_IS_SPACE[np.minimum(codes, len(_IS_SPACE) - 1)]
    middle = (places[:, :2] + places[:, 2:]) / 2
    seen &= (middle >= np.asarray(page[:2])).all(axis=1) & (middle <= np.asarray(page[2:])).all(axis=1)
    numbers = np.flatnonzero(seen)
    if not len(numbers):
        return []
    directions = np.zeros(len(text), dtype=np.int64)
    if turned:
        for number in numbers.tolist():
            directions[number] = round(raw.FPDFText_GetCharAngle(layer, number) / (math.pi / 2)) % 4
    framed, directions = _framed(places, directions)[numbers], directions[numbers]
    before, after = framed[:-1], framed[1:]
    height = np.maximum(np.minimum(before[:, 3] - before[:, 1], after[:, 3] - after[:, 1]), 1.0)
    tallest = np.maximum(before[:, 3] - before[:, 1], after[:, 3] - after[:, 1])
    shared = np.minimum(before[:, 3], after[:, 3]) - np.maximum(before[:, 1], after[:, 1])
    gap = after[:, 0] - before[:, 2]
    joined = (shared > 0.2 * height) & (gap > -1.5 * height) & (gap < _CELL_GAP * tallest)
    joined &= directions[:-1] == directions[1:]
    starts = np.append(0, np.flatnonzero(~joined) + 1)
    ends = np.append(starts[1:], len(numbers)) - 1
    corners = np.minimum.reduceat(framed[:, :2], starts), np.maximum.reduceat(framed[:, 2:], starts)
    written = [_IN_A_LINE.get(character, character) if keep else "" for character, keep in zip(text, kept, strict=True)]
    found: dict[int, list[Box]] = {}
    for place, direction, first, last in zip(
        np.hstack(corners).tolist(), directions[starts].tolist(), numbers[starts].tolist(), numbers[ends].tolist(), strict=True
    ):
        x0, y0, x1, y1 = place
        found.setdefault(direction, []).append(Box(x0, y0, x1, y1, "".join(written[first : last + 1]), 1.0))
    return sorted(found.values(), key=lambda pieces: -sum(len(piece.text) for piece in pieces))


def _framed(boxes: Rectangles, directions: NDArray[np.int64]) -> Rectangles:
    """Boxes as left, top, right, bottom where the letters stand upright and places grow to the right and downwards."""
    left, bottom, right, top = (boxes[:, side] for side in range(4))
    frames = (  # by quarter turns of the letters, clockwise
        (left, -top, right, -bottom),
        (-top, -right, -bottom, -left),
        (-right, bottom, -left, top),
        (bottom, left, top, right),
    )
    result = np.stack(frames[0], axis=1)
    for direction in (1, 2, 3):
        here = directions == direction
        result[here] = np.stack(frames[direction], axis=1)[here]
    return result


def _read(groups: list[list[Box]], text: str) -> str:
    """The pieces in reading order, as lines; `text` where they are letters one by one: written downwards, or to the left."""
    if sum(len(pieces) for pieces in groups) > 0.4 * len(text):
        return text
    lines = [" ".join(piece.text for piece in row) for pieces in groups for row in rows(pieces, 1, 1, row_lengths)]
    return "\n".join(lines)
