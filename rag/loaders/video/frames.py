"""Chooses the frames that represent a video, from its container, without decoding a picture.

Knows no decoder and no passage. Times are seconds from the start of the file's timeline, as players and subtitles count them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.properties.video import Chapter, chapters_of
from rag.loaders.text.subtitle_formats import Cue
from rag.loaders.video.tracks import SubtitleTracks

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_FRAMES = 20_000  # of one video; longer ones are sampled more sparsely
_MAX_PACKETS = 10_000_000  # 46 hours at 60 frames a second

# What PyAV raises on truncated, zeroed and bit-flipped files, found by experiment.
DAMAGE = (av.error.FFmpegError, OSError, ValueError, IndexError, LookupError, OverflowError, MemoryError, ZeroDivisionError)


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """The frames of a video: when each is shown, whether it is a keyframe, when the last one ends, and how it is stored."""

    times: NDArray[np.float64]  # seconds, ascending
    keys: NDArray[np.bool_]
    end: float
    origin: float  # what the container's own clock shows at 0 seconds
    width: int
    height: int
    container: str  # FFmpeg's name of the format, "mpegts" for example
    eight_bits: bool  # whether a colour channel has 8 bits
    tags: Mapping[str, str] = field(default_factory=dict)  # what the container says of itself
    chapters: tuple[Chapter, ...] = ()
    cues: tuple[Cue, ...] = ()  # what the subtitle tracks inside it say
    unread: tuple[str, ...] = ()  # reasons why some of them are not read

    @property
    def rate(self) -> float:
        """Frames a second, on average; 0 where it is unknown."""
        return (len(self.times) - 1) / float(self.times[-1] - self.times[0]) if len(self.times) > 1 else 0.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A chosen frame: when it is shown, and until when it represents the video, in seconds."""

    start: float
    end: float


def timeline_of(file: Path, limits: Limits) -> Timeline:
    """The frames the container lists; of a truncated file, those that remain. UnreadableDocument where there are none."""
    try:
        found = file.stat()
    except OSError as error:
        raise UnreadableDocument(describe(error)) from error
    if found.st_size == 0:
        raise UnreadableDocument("is empty")
    return _timeline(file, (found.st_ino, found.st_size, found.st_mtime_ns), limits)


@lru_cache(maxsize=1)  # a file is split, then read, perhaps in stretches; listing a film of two hours takes 2 s
def _timeline(file: Path, stamp: tuple[int, ...], limits: Limits) -> Timeline:
    try:
        with av.open(str(file), metadata_errors="replace") as container:
            return _read(container, limits)
    except av.error.FFmpegError as error:
        # FFmpeg's EIO and EINVAL mean damage in the file, not a passing error of the system: no cause is kept.
        raise UnreadableDocument(describe(error)) from None
    except DAMAGE as error:
        raise UnreadableDocument(describe(error)) from error


def describe(error: BaseException) -> str:
    """The reason a person reads, from an error of FFmpeg's."""
    if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError) and not isinstance(error, av.error.FFmpegError):
        return f"cannot be opened: {error.strerror}"
    if isinstance(error, av.error.FileNotFoundError | av.error.IsADirectoryError):
        return f"cannot be opened: {error.strerror}"
    if isinstance(error, av.error.InvalidDataError | av.error.EOFError):
        return "is damaged, or not a video: its index is missing or cannot be read"
    if isinstance(error, av.error.DecoderNotFoundError):
        return "uses a codec that is not supported"
    said = getattr(error, "strerror", None) or str(error)  # FFmpeg's text alone, without its number and the file's path
    return f"is damaged: FFmpeg says {' '.join(said.split())[:160]}"


def choose(timeline: Timeline, limits: Limits) -> list[Shown]:
    """One frame per `limits.frame_seconds`, at most `MAX_FRAMES`, in order of time; the first frame is always among them.

    "uniform": the frame shown at each moment. "keyframes": the keyframe nearest to each moment where one lies within half a step
    of it, else the frame shown at that moment. Keyframes need no other frame decoded first: 28 a second on one core against 5.
    """
    times = timeline.times
    step = max(limits.frame_seconds, (timeline.end - times[0]) / MAX_FRAMES, 1e-3)
    moments = times[0] + step * np.arange(max(1, math.ceil((timeline.end - times[0]) / step - 1e-6)))
    chosen = np.searchsorted(times, moments + 1e-6, side="right") - 1
    keys = np.flatnonzero(timeline.keys)
    if limits.frames == "keyframes" and len(keys):
        after = np.searchsorted(times[keys], moments).clip(0, len(keys) - 1)
        before = (after - 1).clip(0)
        nearest = np.where(
            np.abs(times[keys[before]] - moments) <= np.abs(times[keys[after]] - moments), keys[before], keys[after]
        )
        chosen = np.where(np.abs(times[nearest] - moments) <= step / 2, nearest, chosen)
    starts = [round(float(times[index]), 3) for index in np.unique(np.append(chosen, 0))]
    ends = [*starts[1:], max(round(timeline.end, 3), starts[-1])]
    return [Shown(start, end) for start, end in zip(starts, ends, strict=True)]


def picture_stream(container: Any) -> Any:
    """The first video stream that is not a cover picture. UnreadableDocument where there is none."""
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic and stream.codec_context is not None:
            return stream
    raise UnreadableDocument("contains no moving pictures")


def _read(container: Any, limits: Limits) -> Timeline:
    stream = picture_stream(container)
    codec = stream.codec_context
    if codec.width * codec.height > limits.max_source_pixels:
        raise UnreadableDocument(
            f"is {codec.width:,} × {codec.height:,} pixels; the limit is max_source_pixels = {limits.max_source_pixels:,}"
        )
    tracks = SubtitleTracks(container)
    stamps, keys, last = _packets(container, stream, tracks)
    if not stamps:
        raise UnreadableDocument("contains no frames")
    time_base = float(stream.time_base)  # seconds per unit of a stamp
    clock = np.array(stamps, dtype=np.float64) * time_base
    order = np.argsort(clock, kind="stable")
    clock = clock[order]
    start = container.start_time
    origin = min(clock[0], start / av.time_base) if start is not None else clock[0]
    usual = float(np.median(np.diff(clock))) if len(clock) > 1 else 0.0
    duration = last * time_base if 0 < last * time_base < 3600 else usual
    return Timeline(
        times=clock - origin,
        keys=np.array(keys, dtype=bool)[order],
        end=float(clock[-1] - origin + duration),
        origin=float(origin),
        width=codec.width,
        height=codec.height,
        container=container.format.name,
        eight_bits=codec.format is not None and codec.format.components[0].bits == 8,
        tags={**stream.metadata, **container.metadata},
        chapters=chapters_of(container, float(origin)),
        cues=tuple(tracks.cues(float(origin))),
        unread=tuple(tracks.reasons),
    )


def _packets(container: Any, stream: Any, tracks: SubtitleTracks) -> tuple[list[int], list[bool], int]:
    """Stamp and keyframe flag of every frame in the order stored, and how long the last one is shown, in units of the stream.

    A truncated file gives the frames before the cut. Subtitle tracks are read in passing: a film is read once.
    """
    stamps: list[int] = []
    keys: list[bool] = []
    last, latest = 0, -math.inf
    try:
        for packet in container.demux(stream, *tracks.streams):
            if tracks.take(packet):
                continue
            stamp = packet.dts if packet.pts is None else packet.pts
            if stamp is None or packet.size == 0 or packet.is_discard or packet.is_corrupt:
                continue
            stamps.append(stamp)
            keys.append(packet.is_keyframe)
            if stamp > latest:
                last, latest = packet.duration or 0, stamp
            if len(stamps) >= _MAX_PACKETS:
                break
    except DAMAGE:
        if not stamps:
            raise
    return stamps, keys, last
