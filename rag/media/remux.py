"""What a browser can do with a video, and the video in a container it plays: pictures copied, sound made anew where needed.

Knows containers and codecs; knows no cache and no process. Runs in a worker process. Times are seconds from the start of the
file's timeline.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from rag.errors import UnreadableDocument
from rag.loaders.video.frames import DAMAGE, describe, picture_stream

# What Chromium, Firefox and Safari play, where they agree: MDN, "Web video codec guide" and "Web audio codec guide".
_EIGHT_BITS = frozenset({"yuv420p", "yuvj420p"})
_TEN_BITS = frozenset({"yuv420p10le"})
_PLAYED = {"h264": _EIGHT_BITS, "vp8": _EIGHT_BITS, "vp9": _EIGHT_BITS | _TEN_BITS, "av1": _EIGHT_BITS | _TEN_BITS}
_IN_MP4 = frozenset({"h264", "vp9", "av1"})
_HEARD = {"mp4": frozenset({"aac", "mp3", "opus", "flac"}), "webm": frozenset({"opus", "vorbis"})}
_ENCODERS = {"mp4": "aac", "webm": "libopus"}
_RATE = 48_000  # samples a second
_MOST_REORDERED = 16  # frames; H.264 allows no more
_MOST_FAILURES = 200  # packets in a row that cannot be read or decoded


def looked_at(file: Path, *, max_source_pixels: int) -> tuple[dict[str, Any], bytes]:
    """`{"duration", "width", "height", "playable", "type"}`.

    playable: "direct" (the file as it is), "remux" (its pictures in another container), "transcode" (clips made anew), "frames"
    (no decoder here: only what is in the index can be shown). UnreadableDocument where it cannot be opened.
    """
    try:
        with av.open(str(file), metadata_errors="replace") as container:
            stream = picture_stream(container)
            codec = stream.codec_context
            if codec.width * codec.height > max_source_pixels:
                return _said(container, stream, "frames", ""), b""
            with file.open("rb") as head:
                start = head.read(64)
            return _said(container, stream, *_playable(container, stream, start)), b""
    except DAMAGE as error:
        raise UnreadableDocument(describe(error)) from error


def remux(file: Path, *, out: int, form: str) -> tuple[dict[str, Any], bytes]:
    """Writes the video to the open file `out` as "mp4" (its index first, so that it plays while it loads) or "webm".

    UnreadableDocument where it cannot be copied.
    """
    options = {"movflags": "+faststart"} if form == "mp4" else {}
    try:
        with (
            av.open(str(file), options={"fflags": "+genpts"}, metadata_errors="replace") as source,
            muxer(out, form, options) as made,
        ):
            _copy(source, made, form)
    except DAMAGE as error:
        raise UnreadableDocument(describe(error)) from error
    return {}, b""


@contextmanager
def muxer(out: int, form: str, options: Mapping[str, str]) -> Iterator[Any]:
    """A container that is written to an open file: a worker process can open none. To move its index first it is read again."""
    here = f"/proc/self/fd/{out}" if sys.platform == "linux" else f"/dev/fd/{out}"
    with (
        open(out, "r+b", buffering=0, closefd=False) as written,
        av.open(
            written,
            "w",
            format=form,
            options=dict(options),
            io_open=lambda *_: open(here, "rb"),  # noqa: PTH123
        ) as made,
    ):
        yield made


def origin_of(container: Any) -> float:
    """What the container's clock shows at 0 seconds."""
    return 0.0 if container.start_time is None else container.start_time / av.time_base


def sound_stream(container: Any) -> Any:
    """The first audio stream that can be decoded, or None."""
    return next((stream for stream in container.streams.audio if stream.codec_context is not None), None)


def packets_of(container: Any, streams: list[Any]) -> Any:
    """Packets of the streams as they are stored; where the file breaks off, what comes before."""
    failures = 0
    packets = container.demux(streams)
    while failures < _MOST_FAILURES:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except DAMAGE:
            failures += 1
            continue
        failures = 0
        yield packet


class Sound:
    """Sound encoded anew for a container: stereo, 48,000 samples a second."""

    def __init__(self, made: Any, form: str) -> None:
        self._made = made
        self._stream = made.add_stream(_ENCODERS[form], rate=_RATE, layout="stereo")
        self._resampler = av.AudioResampler(format=self._stream.codec_context.format, layout="stereo", rate=_RATE)
        self._fifo = av.AudioFifo()
        self._at: int | None = None

    def add(self, frame: Any, moment: float) -> None:
        """A decoded frame that begins at `moment` seconds; later ones follow without gaps."""
        if self._at is None:
            self._at = max(0, round(moment * _RATE))
        frame.pts = None
        for part in self._resampler.resample(frame):
            part.pts = None
            self._fifo.write(part)
        self._encode(partial=False)

    def end(self) -> None:
        """What is still held back."""
        if self._at is not None:
            self._encode(partial=True)
            self._made.mux(self._stream.encode(None))

    def _encode(self, *, partial: bool) -> None:
        size = self._stream.codec_context.frame_size or 1024
        while (part := self._fifo.read(size, partial=partial and self._fifo.samples < size)) is not None:
            assert self._at is not None
            part.pts, self._at = self._at, self._at + part.samples
            part.time_base = Fraction(1, _RATE)
            self._made.mux(self._stream.encode(part))


def _said(container: Any, stream: Any, playable: str, kind: str) -> dict[str, Any]:
    codec = stream.codec_context
    seconds = None
    if container.duration is not None:
        seconds = round(container.duration / av.time_base, 3)
    elif stream.duration is not None:
        seconds = round(float(stream.duration * stream.time_base), 3)
    return {"duration": seconds, "width": codec.width, "height": codec.height, "playable": playable, "type": kind}


def _playable(container: Any, stream: Any, start: bytes) -> tuple[str, str]:
    """How it is played and the type it is then sent as."""
    codec = _codec(stream)
    if stream.codec_context.pix_fmt not in _PLAYED.get(codec, ()):
        return ("transcode", "video/mp4") if stream.codec_context.pix_fmt else ("frames", "")
    formats = container.format.name.split(",")
    sounds = {_codec(one) for one in container.streams.audio if one.codec_context is not None}
    if "mp4" in formats and container.metadata.get("major_brand", "qt  ") != "qt  ":
        if codec in _IN_MP4 and sounds <= _HEARD["mp4"]:
            return "direct", "video/mp4"
    elif "webm" in formats and b"webm" in start and codec != "h264" and sounds <= _HEARD["webm"]:
        return "direct", "video/webm"
    if "avi" in formats and stream.codec_context.has_b_frames:  # AVI keeps no order of display: a copy would stutter
        return "transcode", "video/mp4"
    return "remux", "video/mp4" if codec in _IN_MP4 else "video/webm"


def _codec(stream: Any) -> str:
    """The codec's own name, whichever decoder is at hand: "av1", not "libdav1d"."""
    return str(stream.codec_context.codec.canonical_name)


def _copy(source: Any, made: Any, form: str) -> None:
    pictures, sound = picture_stream(source), sound_stream(source)
    origin = origin_of(source)
    copies = {pictures.index: made.add_stream_from_template(pictures, opaque=True)}
    encoded: Sound | None = None
    if sound is not None and _codec(sound) in _HEARD[form]:
        copies[sound.index] = made.add_stream_from_template(sound, opaque=True)
    elif sound is not None:
        encoded = Sound(made, form)
    last: dict[int, int] = {}
    for packet in _timed(packets_of(source, [pictures, *([sound] if sound is not None else [])])):
        if packet.stream.index not in copies:
            assert encoded is not None
            with suppress(*DAMAGE):
                for frame in packet.decode():
                    encoded.add(frame, (frame.time or 0.0) - origin)
            continue
        shift = round(origin / packet.time_base)
        packet.dts -= shift
        packet.pts = packet.dts if packet.pts is None else packet.pts - shift
        index = packet.stream.index
        if packet.dts <= last.get(index, packet.dts - 1):  # a clock that steps back: the muxer would refuse the rest
            continue
        last[index] = packet.dts
        packet.stream = copies[index]
        made.mux(packet)
    if encoded is not None:
        encoded.end()
    if not last:
        raise UnreadableDocument("holds no frames that can be copied")


def _timed(packets: Iterator[Any]) -> Iterator[Any]:
    """The packets with a time of decoding each: Matroska has none for the first ones of a stream whose frames are reordered."""
    held: dict[int, list[Any]] = {}
    known: set[int] = set()
    for packet in packets:
        index = packet.stream.index
        if packet.size == 0 or packet.is_corrupt or (packet.dts is None and packet.pts is None):
            continue
        if index in known:
            if packet.dts is None:
                packet.dts = packet.pts
            yield packet
            continue
        held.setdefault(index, []).append(packet)
        if packet.dts is None and len(held[index]) <= _MOST_REORDERED:
            continue
        known.add(index)
        step = packet.duration or 1
        moment = packet.pts if packet.dts is None else packet.dts
        first = held.pop(index)
        for place, waiting in enumerate(first):
            waiting.dts = moment - (len(first) - 1 - place) * step
        yield from first
    for left in held.values():  # a stream that ended before any time was known: its order is all there is
        for waiting in left:
            waiting.dts = waiting.pts
        yield from left
