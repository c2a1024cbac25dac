"""Pictures of passages, from real files through real worker processes; thumbnails on disk; damaged files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rag.errors import NotShown, UnreadableDocument
from rag.media.crop import Crop
from rag.media.service import MediaService
from rag.media.thumbnails import Thumbnails
from rag.types import Kind, Lines, Page, Seconds, Whole
from tests.unit.films import colour, film
from tests.unit.media_samples import LIMITS, SAMPLES, passage, pdf, seen


def test_a_frame_is_the_one_at_its_second(media_service: MediaService, tmp_path: Path) -> None:
    film(tmp_path / "f.mp4")
    for moment in (0.0, 3.0, 5.5):
        shown = media_service.picture(passage(tmp_path, "f.mp4", "frame", Seconds(moment, moment)), "thumb", LIMITS, tmp_path)
        assert shown.type == "image/webp"
        assert seen(shown).shape == (240, 320, 3)
        assert np.abs(seen(shown).mean(axis=(0, 1)) - colour(moment)).max() < 12
    other = media_service.picture(
        passage(tmp_path, "f.mp4", "frame", Seconds(0.0, 1.0)), "view", LIMITS, tmp_path, Seconds(5.5, 5.5)
    )
    assert np.abs(seen(other).mean(axis=(0, 1)) - colour(5.5)).max() < 12
    assert other.type == "image/jpeg"


def test_sizes_of_a_picture(media_service: MediaService, tmp_path: Path) -> None:
    Image.new("RGB", (4000, 2000), (200, 30, 30)).save(tmp_path / "p.png")
    one = passage(tmp_path, "p.png", "image")
    assert [seen(media_service.picture(one, size, LIMITS, tmp_path)).shape[:2] for size in ("thumb", "view", "full")] == [
        (384, 768),
        (800, 1600),
        (2000, 4000),
    ]


def test_a_part_of_a_picture_is_as_sharp_as_the_whole_would_be(media_service: MediaService, tmp_path: Path) -> None:
    halves = Image.new("RGB", (4000, 2000), (200, 30, 30))
    halves.paste((30, 30, 200), (2000, 0, 4000, 2000))
    halves.save(tmp_path / "p.png")
    one = passage(tmp_path, "p.png", "image")
    part = seen(media_service.picture(one, "thumb", LIMITS, tmp_path, crop=Crop(0.5, 0.0, 0.5, 0.5)))
    assert part.shape[:2] == (384, 768)
    assert np.abs(part.mean(axis=(0, 1)) - (30, 30, 200)).max() < 6
    whole, cut = (media_service.version(one, "thumb", LIMITS, crop=crop).name for crop in (None, Crop(0.5, 0.0, 0.5, 0.5)))
    assert whole != cut
    assert not list((tmp_path / "thumbs").rglob("*.webp"))  # only whole thumbnails are kept in the index


def test_a_page_is_drawn_and_a_huge_one_is_bounded(media_service: MediaService, tmp_path: Path) -> None:
    pdf(tmp_path / "p.pdf", "Harbour")
    shown = seen(media_service.picture(passage(tmp_path, "p.pdf", "page", Page(1)), "full", LIMITS, tmp_path))
    assert shown.shape == (625, 834, 3)  # 400 × 300 points at 150 dpi
    assert shown.min() < 60 and shown[0, 0].tolist() == [255, 255, 255]
    pdf(tmp_path / "huge.pdf", "x", "0 0 14400 14400")
    huge = seen(media_service.picture(passage(tmp_path, "huge.pdf", "page", Page(1)), "full", LIMITS, tmp_path))
    assert max(huge.shape) <= 5000
    with pytest.raises(UnreadableDocument, match=r"p\.pdf page 9 is not there: the file has 1 page$"):
        media_service.picture(passage(tmp_path, "p.pdf", "page", Page(1)), "view", LIMITS, tmp_path, Page(9))


def test_text_has_no_picture_and_a_picture_no_seconds(media_service: MediaService, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    Image.new("RGB", (8, 8)).save(tmp_path / "p.png")
    with pytest.raises(NotShown, match="is text"):
        media_service.picture(passage(tmp_path, "a.txt", "text", Lines(1, 1)), "view", LIMITS, tmp_path)
    with pytest.raises(NotShown, match="has no seconds"):
        media_service.picture(passage(tmp_path, "p.png", "image"), "view", LIMITS, tmp_path, Seconds(1, 1))


@pytest.mark.parametrize("name", ["cut-in-the-post.pdf", "empty.png", "no-index.mp4", "not-a-picture.jpg", "poster-huge.png"])
def test_a_broken_file_is_an_error_that_names_it(media_service: MediaService, tmp_path: Path, name: str) -> None:
    kind: Kind = {"pdf": "page", "mp4": "frame"}.get(name[-3:], "image")  # type: ignore[assignment]
    place = {"page": Page(1), "frame": Seconds(0, 1)}.get(kind, Whole())
    with pytest.raises(UnreadableDocument, match=name):
        media_service.picture(passage(SAMPLES.parent / "broken", name, kind, place), "thumb", LIMITS, tmp_path)


def test_a_truncated_video_shows_what_is_there(media_service: MediaService, tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mkv", form="matroska").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    shown = media_service.picture(passage(tmp_path, "cut.mkv", "frame", Seconds(0, 1)), "thumb", LIMITS, tmp_path)
    assert np.abs(seen(shown).mean(axis=(0, 1)) - colour(0)).max() < 12
    assert media_service.video(passage(tmp_path, "cut.mkv", "frame", Seconds(0, 1)), LIMITS).playable == "remux"


def test_a_replaced_file_gets_a_new_picture(media_service: MediaService, tmp_path: Path) -> None:
    one = passage(tmp_path, "p.png", "image")
    versions = []
    for red in (10, 200):
        Image.new("RGB", (40, 40), (red, 0, 0)).save(tmp_path / "new.png")
        (tmp_path / "new.png").replace(tmp_path / "p.png")
        shown = media_service.picture(one, "thumb", LIMITS, tmp_path)
        assert abs(int(seen(shown)[20, 20, 0]) - red) < 10
        versions.append(shown.version)
    assert len(set(versions)) == 2


def test_thumbnails_are_kept_in_the_index_folder_and_damaged_ones_are_replaced(tmp_path: Path) -> None:
    Image.new("RGB", (640, 480), (0, 200, 0)).save(tmp_path / "p.png")
    one, index = passage(tmp_path, "p.png", "image"), tmp_path / "index"
    with MediaService() as media_service:
        made = media_service.picture(one, "thumb", LIMITS, index)
    (kept,) = (index / "thumbs").glob("*/*.webp")
    assert kept.stem == made.version and kept.read_bytes() == made.content
    kept.write_bytes(made.content[:-9])
    with MediaService() as media_service:
        assert media_service.picture(one, "thumb", LIMITS, index).content == made.content
    assert kept.read_bytes() == made.content


def test_an_index_folder_that_cannot_be_written_gets_no_thumbnails(media_service: MediaService, tmp_path: Path) -> None:
    Image.new("RGB", (640, 480), (0, 200, 0)).save(tmp_path / "p.png")
    (tmp_path / "index").write_text("a file where the folder should be")  # root may write everywhere else
    shown = media_service.picture(passage(tmp_path, "p.png", "image"), "thumb", LIMITS, tmp_path / "index")
    assert seen(shown).shape == (480, 640, 3)


def test_the_least_recently_used_thumbnails_are_cleared_first(tmp_path: Path) -> None:
    thumbnails = Thumbnails(tmp_path, most_bytes=1000)
    content = b"RIFF" + (92).to_bytes(4, "little") + b"WEBP" + bytes(88)
    for number in range(20):
        thumbnails.keep(f"{number:02}", content)
        os.utime(tmp_path / f"thumbs/{number:02}/{number:02}.webp", (number, number))
    assert thumbnails.find("03") == content  # used now
    thumbnails.clear()
    assert [number for number in range(20) if thumbnails.find(f"{number:02}")] == [3, *range(13, 20)]
