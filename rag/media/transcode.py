"""A short clip of a video that every browser plays: H.264 and AAC in MP4, at most 1280 × 720 pixels and 30 frames a second.

Knows codecs; knows no cache and no process. Runs in a worker process. Times are seconds from the start of the file's timeline.
"""

from __future__ import annotations

import math
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from rag.errors import UnreadableDocument
from rag.loaders.video.frames import DAMAGE, describe, picture_stream
from rag.media.remux import Sound, muxer, origin_of, packets_of, sound_stream

LONGEST = 60.0  # seconds of a clip
_MOST_PIXELS = 1280 * 720
_TICKS = 90_000  # per second
_SHORTEST_GAP = 1 / 31  # seconds between frames
_SOUND_LAG = 10.0  # seconds: sound may be stored this long after the pictures it belongs to


def clip(file: Path, *, out: int, start: float, end: float, max_source_pixels: int) -> tuple[dict[str, Any], bytes]:
    """Writes the video from `start` to `end` as MP4 to the descriptor `out`; its clock starts at 0. `{"frames": n}`.

    UnreadableDocument where it is damaged, too large, or has no frames there.
    """
    end = min(end, start + LONGEST)
    try:
        with (
            av.open(str(file), metadata_errors="replace") as source,
            muxer(out, "mp4", {"movflags": "+faststart"}) as made,
        ):
            codec = picture_stream(source).codec_context
            if codec.width * codec.height > max_source_pixels:
                raise UnreadableDocument(f"is {codec.width:,} × {codec.height:,} pixels: too large for a clip")
            codec.thread_type = "AUTO"
            beyond = source.duration is not None and start >= source.duration / av.time_base
            frames = 0 if beyond else _encode(source, made, start, end)
    except DAMAGE as error:
        raise UnreadableDocument(describe(error)) from error
    if not frames:
        raise UnreadableDocument(f"has no frame between {start:.1f} and {end:.1f} s that can be decoded")
    return {"frames": frames}, b""


def _encode(source: Any, made: Any, start: float, end: float) -> int:
    stream, sound, origin = picture_stream(source), sound_stream(source), origin_of(source)
    pictures = _Pictures(made)
    audio = Sound(made, "mp4") if sound is not None else None
    pending = None  # the frame before `start`, still shown then
    early: list[tuple[Any, float]] = []  # sound before the first picture, whose size the muxer must know first
    _seek(source, stream, start + origin)
    for packet in packets_of(source, [stream, *([sound] if sound is not None else [])]):
        decoded: list[Any] = []
        with suppress(*DAMAGE):
            decoded = packet.decode()
        for frame in decoded:
            moment = -math.inf if frame.time is None else frame.time - origin
            if packet.stream.index != stream.index:
                if start <= moment < end:
                    early.append((frame, moment - start))
            elif moment < start:
                pending = frame
            elif moment < end:
                if pending is not None and moment > start:
                    pictures.add(pending, 0.0)
                pending = None
                pictures.add(frame, moment - start)
            elif pending is not None:
                pictures.add(pending, 0.0)
                pending = None
        if pictures.count and audio is not None:
            for frame, moment in early:
                audio.add(frame, moment)
            early.clear()
        if packet.dts is not None and float(packet.dts * packet.time_base) - origin > end + (
            _SOUND_LAG if sound is not None else 1.0
        ):
            break
    if pending is not None:  # the last frame of the video
        pictures.add(pending, 0.0)
    if pictures.count:
        pictures.end()
        if audio is not None:
            for frame, moment in early:
                audio.add(frame, moment)
            audio.end()
    return pictures.count


def _seek(source: Any, stream: Any, moment: float) -> None:
    """Seeks to a keyframe at or before the moment; some containers seek too far, so the first packet is checked."""
    for earlier in (0.0, 5.0, 30.0):
        try:
            source.seek(max(0, int((moment - earlier) / stream.time_base)), stream=stream)
            first = next((p for p in packets_of(source, [stream]) if p.pts is not None), None)
            if first is not None and float(first.pts * first.time_base) <= moment + 1e-3:
                source.seek(max(0, int((moment - earlier) / stream.time_base)), stream=stream)
                return
        except DAMAGE:
            continue
    source.seek(0)


class _Pictures:
    """Encodes frames as H.264, upright, at their own times."""

    def __init__(self, made: Any) -> None:
        self._made = made
        self._stream: Any = made.add_stream("libx264", rate=30, options={"preset": "veryfast", "crf": "24"})
        self._last = -math.inf
        self.count = 0

    def add(self, frame: Any, moment: float) -> None:
        if moment - self._last < _SHORTEST_GAP:
            return
        self._last = moment
        if frame.rotation:
            frame = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90 % 4)), format="rgb24"
            )
        if not self.count:
            scale = min(1.0, math.sqrt(_MOST_PIXELS / (frame.width * frame.height)))
            self._stream.width, self._stream.height = (max(2, int(side * scale) // 2 * 2) for side in (frame.width, frame.height))
            self._stream.pix_fmt = "yuv420p"
            self._stream.codec_context.time_base = Fraction(1, _TICKS)
        frame = frame.reformat(width=self._stream.width, height=self._stream.height, format="yuv420p")
        frame.pts, frame.time_base = round(moment * _TICKS), Fraction(1, _TICKS)
        frame.pict_type = 0
        self._made.mux(self._stream.encode(frame))
        self.count += 1

    def end(self) -> None:
        self._made.mux(self._stream.encode(None))
