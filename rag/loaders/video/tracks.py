"""The subtitle tracks inside a video: what is said when, in which language, and why a track is not read.

Knows PyAV's packets; decodes no picture. The bytes of a text track are read as they are stored: FFmpeg's decoders of them
turn everything into ASS first, and refuse what is not UTF-8.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rag.errors import UnreadableDocument
from rag.loaders.text.encoding import decoded
from rag.loaders.text.subtitle_formats import Cue, plain
from rag.text.language_names import language_named

_TEXTS = frozenset({"subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text", "microdvd", "subviewer", "subviewer1", "sami"})
_ASS_FIELDS = 8  # before the text of a line: read order, layer, style, name, three margins, effect
_MOST_TRACKS = 64
_MOST_LINES = 200_000  # of one track
_MOST_BYTES = 20_000_000  # of all tracks
_LONGEST = 10.0  # seconds a line stays where its end is not stored
_SEPARATOR = "\n\f\n"


@dataclass(slots=True)
class _Track:
    kind: str  # FFmpeg's name of its codec
    language: str
    second: float  # units of its clock in a second
    lines: list[tuple[int, int, bytes]] = field(default_factory=list)  # stamp, duration or 0, payload


class SubtitleTracks:
    """Takes the packets of the subtitle streams of an open container."""

    def __init__(self, container: Any) -> None:
        self.reasons: list[str] = []
        self._tracks: dict[int, _Track] = {}
        self._room = _MOST_BYTES
        self.streams: list[Any] = []  # to be read along with the pictures
        for number, stream in enumerate(container.streams.subtitles, start=1):
            name = _codec_name(stream)
            language = language_named(stream.metadata.get("language", "")) or language_named(stream.metadata.get("title", ""))
            title = f"subtitle track {number}" + (f" ({language})" if language else "")
            if name not in _TEXTS:
                form = f"pictures of words ({name})" if name else "of an unknown format"
                self.reasons.append(f"{title}: {form}, which this program does not read; beside the video as .srt they are read")
            elif len(self.streams) >= _MOST_TRACKS:
                self.reasons.append(f"{title}: more than {_MOST_TRACKS} tracks")
            else:
                self.streams.append(stream)
                self._tracks[stream.index] = _Track(name, language, float(stream.time_base or 0.001))

    def take(self, packet: Any) -> bool:
        """Whether the packet is one of a subtitle track; it is kept then, within bounds."""
        track = self._tracks.get(packet.stream_index)
        if track is None:
            return False
        if packet.pts is not None and packet.size and packet.size <= self._room and len(track.lines) < _MOST_LINES:
            self._room -= packet.size
            track.lines.append((packet.pts, packet.duration or 0, bytes(packet)))
        return True

    def cues(self, origin: float) -> list[Cue]:
        """What the tracks say; `origin` is what the container's clock shows at 0 seconds."""
        return [cue for track in self._tracks.values() for cue in _cues(track, origin)]


def _cues(track: _Track, origin: float) -> list[Cue]:
    cues = []
    stored = sorted(track.lines, key=lambda line: line[0])
    texts = _texts([_payload(track.kind, raw) for _, _, raw in stored])
    followings = [*(stamp for stamp, _, _ in stored[1:]), None]
    for (stamp, duration, _), following, text in zip(stored, followings, texts, strict=True):
        start = stamp * track.second - origin
        next_start = following * track.second - origin if following is not None else start + _LONGEST
        end = start + duration * track.second if duration else min(next_start, start + _LONGEST)
        words = plain(text.split(",", _ASS_FIELDS)[-1] if track.kind in ("ass", "ssa") else text)
        if words and end > start:
            cues.append(Cue(start, end, words, track.language))
    return cues


def _payload(kind: str, raw: bytes) -> bytes:
    if kind != "mov_text":
        return raw.rstrip(b"\0")
    text = raw[2 : 2 + int.from_bytes(raw[:2], "big")]  # after it come boxes of style
    for mark, encoding in ((b"\xfe\xff", "utf-16-be"), (b"\xff\xfe", "utf-16-le")):
        if text.startswith(mark):
            return text[2:].decode(encoding, "replace").encode()
    return text


def _texts(payloads: list[bytes]) -> list[str]:
    """The payloads as texts: UTF-8, else in the encoding that all of them together look like."""
    try:
        return [payload.decode() for payload in payloads]
    except UnicodeDecodeError:
        pass
    separator = _SEPARATOR.encode()
    try:
        texts = decoded(separator.join(payload.replace(b"\f", b" ").strip() or b"-" for payload in payloads)).split(_SEPARATOR)
    except UnreadableDocument:
        texts = []
    return texts if len(texts) == len(payloads) else [payload.decode("utf-8", "replace") for payload in payloads]


def _codec_name(stream: Any) -> str:
    codec = stream.codec_context
    return codec.name if codec is not None else ""
