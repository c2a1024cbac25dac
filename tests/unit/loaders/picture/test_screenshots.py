"""Screens are told from charts, diagrams, slides and scenes: by name, by tags, by pixels."""

from __future__ import annotations

import io
import random
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from rag.loaders.base import Limits
from rag.loaders.picture.picture import PictureLoader
from rag.loaders.picture.screenshots import looks_like_screenshot
from rag.types import Document, DocumentId

WORDS = (
    "harbour",
    "traffic",
    "report",
    "vessel",
    "pilot",
    "berth",
    "tonnage",
    "customs",
    "quarter",
    "annual",
    "forecast",
    "capacity",
)


def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font: the tests need none installed."""
    made = ImageFont.load_default(size)
    assert isinstance(made, ImageFont.FreeTypeFont)
    return made


def words(dice: random.Random, count: int) -> str:
    return " ".join(dice.choice(WORDS) for _ in range(count))


def saved(image: Image.Image, name: str = "PNG", **options: object) -> Image.Image:
    out = io.BytesIO()
    image.save(out, name, **options)
    return Image.open(io.BytesIO(out.getvalue()))


def terminal(size: tuple[int, int], dice: random.Random) -> Image.Image:
    image = Image.new("RGB", size, "#1b1d23")
    draw = ImageDraw.Draw(image)
    for row in range(18):
        draw.text((6, 6 + row * 19), "$ " + words(dice, dice.randrange(3, 9)), "#d8d8d8", font(14))
    return image


def browser(size: tuple[int, int], dice: random.Random) -> Image.Image:
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, size[0], 44), fill="#24292f")
    draw.text((16, 14), "Overview   Issues 12   Settings", "white", font(14))
    for row in range(20):
        draw.text((40, 70 + row * 24), words(dice, dice.randrange(4, 12)), "#222222", font(14))
    draw.rounded_rectangle((40, 580, 160, 612), 5, fill="#2d7d46")
    return image


def editor(size: tuple[int, int], dice: random.Random) -> Image.Image:
    image = Image.new("RGB", size, "#1e1e1e")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 210, size[1]), fill="#252526")
    for row in range(14):
        draw.text((16, 20 + row * 22), words(dice, 1) + ".py", "#cccccc", font(13))
    for row in range(24):
        draw.text((230 + 24 * dice.randrange(3), 20 + row * 20), words(dice, dice.randrange(2, 8)), "#c5a5d5", font(13))
    return image


def chart(size: tuple[int, int], dice: random.Random) -> Image.Image:
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    width, height = size
    draw.text((width // 2, 24), "Container volume by month, thousand TEU", "black", font(18), anchor="mm")
    draw.rectangle((80, 50, width - 60, height - 70), outline="black")
    for tick in range(6):
        y = height - 70 - tick * (height - 120) // 6
        draw.text((72, y), str(tick * 2000), "black", font(13), anchor="rm")
        draw.line((75, y, 80, y), "black")
    for bar in range(12):
        x = 100 + bar * (width - 180) // 12
        draw.rectangle((x, height - 70 - dice.randrange(60, height - 140), x + 30, height - 70), fill="#4477aa")
        draw.text((x + 15, height - 56), "JFMAMJJASOND"[bar], "black", font(13), anchor="mm")
    for entry in range(3):
        draw.text((width - 200, 70 + entry * 20), dice.choice(WORDS), "black", font(13))
    return image


def diagram(size: tuple[int, int], dice: random.Random) -> Image.Image:
    image = Image.new("RGB", size, "#fffdf5")
    draw = ImageDraw.Draw(image)
    for row in range(4):
        for column in range(4):
            x, y = 60 + column * (size[0] - 120) // 4, 60 + row * (size[1] - 120) // 4
            draw.rectangle((x, y, x + 190, y + 84), fill="#cfe8ff", outline="black", width=2)
            draw.text((x + 10, y + 12), dice.choice(WORDS), "black", font(16))
            draw.text((x + 10, y + 44), "reads and " + words(dice, 2), "black", font(12))
    return image


def slide(size: tuple[int, int], dice: random.Random) -> Image.Image:
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, size[0], size[1] // 7), fill="#003366")
    draw.text((50, 30), "Quarterly results", "white", font(size[1] // 18))
    for row in range(6):
        draw.text((70, size[1] // 5 + row * size[1] // 9), "• " + words(dice, 5), "black", font(size[1] // 24))
    return image


def scene(size: tuple[int, int], dice: random.Random) -> Image.Image:
    image = Image.new("RGB", size, "#87ceeb")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, size[1] * 3 // 5, *size), fill="#3a7d2c")
    draw.ellipse((size[0] * 3 // 4, 40, size[0] * 3 // 4 + 120, 160), fill="#ffd84d")
    for _ in range(40):
        x = dice.randrange(size[0])
        draw.line((x, size[1] * 3 // 5, x, size[1] * 3 // 5 - dice.randrange(20, 90)), "#553311", 4)
    return image


def noise(size: tuple[int, int], dice: random.Random) -> Image.Image:
    return Image.effect_noise(size, 90).convert("RGB")


SIZES = [(1280, 720), (1920, 1080), (1200, 800), (1013, 733)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("draw", [terminal, browser, editor])
def test_screens_under_neutral_names(draw: Callable[..., Image.Image], size: tuple[int, int]) -> None:
    assert looks_like_screenshot("a7f3.png", saved(draw(size, random.Random(1))))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("draw", [chart, diagram, slide, scene, noise])
def test_charts_diagrams_slides_and_scenes_are_images(draw: Callable[..., Image.Image], size: tuple[int, int]) -> None:
    assert not looks_like_screenshot("a7f3.png", saved(draw(size, random.Random(2))))


def test_a_screen_with_two_pixels_a_point() -> None:
    image = browser((1440, 900), random.Random(3))
    assert looks_like_screenshot("x.png", saved(image.resize((2880, 1800), Image.Resampling.LANCZOS)))


@pytest.mark.parametrize(
    "name",
    [
        "Screenshot 2026-04-02 101530.png", "Screen Shot 2020-01-01 at 10.00.00.png", "Screenshot_20260509-121904.jpg",
        "Bildschirmfoto 2024-05-03 um 10.20.30.png", "Capture d’écran 2024-05-03.png", "Capture d'écran (3).png",
        "Captura de pantalla.png", "Schermata 2024.png", "截图1.png", "屏幕截图 2026-05-19.png", "截屏2024.png",
        "スクリーンショット 2024.png", "스크린샷.png", "Снимок экрана.png", "Ekran görüntüsü.png",
        "Simulator Screen Shot - iPhone 15.png",
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_in_many_languages(name: str, form: str) -> None:
    """macOS stores names decomposed, other systems composed."""
    assert looks_like_screenshot(unicodedata.normalize(form, name), saved(Image.new("RGB", (40, 40))))


@pytest.mark.parametrize("name", ["IMG_2041.png", "screen-door.png", "captain.png", "chart.png"])
def test_other_names_prove_nothing(name: str) -> None:
    assert not looks_like_screenshot(name, saved(Image.new("RGB", (400, 400))))


def test_what_programs_write_into_their_screenshots() -> None:
    text = PngInfo()
    text.add_text("Software", "gnome-screenshot")
    assert looks_like_screenshot("1.png", saved(Image.new("RGB", (50, 50)), pnginfo=text))
    exif = Image.Exif()
    exif[0x010E] = "a display"
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0Screenshot"
    assert looks_like_screenshot("1.png", saved(Image.new("RGB", (50, 50)), exif=exif))


def test_a_camera_takes_no_screenshots() -> None:
    exif = Image.Exif()
    exif[0x010F] = "NIKON CORPORATION"
    assert not looks_like_screenshot("1.png", saved(browser((1280, 720), random.Random(1)), exif=exif))


def test_the_loader_calls_it_a_screenshot(tmp_path: Path) -> None:
    for name, draw in (("a.png", browser), ("b.png", chart)):
        draw((1280, 720), random.Random(4)).save(tmp_path / name)
    kinds = [
        passage.kind
        for name in ("a.png", "b.png")
        for passage in PictureLoader().split(Document(DocumentId("r", name), tmp_path / name), Limits())
    ]
    assert kinds == ["screenshot", "image"]
