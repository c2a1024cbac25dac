"""Subtitle tracks inside videos: their words at their second, their languages, and what is not read of them."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.video.frames import timeline_of
from rag.loaders.video.video import VideoLoader
from rag.types import Document, DocumentId, Seconds, Skipped

Line = tuple[int, int, bytes]  # start and length in milliseconds, as stored
ENGLISH: list[Line] = [(2_000, 1_500, b"We begin with the <i>base</i>"), (9_000, 2_000, b"Trim the raffia")]
HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, \
ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
GERMAN: list[Line] = [(9_000, 2_000, "Den Bast kürzen".encode())]


def film(file: Path, *tracks: tuple[str, str, list[Line]], seconds: int = 14) -> Path:
    """Noise, with subtitle tracks (codec, language, lines)."""
    chance = np.random.default_rng(3)
    with av.open(str(file), "w") as made:
        stream = made.add_stream("mpeg4", rate=Fraction(5))
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        lines = []
        for codec, language, said in tracks:
            track = made.add_stream(codec)
            track.time_base = Fraction(1, 1_000)
            if codec != "dvdsub":
                track.codec_context.subtitle_header = HEADER
            track.metadata["language"] = language
            lines += [(track, line) for line in said]
        made.start_encoding()
        for track, (start, length, raw) in sorted(lines, key=lambda line: line[1][0]):
            packet = av.Packet(raw)
            packet.stream, packet.time_base = track, Fraction(1, 1_000)
            packet.pts = packet.dts = start
            packet.duration = length
            made.mux(packet)
        for _ in range(5 * seconds):
            made.mux(stream.encode(av.VideoFrame.from_ndarray(chance.integers(0, 255, (64, 96, 3), dtype=np.uint8), "rgb24")))
        made.mux(stream.encode())
    return file


def said(file: Path, *companions: Path) -> dict[float, str]:
    """What is said from which second on."""
    passages = VideoLoader().split(document(file, *companions), Limits(frame_seconds=2.0, frames="uniform"))
    return {passage.locator.start: passage.text for passage in passages if isinstance(passage.locator, Seconds) and passage.text}


def document(file: Path, *companions: Path) -> Document:
    return Document(DocumentId("films", file.name), file, companions=companions)


def test_a_text_track_says_its_words_at_their_second(tmp_path: Path) -> None:
    file = film(tmp_path / "a.mkv", ("subrip", "eng", ENGLISH))
    assert said(file) == {2.0: "We begin with the base", 8.0: "Trim the raffia", 10.0: "Trim the raffia"}


def test_several_languages_are_named(tmp_path: Path) -> None:
    file = film(tmp_path / "a.mkv", ("subrip", "eng", ENGLISH), ("subrip", "ger", GERMAN))
    assert said(file)[8.0] == "English: Trim the raffia\nGerman: Den Bast kürzen"
    beside = tmp_path / "a.fr.srt"
    beside.write_text("1\n00:00:09,000 --> 00:00:09,500\nCouper le raphia\n")
    assert "French: Couper le raphia" in said(file, beside)[8.0]


@pytest.mark.parametrize(
    ("name", "codec", "raw"),
    [
        ("a.mkv", "ass", b"0,0,Default,,0,0,0,,{\\an8}Mind, the\\Ncrane"),
        ("a.mp4", "mov_text", b"\x00\x0fMind, the\ncrane\x00\x00\x00\x0cstyl"),
        ("a.webm", "webvtt", b"<v Ann>Mind, the</v>\ncrane"),
    ],
)
def test_tracks_of_every_container(name: str, codec: str, raw: bytes, tmp_path: Path) -> None:
    if name.endswith("webm"):
        pytest.importorskip("av")
        file = film_webm(tmp_path / name, raw)
    else:
        file = film(tmp_path / name, (codec, "eng", [(6_200, 1_000, raw)]))
    assert said(file) == {6.0: "Mind, the crane"}


def film_webm(file: Path, raw: bytes) -> Path:
    with av.open(str(file), "w") as made:
        stream = made.add_stream("libvpx", rate=Fraction(5))
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        track = made.add_stream("webvtt")
        track.time_base = Fraction(1, 1_000)
        track.codec_context.subtitle_header = HEADER
        made.start_encoding()
        packet = av.Packet(raw)
        packet.stream, packet.time_base = track, Fraction(1, 1_000)
        packet.pts = packet.dts = 6_200
        packet.duration = 1_000
        made.mux(packet)
        for number in range(70):
            pixels = np.full((64, 96, 3), number * 3, np.uint8)
            made.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        made.mux(stream.encode())
    return file


def test_a_track_in_another_encoding_is_read(tmp_path: Path) -> None:
    lines = [(n * 1_000, 900, "Приплыли к берегу, готовьте канаты и вёсла".encode("cp1251")) for n in range(1, 9)]
    assert said(film(tmp_path / "a.mkv", ("subrip", "rus", lines)))[2.0] == "Приплыли к берегу, готовьте канаты и вёсла"


def test_what_is_said_after_the_last_picture_is_kept(tmp_path: Path) -> None:
    file = film(tmp_path / "a.mkv")
    beside = tmp_path / "a.srt"
    beside.write_text("1\n00:01:00,000 --> 00:01:01,000\nThe end\n")
    assert said(file, beside) == {12.0: "The end"}


def test_a_track_of_pictures_and_a_file_without_lines_are_reported(tmp_path: Path) -> None:
    file = film(tmp_path / "a.mkv", ("dvdsub", "ger", [(1_000, 500, bytes(40))]))
    beside = tmp_path / "a.srt"
    beside.write_text("nothing")
    made, limits = document(file, beside), Limits()
    read = list(VideoLoader().read(made, list(VideoLoader().split(made, limits)), limits))
    assert [one.reason for one in read if isinstance(one, Skipped)] == [
        "subtitle track 1 (German): pictures of words (dvdsub), which this program does not read;"
        " beside the video as .srt they are read",
        "subtitles a.srt: no line with its time was found in it",
    ]


def test_damage_costs_at_most_the_video(tmp_path: Path) -> None:
    whole = film(tmp_path / "a.mkv", ("subrip", "eng", ENGLISH), seconds=4).read_bytes()
    chance, file = random.Random(5), tmp_path / "b.mkv"
    for number in range(200):
        broken = bytearray(whole[: chance.randrange(len(whole) // 2, len(whole))])
        for _ in range(chance.randrange(1, 20)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        file.write_bytes(broken + bytes([number]))
        try:
            timeline_of(file, Limits())
        except UnreadableDocument as refused:
            assert refused.what
