"""Matches are outlined where they are drawn: on rotated or cropped pages, and in pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont

from rag.decoding.ask_pool import AskPool
from rag.media.service import MediaService
from rag.types import Page
from tests.unit.media_samples import LIMITS, passage, pdf, seen


def test_words_on_a_page_are_outlined_where_they_are_drawn(media_service: MediaService, tmp_path: Path) -> None:
    pdf(tmp_path / "p.pdf", "The harbours closed")
    found = media_service.outlines(passage(tmp_path, "p.pdf", "page", Page(1)), "harbour", LIMITS, ocr=False)
    assert (found["pages"], found["size"]) == (1, [400, 300])
    (region,) = found["regions"]
    assert region["words"] == "harbours"
    assert 0.36 < region["x"] < 0.38 and 0.22 < region["width"] < 0.26  # Helvetica: "The " is 46.7 points wide at 24
    assert 0.24 < region["y"] < 0.28 and 0.05 < region["height"] < 0.1  # the line stands on 200 of 300 points
    _is_dark_inside(media_service, tmp_path, "p.pdf", region)


@pytest.mark.parametrize(
    ("box", "extra", "at"),
    [
        ("0 0 400 300", "/Rotate 90", "100 200"),
        ("0 0 400 300", "/CropBox [50 100 350 280]", "100 200"),
        ("-200 -100 200 200", "/Rotate 270", "-100 50"),
    ],
)
def test_outlines_follow_rotated_and_cropped_pages(
    media_service: MediaService, tmp_path: Path, box: str, extra: str, at: str
) -> None:
    pdf(tmp_path / "p.pdf", "The harbours closed", box, extra, at)
    (region,) = media_service.outlines(passage(tmp_path, "p.pdf", "page", Page(1)), "harbour", LIMITS, ocr=False)["regions"]
    _is_dark_inside(media_service, tmp_path, "p.pdf", region)


def test_a_word_of_spaced_letters_is_one_region_and_two_words_are_two(media_service: MediaService, tmp_path: Path) -> None:
    pdf(tmp_path / "p.pdf", "harbour dues", at="20 200 Td 9 Tc 0 0")
    found = media_service.outlines(passage(tmp_path, "p.pdf", "page", Page(1)), "harbour dues", LIMITS, ocr=False)["regions"]
    assert [region["words"] for region in found] == ["harbour", "dues"]
    assert found[0]["width"] > 0.3 and found[0]["x"] + found[0]["width"] < found[1]["x"]


def _is_dark_inside(media_service: MediaService, root: Path, path: str, region: dict[str, float]) -> None:
    """Whether letters are drawn in the region, from its left end to its right one, and it holds most of the height of a line."""
    pixels = seen(media_service.picture(passage(root, path, "page", Page(1)), "full", LIMITS, root))
    height, width = pixels.shape[:2]
    left, right = int(region["x"] * width), int((region["x"] + region["width"]) * width)
    top, bottom = int(region["y"] * height), int((region["y"] + region["height"]) * height)
    dark = pixels[top:bottom, left:right].min(axis=2) < 128
    assert dark.mean() > 0.1
    if right - left < bottom - top:
        dark = dark.T
    ends = max(3, dark.shape[1] // 12)
    assert dark[:, :ends].any() and dark[:, -ends:].any()


def test_words_in_a_screenshot_are_outlined(media_service: MediaService, tmp_path: Path) -> None:
    image = Image.new("RGB", (900, 500), "white")
    font = ImageFont.load_default(32)
    ImageDraw.Draw(image).text((200, 300), "harbour dues rose", fill="black", font=font)
    image.save(tmp_path / "s.png")
    found = media_service.outlines(passage(tmp_path, "s.png", "screenshot"), "dues", LIMITS, ocr=True)
    assert found["size"] == [900, 500]
    (region,) = found["regions"]
    assert region["words"].lower() == "dues"
    box = ImageDraw.Draw(image).textbbox((200, 300), "harbour dues", font=font)
    before = ImageDraw.Draw(image).textlength("harbour ", font=font)
    assert abs(region["x"] * 900 - (200 + before)) < 25
    assert abs((region["x"] + region["width"]) * 900 - box[2]) < 25
    assert region["y"] * 500 < 318 < (region["y"] + region["height"]) * 500
    assert media_service.outlines(passage(tmp_path, "s.png", "screenshot"), "dues", LIMITS, ocr=False)["regions"] == []


def test_a_picture_is_recognised_once_whatever_is_asked(
    media_service: MediaService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = Image.new("RGB", (900, 300), "white")
    ImageDraw.Draw(image).text((100, 100), "harbour dues rose", fill="black", font=ImageFont.load_default(32))
    image.save(tmp_path / "s.png")
    asked: list[str] = []
    call = AskPool.call

    def noted(pool: AskPool, function: str, *given: Any, **more: Any) -> Any:
        asked.append(function)
        return call(pool, function, *given, **more)

    monkeypatch.setattr(AskPool, "call", noted)
    stored = passage(tmp_path, "s.png", "screenshot")
    found = [
        [one["words"].lower() for one in media_service.outlines(stored, words, LIMITS, ocr=True)["regions"]]
        for words in ("dues", "harbour", "anchor", "dues")
    ]
    assert found == [["dues"], ["harbour"], [], ["dues"]]
    assert asked.count("rag.media.highlights:lines") == 1
    image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(tmp_path / "s.png")  # another content: it is looked at anew
    media_service.outlines(stored, "dues", LIMITS, ocr=True)
    assert asked.count("rag.media.highlights:lines") == 2
