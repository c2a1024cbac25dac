"""Animations and files of several pictures: every frame that shows something else is a passage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.picture.picture import PictureLoader
from rag.types import Content, Document, DocumentId, Dropped, Page, Skipped, Whole

LOADER = PictureLoader()


def board(at: int) -> Image.Image:
    """A white board with a black square that stands elsewhere for each number."""
    image = Image.new("RGB", (240, 160), "white")
    ImageDraw.Draw(image).rectangle((20 * at, 40, 20 * at + 60, 100), fill="black")
    return image


def saved(file: Path, frames: list[Image.Image], name: str, **options: object) -> Document:
    frames[0].save(file, name, save_all=True, append_images=frames[1:], **options)
    return Document(DocumentId("root", file.name), file)


def square_of(content: object) -> int:
    assert isinstance(content, Content)
    dark = np.asarray(content.pixels[0])[70, :, 0] < 128
    return int(dark.argmax()) // 20


@pytest.mark.parametrize("name", ["GIF", "WEBP", "PNG", "AVIF"])
def test_frames_that_show_something_else_are_pages(name: str, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (240, 160), "white"), board(1), board(4), board(1), board(7), board(4)]
    document = saved(tmp_path / "boards.bin", frames, name, duration=[100, 110, 120, 130, 140, 150])
    passages = list(LOADER.split(document, Limits()))
    assert [one.locator for one in passages] == [Whole(), *(Page(number) for number in range(2, 7))]
    read = list(LOADER.read(document, passages, Limits()))
    assert square_of(read[0]) == 1  # the first frame that is not blank stands for the whole
    assert [read[at] for at in (1, 3, 5)] == [Dropped("repeats a frame before it")] * 3
    assert [square_of(read[at]) for at in (2, 4)] == [4, 7]
    (alone,) = LOADER.read(document, passages[4:5], Limits())
    assert square_of(alone) == 7


def test_of_a_long_animation_eight_frames_are_tried(tmp_path: Path) -> None:
    document = saved(tmp_path / "long.gif", [board(at % 9) for at in range(50)], "GIF", duration=40)
    passages = list(LOADER.split(document, Limits()))
    assert [one.locator for one in passages] == [Whole(), *map(Page, (8, 15, 22, 29, 36, 43, 50))]


def test_an_animation_cut_short_keeps_what_can_be_decoded(tmp_path: Path) -> None:
    document = saved(tmp_path / "cut.gif", [board(at) for at in range(6)], "GIF", duration=100)
    passages = list(LOADER.split(document, Limits()))
    whole = document.file.read_bytes()
    document.file.write_bytes(whole[: len(whole) * 2 // 3])
    read = list(LOADER.read(document, passages, Limits()))
    assert square_of(read[0]) == 0 and isinstance(read[-1], Skipped) and read[-1].reason.startswith("frame 6 ")


def bomb(file: Path, first: Image.Image) -> Document:
    """An animation of two frames, the second of which claims 65,535 pixels each way."""
    document = saved(file, [first, board(4)], "GIF", duration=100)
    whole = document.file.read_bytes()
    at = whole.rindex(b"\x21\xf9\x04") + 8  # behind the last control block: mark, left, top, width and height of the frame
    assert whole[at : at + 1] == b"\x2c"
    document.file.write_bytes(whole[: at + 5] + b"\xff\xff\xff\xff" + whole[at + 9 :])
    return document


def test_a_later_frame_that_is_too_large_costs_only_itself(tmp_path: Path) -> None:
    document = bomb(tmp_path / "bomb.gif", board(1))
    read = list(LOADER.read(document, list(LOADER.split(document, Limits())), Limits()))
    assert square_of(read[0]) == 1
    assert read[1] == Skipped(document.id, "frame 2 unpacks to far more pixels than the limit max_source_pixels")


def test_a_frame_that_is_too_large_is_not_decoded_to_see_whether_it_is_blank(tmp_path: Path) -> None:
    document = bomb(tmp_path / "bomb.gif", Image.new("RGB", (240, 160), "white"))
    with pytest.raises(UnreadableDocument, match=r"is 65,\d+ × 65,\d+ pixels; the limit is max_source_pixels"):
        list(LOADER.read(document, list(LOADER.split(document, Limits())), Limits()))


def test_every_picture_of_a_heic_is_a_page(tmp_path: Path) -> None:
    import pillow_heif

    several = pillow_heif.from_pillow(board(1))
    several.add_from_pillow(board(5))
    file = tmp_path / "burst.heic"
    several.save(file, quality=90)
    document = Document(DocumentId("root", file.name), file)
    passages = list(LOADER.split(document, Limits()))
    assert [one.locator for one in passages] == [Page(1), Page(2)]
    assert [square_of(one) for one in LOADER.read(document, passages, Limits())] == [1, 5]


@pytest.mark.parametrize(("low", "high"), [(0, 4095), (0, 255), (1000, 1400), (0, 65535), (30_000, 31_000)])
def test_grey_of_sixteen_bits_is_seen_in_the_bits_it_uses(low: int, high: int, tmp_path: Path) -> None:
    grey = np.full((80, 120), low, np.uint16)
    grey[20:60, 30:90] = high
    grey[0, 0] = 65535  # a hot pixel
    file = tmp_path / "detector.png"
    Image.fromarray(grey).save(file)
    document = Document(DocumentId("root", file.name), file)
    (content,) = LOADER.read(document, list(LOADER.split(document, Limits())), Limits())
    assert isinstance(content, Content)
    pixels = np.asarray(content.pixels[0])[..., 0]
    assert (int(pixels[40, 60]), int(pixels[70, 100])) == (255, 0)


def test_a_blank_page_of_sixteen_bits_stays_blank(tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(60_000, 60_040, (80, 120)).astype(np.uint16)
    file = tmp_path / "blank.tif"
    Image.fromarray(grey).save(file)
    document = Document(DocumentId("root", file.name), file)
    (content,) = LOADER.read(document, list(LOADER.split(document, Limits())), Limits())
    assert isinstance(content, Content)
    assert set(np.unique(content.pixels[0])) == {60_000 >> 8}
