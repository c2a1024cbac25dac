"""Loads videos: MP4, MOV, MKV, WebM, AVI, TS and M4V; one passage for each frame that represents a part of the video.

Knows no model. `frames.py` chooses the frames from the container, `decoders.py` decodes them, `near_duplicates.py` tells which
show nothing new, `tracks.py` and `subtitles.py` give the words spoken meanwhile.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from rag.errors import UnreadableDocument
from rag.loaders.base import STRETCH, Limits
from rag.loaders.office.unread import content_or_reason, unread
from rag.loaders.picture.near_duplicates import miniature, shows_nothing_new
from rag.loaders.picture.pixels import is_blank
from rag.loaders.properties.base import with_properties
from rag.loaders.properties.video import video_properties, with_chapters
from rag.loaders.text.subtitles import Speech, read_cues
from rag.loaders.video.decoders import FrameDamaged, open_decoder
from rag.loaders.video.frames import Timeline, choose, timeline_of
from rag.types import CaptionOf, Content, Document, Dropped, Passage, Seconds, Skipped


class VideoLoader:
    """One passage per chosen frame, from its own time to the time of the next; its text is what the subtitles say in between.

    Splitting decodes no picture. Reading decodes one frame at a time; blank frames and frames that repeat the last kept one of
    their stretch are dropped, unless the subtitles say something else: words must stay findable at their time.
    """

    version = 4

    def split(self, document: Document, limits: Limits) -> Iterator[Passage]:
        timeline = timeline_of(document.file, limits)
        beside, reasons = read_cues(document.companions, limits, document.file.stem, timeline.rate)
        frames = _frames(document, timeline, Speech((*timeline.cues, *beside)), limits)
        count = 0
        properties = video_properties(timeline.tags, document.companions)
        for passage in with_properties(with_chapters(frames, timeline.chapters), properties):
            count = passage.ordinal + 1
            yield passage
        yield from unread(document.id, count, (*timeline.unread, *reasons))

    def read(self, document: Document, passages: Sequence[Passage], limits: Limits) -> Iterator[Content | Dropped | Skipped]:
        if not passages:
            return
        timeline = timeline_of(document.file, limits)
        kept: Passage | None = None
        kept_miniature = np.zeros((0, 0, 3), dtype=np.uint8)
        try:
            with open_decoder(document.file, timeline, limits.max_pixels) as decoder:
                for passage in passages:
                    if passage.modality == "text":
                        yield content_or_reason(passage)
                        continue
                    assert isinstance(passage.locator, Seconds)
                    try:
                        pixels = decoder.frame(int(np.abs(timeline.times - passage.locator.start).argmin()))
                    except FrameDamaged as error:
                        yield Skipped(document.id, str(error))
                        continue
                    seen = miniature(pixels)
                    if passage.ordinal % STRETCH == 0:
                        kept = None
                    may_be_blank = passage.ordinal > 0 and len(passages) > 1
                    silent = passage.text in ("", kept.text if kept else "")
                    if silent and may_be_blank and is_blank(seen):
                        yield Dropped("blank frame")
                    elif silent and kept is not None and shows_nothing_new(kept_miniature, seen):
                        assert isinstance(kept.locator, Seconds)
                        yield Dropped(f"repeats the frame at {kept.locator.start:.1f} s")
                    else:
                        kept, kept_miniature = passage, seen
                        yield Content("image", pixels=(pixels,))
        except FrameDamaged as error:
            raise UnreadableDocument(str(error)) from error

    def captions(self, document: Document, limits: Limits) -> Iterator[CaptionOf]:
        return iter(())


def _frames(document: Document, timeline: Timeline, speech: Speech, limits: Limits) -> Iterator[Passage]:
    chosen = choose(timeline, limits)
    for ordinal, frame in enumerate(chosen):
        is_last = ordinal == len(chosen) - 1  # what is said after the pictures end is not lost
        said = speech.between(0.0 if ordinal == 0 else frame.start, math.inf if is_last else frame.end)
        yield Passage(
            document.id, ordinal, Seconds(frame.start, frame.end), "frame", "image", text=said, caption=document.caption
        )
