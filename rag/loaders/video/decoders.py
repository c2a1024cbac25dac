"""Decodes single frames of a video, one at a time: keyframes by themselves, others with decord, with PyAV what decord gets wrong.

Knows no passage: it is asked for a frame of a `Timeline` and gives its pixels. The last two give the same pixels, bit for bit,
for what both decode, so it does not show which one did; `video_keyframes.py` has the first.
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

_DECORD_PIXELS = 4096 * 2304  # decord holds several decoded frames: 230 MB at 4K. Larger ones PyAV scales as it converts them
_ONWARD = 6.0  # seconds: a frame this little ahead is reached by decoding on, others by a seek
_MOST_FAILURES = 200  # packets in a row that cannot be decoded


class FrameDamaged(Exception):
    """This frame cannot be decoded; others may."""


class Decoder(Protocol):
    """An open video. `frame` is quick when asked in ascending order, and gives the same whatever was asked before: uint8 RGB."""

    def frame(self, index: int) -> Pixels: ...


@contextmanager
def open_decoder(file: Path, timeline: Timeline, max_pixels: int) -> Iterator[Decoder]:
    """Frames of at most `max_pixels`, upright, RGB; `frame` raises FrameDamaged."""
    try:
        with ExitStack() as opened:
            yield _Both(opened, file, timeline, max_pixels)
    except av.error.FFmpegError as error:
        raise FrameDamaged(describe(error)) from error


def _suits_decord(timeline: Timeline) -> bool:
    """decord2 3.4 gives other frames than asked for in MPEG-TS and slightly other colours for more than 8 bits."""
    return timeline.container != "mpegts" and timeline.eight_bits and timeline.width * timeline.height <= _DECORD_PIXELS


class _Both:
    """Keyframes from their packets; other frames, and what that does not give, from a decoder opened when it is needed."""

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
    def __init__(self, file: Path, timeline: Timeline, max_pixels: int, otherwise: _Pyav) -> None:
        self._timeline, self._max_pixels, self._otherwise = timeline, max_pixels, otherwise
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
                self._reader = None  # after an error its queue holds whatever came before the damage
            else:
                if pixels.shape[2] == 3:  # it takes the padded rows of some frames under 130 pixels wide for a fourth channel
                    return shrink_array(pixels, self._max_pixels)
        return self._otherwise.frame(index)


class _Pyav:
    def __init__(self, container: Any, timeline: Timeline, max_pixels: int) -> None:
        self._container, self._timeline, self._max_pixels = container, timeline, max_pixels
        self._stream = picture_stream(container)
        self._stream.thread_type = "NONE"
        self._second = float(self._stream.time_base)
        self._decoding: Iterator[Any] = iter(())
        self._at = math.inf  # the time of the last frame decoded; infinity before the first seek

    def frame(self, index: int) -> Pixels:
        wanted = float(self._timeline.times[index])
        near = slack(self._timeline, index)
        if not self._at < wanted - near or wanted - self._at > _ONWARD:
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
        """To the last keyframe before the moment; to the beginning of the file for minus infinity."""
        try:
            if moment == -math.inf:
                self._container.seek(0)
            else:
                self._container.seek(int((moment + self._timeline.origin) / self._second), stream=self._stream)
        except DAMAGE:
            self._container.seek(0)
        self._decoding = self._frames()
        self._at = -math.inf

    def _frames(self) -> Iterator[Any]:
        """Decoded frames from here on; packets that cannot be decoded are passed over."""
        failures = 0
        packets = self._container.demux(self._stream)
        while failures < _MOST_FAILURES:
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
        """The frame at `wanted`, or nothing and whether no frame before it was met: then the seek went too far."""
        first = True
        for frame in self._decoding:
            if frame.pts is None:
                continue
            self._at = frame.pts * self._second - self._timeline.origin
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
