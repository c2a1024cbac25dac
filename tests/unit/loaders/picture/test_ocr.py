"""Words in pictures: read in order, placed, and cheap where there are none."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from rag.loaders.picture import ocr
from rag.loaders.picture.ocr import ENGINE, OcrResult, recognise
from rag.loaders.picture.reading_order import Box, rows


def written(
    lines: list[tuple[int, int, int, str]], size: tuple[int, int] = (640, 360), ink: str = "black", paper: str = "white"
) -> np.ndarray:
    """RGB pixels with lines (x, y, height, text) in Pillow's own font."""
    image = Image.new("RGB", size, paper)
    draw = ImageDraw.Draw(image)
    for x, y, height, text in lines:
        draw.text((x, y), text, ink, font=ImageFont.load_default(height))
    return np.asarray(image)


def test_words_are_read_line_by_line() -> None:
    found = recognise(written([(40, 40, 24, "Harbour traffic report"), (40, 120, 16, "KeyError: 'locator' in loader.py")]))
    assert found.text.split("\n") == ["Harbour traffic report", "KeyError: 'locator' in loader.py"]


def test_boxes_are_shares_of_the_picture() -> None:
    first, second = recognise(written([(40, 40, 24, "Harbour traffic"), (320, 270, 24, "bottom right")])).boxes
    assert (first.text, second.text) == ("Harbour traffic", "bottom right")
    assert 0.05 < first.x0 < 0.08 and 0.1 < first.y0 < 0.14 and first.y1 < 0.2
    assert 0.48 < second.x0 < 0.52 and 0.74 < second.y0 < 0.78 and second.x1 < 0.8
    assert all(box.score > 0.9 for box in (first, second))


@pytest.mark.parametrize(("ink", "paper"), [("#d8d8d8", "#1b1d23"), ("white", "#a02020"), ("#666666", "#f0f0f0")])
def test_colours_do_not_matter(ink: str, paper: str) -> None:
    assert recognise(written([(40, 60, 18, "terminal session output")], ink=ink, paper=paper)).text == "terminal session output"


def test_small_text_on_a_large_screen_is_read() -> None:
    lines = [(20 + 500 * (row % 2), 30 + row * 60, 11, f"vessel number {row} in berth {row + 3}") for row in range(12)]
    found = recognise(written(lines, size=(1520, 860)))
    said = "".join(found.text.split())
    assert [text for *_, text in lines if text.replace(" ", "") not in said] == []


@pytest.mark.parametrize("size", [(640, 360), (30_000, 2), (1, 1), (1, 500)])
def test_a_plain_picture_costs_no_recognition(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(threads: int) -> None:
        raise AssertionError("the engine was asked")

    monkeypatch.setattr(ocr, "engine", refuse)
    assert recognise(np.full((size[1], size[0], 3), 130, np.uint8)) == OcrResult("", ())


@pytest.mark.parametrize("size", [(30_000, 2), (2, 30_000), (3, 3), (1200, 9)])
def test_strips_and_specks_are_bounded(size: tuple[int, int]) -> None:
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[::2, ::2] = 255
    assert isinstance(recognise(pixels), OcrResult)


def test_a_gradient_says_nothing() -> None:
    y, x = np.mgrid[:360, :640]
    pixels = np.stack([x * 255 // 640, y * 255 // 360, (x + y) % 256], axis=-1).astype(np.uint8)
    assert recognise(pixels).text == ""


def test_recognition_is_deterministic_and_silent(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    pixels = written([(40, 40, 20, "the same words"), (40, 90, 20, "每次都一样")])
    with caplog.at_level(logging.DEBUG):
        assert recognise(pixels) == recognise(pixels)
    assert capfd.readouterr() == ("", "")


def test_the_pixels_are_left_alone() -> None:
    pixels = written([(40, 40, 20, "unchanged")])
    before = pixels.copy()
    pixels.flags.writeable = False
    recognise(pixels)
    np.testing.assert_array_equal(pixels, before)


def test_the_engine_is_named_with_its_versions() -> None:
    assert ENGINE.startswith("rapidocr-3") and "PP-OCR" in ENGINE


def box(x0: float, y0: float, x1: float, y1: float, text: str) -> Box:
    return Box(x0, y0, x1, y1, text, 1.0)


def read(boxes: list[Box]) -> list[str]:
    return [" ".join(one.text for one in row) for row in rows(boxes, 1000, 1000)]


def test_tables_are_read_by_row() -> None:
    cells = [box(x / 10, y / 20, x / 10 + 0.06, y / 20 + 0.02, f"{y}{'abc'[x]}") for x in range(3) for y in range(4)]
    assert read(cells) == ["0a 0b 0c", "1a 1b 1c", "2a 2b 2c", "3a 3b 3c"]


def test_columns_of_running_text_are_read_one_after_another() -> None:
    title = [box(0.1, 0.02, 0.9, 0.05, "title over both")]
    left = [box(0.05, 0.1 + y * 0.03, 0.47, 0.12 + y * 0.03, f"left {y}") for y in range(5)]
    right = [box(0.53, 0.1 + y * 0.03, 0.95, 0.12 + y * 0.03, f"right {y}") for y in range(5)]
    expected = ["title over both", *(f"left {y}" for y in range(5)), *(f"right {y}" for y in range(5))]
    mixed = [one for pair in zip(right, left, strict=True) for one in pair] + title
    assert read(mixed) == expected


def test_a_slanted_row_stays_one_row() -> None:
    assert read([box(0.6, 0.106, 0.9, 0.126, "right"), box(0.1, 0.1, 0.5, 0.12, "left"), box(0.1, 0.13, 0.5, 0.15, "next")]) == [
        "left right",
        "next",
    ]


def test_no_box_is_lost() -> None:
    dice = np.random.default_rng(0)
    boxes = [box(x, y, x + 0.05, y + 0.01, "w") for x, y in dice.random((1000, 2)) * 0.9]
    assert sum(len(row) for row in rows(boxes, 1000, 1000)) == 1000
