"""PDF pages: numbers, words, titles and pictures; false sizes and damaged files."""

from __future__ import annotations

import random
import re
import threading
from pathlib import Path

import numpy as np
import pytest

from rag.errors import UnreadableDocument
from rag.loaders.base import Limits
from rag.loaders.pdf.pdf import PdfLoader
from rag.loaders.pdf.text_layer import clean
from rag.types import Content, Document, DocumentId, Dropped, Page, Skipped

LOADER = PdfLoader()
A4 = (595, 842)


def pdf(
    *pages: list[tuple[int, str]], size: tuple[float, float] = A4, title: str = "", trailer: bytes = b"", paint: bytes = b""
) -> bytes:
    """A PDF of pages, each a list of (font size, line) in Helvetica, written by hand with its cross-reference table."""
    objects = [b"", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>", b"<< /Title (%s) >>" % title.encode()]
    kids = []
    for lines in pages:
        y, stream = size[1] - 60, paint
        for points, line in lines:
            escaped = re.sub(rb"([()\\])", rb"\\\1", line.encode("cp1252"))
            stream += b"BT /F1 %d Tf 50 %d Td (%s) Tj ET\n" % (points, y, escaped)
            y -= points * 2
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %g %g] /Contents %d 0 R /Resources << /Font << /F1 3 0 R >> >> >>"
            % (*size, len(objects))
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[0] = b"<< /Type /Catalog /Pages 2 0 R >>"
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    out, offsets = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    return out + b"trailer << /Size %d /Root 1 0 R /Info 4 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        trailer,
        start,
    )


def document(file: Path, content: bytes) -> Document:
    file.write_bytes(content)
    return Document(DocumentId("root", file.name), file, caption="beside it")


def read(made: Document, limits: Limits | None = None) -> list[Content | Dropped | Skipped]:
    limits = limits or Limits()
    return list(LOADER.read(made, list(LOADER.split(made, limits)), limits))


def test_a_passage_per_page_with_its_words(tmp_path: Path) -> None:
    made = document(
        tmp_path / "a.pdf", pdf([(12, "Harbour traffic")], [(12, "Second  page"), (12, "two lines")], title="The report")
    )
    passages = list(LOADER.split(made, Limits()))
    assert [(p.ordinal, p.locator, p.kind, p.modality) for p in passages] == [
        (0, Page(1), "page", "image"),
        (1, Page(2), "page", "image"),
    ]
    assert [p.text for p in passages] == ["Harbour traffic", "Second page\ntwo lines"]
    assert {(p.context.title, p.caption) for p in passages} == {("The report", "beside it")}


def test_pages_are_drawn_at_the_size_models_see(tmp_path: Path) -> None:
    first, second = read(document(tmp_path / "a.pdf", pdf([(40, "BIG WORDS")], [(12, "small")])))
    assert isinstance(first, Content) and isinstance(second, Content)
    (pixels,) = first.pixels
    assert (pixels.shape, pixels.dtype, pixels.flags.c_contiguous) == ((1361, 962, 3), np.uint8, True)
    assert pixels[0, 0].tolist() == [255, 255, 255] and pixels.min() == 0
    assert not np.array_equal(pixels, second.pixels[0])


def test_colours_are_in_order_red_green_blue(tmp_path: Path) -> None:
    (content,) = read(document(tmp_path / "a.pdf", pdf([], paint=b"1 0 0 rg 0 0 600 900 re f\n")))
    assert isinstance(content, Content)
    assert content.pixels[0][50, 50].tolist() == [255, 0, 0]


@pytest.mark.parametrize("size", [(14_400, 14_400), (14_400, 3), (3, 14_400), (1, 1), (200_000, 200_000)])
def test_a_page_of_any_size_stays_within_max_pixels(size: tuple[int, int], tmp_path: Path) -> None:
    (content,) = read(document(tmp_path / "a.pdf", pdf([], size=size)), Limits(max_pixels=300_000))
    assert isinstance(content, Content)
    height, width, _ = content.pixels[0].shape
    assert 1 <= height * width <= 300_000


def test_reading_some_pages_gives_what_reading_all_gives(tmp_path: Path) -> None:
    made = document(tmp_path / "a.pdf", pdf(*([(30, f"page {number}")] for number in range(4))))
    passages = list(LOADER.split(made, Limits()))
    everything = list(LOADER.read(made, passages, Limits()))
    (third,) = LOADER.read(made, passages[2:3], Limits())
    assert isinstance(third, Content) and isinstance(everything[2], Content)
    np.testing.assert_array_equal(third.pixels[0], everything[2].pixels[0])


def test_a_blank_page_is_dropped_but_never_the_first_asked_for(tmp_path: Path) -> None:
    made = document(tmp_path / "a.pdf", pdf([(12, "words")], [], [(12, "more")]))
    passages = list(LOADER.split(made, Limits()))
    assert [type(value) for value in LOADER.read(made, passages, Limits())] == [Content, Dropped, Content]
    assert [type(value) for value in LOADER.read(made, passages[1:2], Limits())] == [Content]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("The annual report", "The annual report"),
        ("Microsoft Word - The annual report", "The annual report"),
        ("report_final2.docx", "Quay crane B4 manual"),
        ("untitled", "Quay crane B4 manual"),
        ("a", "Quay crane B4 manual"),  # the name of the file
        ("", "Quay crane B4 manual"),
    ],
)
def test_the_title_is_written_or_the_first_large_line(title: str, expected: str, tmp_path: Path) -> None:
    lines = [
        (10, "Harbour trust"),
        (28, "Quay crane B4"),
        (28, "manual"),
        (11, "for drivers and fitters, third edition of August"),
    ]
    (passage,) = LOADER.split(document(tmp_path / "a.pdf", pdf(lines, title=title)), Limits())
    assert passage.context.title == expected


def test_text_of_one_size_gives_no_title(tmp_path: Path) -> None:
    (passage,) = LOADER.split(document(tmp_path / "a.pdf", pdf([(11, "one line"), (11, "another")])), Limits())
    assert passage.context.title == ""


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("trans\ufffe\r\nship\x02ment", "transshipment"),
        ("ﬁnal eﬃciency, ﬂow", "final efficiency, flow"),
        ("soft\u00adhyphen", "softhyphen"),
        ("a\t b  c \r\n\r\n\r\n\r\n d", "a b c\n\nd"),
        ("x² ½ 港口", "x² ½ 港口"),
        ("\ue001\ue002\ue003 \ue004", ""),
        ("a\x00b", "ab"),
    ],
)
def test_text_layers_are_cleaned(raw: str, expected: str) -> None:
    assert clean(raw) == expected


def test_too_many_pages_name_the_limit(tmp_path: Path) -> None:
    made = document(tmp_path / "a.pdf", pdf([], [], []))
    with pytest.raises(UnreadableDocument, match=r"^has 3 pages; the limit is max_pages = 2$"):
        list(LOADER.split(made, Limits(max_pages=2)))


LOCKED = b"/Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -44 /O <%s> /U <%s> >> /ID [<%s> <%s>]" % (
    b"1f" * 32, b"2e" * 32, b"3d" * 16, b"3d" * 16,
)  # fmt: skip


def test_a_protected_document_says_so_and_the_next_one_does_not(tmp_path: Path) -> None:
    """pdfium gives no error for a file without a page tree; its last error is still that of the file before."""
    treeless = pdf([(12, "words")]).replace(b"/Pages 2 0 R", b"/Pages 9 0 R")
    for content, reason in (
        (pdf([(12, "secret")], trailer=LOCKED), "is protected by a password"),
        (treeless, "is damaged"),
    ):
        with pytest.raises(UnreadableDocument, match=f"^{reason}$"):
            list(LOADER.split(document(tmp_path / "a.pdf", content), Limits()))


WHOLE = pdf([(12, "one")], [(12, "two")])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(400), "is not a PDF"),
        (b"hello", "is not a PDF"),
        (WHOLE[:300], "is cut off: its end is missing"),
        (pdf(), "is damaged"),
    ],
)
def test_a_file_that_cannot_be_opened_gets_a_reason(content: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument, match=f"^{reason}$"):
        list(LOADER.split(document(tmp_path / "a.pdf", content), Limits()))


def test_a_missing_file_gets_a_reason(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument, match="cannot be opened: No such file"):
        list(LOADER.split(Document(DocumentId("r", "x.pdf"), tmp_path / "x.pdf"), Limits()))


def test_a_damaged_page_is_skipped_alone(tmp_path: Path) -> None:
    content = pdf([(12, "one")], [(12, "two")], [(12, "three")])
    made = document(tmp_path / "a.pdf", content.replace(b"/Kids [6 0 R 8 0 R", b"/Kids [6 0 R 3 0 R"))  # a font is no page
    passages = list(LOADER.split(made, Limits()))
    values = list(LOADER.read(made, passages, Limits()))
    assert [p.text for p in passages] == ["one", "", "three"]
    assert [type(value) for value in values] == [Content, Skipped, Content]
    assert isinstance(values[1], Skipped) and values[1].reason.startswith("page 2 cannot be rendered")


def test_damage_gives_a_reason_or_pages(tmp_path: Path) -> None:
    small = Limits(max_pixels=20_000)
    for seed in range(200):
        dice = random.Random(seed)
        broken = bytearray(WHOLE)
        for _ in range(dice.choice((1, 5, 40))):
            broken[dice.randrange(len(broken))] ^= 1 << dice.randrange(8)
        if seed % 4 == 0:
            broken = broken[: dice.randrange(len(broken))]
        if seed % 7 == 0 and broken:
            start = dice.randrange(len(broken))
            broken[start : start + 200] = bytes(len(broken[start : start + 200]))
        try:
            values = read(document(tmp_path / "a.pdf", bytes(broken)), small)
        except UnreadableDocument as error:
            assert error.what
        else:
            assert {type(value) for value in values} <= {Content, Dropped, Skipped}


def test_threads_may_share_the_loader(tmp_path: Path) -> None:
    """pdfium itself crashes here; the lock makes the threads take turns."""
    made = document(tmp_path / "a.pdf", pdf(*([(30, f"page {number}")] for number in range(6))))
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(len(read(made, Limits(max_pixels=50_000))))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [6, 6, 6, 6]


def drawn(*pieces: tuple[int, int, str]) -> bytes:
    """Pieces of text at places (x, y) of a page, in the order given."""
    return b"".join(b"BT /F1 10 Tf %d %d Td (%s) Tj ET\n" % (x, y, text.encode("cp1252")) for x, y, text in pieces)


def words(content: bytes, file: Path) -> str:
    return next(iter(LOADER.split(document(file, content), Limits()))).text


def test_a_column_with_a_table_in_it_is_read_after_the_column_before_it(tmp_path: Path) -> None:
    left = [(50, 780 - 14 * n, f"The left column says in line {n} what comes first.") for n in range(12)]
    right = [(320, 780 - 14 * n, f"The right column goes on in line {n} with the rest.") for n in range(4)]
    table = [(x, 720 - 14 * n, f"{name}{n}") for n in range(8) for x, name in ((320, "inner"), (420, "mud"), (500, "sand"))]
    text = words(pdf([], paint=drawn(*left, *right, *table)), tmp_path / "two.pdf")
    assert text.index("left column says in line 11") < text.index("right column goes on in line 0") < text.index("inner0")
    assert "inner3 mud3 sand3" in text.replace("\n", " ")


def test_small_signs_stay_with_their_words_where_cells_are_put_in_order(tmp_path: Path) -> None:
    codes = [(50, 780 - 30 * n, f"E-{114 + n}") for n in range(6)]
    meanings = [(150, 780 - 30 * n, f"gauge {n}.{n + 1} is off") for n in range(6)]
    text = words(pdf([], paint=drawn(*codes, *meanings)), tmp_path / "table.pdf")
    assert "E-114 gauge 0.1 is off" in text.split("\n")


def test_columns_are_read_one_after_another_whatever_ends_their_sentences(tmp_path: Path) -> None:
    left = ["- The sluice was built. It", "held the tide, mostly, for", "0.5 years . . . . . . . . . . . . 7"]
    right = ["gate, of oak, was new. A", "keeper lived there, alone.", "He was paid in eels. Two"]
    page = b"".join(
        b"BT /F1 11 Tf 1 0 0 1 %d %d Tm (%s) Tj ET\n" % (x, 700 - 14 * at, words.encode())
        for at, pair in enumerate(zip(left, right, strict=True))
        for x, words in zip((60, 320), pair, strict=True)
    )
    (only,) = LOADER.split(document(tmp_path / "a.pdf", pdf([], paint=page)), Limits())
    assert only.text.split("\n") == left + right


def test_a_column_of_numbered_lines_is_read_before_the_column_beside_it(tmp_path: Path) -> None:
    """Numbers of lines are no column of their own, and make no table of two columns that the file gives one after another."""
    code = [
        piece
        for n in range(20)
        for piece in ((50, 780 - 12 * n, str(10 + n)), (75, 780 - 12 * n, f"if (tide[{n}] > gate) return wait(q);"))
    ]
    prose = [(320, 774 - 12 * n, f"The text beside says in its line {n} what for.") for n in range(20)]
    text = words(pdf([], paint=drawn(*code, *prose, (50, 790, "Listing"), (50, 800, "One"))), tmp_path / "code.pdf")
    assert "12 if (tide[2] > gate) return wait(q);\n13 if" in text
    assert text.index("29 if (tide[19]") < text.index("says in its line 0")


def test_a_table_whose_columns_are_given_one_after_another_is_read_by_row(tmp_path: Path) -> None:
    columns = [
        [(x, 780 - 14 * n, f"{name}{n}") for n in range(12)] for x, name in ((60, "pier"), (160, "a"), (220, "load"), (320, "b"))
    ]
    text = words(pdf([], paint=drawn(*(cell for column in columns for cell in column))), tmp_path / "table.pdf")
    assert "pier3 a3 load3 b3\npier4" in text
