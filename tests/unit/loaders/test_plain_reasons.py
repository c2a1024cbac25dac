"""What libraries say of damaged files, in plain words."""

from __future__ import annotations

import io
import zipfile

import pytest
from PIL import Image

from rag.loaders.inside.archives import _damaged_member
from rag.loaders.picture.open_image import DAMAGE, describe
from rag.loaders.plain_reasons import PACK_AGAIN, damage, workbook_fault


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("broken PNG file (chunk b'\\x00\\x00')", "its parts do not fit together"),
        ("image file is truncated (3 bytes not processed)", "it ends too early; copy or download it again"),
        ("Bad CRC-32 for file 'a.txt'", "its checksum is wrong; copy or download it again"),
        ("invalid distance too far back", "its packed content is damaged; copy or download it again"),
        ("Bad magic number for file header", "its table of contents is damaged or missing; copy or download it again"),
        ("incorrect OLE sector index for empty stream", "its parts do not fit together"),
        ("holds words of its own", "holds words of its own"),
    ],
)
def test_damage_is_told_without_the_words_of_the_format(said: str, plain: str) -> None:
    assert damage(said) == plain


@pytest.mark.parametrize("said", ["Can't determine file's BIFF version", "Can't find workbook in OLE2 compound document"])
def test_a_workbook_that_is_none_says_what_helps(said: str) -> None:
    reason = workbook_fault(said)
    assert reason == "holds no workbook that can be recognised; open it in Excel or LibreOffice and save it as .xlsx"


def test_a_method_of_packing_that_is_unknown_says_what_helps() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("a.txt", "words")
    packed = bytearray(held.getvalue())
    for place in (8, packed.index(b"PK\x01\x02") + 10):  # the method, in both headers
        packed[place] = 98  # PPMd
    with zipfile.ZipFile(io.BytesIO(packed)) as archive, pytest.raises(NotImplementedError) as refused:
        archive.read("a.txt")
    assert _damaged_member(refused.value).what == PACK_AGAIN


def test_a_damaged_png_is_told_in_plain_words() -> None:
    held = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(held, "png")
    damaged = held.getvalue()[:33] + b"\0\0\0\x04\0\0\0\0" + held.getvalue()[41:]
    with pytest.raises(DAMAGE) as refused:
        Image.open(io.BytesIO(damaged)).load()
    assert describe(refused.value) == "is damaged: its parts do not fit together"
