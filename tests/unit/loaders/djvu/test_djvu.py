"""DjVu: pages with their hidden text, pictures, bookmarks and title; and files that lie about themselves."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.decoding.tasks import own_programs
from rag.errors import UnreadableDocument
from rag.loaders import programs
from rag.loaders.base import Limits
from rag.loaders.djvu.djvu import DjvuLoader, box_of
from rag.loaders.djvu.expressions import bookmarks_of, expressions, pieces_of, text_of
from rag.loaders.djvu.structure import PageSize, pages_of
from rag.types import Content, Document, DocumentId, Page, Passage, Skipped
from tests.unit.program_samples import djvu, needs_djvu, turned_djvu

LIMITS = Limits()


@pytest.fixture(autouse=True)
def programs_are_run() -> Iterator[None]:
    before = list(programs._lent)
    programs.lend(own_programs())
    yield
    programs._lent[:] = before


def document(folder: Path, content: bytes) -> Document:
    (folder / "a.djvu").write_bytes(content)
    return Document(DocumentId("r", "a.djvu"), folder / "a.djvu")


def read(made: Document, limits: Limits = LIMITS) -> list[tuple[Passage, object]]:
    passages = list(DjvuLoader().split(made, limits))
    return list(zip(passages, DjvuLoader().read(made, passages, limits), strict=True))


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack(">I", len(content)) + content + b"\0" * (len(content) % 2)


def info(width: int, height: int) -> bytes:
    return chunk(b"INFO", struct.pack(">HHBBHBB", width, height, 24, 0, 0x6400, 22, 1))


@needs_djvu
def test_pages_have_their_text_bookmarks_title_and_picture(tmp_path: Path) -> None:
    found = read(document(tmp_path, djvu()))
    assert [(passage.locator, passage.kind, passage.text) for passage, _ in found] == [
        (Page(1), "page", "Harbour traffic\nArrivals"),
        (Page(2), "page", "Salt is unloaded at the quay.\nCargo"),
        (Page(3), "page", ""),
    ]
    assert {(passage.context.title, passage.context.about) for passage, _ in found} == {("The harbour book", "by Ann Pilot")}
    contents = [content for _, content in found]
    assert all(isinstance(content, Content) and content.pixels[0].shape == (550, 425, 3) for content in contents)
    trusts = [content.layer.trust if isinstance(content, Content) and content.layer else None for content in contents]
    assert trusts == ["whole", "whole", None]  # OCR reads the third
    red, green, blue = contents[1].pixels[0][300, 200]  # type: ignore[attr-defined]
    assert red < 40 and 90 < green < 165 and 90 < blue < 165  # teal


@needs_djvu
def test_a_turned_page_is_shown_upright(tmp_path: Path) -> None:
    [(_, content)] = read(document(tmp_path, turned_djvu()))
    assert isinstance(content, Content)
    rows = (content.pixels[0] < 100).any(axis=(1, 2)).nonzero()[0]
    assert content.pixels[0].shape == (550, 425, 3)
    assert 40 < rows[0] < 60 and 415 <= rows[-1] <= 425  # the words above, the ellipse below


@needs_djvu
def test_what_is_cut_off_has_a_reason_and_the_rest_is_read(tmp_path: Path) -> None:
    whole = djvu()
    cut = whole[: whole.rindex(b"FORM") + 100]  # in the third page
    found = read(document(tmp_path, cut))
    assert [passage.text.split("\n")[0] for passage, _ in found] == ["Harbour traffic", "Salt is unloaded at the quay.", ""]
    assert isinstance(found[0][1], Content) and isinstance(found[1][1], Content)
    assert isinstance(found[2][1], Skipped)
    assert found[2][1].reason.startswith("page 3 cannot be rendered: ddjvu cannot read it: it ends too early")


@needs_djvu
def test_damage_inside_is_told_of_its_page(tmp_path: Path) -> None:
    whole = bytearray(djvu())
    at = whole.rindex(b"Sjbz") + 8
    whole[at : at + 40] = b"\xff" * 40
    found = read(document(tmp_path, bytes(whole)))
    assert isinstance(found[0][1], Content) and len(found) == 3


@needs_djvu
def test_a_page_too_large_is_refused_before_it_is_drawn(tmp_path: Path) -> None:
    claimed = b"AT&T" + chunk(b"FORM", b"DJVU" + info(65_000, 65_000) + chunk(b"Sjbz", b"\0" * 20))
    [(_, content)] = read(document(tmp_path, claimed))
    assert isinstance(content, Skipped)
    assert content.reason == (
        "page 1 cannot be rendered: it claims 65,000 × 65,000 pixels; the limit max_source_pixels is 100,000,000"
    )


@needs_djvu
def test_a_picture_larger_than_its_page_says_ends_within_memory(tmp_path: Path) -> None:
    wavelets = struct.pack(">BBBBHHB", 0, 100, 1, 2, 65_535, 65_535, 0) + b"\x55" * 3000
    lying = b"AT&T" + chunk(b"FORM", b"DJVU" + info(100, 100) + chunk(b"BG44", wavelets))
    [(_, content)] = read(document(tmp_path, lying))
    assert isinstance(content, Skipped) and content.reason.startswith("page 1 cannot be rendered: ddjvu ")


def test_the_pages_are_counted_without_a_program(tmp_path: Path) -> None:
    page = chunk(b"FORM", b"DJVU" + info(200, 100) + chunk(b"Sjbz", b""))
    shared = chunk(b"FORM", b"DJVI" + chunk(b"Djbz", b""))
    start = 16 + 8 + 3 + 4 * 3 + 1
    offsets = struct.pack(">BH3I", 0x81, 3, start, start + len(page), start + len(page) + len(shared))
    whole = b"AT&T" + chunk(b"FORM", b"DJVM" + chunk(b"DIRM", offsets) + page + shared + page)
    made = document(tmp_path, whole)
    assert pages_of(made.file, LIMITS) == [PageSize(200, 100, 100)] * 2
    with pytest.raises(UnreadableDocument, match="has more than 1 pages; the limit is max_pages"):
        pages_of(made.file, replace(LIMITS, max_pages=1))


@pytest.mark.parametrize(
    ("directory", "reason"),
    [
        (struct.pack(">BH", 0x81, 65_535), "is a damaged DjVu file: the directory of its pages is cut off"),
        (struct.pack(">BH", 0x81, 0), "has no pages"),
        (struct.pack(">BH", 0x01, 3), "is the directory of a DjVu document in several files"),
    ],
)
def test_a_directory_that_lies_is_refused(tmp_path: Path, directory: bytes, reason: str) -> None:
    made = document(tmp_path, b"AT&T" + chunk(b"FORM", b"DJVM" + chunk(b"DIRM", directory)))
    with pytest.raises(UnreadableDocument) as refused:
        pages_of(made.file, LIMITS)
    assert refused.value.what.startswith(reason)


def test_the_box_of_a_page_stays_within_the_limit() -> None:
    limits = replace(LIMITS, max_pixels=10_000)
    assert box_of(PageSize(2_000, 1_000), limits) == (141, 70)
    assert box_of(PageSize(50, 90), limits) == (50, 90)
    assert box_of(PageSize(), limits) == (100, 100)
    assert box_of(PageSize(60_000, 1), limits) == (10_000, 1)


def test_expressions_are_read_as_djvulibre_prints_them() -> None:
    [page, nothing] = expressions('(page 0 0 9 9 "One \\"two\\"\\037\\303\\244 \\\\ x")\n()\n')
    assert (text_of(page), text_of(nothing)) == ('One "two"\nä \\ x', "")
    [words] = expressions('(page 0 0 90 90 (line 1 2 30 9 (word 1 2 8 9 "a") (word 10 2 30 9 "b")) (line 1 20 30 29 "c d"))')
    assert pieces_of(words) == [("a", (1, 2, 8, 9), 2), ("b", (10, 2, 30, 9), 2), ("c d", (1, 20, 30, 29), 3)]
    outline = '(bookmarks ("One" "#2" ("Deep" "#p 3.djvu")) ("Web" "http://x"))\n   3 P   411  p 3.djvu\n'
    assert bookmarks_of(outline) == {1: ["One"], 2: ["Deep"]}
    assert list(expressions("(" * 100_000)) == []
    assert list(expressions(')) ("a" "b')) == []
