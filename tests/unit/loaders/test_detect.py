"""Which loader reads a file, by name and bytes, and the reason where none does."""

from __future__ import annotations

import io
import random
import subprocess
import sys
import zipfile

import pytest
from PIL import Image

from rag.corpus.file_types import CAPTION_SUFFIXES, PICTURE_SUFFIXES, SUBTITLE_SUFFIXES
from rag.errors import UnreadableDocument
from rag.loaders import LOADERS
from rag.loaders.base import Limits
from rag.loaders.detect import loader_name, suffixes

TEXT = b"Some words about a harbour.\n"
RANDOM = random.Random(7).randbytes(4096)
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"
TRANSPORT_STREAM = (b"G\x40\x00\x10" + random.Random(3).randbytes(183) + b"\xff") * 60
MP4 = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2" + b"\0" * 100
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504


def picture(name: str) -> bytes:
    if name in ("HEIF", "AVIF"):
        import pillow_heif

        pillow_heif.register_heif_opener()
    written = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(written, name)
    return written.getvalue()


def zipped(*names: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return written.getvalue()


def found(folder, name: str, content: bytes) -> str:
    """The loader's name, or the reason in brackets."""
    file = folder / name
    file.write_bytes(content)
    try:
        return loader_name(file, Limits(max_file_bytes=100_000))
    except UnreadableDocument as refused:
        return f"[{refused.what}]"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", TEXT, "text"),
        ("LICENSE", TEXT, "text"),
        ("a.unknown", TEXT, "text"),
        ("a.dat", TEXT, "text"),
        ("a.key", TEXT, "text"),
        ("a.txt", "中文文本，没有签名。".encode("gb18030") * 9, "text"),
        ("a.txt", "utf-16 text\n".encode("utf-16"), "text"),
        ("README.MD", TEXT, "markdown"),
        ("a.py", TEXT, "code"),
        ("a.ts", TEXT, "code"),
        ("a.ts", TRANSPORT_STREAM, "video"),
        (
            "a.mts",
            b"\0\0\0\0".join(TRANSPORT_STREAM[at : at + 188] for at in range(0, 1880, 188)).join([b"\0" * 4, b""]),
            "video",
        ),
        ("a.ipynb", b'{"cells": []}', "notebook"),
        ("a.html", TEXT, "html"),
        ("a.eml", b"Subject: x\n\nbody", "mail"),
        ("a.docx", zipped("[Content_Types].xml", "word/document.xml"), "office"),
        ("a.epub", zipped("mimetype", "META-INF/container.xml"), "office"),
        ("a.odt", zipped("mimetype", "content.xml"), "office"),
        (
            "a.fods",
            b'<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0">',
            "office",
        ),
        ("a.rtf", b"{\\rtf1\\ansi text}", "office"),
        ("a.doc", OLE, "office"),
        ("a.xls", b"\x09\x08\x10\x00\x00\x06\x05\x00" + b"\x00" * 90, "office"),
        ("a.pot", b'msgid "Harbour"\nmsgstr ""\n', "text"),
        ("a.dot", b"digraph { a -> b }\n", "text"),
        ("a.pdf", PDF, "pdf"),
        ("a.pdf", b"junk before it\n" + PDF, "pdf"),
        ("a.mp4", MP4, "video"),
        ("a.mov", b"\0\0\0\x08wide\0\0\0\0mdat" + b"\0" * 50, "video"),
        ("a.mkv", b"\x1aE\xdf\xa3" + b"\0" * 50, "video"),
        ("a.avi", b"RIFF\0\0\0\0AVI LIST" + b"\0" * 50, "video"),
    ],
)
def test_a_file_is_what_it_says(tmp_path, name, content, expected):
    assert found(tmp_path, name, content) == expected


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF"])
def test_pictures_are_known_by_their_bytes_whatever_the_name(tmp_path, name):
    assert found(tmp_path, "noname", picture(name)) == "picture"
    assert found(tmp_path, "a.txt", picture(name)) == "picture"
    assert found(tmp_path, "a.pdf", picture(name)) == "picture"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", PDF, "pdf"),
        ("a.jpg", PDF, "pdf"),
        ("a.jpg", MP4, "video"),
        ("a.txt", zipped("xl/workbook.xml"), "office"),
        ("a.docx", zipped("word\\document.xml"), "office"),
        ("a.doc", b"{\\rtf1\\ansi text}", "office"),
        ("a.xls", b"<html><table><tr><td>1</td></tr></table></html>", "html"),
        ("a.xls", b"name\ttons\nship\t12\n", "text"),
        ("a.doc", TEXT, "text"),
        ("a.xlsx", zipped("word/document.xml"), "office"),
        ("a.jpg", TEXT, "[is named .jpg but contains text]"),
        ("a.pdf", TEXT, "[is named .pdf but contains text]"),
        ("a.mp4", TEXT, "[is named .mp4 but contains text]"),
        ("a.docx", TEXT, "[is named .docx but contains text]"),
        ("a.xlsb", zipped("xl/workbook.bin"), "[binary Excel format; save it as .xlsx]"),
        ("a.xlsx", zipped("xl/workbook.bin"), "[binary Excel format; save it as .xlsx]"),
        ("a.docx", zipped("other"), "[is named .docx but is another kind of zip file]"),
        ("a.docx", OLE, "office"),  # damaged: the loader says how
        ("Thumbs.db", OLE, "[is not a format this program reads (OLE, from old Office or another Windows program)]"),
    ],
)
def test_where_name_and_bytes_disagree_the_bytes_win_unless_they_are_text(tmp_path, name, content, expected):
    assert found(tmp_path, name, content) == expected


@pytest.mark.parametrize(
    "text",
    [b"BM is a place in a long text.", b"GIF89a is a header.", b"PK stands for Peter Kahn.", b"G" * 5000, b"II* is no number."],
)
def test_a_text_that_begins_like_a_picture_is_a_text(tmp_path, text):
    assert found(tmp_path, "a.txt", text) == "text"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", b"", "[is empty]"),
        ("a.jpg", b"", "[is empty]"),
        ("a.unknown", RANDOM, "[is not a format this program reads (binary data)]"),
        ("a.txt", RANDOM, "[is not a format this program reads (binary data)]"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c\0\4", "[7z archive; unpack it, or pack it again as .zip]"),
        ("a.7z", RANDOM, "[.7z is not a format this program reads]"),
        ("backup", b"Rar!\x1a\x07\x01\0", "[RAR archive; unpack it, or pack it again as .zip]"),
        ("a.djvu", TEXT, "[is named .djvu but contains text]"),
        ("a.xps", zipped("other"), "[is named .xps but is another kind of zip file]"),
        ("a.jar", zipped("x"), "[.jar is not a format this program reads]"),
        ("a.MP3", RANDOM, "[.mp3 is not a format this program reads]"),
        ("a.odt", zipped("other"), "[is named .odt but is another kind of zip file]"),
        ("a.msg", OLE, "[is not a format this program reads (OLE, from old Office or another Windows program)]"),
        ("a.fodt", TEXT, "[is named .fodt but contains text]"),
        ("a.m4b", b"\0\0\0\x20ftypM4B \0\0\x02\0", "[contains only sound, which this program does not read]"),
        (
            "a.docx",
            zipped("word/document.xml")[:40],
            "[is a damaged zip file: its table of contents is damaged or missing; copy or download it again]",
        ),
        ("a.mp4", b"\0" * 100_001, "[has 100,001 bytes; the limit max_file_bytes is 100,000]"),
    ],
)
def test_a_file_that_is_not_read_gets_a_reason(tmp_path, name, content, expected):
    assert found(tmp_path, name, content) == expected


@pytest.mark.parametrize("name", ["a.jpg", "a.mp4"])
def test_a_damaged_picture_or_video_is_left_to_its_loader_to_explain(tmp_path, name):
    assert found(tmp_path, name, RANDOM) == {"a.jpg": "picture", "a.mp4": "video"}[name]


def test_a_file_that_is_gone_gives_a_reason(tmp_path):
    with pytest.raises(UnreadableDocument, match="cannot be opened: No such file"):
        loader_name(tmp_path / "gone", Limits())


def test_every_loader_has_suffixes_and_they_agree_with_those_of_the_walk():
    assert all(suffixes(family) for family in LOADERS)
    assert suffixes("picture") == PICTURE_SUFFIXES
    assert suffixes("markdown") | suffixes("html") | suffixes("notebook") >= CAPTION_SUFFIXES
    assert suffixes("text") >= SUBTITLE_SUFFIXES


def test_choosing_a_loader_loads_no_library():
    program = "import rag.loaders.detect, sys; print([m for m in ('PIL', 'lxml', 'pptx', 'openpyxl', 'charset_normalizer', 'zipfile', 'numpy') if m in sys.modules])"  # noqa: E501
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
