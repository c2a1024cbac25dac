"""Answers questions about one file besides its passages: its family, the size of a picture, the length and frames of a video.

Knows the loaders; knows no passage, no model and no index. Worker processes call these by name, so each gives (values, bytes).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.detect import loader_name

Given = tuple[dict[str, Any], bytes]


def family(file: Path, *, limits: Limits) -> Given:
    """`{"family"}`: the name of the loader that reads the file. UnreadableDocument where none does."""
    return {"family": loader_name(file, limits)}, b""


def picture_size(file: Path, *, limits: Limits) -> Given:
    """`{"family", "width", "height"}` of a picture of any size, in pixels; 0 × 0 for other families. It decodes nothing.

    UnreadableDocument where the file is damaged or no loader reads it.
    """
    from rag.loaders.picture.open_image import open_picture

    found = loader_name(file, limits)
    if found != "picture":
        return {"family": found, "width": 0, "height": 0}, b""
    with open_picture(file, replace(limits, max_source_pixels=1 << 62)) as image:
        return {"family": found, "width": image.size[0], "height": image.size[1]}, b""


def video_end(file: Path, *, limits: Limits) -> Given:
    """`{"end"}`: the time at which a video ends, in seconds. UnreadableDocument where it has no frames."""
    from rag.loaders.video.frames import timeline_of

    return {"end": float(timeline_of(file, limits).end)}, b""


def sampled_frames(file: Path, *, limits: Limits, fewest: int, most: int, pixels: int) -> Given:
    """`{"frames"}`: evenly spaced frames in RGB, uint8 (height, width, 3), about one per second, `fewest` to `most` of them.

    All frames together have at most `pixels` pixels. UnreadableDocument where one cannot be decoded.
    """
    from rag.loaders.video.decoders import FrameDamaged, open_decoder
    from rag.loaders.video.frames import timeline_of

    timeline = timeline_of(file, limits)
    count = min(most, max(fewest, int(timeline.end)), len(timeline.times))
    indices = np.linspace(0, len(timeline.times) - 1, count).round().astype(int)
    try:
        with open_decoder(file, timeline, pixels // count) as decoder:
            return {"frames": [decoder.frame(int(index)) for index in indices]}, b""
    except FrameDamaged as error:
        raise UnreadableDocument(str(error)) from error
