"""Videos: which frames represent them, when, with which words; equal frames from both decoders; all kinds of damage."""

from __future__ import annotations

import random
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.picture.near_duplicates import miniature, shows_nothing_new
from rag.loaders.video import decoders
from rag.loaders.video.decoders import open_decoder
from rag.loaders.video.frames import MAX_FRAMES, Timeline, choose, timeline_of
from rag.loaders.video.video import VideoLoader
from rag.types import Content, Document, DocumentId, Dropped, Passage, Seconds, Skipped

LOADER = VideoLoader()
RATE = 5


def picture(number: int, size: tuple[int, int] = (160, 96)) -> np.ndarray:
    """A frame whose number is its pattern: eight bars, black or white, over a gradient."""
    height, width = size[1], size[0]
    pixels = np.repeat(np.linspace(60, 200, width, dtype=np.uint8)[None, :, None], height, axis=0).repeat(3, axis=2)
    for bit in range(8):
        left = bit * width // 8
        pixels[height // 4 : height * 3 // 4, left : left + width // 8 - 2] = 255 if number >> bit & 1 else 0
    return np.ascontiguousarray(pixels)


def number_in(pixels: np.ndarray) -> int:
    height, width = pixels.shape[:2]
    middles = [pixels[height // 2, bit * width // 8 + width // 16].mean() for bit in range(8)]
    return sum(1 << bit for bit, level in enumerate(middles) if level > 128)


def film(file: Path, frames: list[np.ndarray], codec: str = "libx264", every: int = 10, start: int = 0) -> Path:
    """Frames at five a second, a keyframe every so many; `start` delays the first by so many frames."""
    with av.open(str(file), "w") as container:
        options = {"crf": "20", "x264-params": f"keyint={every}:min-keyint={every}:scenecut=0"} if codec == "libx264" else {}
        stream = container.add_stream(codec, rate=RATE, options=options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.gop_size, stream.bit_rate = "yuv420p", every, 400_000
        for place, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = place + start, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file


def document(file: Path, *companions: Path) -> Document:
    return Document(DocumentId("root", file.name), file, companions=companions, caption="beside it")


def split(file: Path, **limits: object) -> list[Passage]:
    return list(LOADER.split(document(file), Limits(**limits)))


def read(file: Path, passages: list[Passage] | None = None, **limits: object) -> list[Content | Dropped | Skipped]:
    return list(LOADER.read(document(file), split(file, **limits) if passages is None else passages, Limits(**limits)))


KINDS = {
    "a.mp4": "libx264", "a.mov": "libx264", "a.mkv": "libx264", "a.m4v": "libx264", "a.ts": "libx264",
    "a.avi": "mpeg4", "b.ts": "mpeg2video", "a.webm": "libvpx-vp9",
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_every_container_is_read_at_the_right_moments(name: str, tmp_path: Path) -> None:
    file = film(tmp_path / name, [picture(n) for n in range(40)], KINDS[name])
    passages = split(file, frame_seconds=2.0, frames="uniform")
    assert [p.locator for p in passages] == [Seconds(0, 2), Seconds(2, 4), Seconds(4, 6), Seconds(6, 8)]
    assert {(p.kind, p.modality, p.caption, p.text) for p in passages} == {("frame", "image", "beside it", "")}
    assert [p.ordinal for p in passages] == [0, 1, 2, 3]
    frames = read(file, passages)
    assert [number_in(f.pixels[0]) for f in frames if isinstance(f, Content)] == [0, 10, 20, 30]
    (third,) = read(file, passages[2:3])
    assert isinstance(third, Content) and isinstance(frames[2], Content)
    np.testing.assert_array_equal(third.pixels[0], frames[2].pixels[0])


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm", "a.avi"])
def test_both_decoders_give_the_same_pixels(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = film(tmp_path / name, [picture(n, (320, 192)) for n in range(40)], KINDS[name], every=40)
    timeline = timeline_of(file, Limits())
    asked = [0, 7, 39, 13, 14, 2]
    with open_decoder(file, timeline, 30_000) as decoder:
        others = decoder.others  # type: ignore[attr-defined]
        assert type(others).__name__ == "_Decord"
        by_decord = [others.frame(index) for index in asked]
        assert others._reader is not None
        key = decoder.frame(0)
    monkeypatch.setattr(decoders, "_suits_decord", lambda timeline: False)
    with open_decoder(file, timeline, 30_000) as decoder:
        others = decoder.others  # type: ignore[attr-defined]
        by_pyav = [others.frame(index) for index in asked]
    np.testing.assert_array_equal(by_decord, by_pyav)
    assert [number_in(pixels) for pixels in by_pyav] == asked
    assert by_pyav[0].shape[0] * by_pyav[0].shape[1] <= 30_000
    assert key.shape == by_pyav[0].shape
    assert np.abs(key.astype(int) - by_pyav[0].astype(int)).mean() < 2  # scaled by another filter


@pytest.mark.parametrize("name", KINDS)
def test_a_keyframe_is_the_same_whatever_is_decoded_before_it(name: str, tmp_path: Path) -> None:
    file = film(tmp_path / name, [picture(n) for n in range(40)], KINDS[name], every=8)
    timeline = timeline_of(file, Limits())
    keys = [int(index) for index in np.flatnonzero(timeline.keys)]
    assert len(keys) >= 4
    with open_decoder(file, timeline, 10**6) as decoder:
        onward = [decoder.frame(index) for index in keys]
        backward = [pixels for index in reversed(keys) for pixels in (decoder.frame(index), decoder.frame(index + 1))][::2]
        alone = [decoder._keyframes.frame(index) for index in keys]  # type: ignore[attr-defined]
    assert [number_in(pixels) for pixels in onward] == keys
    np.testing.assert_array_equal(onward, backward[::-1])
    assert name.endswith(".ts") or all(pixels is not None for pixels in alone)


def timeline(times: list[float], keys: list[int], end: float) -> Timeline:
    flags = np.zeros(len(times), dtype=bool)
    flags[keys] = True
    return Timeline(np.array(times), flags, end, 0.0, 64, 64, "matroska", True, {}, ())


TENTHS = [n / 10 for n in range(240)]  # 24 seconds


@pytest.mark.parametrize(
    ("keys", "frames", "starts"),
    [
        ([0], "keyframes", [0, 4, 8, 12, 16, 20]),  # no keyframes: exact moments
        (list(range(0, 240, 20)), "keyframes", [0, 4, 8, 12, 16, 20]),
        (list(range(0, 240, 51)), "keyframes", [0, 5.1, 8, 10.2, 15.3, 20.4]),
        (list(range(0, 240, 100)), "keyframes", [0, 4, 10, 16, 20]),  # 10 is nearest to both 8 and 12
        (list(range(0, 240, 51)), "uniform", [0, 4, 8, 12, 16, 20]),
        ([], "keyframes", [0, 4, 8, 12, 16, 20]),
        ([30], "keyframes", [0, 3, 8, 12, 16, 20]),  # the first frame is in, whatever it is
    ],
)
def test_which_frames_are_chosen(keys: list[int], frames: str, starts: list[float]) -> None:
    chosen = choose(timeline(TENTHS, keys, 24.0), Limits(frames=frames))
    assert [one.start for one in chosen] == starts
    assert [one.end for one in chosen] == [*starts[1:], 24.0]
    assert max(one.end - one.start for one in chosen) <= 8.0


def test_a_slide_show_of_two_frames_is_two_frames() -> None:
    chosen = choose(timeline([0.0, 100.0], [0, 1], 160.0), Limits())
    assert [(one.start, one.end) for one in chosen] == [(0.0, 100.0), (100.0, 160.0)]


def test_endless_videos_are_sampled_more_sparsely() -> None:
    times = list(np.arange(0, 400_000, 2.0))
    assert len(choose(timeline(times, list(range(len(times))), 400_000.0), Limits())) <= MAX_FRAMES


def test_a_video_that_starts_late_keeps_the_time_of_players(tmp_path: Path) -> None:
    """Sound from 0, pictures from 1 second on: the first frame is at 1, as subtitles count."""
    file = tmp_path / "late.mkv"
    with av.open(str(file), "w") as container:
        video = container.add_stream("libx264", rate=RATE)
        video.width, video.height, video.pix_fmt = 160, 96, "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=8000)
        for second in range(5):
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
            samples.rate, samples.pts = 8000, second * 8000
            container.mux(sound.encode(samples))
        for place in range(20):
            frame = av.VideoFrame.from_ndarray(picture(place), format="rgb24")
            frame.pts, frame.time_base = place + RATE, Fraction(1, RATE)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    passages = split(file, frame_seconds=2.0, frames="uniform")
    assert [p.locator for p in passages] == [Seconds(1, 3), Seconds(3, 5)]
    assert [number_in(f.pixels[0]) for f in read(file, passages) if isinstance(f, Content)] == [0, 10]


def test_phones_hold_videos_upright(tmp_path: Path) -> None:
    content = bytearray(film(tmp_path / "a.mp4", [picture(n) for n in range(5)]).read_bytes())
    matrix = content.find(b"tkhd") + 4 + 4 + 20 + 16
    assert struct.unpack(">9i", content[matrix : matrix + 36])[0] == 65536
    content[matrix : matrix + 36] = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 96 << 16, 0, 1 << 30)
    file = tmp_path / "turned.mp4"
    file.write_bytes(content)
    (frame,) = read(file)
    assert isinstance(frame, Content) and frame.pixels[0].shape == (160, 96, 3)
    seen = timeline_of(file, Limits())
    with open_decoder(file, seen, 10**6) as decoder:
        np.testing.assert_array_equal(decoder.others.frame(0), frame.pixels[0])  # type: ignore[attr-defined]


def test_frames_are_scaled_to_max_pixels(tmp_path: Path) -> None:
    (frame,) = read(film(tmp_path / "a.mp4", [picture(1, (640, 480))]), max_pixels=30_000)
    assert isinstance(frame, Content) and frame.pixels[0].shape == (150, 200, 3)


def test_subtitles_belong_to_the_frames_they_span(tmp_path: Path) -> None:
    file = film(tmp_path / "talk.mp4", [picture(n) for n in range(40)])
    words = tmp_path / "talk.en.srt"
    words.write_text(
        "1\n00:00:00,500 --> 00:00:01,500\nWelcome\n\n2\n00:00:01,800 --> 00:00:02,500\n<i>aboard</i>\n\n"
        "3\n00:00:06,500 --> 00:00:07,000\nMind the crane\n"
    )
    passages = list(LOADER.split(document(file, words), Limits(frame_seconds=2.0, frames="uniform")))
    assert [p.text for p in passages] == ["Welcome\naboard", "aboard", "", "Mind the crane"]


def slide(lines: int) -> np.ndarray:
    image = Image.new("RGB", (640, 360), "white")
    draw = ImageDraw.Draw(image)
    for row in range(lines):
        draw.text((40, 30 + row * 30), f"point {row}: berths and vessels", "black", font=ImageFont.load_default(12))
    return np.asarray(image)


def pointer(pixels: np.ndarray, x: int, y: int) -> np.ndarray:
    moved = pixels.copy()
    moved[y : y + 9, x : x + 6] = 0
    return moved


def test_blank_and_repeated_frames_are_dropped_a_new_line_is_not(tmp_path: Path) -> None:
    black = np.zeros((360, 640, 3), np.uint8)
    shown = [slide(3), pointer(slide(3), 300, 200), slide(4), black, slide(4), slide(5)]
    file = film(tmp_path / "talk.mp4", [pixels for pixels in shown for _ in range(RATE)], every=RATE)
    values = read(file, frame_seconds=1.0)
    assert [v.reason if isinstance(v, Dropped) else type(v) for v in values] == [
        Content, "repeats the frame at 0.0 s", Content, "blank frame", "repeats the frame at 2.0 s", Content,
    ]  # fmt: skip


def test_the_first_frame_asked_for_is_never_dropped(tmp_path: Path) -> None:
    file = film(tmp_path / "dark.mp4", [np.zeros((96, 160, 3), np.uint8)] * 20)
    passages = split(file, frame_seconds=2.0)
    assert [type(v) for v in read(file, passages)] == [Content, Dropped]
    assert [type(v) for v in read(file, passages[1:])] == [Content]


def test_a_frame_with_other_words_is_kept_although_it_looks_the_same(tmp_path: Path) -> None:
    file = film(tmp_path / "talk.mp4", [slide(3)] * 30)
    words = tmp_path / "talk.srt"
    words.write_text("1\n00:00:02,500 --> 00:00:03,500\nthe tide turns\n")
    made, limits = document(file, words), Limits(frame_seconds=2.0)
    values = list(LOADER.read(made, list(LOADER.split(made, limits)), limits))
    assert [type(v) for v in values] == [Content, Content, Dropped]


def test_frames_of_different_sizes_are_not_alike() -> None:
    assert not shows_nothing_new(miniature(slide(3)), miniature(slide(3)[:200]))
    assert shows_nothing_new(miniature(slide(3)), miniature(slide(3)))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"just text", "is damaged, or not a video"),
        (bytes(5000), "is damaged, or not a video"),
    ],
)
def test_a_file_that_is_not_a_video_gets_a_reason(content: bytes, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(content)
    with pytest.raises(UnreadableDocument, match=reason):
        split(file)


def test_a_video_without_its_index_gets_a_reason(tmp_path: Path) -> None:
    file = film(tmp_path / "a.mp4", [picture(n) for n in range(20)])
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(UnreadableDocument, match="its index is missing"):
        split(file)


def test_sound_alone_is_not_a_video(tmp_path: Path) -> None:
    file = tmp_path / "song.mkv"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        samples.rate = 8000
        container.mux(stream.encode(samples))
    with pytest.raises(UnreadableDocument, match="contains no moving pictures"):
        split(file)


def test_a_missing_file_gets_a_reason(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument, match="cannot be opened: No such file"):
        split(tmp_path / "gone.mp4")


def test_what_is_left_of_a_truncated_video_is_read(tmp_path: Path) -> None:
    file = film(tmp_path / "a.mkv", [picture(n) for n in range(40)], every=5)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    passages = split(file, frame_seconds=1.0, frames="uniform")
    values = read(file, passages)
    assert 2 <= len(passages) < 8
    assert [number_in(v.pixels[0]) for v in values if isinstance(v, Content)][:2] == [0, 5]
    assert {type(v) for v in values[:-1]} == {Content}


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts", "a.webm"])
def test_damage_gives_a_reason_or_frames(name: str, tmp_path: Path) -> None:
    whole = film(tmp_path / name, [picture(n, (64, 48)) for n in range(20)], KINDS[name], every=5).read_bytes()
    file = tmp_path / f"broken-{name}"
    for seed in range(200):
        dice = random.Random(seed)
        broken = bytearray(whole)
        for _ in range(dice.choice((1, 5, 30))):
            reach = len(broken) if dice.random() < 0.5 else min(len(broken), 600)
            broken[dice.randrange(reach)] ^= 1 << dice.randrange(8)
        if seed % 5 == 0:
            broken = broken[: dice.randrange(1, len(broken))]
        if seed % 7 == 0:
            start = dice.randrange(len(broken))
            broken[start : start + 400] = bytes(len(broken[start : start + 400]))
        file.write_bytes(broken)
        try:
            values = read(file, frame_seconds=1.0, max_source_pixels=4_000_000)
        except UnreadableDocument as error:
            assert error.what
        else:
            assert {type(value) for value in values} <= {Content, Dropped, Skipped}
