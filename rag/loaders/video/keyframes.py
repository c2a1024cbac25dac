"""Decodes keyframes, each from its own packet, independently of all others, scaled as its colours are converted.

Knows open containers of PyAV and their timeline; knows no other frame. 1080p takes 22 ms of a core; decord with Pillow takes 52.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from av.video.reformatter import VideoReformatter

from rag.loaders.picture.pixels import fit
from rag.loaders.video.frames import DAMAGE, Timeline, picture_stream

if TYPE_CHECKING:
    from rag.types import Pixels

_MAX_PACKETS = 200  # read after a seek: some containers seek to a place before the keyframe


class Keyframes:
    """The keyframes of an open container."""

    def __init__(self, container: Any, timeline: Timeline, max_pixels: int) -> None:
        self._container, self._timeline, self._max_pixels = container, timeline, max_pixels
        self._stream = picture_stream(container)
        self._stream.thread_type = "NONE"
        self._time_base = float(self._stream.time_base)
        self._reformatter = VideoReformatter()  # keeps its tables from one frame to the next

    def frame(self, index: int) -> Pixels | None:
        """The frame in RGB, upright, of at most `max_pixels` pixels; None where its packet alone does not give it."""
        wanted = float(self._timeline.times[index]) + self._timeline.origin
        try:
            packet = self._packet(wanted, slack(self._timeline, index))
            frames = [] if packet is None else self._decoded(packet)
        except DAMAGE:
            return None
        if len(frames) != 1 or frames[0].is_corrupt:
            return None
        return to_pixels(frames[0], self._max_pixels, self._reformatter)

    def _packet(self, wanted: float, near: float) -> Any | None:
        self._container.seek(round(wanted / self._time_base), stream=self._stream)
        for count, packet in enumerate(self._container.demux(self._stream)):
            stamp = packet.dts if packet.pts is None else packet.pts
            if stamp is None or count > _MAX_PACKETS:
                return None
            if packet.is_keyframe and abs(stamp * self._time_base - wanted) <= near:
                return packet
        return None

    def _decoded(self, packet: Any) -> list[Any]:
        context = self._stream.codec_context
        try:
            return [*packet.decode(), *context.decode(None)]
        finally:
            context.flush_buffers()  # ready for other packets, with no trace of this one


def slack(timeline: Timeline, index: int) -> float:
    """A tolerance in seconds: less than half the distance to the neighbouring frames, so that a time means one frame."""
    around = timeline.times[max(0, index - 1) : index + 2]
    return max(1e-6, 0.4 * float(np.diff(around).min())) if len(around) > 1 else 1.0


def to_pixels(frame: Any, max_pixels: int, reformatter: VideoReformatter) -> Pixels:
    """A decoded frame of PyAV in RGB, upright, scaled down to at most `max_pixels` in the same pass."""
    width, height = fit((frame.width, frame.height), max_pixels)
    shown = reformatter.reformat(frame, width=width, height=height, format="rgb24", interpolation="BICUBIC").to_ndarray()
    return np.ascontiguousarray(np.rot90(shown, frame.rotation // 90 % 4))
