"""Decodes single frames of a video: keyframes by themselves, others with decord, and with PyAV what decord gets wrong.

Knows no passage: it is asked for a frame of a `Timeline` and gives its pixels. For frames that both decode, decord and PyAV give
the same pixels, bit for bit, so either may answer. `keyframes.py` decodes the keyframes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import av
import numpy as np

from rag.loaders.picture.pixels import fit, shrink_array
from rag.loaders.video.frames import DAMAGE, Timeline, describe, picture_stream
from rag.loaders.video.keyframes import Keyframes, slack

if TYPE_CHECKING:
    from rag.types import Pixels

_DECORD_PIXELS = 4096 * 2304  # decord keeps several decoded frames: 230 MB at 4K. PyAV scales larger ones as it converts them
_MAX_DECODE_AHEAD = 6.0  # seconds: a frame this close ahead is reached by decoding on, others by a seek
_MAX_FAILURES = 200  # packets in a row that cannot be decoded


class FrameDamaged(Exception):
    """This frame cannot be decoded; others may."""


class Decoder(Protocol):
    """An open video. `frame` gives uint8 RGB, fastest in ascending order; what it gives does not depend on earlier calls."""

    def frame(self, index: int) -> Pixels: ...


@contextmanager
def open_decoder(file: Path, timeline: Timeline, max_pixels: int) -> Iterator[Decoder]:
    """A decoder of frames in RGB, upright, uint8 (height, width, 3), of at most `max_pixels` pixels.

    FrameDamaged where the file cannot be opened; `frame` raises it where that frame cannot be decoded.
    """
    try:
        with ExitStack() as opened:
            yield _FrameDecoder(opened, file, timeline, max_pixels)
    except av.error.FFmpegError as error:
        raise FrameDamaged(describe(error)) from error


def _suits_decord(timeline: Timeline) -> bool:
    """decord2 3.4 gives wrong frames in MPEG-TS, and slightly wrong colours above 8 bits."""
    return timeline.container != "mpegts" and timeline.eight_bits and timeline.width * timeline.height <= _DECORD_PIXELS


class _FrameDecoder:
    """Decodes keyframes from their packets; other frames, and keyframes where that fails, with a decoder opened on demand."""

    def __init__(self, opened: ExitStack, file: Path, timeline: Timeline, max_pixels: int) -> None:
        self._opened, self._file, self._timeline, self._max_pixels = opened, file, timeline, max_pixels
        self._keyframes = Keyframes(self._container(), timeline, max_pixels)

    def frame(self, index: int) -> Pixels:
        pixels = self._keyframes.frame(index) if self._timeline.keys[index] else None
        return self.others.frame(index) if pixels is None else pixels

    @cached_property
    def others(self) -> Decoder:
        exact = _Pyav(self._container(), self._timeline, self._max_pixels)
        suits = _suits_decord(self._timeline)
        return _Decord(self._file, self._timeline, self._max_pixels, exact) if suits else exact

    def _container(self) -> Any:
        return self._opened.enter_context(av.open(str(self._file), metadata_errors="replace"))


class _Decord:
    def __init__(self, file: Path, timeline: Timeline, max_pixels: int, fallback: _Pyav) -> None:
        self._timeline, self._max_pixels, self._fallback = timeline, max_pixels, fallback
        self._reader: Any = None
        import decord

        self._refusals = (decord.DECORDError, RuntimeError, AssertionError, IndexError, StopIteration)
        decord.logging.set_level(decord.logging.QUIET)
        try:
            reader = decord.VideoReader(str(file), ctx=decord.cpu(0), num_threads=1)
            starts = reader.get_frame_timestamp(range(len(reader)))[:, 0]
        except self._refusals:
            return
        # Its frame 12 is our frame 12 only where both count the same frames at the same times.
        times = timeline.times
        if len(starts) == len(times) and np.abs((starts - starts[0]) - (times - times[0])).max() < 0.02:
            self._reader = reader

    def frame(self, index: int) -> Pixels:
        if self._reader is not None:
            try:
                pixels = self._reader[index].asnumpy()
            except self._refusals:
                self._reader = None  # after an error its queue still has frames from before the damage
            else:
                if pixels.shape[2] == 3:  # decord takes row padding of some frames under 130 pixels wide for a fourth channel
                    return shrink_array(pixels, self._max_pixels)
        return self._fallback.frame(index)


class _Pyav:
    def __init__(self, container: Any, timeline: Timeline, max_pixels: int) -> None:
        self._container, self._timeline, self._max_pixels = container, timeline, max_pixels
        self._stream = picture_stream(container)
        self._stream.thread_type = "NONE"
        self._time_base = float(self._stream.time_base)
        self._decoding: Iterator[Any] = iter(())
        self._at = math.inf  # the time of the last frame decoded; infinity before the first seek

    def frame(self, index: int) -> Pixels:
        wanted = float(self._timeline.times[index])
        near = slack(self._timeline, index)
        if not self._at < wanted - near or wanted - self._at > _MAX_DECODE_AHEAD:
            self._seek(wanted)
        for earlier in (5.0, 30.0, math.inf):
            found, too_far = self._advance(wanted, near)
            if found is not None:
                return self._pixels(found)
            if not too_far:
                break
            self._seek(wanted - earlier)  # some containers seek to a keyframe after the moment
        self._at = math.inf
        raise FrameDamaged(f"the frame at {wanted:.1f} s cannot be decoded")

    def _seek(self, moment: float) -> None:
        """Goes to the last keyframe before the moment; to the beginning of the file for minus infinity."""
        try:
            if moment == -math.inf:
                self._container.seek(0)
            else:
                self._container.seek(int((moment + self._timeline.origin) / self._time_base), stream=self._stream)
        except DAMAGE:
            self._container.seek(0)
        self._decoding = self._frames()
        self._at = -math.inf

    def _frames(self) -> Iterator[Any]:
        """Decoded frames from here on; packets that cannot be decoded are skipped."""
        failures = 0
        packets = self._container.demux(self._stream)
        while failures < _MAX_FAILURES:
            try:
                frames = next(packets).decode()
            except StopIteration:
                return
            except DAMAGE:
                failures += 1
                continue
            failures = 0
            yield from frames

    def _advance(self, wanted: float, near: float) -> tuple[Any, bool]:
        """The frame at `wanted` or None, and whether the seek went too far: no frame before `wanted` was found."""
        first = True
        for frame in self._decoding:
            if frame.pts is None:
                continue
            self._at = frame.pts * self._time_base - self._timeline.origin
            if abs(self._at - wanted) <= near:
                return (None, False) if frame.is_corrupt else (frame, False)
            if self._at > wanted:
                return None, first
            first = False
        return None, first

    def _pixels(self, frame: Any) -> Pixels:
        if frame.width * frame.height > _DECORD_PIXELS:
            width, height = fit((frame.width, frame.height), self._max_pixels)
            frame = frame.reformat(width=width, height=height, format="rgb24")
        pixels = np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90 % 4)
        return shrink_array(np.ascontiguousarray(pixels), self._max_pixels)
