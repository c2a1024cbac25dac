"""Keeps the last video open: its next frame costs a seek, not another pass through the whole file.

Knows video decoders; knows no other cache and no process. Lives in a worker process, which does one thing at a time.
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
class _OpenVideo:
    stamp: str
    timeline: Timeline
    decoder: Decoder
    closing: ExitStack


_LAST: list[_OpenVideo] = []  # at most one


def frame_of(file: Path, stamp: str, moment: float, limits: Limits) -> Pixels:
    """RGB pixels (height, width, 3) of the frame nearest to `moment` seconds, whichever frames came before.

    Equal values of `stamp` mean the same, unchanged file. UnreadableDocument.
    """
    if not _LAST or _LAST[0].stamp != stamp:
        _close()
        _LAST.append(_open(file, stamp, limits))
    video = _LAST[0]
    try:
        return video.decoder.frame(int(np.abs(video.timeline.times - moment).argmin()))
    except FrameDamaged as error:
        _close()
        raise UnreadableDocument(str(error)) from error


def _open(file: Path, stamp: str, limits: Limits) -> _OpenVideo:
    timeline = timeline_of(file, limits)
    with ExitStack() as closing:
        try:
            decoder = closing.enter_context(open_decoder(file, timeline, limits.max_pixels))
        except FrameDamaged as error:
            raise UnreadableDocument(str(error)) from error
        return _OpenVideo(stamp, timeline, decoder, closing.pop_all())


def _close() -> None:
    while _LAST:
        _LAST.pop().closing.close()
