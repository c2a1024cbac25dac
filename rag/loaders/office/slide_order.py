"""Puts the shapes of a slide in the order a person reads them: what stands above another shape comes before it.

Knows PresentationML's frames; knows no text. The order of the file is that of drawing, which is mostly that of reading, column by
column too; only where one shape stands wholly below another and under it, while the file has it first, the file is not followed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from typing import Any

from rag.loaders.office.drawings import A

_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_MOST_SHAPES = 200  # in one place: a drawing of thousands of lines has no order, and pairs of them are compared

Frame = tuple[int, int, int, int]  # left, top, right, bottom in the units of what the shapes stand in
Frames = Mapping[str, Frame]  # of the places of a layout, by index and by kind


def in_order(shapes: Sequence[Any], places: Frames) -> list[Any]:
    """Shapes that stand in one another's neighbourhood, in reading order; `places` are the frames that a layout gives."""
    if not 1 < len(shapes) <= _MOST_SHAPES:
        return list(shapes)
    frames = [_frame(shape, places) for shape in shapes]
    below = [[at for at, one in enumerate(frames) if _is_above(other, one)] for other in frames]
    waits = Counter(at for ones in below for at in ones)  # for how many shapes above it
    ready = [at for at in range(len(shapes)) if not waits[at]]
    found = []
    while ready:  # no shape is above itself, over whatever others: all become ready
        first = heappop(ready)
        found.append(shapes[first])
        for at in below[first]:
            waits[at] -= 1
            if not waits[at]:
                heappush(ready, at)
    return found


def places_of(layout: Any) -> Frames:
    """The frames of the places that a layout or a master keeps free."""
    found: dict[str, Frame] = {}
    for shape in layout.iter(f"{_P}sp"):
        frame = _own_frame(shape)
        if frame:
            for name in _names(shape):
                found.setdefault(name, frame)
    return found


def _is_above(other: Frame | None, one: Frame | None) -> bool:
    """Whether the whole of `other` is above `one`, with a part of their widths in common."""
    return bool(one and other and other[3] <= one[1] and other[1] < one[1] and other[0] < one[2] and one[0] < other[2])


def _frame(shape: Any, places: Frames) -> Frame | None:
    return _own_frame(shape) or next((places[name] for name in _names(shape) if name in places), None)


def _names(shape: Any) -> list[str]:
    """How the place that a shape fills is found in a layout: by its number, else by its kind."""
    place = shape.find(f"{_P}nvSpPr/{_P}nvPr/{_P}ph")
    if place is None:
        return []
    return [f"number {place.get('idx')}"] if place.get("idx") else [place.get("type", "obj")]


def _own_frame(shape: Any) -> Frame | None:
    moved = next((one for one in (shape.find(f"*/{A}xfrm"), shape.find(f"{_P}xfrm")) if one is not None), None)
    offset, size = (None, None) if moved is None else (moved.find(f"{A}off"), moved.find(f"{A}ext"))
    if offset is None or size is None:
        return None
    try:
        left, top, width, height = (
            int(one.get(name, "")) for one, name in ((offset, "x"), (offset, "y"), (size, "cx"), (size, "cy"))
        )
    except ValueError:
        return None
    return left, top, left + max(width, 0), top + max(height, 0)
