"""The video looked at last, kept open: the next frame of it costs a seek, not another walk through the whole file.

Knows the decoders of videos; knows no cache and no process. Lives in a worker process, which asks one thing at a time.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.video.decoders import Decoder, FrameDamaged, open_decoder
from rag.loaders.video.frames import Timeline, timeline_of

if TYPE_CHECKING:
    from rag.types import Pixels


@dataclass(frozen=True, slots=True, eq=False)
class _FrameCache:
    stamp: str
    timeline: Timeline
    decoder: Decoder
    closing: ExitStack


_LAST: list[_FrameCache] = []  # one at the most


def frame_of(file: Path, stamp: str, moment: float, limits: Limits) -> Pixels:
    """RGB pixels (height, width, 3) of the frame nearest to `moment` seconds, the same whichever was asked for before.

    `stamp` is that of the file: equal stamps, the same file. UnreadableDocument.
    """
    if not _LAST or _LAST[0].stamp != stamp:
        _let_go()
        _LAST.append(_opened(file, stamp, limits))
    reel = _LAST[0]
    try:
        return reel.decoder.frame(int(np.abs(reel.timeline.times - moment).argmin()))
    except FrameDamaged as error:
        _let_go()
        raise UnreadableDocument(str(error)) from error


def _opened(file: Path, stamp: str, limits: Limits) -> _FrameCache:
    timeline = timeline_of(file, limits)
    with ExitStack() as closing:
        try:
            decoder = closing.enter_context(open_decoder(file, timeline, limits.max_pixels))
        except FrameDamaged as error:
            raise UnreadableDocument(str(error)) from error
        return _FrameCache(stamp, timeline, decoder, closing.pop_all())


def _let_go() -> None:
    while _LAST:
        _LAST.pop().closing.close()
