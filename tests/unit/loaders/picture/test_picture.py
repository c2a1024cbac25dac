"""Pictures of every format, upright and within bounds; damage of every kind becomes a reason."""

from __future__ import annotations

import io
import random
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.picture.open_image import describe
from rag.loaders.picture.picture import PictureLoader
from rag.loaders.picture.pixels import encode_jpeg, fit, is_blank, shrink_array, thumbnail
from rag.types import Content, Document, DocumentId, Page, Skipped, Whole

LOADER = PictureLoader()
SUFFIXES = {
    "JPEG": "jpg",
    "PNG": "png",
    "WEBP": "webp",
    "GIF": "gif",
    "BMP": "bmp",
    "TIFF": "tif",
    "AVIF": "avif",
    "HEIF": "heic",
}


def document(file: Path, caption: str = "") -> Document:
    return Document(DocumentId("root", file.name), file, caption=caption)


def only(file: Path, limits: Limits | None = None) -> np.ndarray:
    limits = limits or Limits()
    passages = list(LOADER.split(document(file), limits))
    (content,) = LOADER.read(document(file), passages[:1], limits)
    assert isinstance(content, Content)
    return content.pixels[0]


def painting(width: int = 96, height: int = 64) -> Image.Image:
    """Red at the top left, blue at the bottom right, and some noise, so that it does not compress away."""
    y, x = np.mgrid[:height, :width]
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0], pixels[..., 2] = 255 - x * 255 // width, y * 255 // height
    pixels[..., 1] = np.random.default_rng(0).integers(0, 60, (height, width))
    return Image.fromarray(pixels)


def encoded(name: str, image: Image.Image | None = None, **options: object) -> bytes:
    if name == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    out = io.BytesIO()
    (image or painting()).save(out, name, **options)
    return out.getvalue()


@pytest.mark.parametrize("name", SUFFIXES)
def test_every_format_is_one_picture_in_rgb(name: str, tmp_path: Path) -> None:
    file = tmp_path / f"p.{SUFFIXES[name]}"
    file.write_bytes(encoded(name))
    (passage,) = LOADER.split(document(file, caption="a painting"), Limits())
    assert (passage.locator, passage.kind, passage.modality, passage.ordinal) == (Whole(), "image", "image", 0)
    assert (passage.caption, passage.context.title, passage.taken) == ("a painting", "", None)
    pixels = only(file)
    assert (pixels.shape, pixels.dtype) == ((64, 96, 3), np.uint8)
    assert pixels[4, 4, 0] > 180 and pixels[-4, -4, 2] > 180


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("L", (90, 90, 90)), ("LA", (172, 172, 172)), ("P", (90, 90, 90)), ("1", (0, 0, 0)), ("RGBA", (172, 127, 127)),
        ("I;16", (90, 90, 90)), ("CMYK", (165, 165, 165)),
    ],
)  # fmt: skip
def test_every_mode_becomes_rgb(mode: str, expected: tuple[int, int, int], tmp_path: Path) -> None:
    """Half transparent 90 on white is 172; half transparent pure 0-channels land near 127."""
    if mode == "I;16":
        image = Image.fromarray(np.full((8, 8), 90 * 257, np.uint16))
    elif mode == "LA":
        image = Image.merge("LA", (Image.new("L", (8, 8), 90), Image.new("L", (8, 8), 128)))
    elif mode == "RGBA":
        image = Image.new("RGBA", (8, 8), (90, 0, 0, 128))
    elif mode == "CMYK":
        image = Image.new("CMYK", (8, 8), (90, 90, 90, 0))
    else:
        image = Image.new("L", (8, 8), 90 if mode != "1" else 0).convert(mode)
    file = tmp_path / ("p.tif" if mode == "CMYK" else "p.png")
    image.save(file)
    assert np.abs(only(file)[3, 3].astype(int) - expected).max() <= 1


def test_a_16_bit_picture_may_be_large(tmp_path: Path) -> None:
    file = tmp_path / "p.png"
    Image.fromarray(np.full((300, 500), 200 * 257, np.uint16)).save(file)
    pixels = only(file, Limits(max_pixels=10_000))
    assert pixels.shape[0] * pixels.shape[1] <= 10_000
    assert set(np.unique(pixels)) == {200}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_picture_is_turned_as_the_camera_was_held(orientation: int, tmp_path: Path) -> None:
    upright = Image.new("RGB", (80, 48), "white")
    upright.paste((200, 0, 0), (0, 0, 20, 12))  # red marks the top left
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = upright.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = tmp_path / "p.jpg"
    stored.save(file, exif=exif, quality=95, subsampling=0)
    pixels = only(file)
    assert pixels.shape == (48, 80, 3)
    assert pixels[4, 6, 0] > 150 > pixels[4, 6, 1]
    assert pixels[40, 70].min() > 240


@pytest.mark.parametrize(
    ("written", "offset", "expected"),
    [
        ("2024:05:03 10:20:30", "", 1714731630.0),
        ("2024:05:03 10:20:30", "+02:00", 1714724430.0),
        ("0000:00:00 00:00:00", "", None),
        ("yesterday", "+02:00", None),
    ],
)
def test_taken_is_the_original_date_and_utc_without_an_offset(
    written: str, offset: str, expected: float | None, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0x9003: written} | ({0x9011: offset} if offset else {}))
    file = tmp_path / "p.jpg"
    painting().save(file, exif=exif)
    (passage,) = LOADER.split(document(file), Limits())
    assert passage.taken == expected


def test_pictures_are_scaled_down_to_max_pixels(tmp_path: Path) -> None:
    file = tmp_path / "p.jpg"
    painting(1600, 1200).save(file)
    assert only(file, Limits(max_pixels=120_000)).shape == (300, 400, 3)


@pytest.mark.parametrize(
    ("size", "most", "fitted"),
    [
        ((100, 50), 5000, (100, 50)),
        ((400, 300), 30_000, (200, 150)),
        ((30_000, 2), 1000, (1000, 1)),
        ((2, 30_000), 1000, (1, 1000)),
    ],
)
def test_fit(size: tuple[int, int], most: int, fitted: tuple[int, int]) -> None:
    assert fit(size, most) == fitted


def test_a_long_strip_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "p.png"
    Image.new("RGB", (30_000, 2), "green").save(file)
    assert only(file).shape == (2, 30_000, 3)
    assert only(file, Limits(max_pixels=1000)).shape == (1, 1000, 3)


def png_header(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("width", "height"), [(20_000, 20_000), (10_001, 10_000), (2_000_000_000, 2)])
def test_a_bomb_is_refused_by_its_header(width: int, height: int, tmp_path: Path) -> None:
    file = tmp_path / "bomb.png"
    file.write_bytes(png_header(width, height))
    with pytest.raises(UnreadableDocument) as refused:
        list(LOADER.split(document(file), Limits()))
    assert refused.value.what == f"is {width:,} × {height:,} pixels; the limit is max_source_pixels = 100,000,000"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"just a text file", "is not a picture in a supported format"),
        (b"%PDF-1.7\n1 0 obj", "is not a picture in a supported format"),
        (b"GIF89a", "is damaged"),
    ],
)
def test_a_file_that_is_not_a_picture_gets_a_reason(content: bytes, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "p.jpg"
    file.write_bytes(content)
    with pytest.raises(UnreadableDocument, match=reason):
        list(LOADER.split(document(file), Limits()))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError("image file is truncated"), "is damaged: it ends too early; copy or download it again"),
        (
            SyntaxError("Unsupported BMP depth"),
            "cannot be decoded: Unsupported BMP depth; open it with the program that made it and save it as PNG or JPEG",
        ),
        (OSError("decoder error -2"), "is damaged: its parts do not fit together"),
        (IndexError("string index out of range"), "is damaged: its parts do not fit together"),
        (Image.DecompressionBombError("5 > 4"), "unpacks to far more pixels than the limit max_source_pixels"),
    ],
)
def test_a_reason_is_meant_for_a_person(error: Exception, reason: str) -> None:
    assert describe(error) == reason


@pytest.mark.parametrize("name", ["HEIF", "AVIF"])
def test_a_file_that_names_no_codec_is_read_by_the_one_that_can(name: str, tmp_path: Path) -> None:
    """The brand `mif1` means a picture of this family, without naming its codec."""
    whole = encoded(name)
    file = tmp_path / "p.heic"
    file.write_bytes(whole[:8] + b"mif1" + whole[12:])
    assert only(file).shape == (64, 96, 3)
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(UnreadableDocument, match=r"damaged|decoded"):
        only(file)


def test_an_animation_that_opens_blank_and_is_damaged_later_keeps_its_first_frame(tmp_path: Path) -> None:
    file = tmp_path / "a.gif"
    Image.new("RGB", (96, 64), "white").save(file, save_all=True, append_images=[painting(), painting()])
    whole = file.read_bytes()
    assert not is_blank(only(file))
    file.write_bytes(whole[: len(whole) // 3])
    assert is_blank(only(file))


def test_the_suffix_may_lie_about_the_format(tmp_path: Path) -> None:
    file = tmp_path / "p.jpg"
    file.write_bytes(encoded("PNG"))
    assert only(file).shape == (64, 96, 3)


def test_a_missing_file_gets_a_reason(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument, match="cannot be opened: No such file"):
        list(LOADER.split(document(tmp_path / "gone.png"), Limits()))


def test_pages_of_a_tiff_are_passages_and_a_damaged_one_is_skipped(tmp_path: Path) -> None:
    file = tmp_path / "scan.tif"
    pages = [Image.new("RGB", (60, 40), colour) for colour in ("red", "green", "blue")]
    pages[0].save(file, save_all=True, append_images=pages[1:], compression="tiff_lzw")
    passages = list(LOADER.split(document(file), Limits()))
    assert [p.locator for p in passages] == [Page(1), Page(2), Page(3)]
    assert [p.ordinal for p in passages] == [0, 1, 2]
    colours = [c.pixels[0][5, 5].tolist() for c in LOADER.read(document(file), passages, Limits()) if isinstance(c, Content)]
    assert colours == [[255, 0, 0], [0, 128, 0], [0, 0, 255]]
    (absent,) = LOADER.read(document(file), [replace(passages[0], locator=Page(9))], Limits())
    assert isinstance(absent, Skipped) and absent.reason == "page 9 is not there: the file has 3 pages"
    with Image.open(file) as image:
        image.seek(1)
        (strip,) = image.tag_v2[273]
    broken = bytearray(file.read_bytes())
    broken[strip : strip + 20] = b"\xff" * 20
    file.write_bytes(broken)
    kinds = [type(value) for value in LOADER.read(document(file), passages, Limits())]
    assert kinds == [Content, Skipped, Content]
    with pytest.raises(UnreadableDocument, match="has 3 pages; the limit is max_pages = 2"):
        list(LOADER.split(document(file), Limits(max_pages=2)))


@pytest.mark.parametrize("name", ["GIF", "WEBP", "PNG"])
def test_an_animation_shows_its_first_frame_that_is_not_blank(name: str, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (96, 64), "white"), Image.new("RGB", (96, 64), "white"), painting()]
    file = tmp_path / "p.bin"
    frames[0].save(file, name, save_all=True, append_images=frames[1:], duration=[100, 120, 140], lossless=True)
    pixels = only(file)
    assert pixels[4, 4, 0] > 180 and pixels[4, 4, 1] < 120


@pytest.mark.parametrize("name", SUFFIXES)
def test_a_truncated_file_is_never_a_half_grey_picture(name: str, tmp_path: Path) -> None:
    """Cut anywhere, a file gives a reason or, where only trailing bytes are gone, the very same pixels."""
    whole = encoded(name)
    file = tmp_path / f"p.{SUFFIXES[name]}"
    file.write_bytes(whole)
    truth = only(file)
    for share in (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97):
        file.write_bytes(whole[: int(len(whole) * share)])
        try:
            pixels = only(file)
        except UnreadableDocument as error:
            assert len(error.what) > 5
        else:
            np.testing.assert_array_equal(pixels, truth)


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@pytest.mark.parametrize("name", SUFFIXES)
def test_damage_gives_a_reason_or_a_picture(name: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2024:05:03 10:20:30"
    whole = encoded(name, **({} if name in ("GIF", "BMP") else {"exif": exif}))
    file = tmp_path / f"p.{SUFFIXES[name]}"
    for seed in range(200):
        dice = random.Random(seed)
        broken = bytearray(whole)
        for _ in range(dice.choice((1, 4, 20))):
            reach = len(broken) if dice.random() < 0.5 else min(len(broken), 200)
            broken[dice.randrange(reach)] ^= 1 << dice.randrange(8)
        if seed % 10 == 0:
            start = dice.randrange(len(broken))
            broken[start : start + 300] = bytes(len(broken[start : start + 300]))
        file.write_bytes(broken)
        try:
            pixels = only(file, Limits(max_source_pixels=4_000_000))
        except UnreadableDocument as error:
            assert error.what
        else:
            assert pixels.ndim == 3 and pixels.dtype == np.uint8


def test_pixels_are_encoded_for_servers_and_for_previews() -> None:
    pixels = np.asarray(painting(640, 480))
    with Image.open(io.BytesIO(encode_jpeg(pixels, 90))) as jpeg:
        assert (jpeg.format, jpeg.size) == ("JPEG", (640, 480))
    with Image.open(io.BytesIO(thumbnail(pixels, 160))) as small:
        assert (small.format, small.size) == ("WEBP", (160, 120))
    assert shrink_array(pixels, 30_000).shape == (150, 200, 3)


def test_blank_is_one_colour_even_with_grain_but_not_with_a_line_of_text() -> None:
    grain = np.clip(np.random.default_rng(0).normal(20, 8, (720, 1280, 3)), 0, 255).astype(np.uint8)
    assert is_blank(grain)
    page = np.full((720, 1280, 3), 255, np.uint8)
    assert is_blank(page)
    page[400:414, 100:300:3] = 0
    assert not is_blank(page)
