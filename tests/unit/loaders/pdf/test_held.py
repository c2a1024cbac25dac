"""A short PDF that was split stays open until it is read: each page is opened once; nothing is kept that changed or is long."""

from __future__ import annotations

from pathlib import Path

import pypdfium2 as pdfium
import pytest

from rag.loaders.base import STRETCH, Limits
from rag.loaders.pdf import held
from rag.loaders.pdf.pdf import PdfLoader
from rag.types import Content, Document, DocumentId
from tests.unit.loaders.pdf.test_pdf import pdf


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The pages that are opened, by their numbers from 0."""
    numbers: list[int] = []
    get_page = pdfium.PdfDocument.get_page

    def counting(document: pdfium.PdfDocument, index: int) -> pdfium.PdfPage:
        numbers.append(index)
        return get_page(document, index)

    monkeypatch.setattr(pdfium.PdfDocument, "get_page", counting)
    return numbers


def made(file: Path, pages: int, word: str) -> Document:
    file.write_bytes(pdf(*([(12, f"{word} {number}")] for number in range(pages)), title="Log book of the lock"))
    return Document(DocumentId("root", file.name), file)


def test_each_page_is_opened_once(tmp_path: Path, opened: list[int]) -> None:
    document = made(tmp_path / "a.pdf", 3, "ebb")
    passages = list(PdfLoader().split(document, Limits()))
    read = list(PdfLoader().read(document, passages, Limits()))
    assert [passage.text for passage in passages] == ["ebb 0", "ebb 1", "ebb 2"]
    assert all(isinstance(content, Content) for content in read)
    assert opened == [0, 1, 2]
    assert not held._kept


def test_a_long_document_is_not_kept(tmp_path: Path) -> None:
    list(PdfLoader().split(made(tmp_path / "a.pdf", STRETCH + 2, "ebb"), Limits()))
    assert not held._kept


def test_of_two_documents_the_last_is_kept_and_both_are_read(tmp_path: Path) -> None:
    first, second = made(tmp_path / "a.pdf", 2, "ebb"), made(tmp_path / "b.pdf", 2, "flow")
    split = [list(PdfLoader().split(document, Limits())) for document in (first, second)]
    assert len(held._kept) == 1
    for document, passages in zip((first, second), split, strict=True):
        assert len(list(PdfLoader().read(document, passages, Limits()))) == 2
    assert not held._kept


def test_a_file_that_changed_is_opened_anew(tmp_path: Path) -> None:
    passages = list(PdfLoader().split(made(tmp_path / "a.pdf", 2, "ebb"), Limits()))
    document = made(tmp_path / "a.pdf", 1, "the spring tide of the year")
    reasons = list(PdfLoader().read(document, passages, Limits()))
    assert getattr(reasons[1], "reason", "") == "page 2 is not there: the file has 1 page"
    held.drop()


def test_a_document_that_nobody_finishes_splitting_is_closed(tmp_path: Path) -> None:
    splitting = PdfLoader().split(made(tmp_path / "a.pdf", 3, "ebb"), Limits())
    assert next(splitting).text == "ebb 0"
    splitting.close()  # type: ignore[attr-defined]
    assert not held._kept
