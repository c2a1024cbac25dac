"""Tells how a browser can play a video, and remuxes it: pictures are copied, sound is re-encoded where needed.

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
_PIXEL_FORMATS = {"h264": _EIGHT_BITS, "vp8": _EIGHT_BITS, "vp9": _EIGHT_BITS | _TEN_BITS, "av1": _EIGHT_BITS | _TEN_BITS}
_MP4_CODECS = frozenset({"h264", "vp9", "av1"})
_SOUND_CODECS = {"mp4": frozenset({"aac", "mp3", "opus", "flac"}), "webm": frozenset({"opus", "vorbis"})}
_ENCODERS = {"mp4": "aac", "webm": "libopus"}
_RATE = 48_000  # samples per second
_MOST_REORDERED = 16  # frames; H.264 allows no more
_MOST_FAILURES = 200  # packets in a row that cannot be read or decoded


def probe(file: Path, *, max_source_pixels: int) -> tuple[dict[str, Any], bytes]:
    """`{"duration", "width", "height", "playable", "type"}`; the duration in seconds or None. UnreadableDocument.

    playable: "direct" (the file itself), "remux" (the same pictures in another container), "transcode" (re-encoded clips), or
    "frames" (no decoder here, or too many pixels: only frames can be shown).
    """
    try:
        with av.open(str(file), metadata_errors="replace") as container:
            stream = picture_stream(container)
            codec = stream.codec_context
            if codec.width * codec.height > max_source_pixels:
                return _facts(container, stream, "frames", ""), b""
            with file.open("rb") as head:
                start = head.read(64)
            return _facts(container, stream, *_playable(container, stream, start)), b""
    except DAMAGE as error:
        raise UnreadableDocument(describe(error)) from error


def remux(file: Path, *, out: int, form: str) -> tuple[dict[str, Any], bytes]:
    """Writes the video to the descriptor `out` as "mp4" (index first, to play while it loads) or "webm". UnreadableDocument."""
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
    """A container written to a descriptor, since a worker cannot open files; read again to move its index to the front."""
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
    """The timestamp of the container at 0 seconds, in seconds."""
    return 0.0 if container.start_time is None else container.start_time / av.time_base


def sound_stream(container: Any) -> Any:
    """The first audio stream that can be decoded, or None."""
    return next((stream for stream in container.streams.audio if stream.codec_context is not None), None)


def packets_of(container: Any, streams: list[Any]) -> Any:
    """The packets of the streams in stored order; of a file that breaks off, those before."""
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
    """Re-encodes sound for a container: stereo, 48,000 samples per second."""

    def __init__(self, made: Any, form: str) -> None:
        self._made = made
        self._stream = made.add_stream(_ENCODERS[form], rate=_RATE, layout="stereo")
        self._resampler = av.AudioResampler(format=self._stream.codec_context.format, layout="stereo", rate=_RATE)
        self._fifo = av.AudioFifo()
        self._at: int | None = None

    def add(self, frame: Any, moment: float) -> None:
        """Adds a decoded frame that begins at `moment` seconds; later ones follow without gaps."""
        if self._at is None:
            self._at = max(0, round(moment * _RATE))
        frame.pts = None
        for part in self._resampler.resample(frame):
            part.pts = None
            self._fifo.write(part)
        self._encode(partial=False)

    def end(self) -> None:
        """Writes what is still buffered."""
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


def _facts(container: Any, stream: Any, playable: str, kind: str) -> dict[str, Any]:
    codec = stream.codec_context
    seconds = None
    if container.duration is not None:
        seconds = round(container.duration / av.time_base, 3)
    elif stream.duration is not None:
        seconds = round(float(stream.duration * stream.time_base), 3)
    return {"duration": seconds, "width": codec.width, "height": codec.height, "playable": playable, "type": kind}


def _playable(container: Any, stream: Any, start: bytes) -> tuple[str, str]:
    """How the video is played, and the media type it is sent as."""
    codec = _codec(stream)
    if stream.codec_context.pix_fmt not in _PIXEL_FORMATS.get(codec, ()):
        return ("transcode", "video/mp4") if stream.codec_context.pix_fmt else ("frames", "")
    formats = container.format.name.split(",")
    sounds = {_codec(one) for one in container.streams.audio if one.codec_context is not None}
    if "mp4" in formats and container.metadata.get("major_brand", "qt  ") != "qt  ":
        if codec in _MP4_CODECS and sounds <= _SOUND_CODECS["mp4"]:
            return "direct", "video/mp4"
    elif "webm" in formats and b"webm" in start and codec != "h264" and sounds <= _SOUND_CODECS["webm"]:
        return "direct", "video/webm"
    if "avi" in formats and stream.codec_context.has_b_frames:  # AVI stores no display order: a copy would stutter
        return "transcode", "video/mp4"
    return "remux", "video/mp4" if codec in _MP4_CODECS else "video/webm"


def _codec(stream: Any) -> str:
    """The name of the codec, not of its decoder: "av1", not "libdav1d"."""
    return str(stream.codec_context.codec.canonical_name)


def _copy(source: Any, made: Any, form: str) -> None:
    pictures, sound = picture_stream(source), sound_stream(source)
    origin = origin_of(source)
    copies = {pictures.index: made.add_stream_from_template(pictures, opaque=True)}
    encoded: Sound | None = None
    if sound is not None and _codec(sound) in _SOUND_CODECS[form]:
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
        if packet.dts <= last.get(index, packet.dts - 1):  # timestamps that go back: the muxer would refuse the rest
            continue
        last[index] = packet.dts
        packet.stream = copies[index]
        made.mux(packet)
    if encoded is not None:
        encoded.end()
    if not last:
        raise UnreadableDocument("contains no frames that can be copied")


def _timed(packets: Iterator[Any]) -> Iterator[Any]:
    """The packets, each with a decoding time: Matroska has none for the first ones of a stream with reordered frames."""
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
    for left in held.values():  # a stream that ended before any time was known: only its order is
        for waiting in left:
            waiting.dts = waiting.pts
        yield from left
