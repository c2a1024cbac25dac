"""Pictures and documents inside documents: Office, OpenDocument, books, PDF and HTML. Makes its documents itself."""

from __future__ import annotations

import ctypes
import io
import zipfile
from base64 import b64encode
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from PIL import Image
from pypdfium2 import raw

from rag.loaders.base import Limits
from rag.loaders.inside.reader import loader_of
from rag.types import Content, Dropped
from tests.contracts.test_loaders import pdf, picture
from tests.unit.loaders.office.test_office import book, deck, paragraph, word, workbook, zipped
from tests.unit.loaders.office.test_open_document import EDGES, TEXT, package
from tests.unit.loaders.test_inside import document, read, reasons, words


def dot() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (20, 400), "red").save(out, "PNG")
    return out.getvalue()


def beside(whole: bytes, members: dict[str, bytes]) -> bytes:
    """The zip with more files in it."""
    stream = io.BytesIO(whole)
    with zipfile.ZipFile(stream, "a") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "whole", "folder"),
    [
        ("a.docx", zipped(word(paragraph("Below is the pump."))), "word/media/"),
        ("a.pptx", deck(), "ppt/media/"),
        ("a.xlsx", workbook(), "xl/media/"),
        ("a.odt", zipped(package("text", TEXT, EDGES)), "Pictures/"),
        ("a.epub", zipped(book()), "OEBPS/images/"),
    ],
    ids=["docx", "pptx", "xlsx", "odt", "epub"],
)
def test_pictures_in_a_document_are_read_after_its_words(tmp_path: Path, name: str, whole: bytes, folder: str) -> None:
    found = read(tmp_path, name, beside(whole, {f"{folder}pump.png": picture("PNG"), f"{folder}rule.png": dot()}))
    inside = [
        (passage.inner, passage.kind, type(outcome)) for passage, outcome in found if passage.inner in ("pump.png", "rule.png")
    ]
    assert inside == [("pump.png", "image", Content), ("rule.png", "image", Dropped)]
    assert not found[0][0].inner and isinstance(found[0][1], Content)


def test_documents_in_a_document_are_read_but_not_the_workbooks_behind_charts(tmp_path: Path) -> None:
    relations = b'<Relationships><Relationship Target="../embeddings/Sheet1.xlsx" Id="r"/></Relationships>'
    made = beside(
        zipped(word(paragraph("Two are below."))),
        {
            "word/charts/_rels/chart1.xml.rels": relations,
            "word/embeddings/Sheet1.xlsx": workbook(),
            "word/embeddings/inner.docx": zipped(word(paragraph("The inner one."))),
            "word/media/drawing.emf": b"\1\0\0\0" + b"\0\xff" * 50,
        },
    )
    found = read(tmp_path, "a.docx", made)
    assert (
        words(found) == {"": "Two are below.\n", "inner.docx": "The inner one.\n"}
        or words(found)["inner.docx"].strip() == "The inner one."
    )
    assert reasons(found)[-1:] == ["inside it: drawing.emf: is not a format this program reads (binary data)"]


def test_a_document_of_a_picture_alone_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, "a.docx", beside(zipped(word("")), {"word/media/scan.png": picture("PNG")}))
    assert next((passage.inner, type(outcome)) for passage, outcome in found) == ("scan.png", Content)


def attached(files: dict[str, bytes]) -> bytes:
    made = pdfium.PdfDocument(pdf())
    for name, content in files.items():
        made.new_attachment(name).set_data(content)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def test_files_attached_to_a_pdf_are_read(tmp_path: Path) -> None:
    made = attached({"Übersicht.txt": "Bürgschaft".encode(), "in.pdf": pdf(), "x.exe": b"MZ"})
    found = read(tmp_path, "a.pdf", made)
    assert [passage.inner for passage, _ in found] == [
        "",
        "",
        "",
        "in.pdf",
        "in.pdf",
        "in.pdf",
        "x.exe",
        "Übersicht.txt",
    ] or sorted({passage.inner for passage, _ in found}) == ["", "in.pdf", "x.exe", "Übersicht.txt"]
    assert words(found)["Übersicht.txt"] == "Bürgschaft"
    assert reasons(found) == ["inside it: x.exe: .exe is not a format this program reads"]


def pinned(files: dict[str, tuple[int, bytes]]) -> bytes:
    """A PDF with files attached at places of its pages, each by its name: the page from 0, and the content."""
    made = pdfium.PdfDocument(pdf())
    for name, (number, content) in files.items():
        page = made[number]
        pin = raw.FPDFPage_CreateAnnot(page, raw.FPDF_ANNOT_FILEATTACHMENT)
        written = ctypes.create_string_buffer((name + "\0").encode("utf-16-le"))
        file = raw.FPDFAnnot_AddFileAttachment(pin, ctypes.cast(written, ctypes.POINTER(raw.FPDF_WCHAR)))
        pdfium.PdfAttachment(file, made).set_data(content)
        raw.FPDFPage_CloseAnnot(pin)
        page.close()
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def test_files_attached_at_places_of_pages_are_read(tmp_path: Path) -> None:
    made = pinned(
        {
            "Maße.txt": (1, b"Elle und Klafter"),
            "twice.txt": (2, b"first"),
            "in.pdf": (2, attached({"deep.txt": b"Fathom"})),
        }
    )
    found = read(tmp_path, "a.pdf", made)
    assert {inner: said for inner, said in words(found).items() if inner.endswith(".txt")} == {
        "Maße.txt": "Elle und Klafter",
        "twice.txt": "first",
        "in.pdf/deep.txt": "Fathom",
    }
    assert not reasons(found)


def test_a_file_attached_at_a_place_is_found_again_where_the_document_is_not_split_first(tmp_path: Path) -> None:
    made = document(tmp_path, "a.pdf", pinned({"scan.png": (2, picture("PNG"))}))
    loader = loader_of("pdf")
    [scan] = [passage for passage in loader.split(made, Limits()) if passage.inner]
    other = document(tmp_path, "b.pdf", pdf())
    list(loader.split(other, Limits()))
    [content] = loader.read(made, [scan], Limits())
    assert isinstance(content, Content) and content.pixels


def test_a_pdf_in_a_pdf_without_end_is_bounded(tmp_path: Path) -> None:
    made = pdf()
    for level in range(7):
        made = attached({f"level {level}.pdf": made})
    found = read(tmp_path, "a.pdf", made)
    assert max(passage.inner.count("/") for passage, _ in found) == 2
    assert reasons(found)[0].endswith("holds files that are nested too deeply; the limit is max_depth = 3")


def test_pictures_that_a_page_holds_itself_are_read(tmp_path: Path) -> None:
    shown = b64encode(picture("PNG")).decode()
    jpeg = b64encode(picture("JPEG")).decode().replace("+", "%2B")
    page = (
        f"<p>A pump</p><img alt='x' src='data:image/png;base64,{shown}'><img src=\"data:image/jpeg;charset=utf-8;base64,{jpeg}\">"
    )
    icon = b64encode(b"tiny").decode()
    found = read(tmp_path, "a.html", f"{page}<img src='data:image/gif;base64,{icon}'>".encode())
    assert [(passage.inner, passage.kind) for passage, _ in found] == [
        ("", "text"),
        ("picture 1.png", "image"),
        ("picture 2.jpg", "image"),
    ]
    assert all(isinstance(outcome, Content) for _, outcome in found)
    broken = read(tmp_path, "b.html", f"<p>A pump</p><img src='data:image/png;base64,{'A' * 2_000}'>".encode())
    assert len(reasons(broken)) == 1 and reasons(broken)[0].startswith("inside it: picture 1.png: ")
    assert document(tmp_path, "c.html", b"<p>none</p>").name == "c.html"
