"""Camera raw files and Photoshop files: the picture inside that is shown, the way it was held, and damage."""

from __future__ import annotations

import io
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.detect import loader_name
from rag.loaders.picture.picture import PictureLoader
from rag.types import Content, Document, DocumentId

LONG, SHORT, ASCII = 4, 3, 2


def jpeg(width: int, height: int, colour: str) -> bytes:
    stream = io.BytesIO()
    image = Image.new("RGB", (width, height), colour)
    image.paste("white", (0, 0, width // 2, height // 2))
    image.save(stream, "JPEG", quality=95)
    return stream.getvalue()


BIG, SMALL = jpeg(120, 80, "navy"), jpeg(24, 16, "red")


def directory(at: int, order: str, tags: list[tuple[int, int, int]], following: int = 0) -> bytes:
    """A TIFF directory of single values (tag, type, value) that stands at `at`."""
    entries = b"".join(
        struct.pack(f"{order}HHI", tag, kind, 19 if kind == ASCII else 1)
        + (struct.pack(f"{order}HH", value, 0) if kind == SHORT else struct.pack(f"{order}I", value))
        for tag, kind, value in sorted(tags)
    )
    return struct.pack(f"{order}H", len(tags)) + entries + struct.pack(f"{order}I", following)


def raw(order: str = "<", magic: int = 42) -> bytes:
    """A raw file: a small preview in the first directory, a large one in a subfile, mosaic data in another, the date in EXIF."""
    first, sub, exif, date, pictures = 16, 200, 300, 400, 500
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", magic, first)
    parts = {
        0: head,
        first: directory(first, order, [
            (0x0112, SHORT, 6), (0x014A, LONG, sub), (0x8769, LONG, exif), (0x0201, LONG, pictures), (0x0202, LONG, len(SMALL)),
        ], sub),
        sub: directory(sub, order, [
            (0x0106, SHORT, 32803), (0x0201, LONG, pictures + len(SMALL)), (0x0202, LONG, len(BIG)), (0x0103, SHORT, 34713),
        ]),
        exif: directory(exif, order, [(0x9003, ASCII, date)]),
        date: b"2021:05:06 07:08:09\0",
        pictures: SMALL + BIG,
    }  # fmt: skip
    return placed(parts)


def placed(parts: dict[int, bytes]) -> bytes:
    made = bytearray(max(at + len(part) for at, part in parts.items()))
    for at, part in parts.items():
        made[at : at + len(part)] = part
    return bytes(made)


def photoshop() -> bytes:
    pixels = np.zeros((3, 20, 30), np.uint8)
    pixels[2] = 200
    return b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 20, 30, 8, 3) + bytes(12) + bytes(2) + pixels.tobytes()


def shown(file: Path, data: bytes) -> tuple[tuple[int, ...], list[int], float | None]:
    """The shape of what a model sees, its lower right pixel, and when it was taken."""
    file.write_bytes(data)
    assert loader_name(file, Limits()) == "picture"
    document = Document(DocumentId("p", file.name), file)
    (passage,) = PictureLoader().split(document, Limits())
    (content,) = PictureLoader().read(document, [passage], Limits())
    assert isinstance(content, Content)
    return content.pixels[0].shape, content.pixels[0][-1, -1].tolist(), passage.taken


@pytest.mark.parametrize(("name", "order"), [("a.nef", "<"), ("a.dng", ">"), ("a.tif", "<")])
def test_the_largest_preview_is_shown_as_the_camera_was_held(name: str, order: str, tmp_path: Path) -> None:
    shape, pixel, taken = shown(tmp_path / name, raw(order))
    assert shape == (120, 80, 3) and np.abs(np.array(pixel) - (255, 255, 255)).max() > 50
    assert taken is not None


def test_other_cameras(tmp_path: Path) -> None:
    fuji = placed({0: b"FUJIFILMCCD-RAW 0201", 84: struct.pack(">II", 200, len(BIG)), 200: BIG})
    assert shown(tmp_path / "a.raf", fuji)[0] == (80, 120, 3)
    panasonic = placed({0: b"IIU\0" + struct.pack("<I", 8), 8: directory(8, "<", [(0x002E, 7, 100)]), 100: BIG})
    assert shown(tmp_path / "a.rw2", panasonic)[0] == (80, 120, 3)
    box = struct.pack(">I4s4xHHHI", 24 + len(BIG), b"PRVW", 1, 120, 80, len(BIG))
    canon = struct.pack(">I4s4sI", 16, b"ftyp", b"crx ", 1) + box + BIG
    assert shown(tmp_path / "a.cr3", canon)[0] == (80, 120, 3)


def test_a_photoshop_file_is_its_picture(tmp_path: Path) -> None:
    assert shown(tmp_path / "a.psd", photoshop()) == ((20, 30, 3), [0, 0, 200], None)


def test_an_ordinary_tiff_is_read_as_before(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (30, 20), "navy").save(stream, "TIFF", compression="jpeg")
    assert shown(tmp_path / "a.tif", stream.getvalue())[0] == (20, 30, 3)


@pytest.mark.parametrize("whole", [raw(), photoshop()], ids=["raw", "psd"])
def test_damage_is_a_reason(whole: bytes, tmp_path: Path) -> None:
    chance = random.Random(17)
    for _ in range(300):
        broken = bytearray(whole[: chance.randrange(20, len(whole))] if chance.random() < 0.4 else whole)
        for _ in range(chance.randrange(6)):
            broken[chance.randrange(min(len(broken), 600))] = chance.randrange(256)
        (tmp_path / "a.nef").write_bytes(broken)
        document = Document(DocumentId("p", "a.nef"), tmp_path / "a.nef")
        try:
            list(PictureLoader().read(document, list(PictureLoader().split(document, Limits())), Limits()))
        except UnreadableDocument as refused:
            assert refused.what


def test_directories_that_name_themselves_end(tmp_path: Path) -> None:
    loop = placed({0: b"II*\0" + struct.pack("<I", 8), 8: directory(8, "<", [(0x014A, LONG, 8), (0xC612, LONG, 1)], 8)})
    (tmp_path / "a.dng").write_bytes(loop)
    with pytest.raises(UnreadableDocument):
        list(PictureLoader().split(Document(DocumentId("p", "a.dng"), tmp_path / "a.dng"), Limits()))
