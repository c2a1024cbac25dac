"""Which text layers are believed: pictures, outlines and stamps are looked at, and only they; diagrams are not read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from rag.loaders.base import Limits
from rag.loaders.pdf.pdf import PdfLoader
from rag.types import Content, Document, DocumentId, TextLayer
from tests.unit.loaders.pdf.test_pdf import drawn, pdf

PROSE = [(60, 780 - 14 * n, f"The keeper of the lock wrote in line {n} what the tide had left.") for n in range(12)]
SAID = "The ferry leaves at noon\nand the last one at dusk\nfrom the northern pier"


def written(text: str, size: int = 12) -> Image.Image:
    """The text, black on white, a few points high."""
    image = Image.new("L", (320, 20 * (1 + text.count("\n"))), 255)
    ImageDraw.Draw(image).text((4, 2), text, fill=0, font=ImageFont.load_default(size))
    return image


def picture(image: Image.Image, x: float, y: float, scale: float = 1.0) -> bytes:
    """The picture with its lower left corner at x, y, in grey; a point for each pixel times `scale`."""
    width, height = image.size
    placed = b"q %g 0 0 %g %g %g cm\n" % (width * scale, height * scale, x, y)
    return placed + b"BI /W %d /H %d /CS /G /BPC 8 /F /AHx ID\n" % image.size + image.tobytes().hex().encode() + b">\nEI Q\n"


def outlines(image: Image.Image, x: float, y: float) -> bytes:
    """What is black in the picture as filled shapes, one for each piece 8 pixels wide, as programs trace letters."""
    black = np.asarray(image) < 128
    found = b""
    for row in range(0, image.height, 20):
        for left in range(0, image.width, 8):
            dots = np.argwhere(black[row : row + 20, left : left + 8]).tolist()
            boxes = b"".join(b"%g %g 1 1 re " % (x + left + across, y - row - down) for down, across in dots)
            found += boxes + b"f\n" if boxes else b""
    return found


def layer_of(content: bytes, folder: Path) -> TextLayer | None:
    """The text layer of a page, and its worth."""
    file = folder / "a.pdf"
    file.write_bytes(content)
    document = Document(DocumentId("root", "a.pdf"), file)
    [read] = PdfLoader().read(document, list(PdfLoader().split(document, Limits())), Limits())
    assert isinstance(read, Content)
    return read.layer


def test_a_page_of_text_is_believed(tmp_path: Path) -> None:
    layer = layer_of(pdf([], paint=drawn(*PROSE)), tmp_path)
    assert layer is not None and layer.trust == "whole" and layer.words.startswith("The keeper of the lock wrote in line 0")


def test_of_a_page_with_text_in_a_picture_only_the_picture_is_left_to_read(tmp_path: Path) -> None:
    layer = layer_of(pdf([], paint=drawn(*PROSE) + picture(written(SAID), 100, 300)), tmp_path)
    assert layer is not None and layer.trust == "partial" and layer.rest is not None
    height, width = layer.rest.shape[:2]
    assert 500 < width < 560 and 95 < height < 115  # 320 × 60 points, where a page of 842 points is 1,360 pixels high
    assert layer.rest.min() < 60


def test_a_picture_of_no_text_leaves_nothing_to_read(tmp_path: Path) -> None:
    shades = Image.fromarray(np.add.outer(np.arange(120), np.arange(200)).astype(np.uint8))
    layer = layer_of(pdf([], paint=drawn(*PROSE) + picture(shades, 100, 300)), tmp_path)
    assert layer is not None and (layer.trust, layer.rest) == ("whole", None)


def test_words_that_lie_over_a_picture_are_known(tmp_path: Path) -> None:
    paper = picture(Image.new("L", (40, 40), 240), 40, 580, scale=6)
    layer = layer_of(pdf([], paint=paper + drawn(*PROSE)), tmp_path)
    assert layer is not None and layer.trust == "whole"


@pytest.mark.parametrize("make", [outlines, lambda image, x, y: b"".join(letters(image, x, y))], ids=["outlines", "letters"])
def test_letters_that_are_no_text_are_left_to_read(make: object, tmp_path: Path) -> None:
    said = written("\n".join([SAID] * 4))
    layer = layer_of(pdf([], paint=drawn(*PROSE) + make(said, 100, 400)), tmp_path)  # type: ignore[operator]
    assert layer is not None and layer.trust == "partial"


def letters(image: Image.Image, x: float, y: float) -> list[bytes]:
    """The picture in pieces of 7 by 20 pixels, each a picture of its own: as some programs draw their letters."""
    corners = [(left, top) for top in range(0, image.height, 20) for left in range(0, image.width - 7, 7)]
    return [picture(image.crop((left, top, left + 7, top + 20)), x + left, y - top - 20) for left, top in corners]


def test_a_diagram_of_many_lines_and_marks_leaves_nothing_to_read(tmp_path: Path) -> None:
    lines = b"".join(b"%d 100 m %d 500 l S\n" % (60 + 2 * n, 60 + 2 * n) for n in range(200))
    marks = b"".join(b"%d %d 3 3 re f\n" % (60 + 4 * n, 300 + (n * 37) % 90) for n in range(100))
    layer = layer_of(pdf([], paint=drawn(*PROSE) + lines + marks), tmp_path)
    assert layer is not None and layer.trust == "whole"


def scan(*lines: str) -> Image.Image:
    """A scanned page, a pixel for each point."""
    image = Image.new("L", (595, 842), 255)
    for row, line in enumerate(lines):
        ImageDraw.Draw(image).text((60, 60 + 20 * row), line, fill=0, font=ImageFont.load_default(14))
    return image


def invisible(lines: list[str]) -> bytes:
    """The words that a program read on a scan, where it read them."""
    return b"3 Tr\n" + b"".join(
        b"BT /F1 14 Tf 60 %d Td (%s) Tj ET\n" % (842 - 72 - 20 * row, line.encode()) for row, line in enumerate(lines)
    )


def test_of_a_scan_that_was_read_before_missed_ends_of_lines_are_no_reason_to_read_it_again(tmp_path: Path) -> None:
    lines = [f"In line {n} of the old book the harbour master counts" for n in range(20)]
    image = scan(*(f"{line}, one" if n in (3, 9, 12) else line for n, line in enumerate(lines)))
    layer = layer_of(pdf([], paint=picture(image, 0, 0) + invisible(lines)), tmp_path)
    assert layer is not None and layer.trust == "whole"


def test_of_a_scan_that_was_read_before_what_was_passed_over_is_left_to_read(tmp_path: Path) -> None:
    lines = [f"In line {n} of the old book the harbour master counts" for n in range(30)]
    layer = layer_of(pdf([], paint=picture(scan(*lines), 0, 0) + invisible(lines[:20])), tmp_path)
    assert layer is not None and layer.trust == "partial"
