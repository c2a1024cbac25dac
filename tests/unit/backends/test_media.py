"""What a model server gets of a picture or a video, decoded as the server decodes it."""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from rag.backends import media
from rag.backends.families import MAX_PIXELS
from rag.types import Content

RNG = np.random.default_rng(7)
SAID = "data:image/jpeg;base64,"
FILMED = "data:video/jpeg;base64,"


def decoded(jpeg: str) -> Image.Image:
    picture = Image.open(BytesIO(b64decode(jpeg, validate=True)))
    assert (picture.format, picture.mode) == ("JPEG", "RGB")
    return picture


def sent(pixels: np.ndarray) -> Image.Image:
    url = media.image_url(pixels)
    assert url.startswith(SAID)
    return decoded(url.removeprefix(SAID))


def plane(width: int, height: int, colour: tuple[int, int, int] = (200, 40, 30)) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def scene(width: int, height: int) -> np.ndarray:
    """Soft shapes with one edge, like a photograph."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 255 // width, y * 255 // height, np.where(x > y, 220, 30)], axis=-1).astype(np.uint8)


def test_a_small_picture_keeps_its_size_and_nearly_its_colours() -> None:
    pixels = scene(320, 200)
    shown = np.asarray(sent(pixels), np.int16)
    assert shown.shape == pixels.shape
    assert np.abs(shown - pixels).mean() < 1.0


@pytest.mark.parametrize(("width", "height"), [(1280, 1024), (1, 1), (31, 7), (4000, 3000), (15000, 100), (300, 9000)])
def test_pictures_stay_within_the_pixel_limit_and_keep_their_aspect(width: int, height: int) -> None:
    shown = sent(plane(width, height))
    assert shown.width * shown.height <= MAX_PIXELS
    assert abs(np.log(shown.width / shown.height) - np.log(width / height)) < 0.02
    if width * height <= MAX_PIXELS:
        assert shown.size == (width, height)
    else:
        assert shown.width * shown.height > 0.97 * MAX_PIXELS


@pytest.mark.parametrize(("width", "height"), [(1, 300), (300, 1), (1_310_720, 1), (5, 200_000), (181, 1)])
def test_a_very_thin_picture_is_padded_with_white(width: int, height: int) -> None:
    shown = sent(plane(width, height, (0, 0, 0)))
    assert max(shown.size) <= 200 * min(shown.size)
    assert shown.width * shown.height <= MAX_PIXELS
    assert np.asarray(shown).max() > 200  # the padding
    assert np.asarray(shown).min() < 60  # the picture


def test_only_pixels_are_sent_and_no_metadata() -> None:
    picture = sent(plane(64, 64))
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert not picture.getexif()


def test_equal_pixels_are_equal_bytes() -> None:
    assert media.image_url(scene(99, 77)) == media.image_url(scene(99, 77).copy())


def test_a_model_in_this_process_sees_what_a_server_decodes() -> None:
    pixels = RNG.integers(0, 256, (1200, 1500, 3), dtype=np.uint8)
    np.testing.assert_array_equal(np.asarray(media.picture(pixels)), np.asarray(sent(pixels)))
    frames = [RNG.integers(0, 256, (90, 160, 3), dtype=np.uint8) for _ in range(3)]
    url = media.video_url(frames).removeprefix(FILMED)
    for here, there in zip(media.film(frames), url.split(","), strict=True):
        np.testing.assert_array_equal(np.asarray(here), np.asarray(decoded(there)))


def test_a_video_is_a_list_of_jpegs() -> None:
    frames = [plane(64, 48, (shade, shade, shade)) for shade in (0, 128, 255)]
    url = media.video_url(frames)
    assert url.startswith(FILMED)
    shades = [int(np.asarray(decoded(part)).mean()) for part in url.removeprefix(FILMED).split(",")]
    assert shades == [0, 128, 255]


def test_frames_are_spread_over_a_long_video() -> None:
    frames = [plane(16, 16, (shade, shade, shade)) for shade in range(100)]
    shades = [round(float(np.asarray(frame).mean())) for frame in media.film(frames)]
    assert len(shades) == media.MAX_FRAMES == 32
    assert (shades[0], shades[-1]) == (0, 99)
    assert {later - earlier for earlier, later in pairwise(shades)} == {3, 4}


def test_the_frames_of_a_video_share_its_pixels_and_one_size() -> None:
    shown = media.film([plane(1280, 720)] * 31 + [plane(720, 1280)])
    assert {frame.size for frame in shown} == {shown[0].size}
    assert shown[0].width > shown[0].height
    assert 0.97 * media.MAX_VIDEO_PIXELS < sum(frame.width * frame.height for frame in shown) <= media.MAX_VIDEO_PIXELS


def test_the_frames_of_a_short_video_are_no_larger_than_pictures() -> None:
    assert all(frame.width * frame.height <= MAX_PIXELS for frame in media.film([plane(2000, 2000)] * 2))


def test_parts_of_a_content() -> None:
    pixels = plane(32, 32)
    one = {"type": "image_url", "image_url": {"url": media.image_url(pixels)}}
    assert media.media_parts(Content("text", "kite")) == []
    assert media.media_parts(Content("image", "kite", pixels=(pixels,))) == [one]
    assert media.media_parts(Content("image", pixels=(pixels, pixels))) == [one, one]
    assert media.media_parts(Content("video", pixels=(pixels,))) == [one]
    film = media.media_parts(Content("video", "kite", pixels=(pixels, pixels)))
    assert film == [{"type": "video_url", "video_url": {"url": media.video_url([pixels, pixels])}}]
