"""Videos as a browser plays them: direct, remuxed or transcoded, and clips; and the cache of converted videos."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rag.errors import NotShown, UnreadableDocument, WrongRequest
from rag.media.service import MediaService
from rag.media.video_cache import VideoCache
from rag.types import Seconds
from tests.unit.films import colour, film, heard, watched
from tests.unit.media_samples import LIMITS, SAMPLES, passage


@pytest.mark.parametrize(
    ("name", "codec", "sound", "form", "playable", "kind"),
    [
        ("a.mp4", "libx264", "aac", "mp4", "direct", "video/mp4"),
        ("a.webm", "libvpx", "libopus", "webm", "direct", "video/webm"),
        ("a.ts", "libx264", "aac", "mpegts", "remux", "video/mp4"),
        ("a.mkv", "libx264", "aac", "matroska", "remux", "video/mp4"),
        ("b.mkv", "libvpx", "aac", "matroska", "remux", "video/webm"),
        ("a.mov", "libx264", "pcm_s16le", "mov", "remux", "video/mp4"),
        ("a.avi", "libx264", "mp3", "avi", "remux", "video/mp4"),
        ("b.avi", "mpeg4", "mp3", "avi", "transcode", "video/mp4"),
        ("b.mp4", "libx265", "aac", "mp4", "transcode", "video/mp4"),
    ],
)
def test_how_a_browser_plays_a_video(
    media_service: MediaService, tmp_path: Path, name: str, codec: str, sound: str, form: str, playable: str, kind: str
) -> None:
    """A converted video shows the right colour at the right second, from its start, and keeps its sound."""
    file = film(tmp_path / name, codec=codec, sound=sound, form=form)
    one = passage(tmp_path, name, "frame", Seconds(4, 5))
    video = media_service.video(one, LIMITS)
    assert (video.playable, video.type, video.width, video.height) == (playable, kind, 320, 240)
    assert video.duration is not None and 5.8 < video.duration < 6.4
    with media_service.playing(one, LIMITS, 4.0) as playing:
        content = os.pread(playing.fd, playing.size + 1, 0)
        assert (len(content), playing.type) == (playing.size, kind)
    if playable == "direct":
        assert content == file.read_bytes()
        return
    out = tmp_path / f"out.{kind[6:]}"
    out.write_bytes(content)
    begins = 2.0 if playable == "transcode" else 0.0  # the clip around second 4 begins at 2
    source = [(moment - begins, shown) for moment, shown in watched(file) if moment >= begins]
    frames = watched(out)
    assert len(frames) >= len(source) - 1
    for moment, shown in frames:
        _, expected = min(source, key=lambda one: abs(one[0] - moment))
        assert np.abs(np.subtract(shown, expected)).max() < 12, (moment, shown, expected)
    assert abs(frames[0][0] - source[0][0]) < 0.06 and abs(frames[-1][0] - source[-1][0]) < 0.11
    assert heard(out) == [{"video/mp4": "mp3" if name == "a.avi" else "aac", "video/webm": "opus"}[kind]]
    if kind == "video/mp4":
        assert content.index(b"moov") < content.index(b"mdat")  # plays while it loads


def test_a_clip_shows_what_was_asked_for(media_service: MediaService, tmp_path: Path) -> None:
    film(tmp_path / "a.mp4", sound="aac")
    one = passage(tmp_path, "a.mp4", "frame", Seconds(0, 1))
    with media_service.clip(one, LIMITS, 2.5, 4.0) as playing:
        (tmp_path / "clip.mp4").write_bytes(os.pread(playing.fd, playing.size, 0))
    frames = watched(tmp_path / "clip.mp4")
    assert len(frames) == 15 and heard(tmp_path / "clip.mp4") == ["aac"]
    assert all(np.abs(np.subtract(shown, colour(moment + 2.5))).max() < 16 for moment, shown in frames)
    for start, end in [(-1, 2), (2, 2), (3, 1), (0, 61), (float("nan"), 2)]:
        with pytest.raises(WrongRequest), media_service.clip(one, LIMITS, start, end):
            pass
    with pytest.raises(UnreadableDocument, match="has no frame between"), media_service.clip(one, LIMITS, 100, 110):
        pass


def test_a_picture_is_not_a_video_and_a_damaged_video_has_only_frames(media_service: MediaService, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "p.png")
    with pytest.raises(NotShown, match="is not a video"):
        media_service.video(passage(tmp_path, "p.png", "image"), LIMITS)
    broken = passage(SAMPLES.parent / "broken", "no-index.mp4", "frame", Seconds(0, 1))
    assert media_service.video(broken, LIMITS).playable == "frames"
    with pytest.raises(UnreadableDocument, match="cannot be played"), media_service.playing(broken, LIMITS, 0.0):
        pass


def test_folders_of_killed_programs_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed = subprocess.Popen(["true"])
    killed.wait()
    (tmp_path / f"rag-video-{killed.pid}-x").mkdir()
    (tmp_path / f"rag-video-{killed.pid}-x/a").write_text("left")
    (tmp_path / f"rag-video-{os.getppid()}-y").mkdir()
    video_cache = VideoCache()
    os.close(video_cache.open("one", 1, lambda out: os.write(out, b"made") and None))
    names = sorted(folder.name for folder in tmp_path.iterdir())
    assert len(names) == 2 and f"rag-video-{os.getppid()}-y" in names
    video_cache.close()
    assert [folder.name for folder in tmp_path.iterdir()] == [f"rag-video-{os.getppid()}-y"]


def test_the_cache_drops_the_least_recently_used_and_open_files_stay_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    video_cache = VideoCache(most_bytes=250)
    made = []

    def make(out: int) -> None:
        made.append(Path(f"/proc/self/fd/{out}").readlink().name)
        os.write(out, bytes(100))

    first = video_cache.open("a", 100, make)
    for name in ("b", "a", "c", "a", "b"):
        os.close(video_cache.open(name, 100, make))
    assert made == [".a", ".b", ".c", ".b"]  # "c" displaced "b", not "a"
    assert len(os.pread(first, 200, 0)) == 100
    os.close(first)
    with pytest.raises(UnreadableDocument, match="too large"):
        video_cache.open("d", 251, make)
    video_cache.close()
